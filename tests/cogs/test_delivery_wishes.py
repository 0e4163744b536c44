"""What people and servers wish of the pictures that are posted, and that it is asked for when they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cogs.delivery import DiscordDelivery
from core.images.metadata import read_metadata
from core.preferences import Wishes
from tests.cogs.scene import Scene, opened_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


class Wishing:
    """Remembers who was asked about, and says what is wished now."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self.asked: list[tuple[str, str | None, str | None]] = []

    async def __call__(self, person: str, channel: str | None, guild: str | None) -> Wishes:
        self.asked.append((person, channel, guild))
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
    assert asked.asked == [(job.owner_id, str(scene.discord.channel.id), job.guild_id)]


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
