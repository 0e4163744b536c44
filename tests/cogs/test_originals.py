"""Where a picture's bytes are found once its file is gone from the disk: in whatever message shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cogs.originals import Originals
from core.errors import UserError
from core.images.store import Kept
from core.jobs.model import Job
from tests.cogs.scene import Scene, opened_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


async def read(scene: Scene, job: Job, kept: Kept | None, number: int = 0) -> bytes:
    return await Originals(scene.client, scene.pictures).read(job.id, number, kept=kept, job=job)


async def shown(scene: Scene, where: str, *, large: bool = False) -> tuple[Job, Kept, bytes]:
    """A job that was delivered there, its picture, and what was its file."""
    job = await scene.ask(count=1, private=where == "private")
    if where == "channel":
        scene.expire(job)
    if where == "dm":
        scene.expire(job)
        scene.discord.fail("POST", r"^/channels/\d+/messages$", status=403, code=50013)
        scene.discord.fail("PATCH", r"^/channels/\d+/messages/\d+$", status=403, code=50013)
    drawing = await scene.drawn(0, large=large)
    job = await scene.deliver(job, drawing, [0], final=True)
    assert job.delivered_to == ("reply" if where == "private" else where)
    path = scene.pictures.path(drawing.pictures[0].name)
    data = path.read_bytes()
    path.unlink()
    return job, drawing.pictures[0], data


async def test_a_file_that_is_here_is_read_and_discord_not_asked(scene: Scene) -> None:
    job = await scene.ask(count=1)
    kept = await scene.kept(0)
    before = len(scene.discord.requests)
    assert await read(scene, job, kept) == scene.pictures.path(kept.name).read_bytes()
    assert len(scene.discord.requests) == before


@pytest.mark.parametrize("where", ["reply", "channel", "dm", "private"])
async def test_a_file_that_is_gone_is_fetched_from_the_message(scene: Scene, where: str) -> None:
    job, kept, data = await shown(scene, where)
    assert await read(scene, job, kept) == data
    with pytest.raises(UserError, match="gone"):
        await read(scene, job, kept, number=1)


async def test_one_that_is_larger_than_what_people_may_send_in_is_fetched_too(scene: Scene) -> None:
    job, kept, data = await shown(scene, "reply", large=True)
    assert await read(scene, job, kept) == data


@pytest.mark.parametrize(("status", "said"), [(404, "gone"), (503, "at the moment")])
async def test_a_file_that_discord_does_not_give_is_no_picture(scene: Scene, status: int, said: str) -> None:
    job, kept, _ = await shown(scene, "reply")
    scene.discord.fail("GET", r"/attachments/", status=status)
    with pytest.raises(UserError, match=said):
        await read(scene, job, kept)


async def test_without_its_message_a_picture_is_gone(scene: Scene) -> None:
    job, kept, _ = await shown(scene, "reply")
    scene.reply(job).deleted = True
    with pytest.raises(UserError, match="gone"):
        await read(scene, job, kept)


async def test_a_picture_that_nobody_could_be_shown_is_gone_with_its_file(scene: Scene) -> None:
    job = await scene.ask(count=1)
    with pytest.raises(UserError, match="gone"):
        await read(scene, job, None)


async def test_while_discord_is_away_that_is_said(scene: Scene) -> None:
    job, kept, _ = await shown(scene, "reply")
    scene.discord.fail("GET", r"^/channels/\d+/messages/\d+$", drop=True, times=9)
    with pytest.raises(UserError, match="at the moment"):
        await read(scene, job, kept)
    scene.discord.heal()
