"""/checkpoint: what there is, for everybody; to switch and name it, for admins. On every kind of webui."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from playground.discord import Channel, Interaction, Member, Message
from playground.webui import Checkpoint, LocalForge, LocalKobold, LocalSdNext, LocalWebui
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import Stage, open_stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
REFUSAL = "Only members who may manage this server can switch models."
FILES = ("dreamLandscapes_v4.safetensors", "paperCutout_v12.safetensors")
POST = "/sdapi/v1/options"


def broken_webui(**options: Any) -> LocalWebui:
    files = [*map(Checkpoint, FILES), Checkpoint("damaged_v1.safetensors", broken=True)]
    return cheap_webui(checkpoints=files, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path_factory.mktemp("checkpoint"), broken_webui()) as stage:
        yield stage


def admin_of(stage: Stage) -> Member:
    return stage.discord.member("grace", administrator=True)


async def command(stage: Stage, member: Member, words: str, channel: Channel | None = None, **options: Any) -> Message:
    return await stage.answered(await stage.discord.slash(member, f"checkpoint {words}", channel=channel, **options))


async def asked(stage: Stage, words: str, **options: Any) -> Interaction:
    return await stage.discord.slash(admin_of(stage), f"checkpoint {words}", **options)


async def ended(stage: Stage, words: str, **options: Any) -> str:
    """What an admin reads once it has ended."""
    interaction = await asked(stage, words, **options)

    def says() -> str | None:
        message = interaction.response
        found = message is not None and ("done: " in message.content or "left out" in message.content)
        return message.content if message is not None and found else None

    return await stage.discord.until(says, 20, f"{words} to end")


def posted(webui: LocalWebui) -> list[Any]:
    """The options that were set for good."""
    return [request.json for request in webui.requests if request.method == "POST" and request.path == POST]


def switches(stage: Stage) -> list[dict[str, Any]]:
    return stage._select("SELECT * FROM switches ORDER BY created_at")


async def test_everybody_sees_the_checkpoints_and_no_path(stage: Stage) -> None:
    for channel in (None, stage.ada.dm):
        message = await command(stage, stage.ada, "list", channel)
        assert message.ephemeral or channel is not None
        first = message.content.splitlines()
        assert first[0] == "**3 checkpoints**"
        assert any(line.startswith("- `dreamLandscapes_v4` · ") and "**loaded**" in line for line in first)
        assert "/" not in message.content.replace("/checkpoint", "")


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("use", {"checkpoint": "paperCutout_v12"}),
        ("vae", {"vae": "Automatic"}),
        ("clip_skip", {"layers": 2}),
        ("refresh", {}),
    ],
)
async def test_others_are_refused_by_the_bot_itself(stage: Stage, words: str, options: dict[str, Any]) -> None:
    before = len(stage.webui.requests)
    for member, channel in ((stage.ada, None), (admin_of(stage), admin_of(stage).dm)):
        assert (await command(stage, member, words, channel, **options)).content == REFUSAL
    sent = stage.webui.requests[before:]
    assert not [one for one in sent if one.method == "POST" and one.path.startswith(("/sdapi/v1/opt", "/sdapi/v1/ref"))]


async def test_a_switch_is_loaded_verified_said_and_remembered(stage: Stage) -> None:
    offers = await stage.discord.autocomplete(admin_of(stage), "checkpoint use", "checkpoint", "paper")
    said = await ended(stage, "use", checkpoint=offers[0].value)
    assert 'done: It has loaded "paperCutout\\_v12", and draws with it from now on.' in said
    assert f"by <@{admin_of(stage).id}>" in said
    assert stage.webui.swaps[-1] == "paperCutout_v12"
    (post,) = posted(stage.webui)[-1:]
    assert post.keys() == {"sd_model_checkpoint"}
    row = switches(stage)[-1]
    assert (row["state"], row["person_id"], row["setting"]) == ("done", str(admin_of(stage).id), "checkpoint")
    assert "`paperCutout_v12`" in (await command(stage, stage.ada, "list")).content.splitlines()[-1]
    message = await stage.drawn(**OPTIONS)
    assert "`paperCutout_v12`" in message.content


async def test_a_checkpoint_that_can_t_be_loaded_is_said_to_be_none_though_the_webui_says_200(stage: Stage) -> None:
    await ended(stage, "use", checkpoint="dreamLandscapes_v4")
    said = await ended(stage, "use", checkpoint="damaged_v1")
    assert 'not done: It could not load "damaged\\_v1". It still has "dreamLandscapes\\_v4".' in said
    assert switches(stage)[-1]["state"] == "failed"
    listed = (await command(stage, stage.ada, "list")).content
    assert next(line for line in listed.splitlines() if "dream" in line and "loaded" in line)
    assert "`dreamLandscapes_v4`" in (await stage.drawn(**OPTIONS)).content


async def test_it_waits_for_the_running_picture_and_lets_no_other_in_between(stage: Stage) -> None:
    await ended(stage, "use", checkpoint="dreamLandscapes_v4")
    webui, before = stage.webui, len(posted(stage.webui))
    webui.hold(1)
    first = await stage.draw(count=2, **OPTIONS)
    await webui.until(lambda: webui.step == 1)
    drawn = len(webui.renders)
    interaction = await asked(stage, "use", checkpoint="paperCutout_v12")
    await stage.says(interaction, "waits until its picture is done")
    assert (
        "changing its model, once its picture is done"
        in (await stage.answered(await stage.discord.slash(stage.ada, "status"))).content
    )
    assert len(posted(webui)) == before
    webui.release()
    await stage.says(interaction, "done: It has loaded")
    assert len(posted(webui)) == before + 1
    await stage.delivered(first, 2)
    stage.arrived_once(first, 2)
    assert len(webui.renders) == drawn + 1
    order = [one.path for one in webui.requests if one.method == "POST" and one.path in (POST, "/sdapi/v1/txt2img")]
    assert order[-3:] == ["/sdapi/v1/txt2img", POST, "/sdapi/v1/txt2img"]


async def test_clip_skip_and_vae_last_and_reach_the_next_pictures(stage: Stage) -> None:
    assert "done: Its CLIP skip is 2 from now on." in await ended(stage, "clip_skip", layers=2)
    assert posted(stage.webui)[-1] == {"CLIP_stop_at_last_layers": 2}
    await stage.drawn(**OPTIONS)
    assert stage.webui.renders[-1].sent["override_settings"]["CLIP_stop_at_last_layers"] == 2
    await stage.drawn(clip_skip=3, **OPTIONS)
    assert "done: Its CLIP skip is 3 from now on." in await ended(stage, "clip_skip", layers=3)
    await stage.drawn(**OPTIONS)
    assert stage.webui.renders[-1].sent["override_settings"]["CLIP_stop_at_last_layers"] == 3
    vae = stage.webui.catalog.vaes[0]
    assert f'done: It uses "{vae}" from now on.'.replace("_", "\\_") in await ended(stage, "vae", vae=vae)
    assert posted(stage.webui)[-1] == {"sd_vae": vae}
    assert "done" in await ended(stage, "vae", vae="automatic")
    assert posted(stage.webui)[-1] == {"sd_vae": "Automatic"}


@pytest.mark.parametrize(
    ("words", "options", "sentence"),
    [
        ("use", {"checkpoint": "nothing"}, 'The webui has no checkpoint called "nothing".'),
        ("use", {"checkpoint": "../../etc/passwd"}, "The webui has no checkpoint called"),
        ("vae", {"vae": "nothing"}, 'The webui has no VAE called "nothing".'),
        ("use", {"checkpoint": "paperCutout_v12", "webui": "no such"}, "Say which webui: webui 1."),
        ("info", {"checkpoint": "nothing"}, 'The webui has no checkpoint called "nothing".'),
    ],
)
async def test_what_no_webui_lists_is_never_sent(
    stage: Stage, words: str, options: dict[str, Any], sentence: str
) -> None:
    before = len(posted(stage.webui))
    message = await command(stage, admin_of(stage), words, **options)
    assert message.ephemeral
    assert sentence in message.content
    assert len(posted(stage.webui)) == before


async def test_refresh_finds_new_files_and_waits_for_no_picture(stage: Stage) -> None:
    webui = stage.webui
    webui.catalog.arrive("checkpoints", "newcomer_v1.safetensors")
    webui.hold(1)
    held = await stage.draw(**OPTIONS)
    await webui.until(lambda: webui.step == 1)
    interaction = await asked(stage, "refresh")
    answer = await stage.answered(interaction)
    assert answer.ephemeral
    await webui.until(lambda: webui.count("/sdapi/v1/refresh-checkpoints") > 0)
    assert webui.running is not None
    webui.release()
    await stage.delivered(held)
    await stage.says(interaction, "done: Its lists are read anew.")

    async with asyncio.timeout(10):
        while not await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "newcomer"):
            await asyncio.sleep(0.05)
    webui.catalog.checkpoints[:] = [one for one in webui.catalog.checkpoints if not one.file.startswith("newcomer")]


async def test_a_server_s_own_names_are_offered_understood_and_corrected(stage: Stage) -> None:
    admin = admin_of(stage)
    refused = await command(stage, stage.ada, "name", checkpoint="paperCutout_v12", friendly="Cut-outs")
    assert refused.content == "Only members who may manage this server can name checkpoints."
    said = await command(
        stage, admin, "name", checkpoint="paperCutout_v12", friendly="Cut-outs", trigger_words="papercut", family="sdxl"
    )
    assert "called **Cut-outs**" in said.content
    (offer,) = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "cut-o")
    assert offer.name == "Cut-outs · paperCutout_v12"
    for name in (offer.value, "CUT-outs"):
        await stage.drawn(checkpoint=name, steps=4)
        sent = stage.webui.renders[-1].sent
        assert sent["override_settings"]["sd_model_checkpoint"].startswith("paperCutout_v12")
        assert (sent["width"], sent["height"]) == (1024, 1024)
        assert "papercut" not in sent["prompt"]
    info = (await command(stage, stage.ada, "info", checkpoint="cut-outs")).content
    assert "papercut" in info
    assert "as this server says" in info
    assert "**Cut-outs** `paperCutout_v12`" in (await command(stage, stage.ada, "list")).content
    await command(stage, admin, "name", checkpoint="cut-outs", hidden=True)
    assert "paperCutout" not in (await command(stage, stage.ada, "list")).content
    assert await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "paper") == []
    await stage.restart()
    assert await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "cut-o") == []
    await command(stage, admin, "name", checkpoint="paperCutout_v12", clear=True)
    assert [one.value for one in await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "paper")]


async def test_forge_loads_with_its_next_picture_and_says_so(new_stage: OpenStage) -> None:
    forge = LocalForge(seconds_per_step=0.002, cheap_pictures=True, checkpoints=FILES)
    stage = await new_stage(forge)
    said = await ended(stage, "use", checkpoint="paperCutout_v12")
    assert 'done: It draws with "paperCutout\\_v12" from now on, loaded with its next picture.' in said
    assert "`paperCutout_v12`" in (await stage.drawn(**OPTIONS)).content
    modules = ", ".join(forge.catalog.modules[:2])
    assert "done: It uses" in await ended(stage, "vae", vae=modules)
    assert posted(forge)[-1] == {"forge_additional_modules": forge.catalog.modules[:2]}
    assert "checkpoint's own VAE" in (await ended(stage, "vae", vae="built-in")).replace("\\", "")
    assert posted(forge)[-1] == {"forge_additional_modules": []}


async def test_sd_next_says_of_each_key_whether_it_took_it(new_stage: OpenStage) -> None:
    webui = LocalSdNext(seconds_per_step=0.002, cheap_pictures=True, checkpoints=FILES)
    webui.catalog.checkpoints.append(type(webui).checkpoint("damaged_v1.safetensors", broken=True))
    stage = await new_stage(webui)
    assert 'done: It has loaded "paperCutout\\_v12"' in await ended(stage, "use", checkpoint="paperCutout_v12")
    assert 'not done: It could not load "damaged\\_v1"' in await ended(stage, "use", checkpoint="damaged_v1")
    assert webui.swaps[-1] == "paperCutout_v12"


async def test_what_can_not_be_switched_is_said_and_the_others_are(new_stage: OpenStage) -> None:
    kobold = LocalKobold()
    stage = await new_stage(kobold, broken_webui())
    said = await ended(stage, "use", checkpoint="paperCutout_v12")
    assert "- **webui 1** · left out: It can't be switched from here: KoboldCpp draws with the model" in said
    await until(lambda: switches(stage)[-1]["state"] == "done")
    message = await command(stage, admin_of(stage), "use", checkpoint="paperCutout_v12", webui="webui 1")
    assert "KoboldCpp draws with the model that it was started with" in message.content
    assert posted(kobold) == []


async def test_where_servers_are_named_no_other_server_s_admin_switches_anything(new_stage: OpenStage) -> None:
    stage = await new_stage(ADMIN_SERVERS="1")
    message = await command(stage, admin_of(stage), "use", checkpoint="paperCutout_v12")
    assert "from another server only" in message.content
    everywhere = await command(stage, admin_of(stage), "name", checkpoint="paperCutout_v12", everywhere=True)
    assert "from another server only" in everywhere.content
    own = await command(stage, admin_of(stage), "name", checkpoint="paperCutout_v12", friendly="paper")
    assert "called **paper**" in own.content


async def test_a_bot_that_dies_takes_the_wish_up_again(new_stage: OpenStage) -> None:
    stage = await new_stage(broken_webui(load_seconds=0.0))
    webui = stage.webui
    webui.hold(1)
    await stage.draw(**OPTIONS)
    await webui.until(lambda: webui.step == 1)
    await stage.says(await asked(stage, "use", checkpoint="paperCutout_v12"), "waits until")
    await stage.kill()
    webui.release()
    await stage.start()
    await until(lambda: switches(stage)[-1]["state"] == "done", 30)
    assert webui.swaps[-1] == "paperCutout_v12"


async def test_a_slow_load_is_waited_for(new_stage: OpenStage) -> None:
    stage = await new_stage(broken_webui())
    stage.webui.pace.load_seconds = 1.0
    interaction = await asked(stage, "use", checkpoint="paperCutout_v12")
    await stage.says(interaction, "loading …")
    waiting = await stage.draw(**OPTIONS)
    await stage.says(waiting, "An admin is changing the webui's model")
    await stage.says(interaction, "done: It has loaded")
    await stage.delivered(waiting)
    assert stage.webui.swaps == ["paperCutout_v12"]
