"""Half-done pictures through the real bot: where they are wanted, of that very job, and gone once there is a result."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp
import pytest
from PIL import Image

from playground.discord import Channel, Interaction, Message
from playground.discord.places import THREAD
from playground.webui import Fault
from tests.buttons import cancels
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True, "options": {"show_progress_every_n_steps": 1}}
OPTIONS: dict[str, Any] = {"size": "640x384", "steps": 4}
LONG_ENOUGH = 6.5
"""Seconds in which two previews would be shown."""


def wish(stage: Stage, channel: Channel, preview: str) -> None:
    """What an admin said earlier."""
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        row = ("channel", str(channel.id), "preview", preview)
        connection.execute("INSERT OR REPLACE INTO preferences (scope, scope_id, name, value) VALUES (?,?,?,?)", row)
        connection.commit()


@pytest.fixture
def channel(stage: Stage) -> Channel:
    """A channel where previews are on."""
    channel = stage.discord.add_channel("previews")
    wish(stage, channel, "on")
    return channel


def previews(message: Message | None) -> list[str]:
    names = [] if message is None else [one.filename for one in message.attachments]
    return [name for name in names if "preview-" in name]


async def previewed(stage: Stage, at_step: int = 2, **options: Any) -> tuple[Interaction, Message]:
    """A job that stands at a step, and its message, which shows it."""
    stage.webui.hold(at_step)
    interaction = await stage.draw(**(OPTIONS | options))
    message = await stage.answered(interaction)
    await stage.discord.until(lambda: previews(message), 20.0, "a preview")
    return interaction, message


def asked_for_pictures(stage: Stage, since: int) -> bool:
    asked = [one for one in stage.webui.requests[since:] if one.path == "/internal/progress"]
    return any(one.body["live_preview"] for one in asked)


async def test_a_half_done_picture_is_shown_and_then_exactly_the_result(stage: Stage, channel: Channel) -> None:
    interaction, message = await previewed(stage, channel=channel)
    (preview,) = message.attachments
    picture = Image.open(io.BytesIO(preview.data))
    assert (picture.format, picture.size) == ("JPEG", (512, 307))
    assert preview.filename == f"preview-{interaction.id}.jpg"
    assert "step 2/4" in message.content
    assert cancels(message)
    await asyncio.sleep(LONG_ENOUGH)
    assert len([one for one in stage.discord.uploads if one.message_id == message.id]) == 1  # nothing has changed
    stage.webui.hold(3)
    await stage.discord.until(lambda: message.attachments[0].data != preview.data, 20.0, "another preview")
    times = [one.at for one in stage.discord.uploads if one.message_id == message.id]
    assert times[1] - times[0] >= 3.0
    stage.webui.release()
    await stage.reaches(interaction, "done")
    assert [one.filename for one in message.attachments] == [f"easel-{interaction.id}-1.png"]
    stage.arrived_once(interaction)


async def test_elsewhere_nothing_is_shown_nor_asked_for(stage: Stage, channel: Channel) -> None:
    del channel
    since = len(stage.webui.requests)
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    message = await stage.answered(interaction)
    await stage.says(interaction, "step 2/4")
    await asyncio.sleep(LONG_ENOUGH)
    assert not message.attachments
    assert not asked_for_pictures(stage, since)
    stage.webui.release()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


async def test_somebody_else_s_half_done_picture_is_never_shown(stage: Stage, channel: Channel) -> None:
    stage.webui.hold(2)
    async with aiohttp.ClientSession() as session:
        body = {"prompt": "theirs", "width": 64, "height": 64, "steps": 4}
        theirs = asyncio.create_task(_draw_there(session, stage, body))
        await stage.webui.until(lambda: stage.webui.step == 2)
        interaction = await stage.draw(channel=channel, **OPTIONS)
        message = await stage.answered(interaction)
        await stage.webui.until(lambda: stage.webui.waiting, what="our task to wait behind theirs")
        await asyncio.sleep(LONG_ENOUGH)
        assert not message.attachments
        stage.webui.release()
        await theirs
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)


async def _draw_there(session: aiohttp.ClientSession, stage: Stage, body: dict[str, Any]) -> None:
    async with session.post(f"{stage.webui.url}/sdapi/v1/txt2img", json=body) as response:
        assert (await response.json())["images"]


async def test_a_job_that_waits_shows_nothing(stage: Stage, channel: Channel) -> None:
    first, _ = await previewed(stage, channel=channel)
    second = await stage.draw("another", channel=channel, **OPTIONS)
    message = await stage.answered(second)
    await asyncio.sleep(LONG_ENOUGH)
    assert not message.attachments
    stage.webui.release()
    for interaction in (first, second):
        await stage.reaches(interaction, "done")
        stage.arrived_once(interaction)


async def test_a_thread_shows_it_as_its_channel_does_and_a_cancellation_takes_it_off(
    stage: Stage, channel: Channel
) -> None:
    thread = stage.discord.add_place(stage.discord.guild, "below", THREAD, channel)
    interaction, message = await previewed(stage, channel=thread)
    await stage.presses_cancel(message)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    await stage.discord.until(lambda: not message.attachments, 5.0, "the preview to be gone")
    stage.webui.release()
    await stage.webui.until(lambda: stage.webui.running is None)
    assert not message.attachments
    assert not message.buttons()


async def test_a_failure_takes_it_off(stage: Stage, channel: Channel) -> None:
    stage.webui.fault(Fault.OUT_OF_MEMORY)
    interaction, message = await previewed(stage, at_step=1, channel=channel)
    stage.webui.release()
    await stage.reaches(interaction, "failed")
    assert not message.attachments


async def test_a_spoiler_s_preview_is_one_and_a_private_one_stays_private(stage: Stage, channel: Channel) -> None:
    interaction, message = await previewed(stage, channel=channel, spoiler=True, private=True)
    assert message.ephemeral
    assert previews(message) == [f"SPOILER_preview-{interaction.id}.jpg"]
    stage.webui.release()
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    assert [previews(one) for one in stage.discord.messages(channel) if previews(one)] == []


async def test_of_several_pictures_the_first_result_takes_its_place(stage: Stage, channel: Channel) -> None:
    interaction, message = await previewed(stage, channel=channel, count=2)
    stage.webui.release()
    await stage.reaches(interaction, "done")
    assert not previews(message)
    stage.arrived_once(interaction, 2)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_one_that_a_killed_bot_left_is_gone_at_the_end(stage: Stage, channel: Channel, cancelled: bool) -> None:
    interaction, message = await previewed(stage, channel=channel)
    await stage.kill()
    assert previews(message)
    if not cancelled:
        stage.webui.release()
    await stage.start()
    if cancelled:
        await stage.presses_cancel(message)
        await stage.discord.until(lambda: not message.attachments, 10.0, "the preview to be gone")
        stage.webui.release()
        await stage.webui.until(lambda: stage.webui.running is None)
        assert stage.row(interaction)["state"] == "cancelled"
        return
    await stage.reaches(interaction, "done")
    assert [one.filename for one in message.attachments] == [f"easel-{interaction.id}-1.png"]
    stage.arrived_once(interaction)


async def test_a_wish_that_changes_is_heard_of_in_a_running_job(stage: Stage) -> None:
    channel = stage.discord.add_channel("changing")
    stage.webui.hold(2)
    interaction = await stage.draw(channel=channel, **OPTIONS)
    message = await stage.answered(interaction)
    await stage.says(interaction, "step 2/4")
    wish(stage, channel, "on")
    await stage.discord.until(lambda: previews(message), 20.0, "a preview")
    stage.webui.release()
    await stage.reaches(interaction, "done")
    await until(lambda: not previews(message))
    stage.arrived_once(interaction)
