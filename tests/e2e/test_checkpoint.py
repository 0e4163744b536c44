"""/checkpoint: what there is, for everybody; to switch and name it, for admins"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness import Stage, open_stage
from tests.e2e.switching import POST, admin_of, asked, broken_webui, command, ended, posted, switches

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
REFUSAL = "Only members who may manage this server can switch models."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path_factory.mktemp("checkpoint"), broken_webui()) as stage:
        yield stage


async def test_everybody_sees_the_checkpoints_and_no_path(stage: Stage) -> None:
    for channel in (None, stage.ada.dm):
        message = await command(stage, stage.ada, "list", channel)
        assert message.ephemeral or channel is not None
        first = message.content.splitlines()
        assert first[0] == "**3 checkpoints**"
        assert sum("**loaded**" in line for line in first) == 1
        assert any(line.startswith("- `dreamLandscapes_v4`") for line in first)
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
    last = (await command(stage, admin_of(stage), "list")).content.splitlines()[-1]
    assert f"set last: Checkpoint `paperCutout_v12.safetensors` · by <@{admin_of(stage).id}>" in last
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
        while not await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "newcomer"):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.05)
    webui.catalog.checkpoints[:] = [one for one in webui.catalog.checkpoints if not one.file.startswith("newcomer")]
    await ended(stage, "refresh")
    async with asyncio.timeout(10):  # the lists are read again behind it
        while "newcomer" in (await command(stage, stage.ada, "list")).content:  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.05)


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
    for name in ("cut-outs", "paperCutout_v1"):
        info = (await command(stage, stage.ada, "info", checkpoint=name)).content
        assert info.startswith(f'The webui has no checkpoint called "{name}". The nearest are'.replace("_", "\\_"))
        assert info.count("paper") == name.count("paper")
    assert "papercut" in (await command(stage, admin, "info", checkpoint="cut-outs")).content
    assert "paper" not in await stage.refused(checkpoint="Paper cutouts", **OPTIONS)
    await ended(stage, "use", checkpoint="paperCutout_v12")
    for member, shown in ((stage.ada, False), (admin, True)):
        status = await stage.answered(await stage.discord.slash(member, "status"))
        assert ("paperCutout" in status.content) is shown
    await stage.restart()
    assert await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "cut-o") == []
    await command(stage, admin, "name", checkpoint="paperCutout_v12", clear=True)
    assert [one.value for one in await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "paper")]
