"""SIGKILL while Discord has a message already and the bot does not know: nothing is sent twice, and all of it is."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import ORDINARY, Interaction, Permission
from playground.webui import Fault
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 3}
EDIT = r"^/webhooks/\d+/[^/]+/messages/@original$"
POST = r"^/channels/\d+/messages$"
TOO_LONG = 120.0
"""Seconds that Discord keeps its answer back: longer than any test lives."""


async def held(stage: Stage, **options: Any) -> Interaction:
    stage.webui.hold()
    interaction = await stage.draw(**(OPTIONS | options))
    await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.running is not None)
    return interaction


async def die_before_the_answer(stage: Stage, interaction: Interaction, pictures: int) -> None:
    """Let the webui finish; kill the bot once so many pictures are on Discord, and start it again."""
    stage.webui.release()
    await stage.delivered(interaction, pictures)
    await stage.kill()
    stage.discord.heal()
    await stage.start()
    await stage.reaches(interaction, "done")


async def test_the_reply_was_edited_already(stage: Stage) -> None:
    interaction = await held(stage, count=2)
    stage.discord.fail("PATCH", EDIT, delay=TOO_LONG, after=True)
    await die_before_the_answer(stage, interaction, 1)
    stage.arrived_once(interaction, 2)


@pytest.mark.parametrize("private", [False, True])
async def test_the_late_message_was_posted_already(stage: Stage, private: bool) -> None:
    interaction = await held(stage, private=private)
    interaction.expire()
    stage.discord.fail("POST", POST, delay=TOO_LONG, after=True)
    await die_before_the_answer(stage, interaction, 1)
    stage.arrived_once(interaction)


async def test_the_late_message_was_posted_already_where_the_bot_may_not_read(stage: Stage) -> None:
    """Its nonce tells Discord that it is the same one."""
    stage.discord.set_permissions(stage.discord.channel, ORDINARY & ~Permission.READ_MESSAGE_HISTORY)
    interaction = await held(stage)
    interaction.expire()
    stage.discord.fail("POST", POST, delay=TOO_LONG, after=True)
    try:
        await die_before_the_answer(stage, interaction, 1)
    finally:
        stage.discord.set_permissions(stage.discord.channel, ORDINARY)
    stage.arrived_once(interaction)


async def test_ten_large_pictures_come_into_one_message_by_edits_that_discord_takes(stage: Stage) -> None:
    stage.webui.fault(Fault.HUGE_PNG, times=10, amount=3 * 2**20)
    interaction = await stage.draw(**(OPTIONS | {"count": 10}))
    await stage.delivered(interaction, 10)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 10)
    message, _sheet = stage.carriers(interaction)
    assert message is interaction.response
    assert "seed 3–12" in message.content
    assert [one.filename for one in message.attachments] == [f"easel-{interaction.id}-{n}.png" for n in range(1, 11)]
    assert all(one.size >= 3 * 2**20 for one in message.attachments)
    shown = [len(edit.filenames) for edit in message.edits]
    assert shown == sorted(shown)
    assert len(set(shown) - {0, 10}) > 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_message_that_shows_some_of_its_pictures_gets_the_others_from_the_next_process(
    stage: Stage, after: bool
) -> None:
    stage.webui.fault(Fault.HUGE_PNG, times=6, amount=2**20)
    interaction = await held(stage, count=6)
    stage.webui.release()
    await stage.delivered(interaction, 2)
    stage.discord.fail("PATCH", EDIT, delay=TOO_LONG, after=after)
    await stage.discord.until(lambda: stage.discord.requests[-1].status is None, what="an edit without an answer")
    await die_before_the_answer(stage, interaction, 2)
    stage.arrived_once(interaction, 6)


async def test_a_message_that_was_lost_on_the_way_is_sent_by_the_next_process(stage: Stage) -> None:
    interaction = await held(stage)
    stage.discord.fail("PATCH", EDIT, delay=TOO_LONG)
    stage.webui.release()
    await stage.reaches(interaction, "drawn")
    await stage.kill()
    stage.discord.heal()
    await stage.start()
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
