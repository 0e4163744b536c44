"""The way of a picture when nothing goes wrong."""

from __future__ import annotations

import hashlib
import io
import itertools
import re
import time
from typing import Any

import pytest
from PIL import Image

from playground.discord import Message
from playground.webui import WebuiRequest
from tests.buttons import cancels
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKPOINTS = ("dreamLandscapes_v4.safetensors", "paperCutout_v12.safetensors")
WEBUI = {"seconds_per_step": 0.002, "checkpoints": CHECKPOINTS}
EDIT_SECONDS = 2.5
PROGRESS = "**Drawing**"
SMALL = "64x64"


def payload(stage: Stage) -> WebuiRequest:
    """The last request for a picture."""
    return next(request for request in reversed(stage.webui.requests) if request.path == "/sdapi/v1/txt2img")


async def test_the_picture_arrives_byte_for_byte_with_its_infotext(stage: Stage) -> None:
    message = await stage.drawn("a lighthouse at dusk", seed=7, size="256x320", steps=4)
    (picture,) = message.attachments
    assert picture.filename.endswith(".png")
    assert hashlib.sha256(picture.data).hexdigest() in stage.webui.renders[-1].digests
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (256, 320)
        assert image.info["parameters"] == stage.webui.renders[-1].infotexts[0]


async def test_the_reply_comes_at_once_and_says_what_was_understood(stage: Stage) -> None:
    stage.webui.hold()
    interaction = await stage.draw(
        "a red fox",
        negative_prompt="snow",
        checkpoint="paperCutout_v12",
        size="128x192",
        steps=9,
        cfg_scale=5.5,
        sampler="euler a",
        scheduler="Karras",
        seed=11,
        count=2,
        clip_skip=2,
    )
    reply = await stage.answered(interaction)
    assert interaction.acked_after is not None
    assert interaction.acked_after < 3
    for words in ("Next in line", "a red fox", "snow", "paperCutout", "128×192", "9 steps", "CFG 5.5", "euler a"):
        assert words in reply.content
    for words in ("Karras", "seed 11", "2 pictures", "CLIP skip 2"):
        assert words in reply.content
    stage.webui.release()
    await stage.delivered(interaction, 2)


async def test_the_final_message_says_what_was_drawn_and_how_long_it_took(stage: Stage) -> None:
    message = await stage.drawn(
        "a red fox",
        size="128x192",
        steps=9,
        cfg_scale=5.5,
        sampler="Euler a",
        scheduler="Karras",
        seed=11,
        checkpoint=CHECKPOINTS[1],
    )
    for words in ("a red fox", "128×192", "9 steps", "`Euler a` / `Karras`", "CFG 5.5", "seed 11", "paperCutout_v12"):
        assert words in message.content
    assert " s" in message.content.rpartition("·")[2]
    assert not cancels(message)
    assert "instead of" not in message.content


async def test_the_payload_holds_what_was_said_in_exact_types_and_nothing_else(stage: Stage) -> None:
    interaction = await stage.draw("a red fox", size=SMALL, cfg_scale=6, seed=3, checkpoint="paperCutout_v12")
    await stage.delivered(interaction)
    sent = payload(stage).body
    assert sent["force_task_id"].startswith(f"easel-{interaction.id}")
    assert set(sent["override_settings"]) <= {"sd_model_checkpoint", "sd_vae", "CLIP_stop_at_last_layers"}
    assert sent["override_settings"]["sd_model_checkpoint"].startswith("paperCutout_v12")
    assert sent["override_settings_restore_afterwards"] is True
    assert (type(sent["cfg_scale"]), type(sent["width"]), type(sent["seed"])) == (float, int, int)
    assert sent.keys().isdisjoint({"steps", "sampler_name", "scheduler", "negative_prompt", "n_iter"})
    assert not any(request.method == "POST" for request in stage.webui.requests if "options" in request.path)


async def test_a_batch_of_four_is_one_message_with_four_seeds(stage: Stage) -> None:
    message = await stage.drawn("four foxes", count=4, seed=100, size=SMALL, steps=2)
    assert [one.filename.rpartition("-")[2] for one in message.attachments] == ["1.png", "2.png", "3.png", "4.png"]
    infotexts = [Image.open(io.BytesIO(one.data)).info["parameters"] for one in message.attachments]
    assert [f"Seed: {seed}," in text for seed, text in zip(range(100, 104), infotexts, strict=True)] == [True] * 4
    assert "seed 100–103" in message.content


async def test_a_seed_is_drawn_where_none_is_given(stage: Stage) -> None:
    await stage.drawn(size=SMALL, steps=2)
    await stage.drawn(size=SMALL, steps=2)
    first, second = (render.seed for render in stage.webui.renders[-2:])
    assert first != second
    assert payload(stage).body["seed"] == second


async def test_a_private_answer_is_seen_by_its_owner_alone(stage: Stage) -> None:
    message = await stage.drawn(private=True, size=SMALL, steps=2)
    assert message.ephemeral
    assert message.seen_by is stage.ada


async def test_a_spoiler_is_hidden_behind_one(stage: Stage) -> None:
    message = await stage.drawn(spoiler=True, size=SMALL, steps=2)
    assert message.attachments[0].spoiler


async def test_the_command_works_in_direct_messages(stage: Stage) -> None:
    message = await stage.drawn(channel=stage.ada.dm, size=SMALL, steps=2)
    assert message.channel is stage.ada.dm


async def test_sizes_can_be_said_as_shapes(stage: Stage) -> None:
    reply = await stage.asked(size="16:9", steps=1)
    assert "1344×768" in reply.content or "1408×768" in reply.content
    await stage.discord.until(lambda: reply.attachments, what="the picture")


async def test_the_second_in_the_queue_is_told_so(stage: Stage) -> None:
    stage.webui.hold()
    first = await stage.draw(size=SMALL)
    await stage.webui.until(lambda: stage.webui.running is not None)
    waiting = [await stage.asked(size=SMALL), await stage.asked(size=SMALL)]
    heads = [reply.content.partition("\n")[0].partition(" · ") for reply in waiting]
    assert [place for place, _, _ in heads] == ["**Next in line**", "**2nd in the queue**"]
    assert all(re.fullmatch(r"starts <t:[0-9]{10}:R>", start) for _, _, start in heads)
    stage.webui.release()
    await stage.delivered(first)
    await stage.discord.until(lambda: all(reply.attachments for reply in waiting), what="both pictures")


async def test_progress_is_shown_on_change_and_not_more_often_than_discord_likes(stage: Stage) -> None:
    webui = stage.webui
    webui.hold(3)
    interaction = await stage.draw(size=SMALL, steps=10)
    first = await stage.says(interaction, "step 3/10")
    seen = len(progress(first))
    polls = webui.count("/internal/progress")
    await webui.until(lambda: webui.count("/internal/progress") >= polls + 4, what="four further polls")
    assert len(progress(first)) == seen
    webui.hold(6)
    await stage.says(interaction, "step 6/10")
    webui.release()
    message = await stage.delivered(interaction)
    times = [edit.at for edit in progress(message)]
    assert len(times) >= 2
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > EDIT_SECONDS - 0.1
    assert times[0] - message.created > EDIT_SECONDS - 0.1


def progress(message: Message) -> list[Any]:
    return [edit for edit in message.edits if edit.content.startswith(PROGRESS)]


async def test_a_reply_keeps_its_cancel_button_until_the_picture_is_there(stage: Stage) -> None:
    stage.webui.hold(1)
    interaction = await stage.draw(size=SMALL)
    reply = await stage.says(interaction, PROGRESS)
    assert [button["custom_id"] for button in reply.buttons()] == [f"easel:1:cancel:{interaction.id}"]
    stage.webui.release()
    assert not cancels(await stage.delivered(interaction))


async def test_the_reply_does_not_wait_for_a_webui_that_is_busy(stage: Stage) -> None:
    stage.webui.hold()
    began = time.monotonic()
    replies = [await stage.asked(size=SMALL) for _ in range(5)]
    assert time.monotonic() - began < 3
    stage.webui.release()
    await stage.discord.until(lambda: all(reply.attachments for reply in replies), what="five pictures")
