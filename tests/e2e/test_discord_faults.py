"""Everything Discord can refuse, lose or repeat: the picture finds a way, once."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from typing import Any

import pytest
from PIL import Image

from playground.discord import ORDINARY, Interaction, Permission
from playground.webui import Fault
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 9}
EDIT = r"^/webhooks/\d+/[^/]+/messages/@original$"
POST = r"^/channels/\d+/messages$"


async def held(stage: Stage, **options: Any) -> Interaction:
    """A job that is being drawn, and whose reply is out, until the webui is released."""
    stage.webui.hold()
    interaction = await stage.draw("a red fox", **(OPTIONS | options))
    await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.running is not None)
    return interaction


async def late(stage: Stage, **options: Any) -> Interaction:
    """A job whose picture comes after its token's 15 minutes."""
    interaction = await held(stage, **options)
    interaction.expire()
    stage.webui.release()
    return interaction


async def test_after_the_token_the_picture_is_a_message_that_calls_its_owner_alone(stage: Stage) -> None:
    interaction = await late(stage, count=2)
    message = await stage.delivered(interaction, 2)
    assert message is not interaction.response
    assert str(message.nonce) == str(interaction.id)
    assert message.pinged == {stage.ada.id}
    assert "a red fox" in message.content
    stage.arrived_once(interaction, 2)
    assert (await stage.reaches(interaction, "done"))["delivered_to"] == "channel"
    reply = await stage.says(interaction, "The picture is below.")
    assert not reply.buttons()


async def test_after_the_token_a_failure_is_told_in_the_channel(stage: Stage) -> None:
    stage.webui.fault(Fault.OUT_OF_MEMORY)
    messages = len(stage.discord.messages())
    interaction = await late(stage)
    row = await stage.reaches(interaction, "failed")
    assert row["delivered_to"] == "channel"
    assert "ran out of memory" in stage.discord.messages()[-1].content
    assert len(stage.discord.messages()) == messages + 2
    reply = await stage.says(interaction, "The reason is below.")
    assert not reply.buttons()


async def test_where_the_channel_is_forbidden_the_picture_goes_to_the_person(stage: Stage) -> None:
    stage.discord.set_permissions(stage.discord.channel, ORDINARY & ~Permission.SEND_MESSAGES)
    try:
        interaction = await late(stage)
        message = await stage.delivered(interaction)
        row = await stage.reaches(interaction, "done")
    finally:
        stage.discord.set_permissions(stage.discord.channel, ORDINARY)
    assert message.channel is stage.ada.dm
    assert row["delivered_to"] == "dm"
    reply = await stage.says(interaction, "The picture is in your direct messages.")
    assert not reply.buttons()
    stage.arrived_once(interaction)


async def test_where_nothing_is_open_the_picture_is_kept(stage: Stage) -> None:
    closed = stage.discord.member("closed", dms_open=False)
    interaction = await late(stage, member=closed, private=True)
    row = await stage.reaches(interaction, "done")
    assert row["delivered_to"] == "kept"
    assert stage.carriers(interaction) == []
    assert list((stage.bot.data_dir / "pictures").glob("*/*.png"))


async def test_a_picture_that_could_not_be_posted_is_not_awaited_any_longer(stage: Stage) -> None:
    closed = stage.discord.member("closed too", dms_open=False)
    stage.discord.set_permissions(stage.discord.channel, ORDINARY & ~Permission.SEND_MESSAGES)
    try:
        interaction = await late(stage, member=closed)
        row = await stage.reaches(interaction, "done")
    finally:
        stage.discord.set_permissions(stage.discord.channel, ORDINARY)
    assert row["delivered_to"] == "kept"
    reply = await stage.says(interaction, "The picture is drawn and kept; it could not be posted here.")
    assert not reply.buttons()


async def test_a_deleted_channel_does_not_keep_the_picture_away(stage: Stage) -> None:
    channel = stage.discord.add_channel("short-lived")
    interaction = await held(stage, channel=channel)
    interaction.expire()
    stage.discord.delete_channel(channel)
    stage.webui.release()
    assert (await stage.delivered(interaction)).channel is stage.ada.dm


async def test_a_deleted_reply_is_an_answer_too(stage: Stage) -> None:
    interaction = await held(stage)
    message = await stage.answered(interaction)
    await until(lambda: stage.row(interaction)["message_id"], what="the reply's id to be noted")
    stage.discord.delete_message(message)
    stage.webui.release()
    row = await stage.reaches(interaction, "done")
    assert row["delivered_to"] == "kept"
    assert stage.uploads(interaction) == []


@pytest.mark.parametrize("status", [500, 503])
async def test_a_moment_of_trouble_at_discord_delays_the_picture(stage: Stage, status: int) -> None:
    interaction = await held(stage)
    stage.discord.fail("PATCH", EDIT, status=status, times=2)
    stage.webui.release()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


@pytest.mark.parametrize("scope", ["user", "shared", "global"])
async def test_a_rate_limit_delays_the_picture(stage: Stage, scope: str) -> None:
    interaction = await held(stage)
    stage.discord.limit("PATCH", EDIT, retry_after=0.3, times=2, scope=scope)
    stage.webui.release()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_to_the_final_edit_repeats_nothing(stage: Stage, after: bool) -> None:
    interaction = await held(stage, count=2)
    stage.discord.fail("PATCH", EDIT, drop=True, after=after, times=2)
    stage.webui.release()
    await stage.delivered(interaction, 2)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 2)


@pytest.mark.parametrize(
    "trouble", [{"drop": True}, {"drop": True, "after": True}, {"status": 500, "after": True}, {"status": 503}]
)
async def test_a_lost_answer_to_a_late_message_repeats_nothing(stage: Stage, trouble: dict[str, Any]) -> None:
    stage.discord.fail("POST", POST, times=2, **trouble)
    interaction = await late(stage)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)


async def test_a_limit_that_was_promised_too_high_is_heeded(stage: Stage) -> None:
    stage.webui.fault(Fault.HUGE_PNG, amount=3 * 2**20)
    interaction = await held(stage, size="1024x1024")
    stage.discord.rules = dataclasses.replace(stage.discord.rules, file_bytes=2**20)
    stage.webui.release()
    try:
        message = await stage.delivered(interaction)
    finally:
        stage.discord.rules = dataclasses.replace(stage.discord.rules, file_bytes=10 * 2**20)
    (picture,) = message.attachments
    assert picture.size <= 2**20
    assert "re-encoded as" in message.content
    assert Image.open(io.BytesIO(picture.data)).size[0] > 0
    stage.arrived_once(interaction)


async def test_words_that_a_server_forbids_are_left_out(stage: Stage) -> None:
    """AutoMod's refusal of a bot's message: 200000, with status 400."""
    interaction = await held(stage)
    stage.discord.fail("PATCH", EDIT, status=400, code=200000)
    stage.webui.release()
    message = await stage.delivered(interaction)
    assert "a red fox" not in message.content
    stage.arrived_once(interaction)


async def test_a_command_that_arrives_twice_is_one_job(stage: Stage) -> None:
    renders = len(stage.webui.renders)
    stage.discord.duplicate_next_event()
    interaction = await stage.draw(**OPTIONS)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    await stage.drawn(**OPTIONS)
    assert len(stage.webui.renders) == renders + 2
    stage.arrived_once(interaction)


async def test_a_reply_that_comes_too_late_costs_the_reply_and_not_the_picture(stage: Stage) -> None:
    rules = stage.discord.rules
    stage.discord.rules = dataclasses.replace(rules, ack_seconds=0.5)
    try:
        frozen = asyncio.create_task(stage.frozen(1.0))
        interaction = await stage.draw(**OPTIONS)
        await frozen
        message = await stage.delivered(interaction)
    finally:
        stage.discord.rules = rules
    assert not interaction.acknowledged
    assert message.pinged == {stage.ada.id}
    stage.arrived_once(interaction)


@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"status": 500, "after": True}, {"drop": True}, {"drop": True, "after": True}]
)
async def test_a_reply_that_fails_costs_nobody_the_picture(stage: Stage, trouble: dict[str, Any]) -> None:
    stage.discord.fail("POST", r"^/interactions/\d+/[^/]+/callback$", **trouble)
    interaction = await stage.draw(**OPTIONS)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
