"""What people and admins wish, through the real bot: kept over a restart, and for the right person only."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from core.images.metadata import read_metadata
from playground.discord import Channel, Member, Message, NotSendable
from playground.discord.places import THREAD
from tests.buttons import button_id
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def my(stage: Stage, member: Member | None = None, **options: Any) -> str:
    message = await stage.answered(await stage.discord.slash(member or stage.ada, "my", **options))
    assert message.ephemeral
    return message.content


async def settings(stage: Stage, member: Member, **options: Any) -> str:
    message = await stage.answered(await stage.discord.slash(member, "settings", **options))
    assert message.ephemeral
    return message.content


async def shown(stage: Stage, message: Message, channel: Channel) -> bytes:
    """The file of the message's picture as `/show` posts it in a channel."""
    name = message.attachments[0].filename
    copy = await stage.answered(await stage.discord.slash(stage.ada, "show", channel=channel, id=name))
    return (await stage.discord.until(lambda: copy.attachments, what="a picture"))[0].data


def admin(stage: Stage) -> Member:
    return stage.discord.member("root", administrator=True)


async def test_what_a_person_wishes_is_kept_and_their_own(stage: Stage) -> None:
    assert "Ping: never" in await my(stage)
    assert "longer than 2 min" in await my(stage, metadata="off", ping="2m", sheet=3)
    await stage.restart()
    text = await my(stage)
    assert "left out of the pictures" in text
    assert "longer than 2 min" in text
    assert "with 3 pictures" in text
    assert "Ping: never" in await my(stage, stage.discord.member("mallory"))
    assert "30s, 2m, 1h" in await my(stage, ping="soon")
    assert "carry how they were made" in await my(stage, metadata="on", ping="off", sheet=0)
    assert "Contact sheet: never" in await my(stage)


async def test_admins_say_what_holds_on_their_server(stage: Stage) -> None:
    root, there = admin(stage), stage.discord.add_channel("there")
    text = await settings(
        stage, root, buttons="owner", metadata="required", preview="on", preview_channel=there, sheet=4
    )
    assert f"Preview: off; in <#{there.id}> on" in text
    assert "only who asked" in text
    thread = stage.discord.add_place(stage.discord.guild, "below", THREAD, there)
    assert f"; in <#{thread.id}> on" in await settings(stage, root, channel=thread)
    assert f"; in <#{thread.id}> on" in await settings(stage, root, preview_channel=thread)
    await stage.restart()
    text = await settings(stage, root)
    assert "Metadata: required" in text
    assert "with 4 pictures" in text
    assert f"Preview: off; in <#{stage.discord.channel.id}> off" in text
    assert "which requires it" in await my(stage, metadata="off")
    await my(stage, metadata="on")
    text = await settings(stage, root, buttons="anyone", metadata="free", preview="on", sheet=5)
    assert f"Preview: on; in <#{stage.discord.channel.id}> on" in text
    assert "anyone may use them" in text
    assert "everybody's own choice" in text
    await settings(stage, root, preview="off")


async def test_nobody_else_does_whatever_discord_allows_them(stage: Stage) -> None:
    with pytest.raises(NotSendable):
        await settings(stage, stage.ada)
    stage.discord.commands["settings"]["default_member_permissions"] = None  # as a server's admins may set it
    sentence = await settings(stage, stage.ada, buttons="owner")
    assert "Only members who may manage this server" in sentence
    assert "anyone may use them" in await settings(stage, admin(stage))


@pytest.mark.parametrize("verb", ["again", "vary", "strong", "edit", "hires", "upscale", "use", "details", "delete"])
async def test_where_a_picture_is_its_owner_s_nobody_else_s_press_counts(stage: Stage, verb: str) -> None:
    message = await stage.drawn("a fox", size="64x64", steps=2)
    await settings(stage, admin(stage), buttons="owner")
    mallory = stage.discord.member("mallory")
    refusal = await stage.answered(await stage.discord.press(mallory, message, button_id(message, verb)))
    assert refusal.ephemeral
    assert "nly the person who asked" in refusal.content
    assert not stage.rows(f"owner_id = '{mallory.id}'")
    await settings(stage, admin(stage), buttons="anyone")


async def test_a_lost_row_makes_nobody_an_owner(stage: Stage) -> None:
    message = await stage.drawn("a fox", size="64x64", steps=2)
    await settings(stage, admin(stage), buttons="owner")
    await stage.kill()
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        for table in ("jobs", "parts", "gallery"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # ours
        connection.commit()
    await stage.start()
    mallory = stage.discord.member("mallory")
    refusal = await stage.answered(await stage.discord.press(mallory, message, button_id(message, "again")))
    assert refusal.ephemeral
    assert "only the person who asked" in refusal.content
    await stage.delivered(await stage.discord.press(stage.ada, message, button_id(message, "again")))
    await settings(stage, admin(stage), buttons="anyone")


async def test_metadata_is_left_out_where_its_owner_wishes_and_no_server_objects(stage: Stage) -> None:
    small: dict[str, Any] = {"size": "64x64", "steps": 2}
    await my(stage, metadata="off")
    await stage.restart()
    bare = await stage.drawn("a secret fox", **small)
    assert read_metadata(bare.attachments[0].data) is None
    assert b"secret" not in bare.attachments[0].data
    assert "re-encoded" not in bare.content
    kept = [path.read_bytes() for path in (stage.bot.data_dir / "pictures").rglob("*.png")]
    assert any(b"secret" in data for data in kept)
    details = await stage.answered(await stage.discord.press(stage.ada, bare, button_id(bare, "details")))
    assert "a secret fox" in details.content
    assert "Steps `2`" in details.content
    await settings(stage, admin(stage), metadata="required")
    says = await stage.drawn("a required fox", **small)
    assert b"required" in says.attachments[0].data
    elsewhere = await stage.drawn("a direct fox", channel=stage.ada.dm, **small)
    assert read_metadata(elsewhere.attachments[0].data) is None
    assert b"a direct fox" in await shown(stage, elsewhere, stage.discord.channel)
    assert read_metadata(await shown(stage, says, stage.ada.dm)) is None
    letters = len(stage.discord.messages(stage.ada.dm))
    stage.discord.react(stage.ada, says, "✉️")
    await stage.discord.until(lambda: len(stage.discord.messages(stage.ada.dm)) > letters, what="a letter")
    assert read_metadata(stage.discord.messages(stage.ada.dm)[-1].attachments[0].data) is None
    await settings(stage, admin(stage), metadata="free")
    await my(stage, metadata="on")
    assert b"again" in (await stage.drawn("an again fox", **small)).attachments[0].data


async def test_nothing_is_posted_before_the_wish_can_be_read(stage: Stage) -> None:
    await my(stage, metadata="off")
    stage.webui.hold()
    interaction = await stage.draw("a patient fox", size="64x64", steps=2)
    await stage.reaches(interaction, "running")
    with closing(sqlite3.connect(stage.bot.data_dir / "easel.db", timeout=10)) as connection:
        connection.execute("ALTER TABLE preferences RENAME TO hidden")
        stage.webui.release()
        await stage.reaches(interaction, "drawn")
        await asyncio.sleep(1)
        assert not stage.uploads(interaction)
        connection.execute("ALTER TABLE hidden RENAME TO preferences")
    message = await stage.delivered(interaction)
    assert read_metadata(message.attachments[0].data) is None
    await my(stage, metadata="on")


async def test_a_job_that_took_long_mentions_its_owner_once_also_after_a_crash(stage: Stage) -> None:
    await my(stage, ping="5s")
    stage.webui.hold()
    interaction = await stage.draw("a slow fox", size="64x64", steps=2)
    private = await stage.draw("a slow private fox", size="64x64", steps=2, private=True)
    direct = await stage.draw("a slow direct fox", size="64x64", steps=2, channel=stage.ada.dm)
    await stage.reaches(interaction, "running")
    await asyncio.sleep(5)
    await stage.kill()
    stage.webui.release()
    await stage.start()
    for one in (interaction, private, direct):
        await stage.delivered(one)
        await stage.reaches(one, "done")
    pinged = [message for message in stage.discord.messages() if stage.ada.id in message.pinged]
    assert [message.content for message in pinged if not message.ephemeral] == [
        f"<@{stage.ada.id}> your picture is there."
    ]
    mentions = [message.content for message in stage.discord.messages(stage.ada.dm) if message.pinged]
    assert mentions == [f"<@{stage.ada.id}> your picture is there."]
    await my(stage, ping="off")
