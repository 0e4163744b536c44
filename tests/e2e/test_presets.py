"""Presets: kept from a picture or from options, drawn with, shared, deleted, and there after a restart."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import Interaction, Member, Message
from tests.core.images.pictures import as_png, noise
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import Stage
from tests.e2e.switching import admin_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "cfg_scale": 6.5}
NASTY = "**`x` <@1> @everyone [a](https://evil.example) 🦊"


async def preset(stage: Stage, words: str, member: Member | None = None, **options: Any) -> Message:
    """The answer to one of the commands."""
    return await stage.answered(await stage.discord.slash(member or stage.ada, f"preset {words}", **options))


async def saved(stage: Stage, name: str, member: Member | None = None, **options: Any) -> str:
    message = await preset(stage, "save", member, name=name, **options)
    assert message.ephemeral
    assert "is kept" in message.content, message.content
    return message.content


async def payload(stage: Stage, prompt: str = "an owl", **options: Any) -> Any:
    """What reached the webui of a `/draw`."""
    await stage.delivered(await stage.draw(prompt, **options))
    return stage.webui.renders[-1].payload


async def result(stage: Stage, prompt: str = "a red fox", **options: Any) -> tuple[Interaction, Message]:
    interaction = await stage.draw(prompt, **{**SMALL, "seed": 40, **options})
    message = await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return interaction, message


def link_of(message: Message) -> str:
    guild = message.channel.guild
    return f"https://discord.com/channels/{'@me' if guild is None else guild.id}/{message.channel.id}/{message.id}"


async def test_a_picture_s_settings_draw_others_after_a_restart_too(stage: Stage) -> None:
    _, message = await result(stage, "a red fox", negative_prompt="fog", sampler="DPM++ 2M")
    assert "steps: 2" in await saved(stage, "small", picture=link_of(message))
    await stage.restart()
    sent = await payload(stage, preset="SMALL")
    assert (sent["prompt"], sent["negative_prompt"], sent["sampler_name"]) == ("an owl", "fog", "DPM++ 2M")
    assert (sent["width"], sent["steps"], sent["cfg_scale"]) == (64, 2, 6.5)
    assert sent["seed"] != 40
    typed = await payload(stage, preset="small", steps=3, negative_prompt="snow", size="128x64", seed=7)
    assert (typed["steps"], typed["negative_prompt"], typed["width"], typed["seed"]) == (3, "snow", 128, 7)
    assert (typed["cfg_scale"], typed["sampler_name"]) == (6.5, "DPM++ 2M")


async def test_a_picture_is_chosen_from_the_latest_or_by_its_id(stage: Stage) -> None:
    interaction, _ = await result(stage, "a {green|green} heron", count=2)
    offers = await stage.discord.autocomplete(stage.ada, "preset save", "picture", "heron", name="x")
    assert [offer.value for offer in offers] == [f"{interaction.id}:2", f"{interaction.id}:1"]
    assert offers[0].name.startswith("a green heron · picture 2 · ")
    long = "heron " * 20 + "and words that are not looked for any more"
    assert await stage.discord.autocomplete(stage.ada, "preset save", "picture", long, name="x") == offers
    said = await saved(stage, "heron", picture=offers[0].value, with_prompt=True, prompt="{prompt}, calm", steps=3)
    assert "{prompt}, calm, a green heron" in said
    sent = await payload(stage, preset="heron")
    assert (sent["prompt"], sent["steps"], sent["batch_size"]) == ("an owl, calm, a green heron", 3, 1)


async def test_only_one_s_own_pictures_are_taken_and_only_finished_ones(stage: Stage) -> None:
    interaction, message = await result(stage, private=True)
    ivan = stage.discord.member("ivan")
    for picture in (str(interaction.id), link_of(message), f"{interaction.id}:1", "7"):
        told = await preset(stage, "save", ivan, name="x", picture=picture)
        assert "I know no such picture of yours" in told.content
        assert told.ephemeral
    assert "no such picture" in (await preset(stage, "save", name="x", picture=f"{interaction.id}:9")).content
    assert "Say which picture" in (await preset(stage, "save", name="x", picture="the fox")).content
    assert await stage.discord.autocomplete(ivan, "preset save", "picture", "", name="x") == []
    stage.webui.hold()
    running = await stage.draw(**SMALL)
    await stage.answered(running)
    assert "still being made" in (await preset(stage, "save", name="x", picture=str(running.id))).content
    stage.webui.release()
    await stage.delivered(running)


async def test_options_are_kept_whole_and_images_never(stage: Stage) -> None:
    said = await saved(
        stage, "ink", prompt="{prompt}, in ink", extra="eta:0.5 tiling:yes", hires_upscaler="Latent", **SMALL
    )
    assert "hires: 2" in said
    sent = await payload(stage, preset="ink")
    assert (sent["prompt"], sent["tiling"], sent["hr_scale"], sent["eta"]) == ("an owl, in ink", True, 2.0, 0.5)
    for extra in ("image_url:https://a.example/b.png", "permutations:yes"):
        told = await preset(stage, "save", name="x", extra=extra)
        assert "A preset can't keep" in told.content
    assert "nothing to keep" in (await preset(stage, "save", name="x")).content
    told = await preset(stage, "save", name="x", sampler="nonsense")
    assert 'no sampler called "nonsense"' in told.content
    assert "no preset called" in (await preset(stage, "show", name="x")).content


async def test_what_is_for_images_waits_for_one_and_a_count_for_no_permutations(stage: Stage) -> None:
    await saved(stage, "over", denoising_strength=0.3, count=2, **SMALL)
    interaction = await stage.draw("an owl", preset="over")
    message = await stage.delivered(interaction, 2)
    assert "Left out" not in message.content
    over = await payload(stage, preset="over", count=1, image=as_png(noise(64, 64)))
    assert ("init_images" in over, over["denoising_strength"]) == (True, 0.3)
    question = await stage.asked("a {red|blue} fox", preset="over", extra="permutations:yes")
    assert "Draw 2 pictures" in question.content


async def test_a_shared_one_is_everybody_s_until_its_maker_or_an_admin_deletes_it(stage: Stage) -> None:
    grace, mallory = admin_of(stage), stage.discord.member("mallory")
    await saved(stage, "Shared", grace, prompt="in ink", steps=3, size="64x64")
    await saved(stage, "shared", mallory, steps=4, size="64x64")
    told = await preset(stage, "share", mallory, name="shared")
    assert "Only members who may manage this server can share presets" in told.content
    told = await preset(stage, "share", grace, name="shared")
    assert not told.ephemeral
    await stage.restart()
    assert (await payload(stage, preset="shared"))["prompt"] == "an owl, in ink"
    offers = await stage.discord.autocomplete(mallory, "draw", "preset", "shar", prompt="x")
    assert [offer.name for offer in offers] == ["shared · yours", "Shared · this server's"]
    sent = []
    for offer in offers:
        await stage.delivered(await stage.draw("an owl", member=mallory, preset=offer.value))
        sent.append(stage.webui.renders[-1].payload["steps"])
    assert sent == [4, 3]
    shown = await preset(stage, "show", mallory, name="server:shared")
    assert f"shared by <@{grace.id}>" in shown.content
    refusal = await preset(stage, "delete", mallory, name="server:shared")
    assert "Only the person who shared this preset" in refusal.content
    assert (
        "This server's preset **Shared** is gone"
        in (await preset(stage, "delete", grace, name="server:Shared")).content
    )
    assert "no preset called" in await stage.refused(preset="shared")
    assert "Your preset **shared** is gone" in (await preset(stage, "delete", mallory, name="shared")).content


async def test_in_direct_messages_there_are_one_s_own_alone(stage: Stage) -> None:
    grace = admin_of(stage)
    await saved(stage, "here", grace, **SMALL)
    await preset(stage, "share", grace, name="here")
    told = await stage.answered(await stage.discord.slash(stage.ada, "preset show", channel=stage.ada.dm, name="here"))
    assert "no preset called" in told.content
    told = await stage.answered(await stage.discord.slash(grace, "preset share", channel=grace.dm, name="here"))
    assert "Only members who may manage this server" in told.content
    await preset(stage, "delete", grace, name="server:here")


async def test_a_name_with_markup_and_mentions_is_a_name_and_nothing_else(stage: Stage) -> None:
    eve = stage.discord.member("eve")
    said = await saved(stage, NASTY, eve, **SMALL)
    assert "@everyone" not in said
    for words in ("show", "list"):
        options = {} if words == "list" else {"name": NASTY}
        told = await preset(stage, words, eve, **options)
        assert "\\*\\*" in told.content
        assert "@everyone" not in told.content
    (offer,) = await stage.discord.autocomplete(eve, "draw", "preset", "evil", prompt="x")
    await stage.delivered(await stage.draw("an owl", member=eve, preset=offer.value))
    for name in ("", "x" * 61, "a\u202eb", "server:x"):
        if name:
            told = await preset(stage, "save", eve, name=name, steps=2)
            assert "name" in told.content
            assert "kept" not in told.content
    assert "is gone" in (await preset(stage, "delete", eve, name=NASTY)).content


async def test_a_full_shelf_offers_25_and_takes_no_51st(stage: Stage) -> None:
    bob = stage.discord.member("bob")
    for number in range(50):
        await saved(stage, f"look {number:02}", bob, steps=2, size="64x64")
    assert "You have 50 presets" in (await preset(stage, "save", bob, name="one more", steps=2)).content
    assert "takes the place" in await saved(stage, "LOOK 07", bob, steps=3, size="64x64")
    offers = await stage.discord.autocomplete(bob, "draw", "preset", "", prompt="x")
    assert len(offers) == 25
    (offer,) = await stage.discord.autocomplete(bob, "draw", "preset", "look 49", prompt="x")
    assert offer.value == "look 49"
    listed = (await preset(stage, "list", bob)).content
    assert "**Yours** (50 of 50)" in listed
    assert "more" in listed


@pytest.mark.asyncio(loop_scope="function")
async def test_a_checkpoint_that_is_gone_has_the_usual_sentence_and_where_it_is_from(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(checkpoints=("old_v1.safetensors", "new_v1.safetensors")))
    await saved(stage, "old", checkpoint="old_v1", **SMALL)
    del stage.webui.catalog.checkpoints[0]
    await stage.restart()
    refusal = await stage.refused(preset="old")
    assert "no checkpoint called" in refusal
    assert "what you say yourself comes before it" in refusal
    assert "preset" not in await stage.refused(checkpoint="old_v1")
    await stage.delivered(await stage.draw("an owl", preset="old", checkpoint="new_v1"))
