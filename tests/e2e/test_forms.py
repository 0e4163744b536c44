"""“Edit” and “Use as image”: forms that may be sent after a restart, and lose nothing of what was typed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from playground.discord import File, Interaction, Member, Message
from tests.buttons import button_id
from tests.core.images.pictures import as_png, noise
from tests.e2e.harness import Stage
from tests.e2e.test_acts import forget

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 40, "cfg_scale": 6.5}
IMAGE = File(filename="photo.png", data=as_png(noise(64, 64)))


async def result(stage: Stage, prompt: str = "a red fox", **options: Any) -> Message:
    interaction = await stage.draw(prompt, **{**SMALL, **options})
    message = await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return message


async def opened(stage: Stage, message: Message, verb: str, member: Member | None = None) -> Interaction:
    """The press, once it has its form."""
    opener = await stage.discord.press(member or stage.ada, message, button_id(message, verb))
    await stage.discord.until(lambda: opener.modal, what="a form")
    return opener


def shown(opener: Interaction) -> dict[str, str]:
    """What the form holds, by its inputs."""
    assert opener.modal is not None
    inputs = [part["component"] for part in opener.modal["components"]]
    return {one["custom_id"]: one.get("value", "") for one in inputs}


async def send(stage: Stage, opener: Interaction, **typed: str) -> Interaction:
    return await stage.discord.submit(opener.member, opener, typed)


async def said(stage: Stage, interaction: Interaction) -> Message:
    """What came last, to this person alone."""
    message = await stage.discord.until(
        lambda: next((one for one in reversed(interaction.messages) if one.content), None), what="a sentence"
    )
    assert message.ephemeral
    return message


def payload(stage: Stage) -> dict[str, Any]:
    return stage.webui.renders[-1].payload


async def test_a_form_that_is_sent_after_a_restart_draws_what_was_typed(stage: Stage) -> None:
    message = await result(stage, negative_prompt="fog", spoiler=True)
    opener = await opened(stage, message, "edit")
    form = shown(opener)
    assert (form["prompt"], form["negative_prompt"], form["seed"]) == ("a red fox", "fog", "40")
    assert "size:64x64" in form["settings"]
    assert "cfg_scale:6.5" in form["settings"]
    await stage.restart()
    settings = form["settings"].replace("cfg_scale:6.5", "CFG scale: 4,5")
    sent = await send(stage, opener, prompt="a blue wolf", seed="", settings=settings)
    answer = await stage.delivered(sent)
    drawn = payload(stage)
    assert (drawn["prompt"], drawn["negative_prompt"], drawn["cfg_scale"]) == ("a blue wolf", "fog", 4.5)
    assert drawn["seed"] != 40
    assert "Edited from [another picture]" in answer.content
    assert answer.attachments[0].filename.startswith("SPOILER_")
    row = stage.row(sent)
    assert (row["origin_verb"], row["origin_number"]) == ("edit", 0)


async def test_a_form_that_is_sent_as_it_is_draws_the_same_picture(stage: Stage) -> None:
    message = await result(stage, "a {red|blue} fox", count=2)
    before = {render.payload["seed"]: render.payload for render in stage.webui.renders[-2:]}
    question = await stage.answered(await stage.discord.press(stage.ada, message, button_id(message, "edit")))
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    opener = await stage.discord.select(stage.ada, question, menu["custom_id"], ["1"])
    await stage.discord.until(lambda: opener.modal, what="a form")
    sent = await send(stage, opener)
    await stage.delivered(sent)
    differ = {key for key, value in payload(stage).items() if before[41].get(key) != value}
    assert differ == {"force_task_id", "override_settings"}, "the checkpoint that drew it is named now"
    assert stage.row(sent)["origin_number"] == 1


async def test_every_mistake_is_named_and_what_was_typed_is_not_lost(stage: Stage) -> None:
    message = await result(stage)
    jobs = len(stage.rows())
    opener = await opened(stage, message, "edit")
    typed = {"prompt": "a `wolf` @everyone", "seed": "some", "settings": "stepz:20\ncfg:high\nsampler:Oiler"}
    refusal = await said(stage, await send(stage, opener, **typed))
    plain = refusal.content.replace("\\", "")
    for words in ("4 things", "did you mean steps?", 'cfg_scale can\'t be "high"', "the seed can't be", "Euler a"):
        assert words in plain
    assert "cfg:high" in plain
    assert typed["prompt"] in refusal.attachments[0].data.decode()
    (button,) = refusal.buttons()
    again = await stage.discord.press(stage.ada, refusal, button["custom_id"])
    await stage.discord.until(lambda: again.modal, what="the form again")
    assert shown(again) | {"negative_prompt": ""} == typed | {"negative_prompt": ""}
    assert len(stage.rows()) == jobs
    await stage.delivered(await send(stage, again, seed="7", settings="size:64x64\nsteps:2"))
    assert payload(stage)["seed"] == 7


async def test_a_name_that_no_webui_has_is_handed_back_too(stage: Stage) -> None:
    message = await result(stage)
    opener = await opened(stage, message, "edit")
    refusal = await said(stage, await send(stage, opener, settings="sampler:Oiler a"))
    assert "Euler a" in refusal.content
    assert "sampler:Oiler a" in refusal.content
    await stage.restart()
    (button,) = refusal.buttons()
    again = await stage.discord.press(stage.ada, refusal, button["custom_id"])
    await stage.discord.until(lambda: again.modal, what="the form as the picture was")
    assert "cfg_scale:6.5" in shown(again)["settings"]


async def test_prompts_longer_than_an_input_take_two(stage: Stage) -> None:
    words, without = "red fox, " * 660, "foggy " * 990
    message = await result(stage, words.strip(), negative_prompt=without.strip())
    opener = await opened(stage, message, "edit")
    form = shown(opener)
    assert list(form) == ["prompt", "prompt-2", "negative_prompt", "negative_prompt-2", "settings"]
    assert form["settings"].startswith("seed:40\n")
    await stage.delivered(await send(stage, opener))
    drawn = payload(stage)
    assert (drawn["prompt"], drawn["negative_prompt"], drawn["seed"]) == (words.strip(), without.strip(), 40)


async def test_an_image_stays_as_long_as_it_is_kept(stage: Stage) -> None:
    message = await result(stage, image=IMAGE, denoising_strength=0.4)
    opener = await opened(stage, message, "edit")
    assert "denoising_strength:0.4" in shown(opener)["settings"]
    await stage.delivered(await send(stage, opener, prompt="a blue wolf", settings="steps:2\ndenoising_strength:0.6"))
    drawn = payload(stage)
    assert (drawn["denoising_strength"], drawn["width"], drawn["height"]) == (0.6, 64, 64)
    assert drawn["init_images"]
    late = await opened(stage, message, "edit")
    await stage.kill()
    forget(stage, "inputs")
    await stage.start()
    refusal = await said(stage, await send(stage, late, prompt="a long story"))
    assert "no longer kept" in refusal.content
    assert "a long story" in refusal.content
    press = await stage.discord.press(stage.ada, message, button_id(message, "edit"))
    assert "no longer kept" in (await said(stage, press)).content


async def test_a_lost_row_is_made_up_for_by_the_picture_itself(stage: Stage) -> None:
    message = await result(stage, negative_prompt="fog")
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    stage.discord.fail("GET", r"/attachments/", delay=2.0)
    slow = await stage.discord.press(stage.ada, message, button_id(message, "edit"))
    assert "takes too long" in (await said(stage, slow)).content
    opener = await opened(stage, message, "edit")
    assert (shown(opener)["prompt"], shown(opener)["negative_prompt"]) == ("a red fox", "fog")
    await stage.delivered(await send(stage, opener, prompt="a blue wolf"))
    assert (payload(stage)["prompt"], payload(stage)["seed"]) == ("a blue wolf", 40)
    opener = await opened(stage, message, "edit")
    refusal = await said(stage, await send(stage, opener, prompt="a wolf", seed="none"))
    (button,) = refusal.buttons()
    again = await stage.discord.press(stage.ada, refusal, button["custom_id"])
    await stage.discord.until(lambda: again.modal, what="the form again")
    await stage.delivered(await send(stage, again, seed="5"))
    assert (payload(stage)["prompt"], payload(stage)["seed"]) == ("a wolf", 5)


async def test_a_picture_is_drawn_over_with_its_words_and_so_is_an_upscaled_one(stage: Stage) -> None:
    message = await result(stage)
    opener = await opened(stage, message, "use")
    assert shown(opener) == {"prompt": "a red fox", "strength": "0.5"}
    await stage.restart()
    sent = await send(stage, opener, prompt="a blue wolf", strength="0,7")
    answer = await stage.delivered(sent)
    drawn = payload(stage)
    assert (drawn["prompt"], drawn["denoising_strength"], drawn["width"]) == ("a blue wolf", 0.7, 64)
    assert drawn["init_images"]
    assert "Drawn over [another picture]" in answer.content
    upscale = await stage.discord.press(stage.ada, message, button_id(message, "upscale"))
    larger = await stage.delivered(upscale)
    await stage.reaches(upscale, "done")
    opener = await opened(stage, larger, "use")
    assert shown(opener) == {"prompt": "", "strength": "0.5"}
    await stage.delivered(await send(stage, opener, prompt="a wolf"))
    drawn = payload(stage)
    assert (drawn["prompt"], drawn["width"], drawn["height"]) == ("a wolf", 128, 128)


async def test_what_can_not_be_drawn_over_is_said_with_what_was_typed(stage: Stage) -> None:
    message = await result(stage)
    opener = await opened(stage, message, "use")
    refusal = await said(stage, await send(stage, opener, prompt="a blue wolf", strength="much"))
    assert "0 to 1" in refusal.content
    assert "a blue wolf" in refusal.content
    for path in (stage.bot.data_dir / "pictures").rglob("*.png"):
        path.unlink()
    message.attachments.clear()
    (button,) = refusal.buttons()
    again = await stage.discord.press(stage.ada, refusal, button["custom_id"])
    await stage.discord.until(lambda: again.modal, what="the form again")
    gone = await said(stage, await send(stage, again, strength="0.2"))
    assert "This picture is gone" in gone.content
    assert "a blue wolf" in gone.content


async def test_only_the_owner_may_press_where_the_server_wishes_it(stage: Stage) -> None:
    message = await result(stage)
    mallory = stage.discord.member("mallory")
    before = await opened(stage, message, "edit", mallory)
    guild = message.channel.guild
    assert guild is not None
    await stage.kill()
    wish(stage, str(guild.id), "owner")
    await stage.start()
    for verb in ("edit", "use", "upscale"):
        press = await stage.discord.press(mallory, message, button_id(message, verb))
        assert "only the person who asked" in (await said(stage, press)).content
    late = await said(stage, await send(stage, before, prompt="mine now"))
    assert "only the person who asked" in late.content
    assert "mine now" in late.content
    await opened(stage, message, "edit")
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    press = await stage.discord.press(mallory, message, button_id(message, "edit"))
    assert "only the person who asked" in (await said(stage, press)).content
    await stage.kill()
    wish(stage, str(guild.id), "anyone")
    await stage.start()


async def test_a_form_of_a_picture_that_is_gone_hands_back_what_was_typed(stage: Stage) -> None:
    message = await result(stage)
    opener = await opened(stage, message, "edit")
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    message.attachments.clear()
    await stage.start()
    refusal = await said(stage, await send(stage, opener, prompt="a long story"))
    assert "I don't know this picture any more" in refusal.content
    assert "a long story" in refusal.content


def wish(stage: Stage, guild: str, press: str) -> None:
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        connection.execute("INSERT OR REPLACE INTO preferences VALUES ('server', ?, 'press', ?)", (guild, press))
        connection.commit()
