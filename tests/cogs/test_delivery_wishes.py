"""What people and servers wish of the pictures that are posted, and that it is asked for when they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cogs.delivery import DiscordDelivery
from core.images.metadata import read_metadata
from core.jobs.model import Job
from core.preferences import Wishes
from playground.discord import ORDINARY, Channel, Message, Permission
from tests.cogs.scene import Scene, opened_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


class Wishing:
    """Remembers who was asked about, and says what is wished now."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.asked: list[tuple[str, tuple[str, ...], str | None]] = []

    async def __call__(self, person: str, channels: tuple[str, ...], guild: str | None) -> Wishes:
        self.asked.append((person, channels, guild))
        return self.wishes


def wishing(scene: Scene, wishes: Wishes) -> tuple[DiscordDelivery, Wishing]:
    asked = Wishing(wishes)
    return DiscordDelivery(scene.client, scene.pictures, wishes=asked), asked


def posted(scene: Scene) -> list[bytes]:
    return [upload.data for upload in scene.discord.uploads]


async def test_metadata_is_left_out_of_what_is_posted_and_of_nothing_else(scene: Scene) -> None:
    by, asked = wishing(scene, Wishes(metadata=False))
    job = await scene.ask(count=1)
    drawing = await scene.drawn(0)
    await scene.deliver(job, drawing, [0], final=True, by=by)
    (data,) = posted(scene)
    assert read_metadata(data) is None
    assert read_metadata(scene.pictures.path(drawing.pictures[0].name).read_bytes()) is not None
    assert "re-encoded" not in scene.reply(job).content
    assert asked.asked == [(job.owner_id, (str(scene.discord.channel.id),), job.guild_id)]


async def test_a_wish_that_changes_meanwhile_holds_for_what_comes_after_it(scene: Scene) -> None:
    by, asked = wishing(scene, Wishes(metadata=False))
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0], by=by)
    asked.wishes = Wishes()
    await scene.deliver(job, await scene.drawn(0, 1), [1], final=True, by=by)
    assert [read_metadata(data) is None for data in posted(scene)] == [True, False]
    assert "re-encoded" not in scene.reply(job).content
    scene.arrived_once(job, 0, 1)


async def test_what_is_too_large_goes_without_its_metadata_too(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(metadata=False))
    job = await scene.ask(count=1)
    scene.discord.guild.file_bytes = 3 * 2**20
    await scene.deliver(job, await scene.drawn(0, large=True), [0], final=True, by=by)
    assert [read_metadata(data) for data in posted(scene)] == [None]
    assert "re-encoded as" in scene.reply(job).content


# Mentions


def pings(scene: Scene, channel: Channel | None = None) -> list[Message]:
    return [message for message in scene.discord.messages(channel) if message.pinged]


async def late(scene: Scene, **options: Any) -> Job:
    """A job that was asked for a while ago."""
    job = await scene.ask(count=1, **options)
    scene.rows[job.id] = replace(job, created_at=job.created_at - 100)
    return scene.rows[job.id]


async def test_who_waited_longer_than_they_wished_is_mentioned_once_below_the_pictures(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=99))
    job = await late(scene)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene)
    assert ping.content == f"<@{scene.ada.id}> your picture is there."
    assert ping.pinged == {scene.ada.id}
    assert ping.reference is not None
    assert ping.reference["message_id"] == job.message_id
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=by)
    scene.discord.rules = replace(scene.discord.rules, nonce_seconds=0.0)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=by)
    assert pings(scene) == [ping]


@pytest.mark.parametrize("wish", [None, 200.0])
async def test_who_did_not_wait_so_long_is_not_mentioned(scene: Scene, wish: float | None) -> None:
    by, _ = wishing(scene, Wishes(ping_after=wish))
    await scene.deliver(await late(scene), await scene.drawn(0), [0], final=True, by=by)
    assert pings(scene) == []


async def test_only_the_end_of_a_job_mentions(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await scene.ask(count=2)
    job = scene.rows[job.id] = replace(job, created_at=job.created_at - 100)
    job = await scene.deliver(job, await scene.drawn(0), [0], by=by)
    assert pings(scene) == []
    await scene.deliver(job, await scene.drawn(0, 1), [1], final=True, by=by)
    assert [message.content for message in pings(scene)] == [f"<@{scene.ada.id}> your pictures are there."]


async def test_a_late_answer_that_mentions_anyway_does_not_do_so_twice(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene)
    scene.expire(job)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene)
    assert ping.attachments


async def test_a_private_answer_mentions_where_nobody_else_sees_it(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene, private=True)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene)
    assert ping.ephemeral
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=by)
    assert pings(scene) == [ping]


async def test_a_mention_is_found_again_in_a_channel_where_much_is_said(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene)
    for number in range(60):
        scene.discord.say(scene.ada, f"are we there yet? {number}")
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    scene.discord.rules = replace(scene.discord.rules, nonce_seconds=0.0)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=by)
    assert len(pings(scene)) == 1


async def test_direct_messages_mention_too_since_an_edit_rings_for_nobody(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene, channel=scene.ada.dm)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene, scene.ada.dm)
    assert ping.content == f"<@{scene.ada.id}> your picture is there."
    scene.discord.rules = replace(scene.discord.rules, nonce_seconds=0.0)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=by)
    assert pings(scene, scene.ada.dm) == [ping]


async def test_among_people_without_the_bot_the_follow_up_mentions(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    group = scene.discord.add_group("friends", scene.ada, scene.discord.member("bob"))
    scene.discord.commands["draw"] |= {"integration_types": [0, 1], "contexts": [0, 1, 2]}
    job = await late(scene, channel=group)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene, group)
    assert (ping.webhook, ping.pinged) == (True, {scene.ada.id})


async def test_a_job_that_came_to_nothing_mentions_too(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene)
    await by.explain(job, "The webui gave up.", perhaps_done=False)
    assert [message.content for message in pings(scene)] == [f"<@{scene.ada.id}> your job has come to its end."]


async def test_where_the_bot_may_not_write_the_follow_up_mentions(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene)
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.SEND_MESSAGES)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    (ping,) = pings(scene)
    assert ping.webhook


async def test_a_discord_that_is_away_delays_the_mention_and_nothing_doubles_it(scene: Scene) -> None:
    by, _ = wishing(scene, Wishes(ping_after=5))
    job = await late(scene)
    scene.discord.fail("POST", r"^/channels/\d+/messages$", status=502, after=True)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, by=by)
    assert len(pings(scene)) == 1
