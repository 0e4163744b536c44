"""❌ and ✉️ below results, through the real bot: after a restart, for the right person only, and nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from playground.discord import File, Member, Message
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2}


async def result(stage: Stage, **options: Any) -> Message:
    interaction = await stage.draw("a fox", **{**SMALL, **options})
    message = await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return message


async def nothing_happens(stage: Stage, message: Message, *members: Member) -> None:
    """Something that the bot does after it heard of all before it, and that nothing changed until then."""
    before = [len(stage.discord.messages(member.dm)) for member in members]
    await stage.answered(await stage.discord.slash(stage.ada, "queue"))
    await asyncio.sleep(0.3)
    assert not message.deleted
    assert stage.rows(f"message_id = '{message.id}'")
    assert [len(stage.discord.messages(member.dm)) for member in members] == before


async def letters(stage: Stage, member: Member, count: int) -> list[Message]:
    return await stage.discord.until(
        lambda: found if len(found := stage.discord.messages(member.dm)) >= count else None, what=f"{count} letters"
    )


async def test_a_cross_by_its_owner_deletes_a_result(stage: Stage) -> None:
    message = await result(stage)
    mallory = stage.discord.member("mallory")
    stage.discord.react(mallory, message, "❌")
    stage.discord.react(stage.discord.member("root", administrator=True), message, "❌")
    stage.discord.react(stage.ada, message, "👍")
    stage.discord.react(stage.ada, message, "📧")
    await nothing_happens(stage, message, stage.ada, mallory)
    await stage.restart()
    stage.discord.duplicate_next_event()
    stage.discord.react(stage.ada, message, "❌")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    await until(lambda: not stage.rows(f"message_id = '{message.id}'"), what="the row to be gone")


async def test_a_cross_on_anything_else_does_nothing(stage: Stage) -> None:
    said = stage.discord.say(stage.ada, "look")
    stage.discord.react(stage.ada, said, "❌")
    stage.discord.react(stage.ada, said, "✉️")
    stage.webui.hold()
    interaction = await stage.draw("an unfinished fox", **SMALL)
    unfinished = await stage.answered(interaction)
    await stage.reaches(interaction, "running")
    stage.discord.react(stage.ada, unfinished, "❌")
    stage.discord.react(stage.ada, unfinished, "✉️")
    await nothing_happens(stage, unfinished, stage.ada)
    assert not said.deleted
    stage.webui.release()
    await stage.delivered(interaction)


async def test_a_result_that_is_shown_again_is_known_by_its_files(stage: Stage) -> None:
    message = await result(stage)
    show = await stage.discord.slash(stage.ada, "show", id=message.attachments[0].filename)
    copy = await stage.answered(show)
    await stage.discord.until(lambda: copy.attachments, what="a picture")
    bob = stage.discord.member("ben")
    stage.discord.react(bob, copy, "❌")
    stage.discord.react(bob, copy, "✉️")
    (letter,) = await letters(stage, bob, 1)
    assert letter.attachments[0].data == message.attachments[0].data
    await nothing_happens(stage, message, bob)
    assert not copy.deleted
    stage.discord.react(stage.ada, copy, "❌")
    await stage.discord.until(lambda: copy.deleted and message.deleted, what="both messages to be gone")
    assert not stage.rows(f"message_id = '{message.id}'")


async def test_where_the_row_is_lost_the_message_says_whose_it_is(stage: Stage) -> None:
    message, other = await result(stage), await result(stage)
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        connection.execute("DELETE FROM jobs WHERE message_id = ?", (str(message.id),))
        connection.commit()
    bob = stage.discord.member("bill")
    stage.discord.react(bob, message, "❌")
    stage.discord.react(bob, message, "✉️")
    await letters(stage, bob, 1)
    await nothing_happens(stage, other, bob)
    assert not message.deleted
    stage.discord.react(stage.ada, message, "❌")
    await stage.discord.until(lambda: message.deleted, what="the message to be gone")
    assert not other.deleted


async def test_a_cross_on_a_sheet_takes_away_the_sheet_alone(stage: Stage) -> None:
    message = await result(stage, count=10)
    (sheet,) = [one for one in stage.discord.messages() if "on one sheet" in one.content]
    stage.discord.react(stage.discord.member("mallory"), sheet, "❌")
    await nothing_happens(stage, message)
    assert not sheet.deleted
    stage.discord.react(stage.ada, sheet, "❌")
    await stage.discord.until(lambda: sheet.deleted, what="the sheet to be gone")
    await nothing_happens(stage, message)


async def test_files_of_others_that_are_called_like_ours_are_none(stage: Stage) -> None:
    message = await result(stage)
    forged = stage.discord.say(stage.ada, "mine", files=[File(filename=message.attachments[0].filename, data=b"x")])
    stage.discord.react(stage.ada, forged, "❌")
    stage.discord.react(stage.ada, forged, "✉️")
    await nothing_happens(stage, message, stage.ada)
    assert not forged.deleted


async def test_an_envelope_sends_the_pictures_to_whoever_reacts(stage: Stage) -> None:
    message = await result(stage, count=2, spoiler=True)
    await stage.restart()
    bob = stage.discord.member("bob")
    stage.discord.duplicate_next_event()
    stage.discord.react(bob, message, "✉️")
    (letter,) = await letters(stage, bob, 1)
    assert [one.data for one in letter.attachments] == [one.data for one in message.attachments]
    assert all(one.spoiler for one in letter.attachments)
    guild = message.channel.guild
    assert guild is not None
    assert letter.content == f"From https://discord.com/channels/{guild.id}/{message.channel.id}/{message.id}"
    stage.discord.unreact(bob, message, "✉️")
    stage.discord.react(bob, message, "✉")
    await nothing_happens(stage, message, bob)
    stage.discord.react(stage.ada, message, "✉️")
    await letters(stage, stage.ada, 1)
    stage.discord.react(bob, letter, "❌")  # it is his, and all that is his
    await stage.discord.until(lambda: letter.deleted, what="the letter to be gone")
    await nothing_happens(stage, message, bob)


async def test_many_envelopes_at_once_are_sent_a_few_at_a_time(stage: Stage) -> None:
    message = await result(stage)
    stage.discord.fail("GET", "/attachments/", delay=0.3, times=6)
    crowd = [stage.discord.member(f"fan {number}") for number in range(6)]
    for fan in crowd:
        stage.discord.react(fan, message, "✉️")

    def reading() -> int:
        return sum(one.status is None and "/attachments/" in one.path for one in stage.discord.requests)

    await stage.discord.until(lambda: reading() > 1, what="several to be read")
    await asyncio.sleep(0.2)
    assert reading() == 2
    for fan in crowd:
        await letters(stage, fan, 1)


async def test_closed_direct_messages_and_those_where_it_is_already_get_nothing(stage: Stage) -> None:
    message = await result(stage)
    shy = stage.discord.member("shy", dms_open=False)
    stage.discord.react(shy, message, "✉️")
    await nothing_happens(stage, message, shy)
    direct = await result(stage, channel=stage.ada.dm)
    stage.discord.react(stage.ada, direct, "✉️")
    await nothing_happens(stage, direct, stage.ada)
    stage.discord.react(stage.ada, direct, "❌")
    await stage.discord.until(lambda: direct.deleted, what="the message to be gone")


async def test_a_message_that_may_not_be_read_is_not_sent_on(stage: Stage) -> None:
    message = await result(stage)
    stage.discord.fail("GET", rf"/messages/{message.id}$", status=403, code=50001)
    eve = stage.discord.member("eve")
    stage.discord.react(eve, message, "✉️")
    await nothing_happens(stage, message, eve)
