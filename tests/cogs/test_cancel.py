"""A press on cancel is acknowledged in time, though the job's message is being written at that moment."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import discord
import pytest

from cogs.cancel import CancelCog
from cogs.delivery import DiscordDelivery
from core.images.store import PictureStore
from core.jobs.model import Glimpse, Job, JobState
from core.studio import Studio
from tests.cogs.scene import Scene, opened_scene


class Desk:
    """The studio's side of a press: every job can be cancelled, and its row is gone at once."""

    async def cancel(self, _job_id: str, _person_id: str) -> JobState:
        return JobState.QUEUED

    async def fetch(self, _job_id: str) -> None:
        return None


class Press:
    """An interaction that remembers how it was answered."""

    def __init__(self) -> None:
        self.response = self.user = self
        self.id = 42
        self.message = None
        self.answers: list[tuple[str, Any]] = []

    async def edit_message(self, **changes: Any) -> None:
        self.answers.append(("edit", changes))

    async def defer(self) -> None:
        self.answers.append(("defer", None))


@pytest.fixture
def delivery(tmp_path: Path) -> DiscordDelivery:
    return DiscordDelivery(cast(discord.Client, None), PictureStore(tmp_path))


async def press(delivery: DiscordDelivery) -> list[tuple[str, Any]]:
    """What a press on job 7 was answered with."""
    pressed = Press()
    cog = CancelCog(cast(Studio, Desk()), delivery)
    await cog.on_press(cast(discord.Interaction, pressed), "7")
    return pressed.answers


async def test_a_press_is_answered_by_its_message(delivery: DiscordDelivery) -> None:
    assert await press(delivery) == [("edit", {"content": "Cancelled before it was begun.", "view": None})]


async def test_a_press_that_meets_a_slow_edit_is_acknowledged_without_waiting_for_it(
    delivery: DiscordDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.cancel.ANSWER_SECONDS", 0.05)
    async with delivery.turn("7"):
        assert await press(delivery) == [("defer", None)]


class Row:
    """The studio's side where the row is that of a scene."""

    def __init__(self, scene: Scene, job_id: str) -> None:
        self._scene = scene
        self._job_id = job_id

    async def cancel(self, _job_id: str, _person_id: str) -> JobState:
        job = self._scene.rows[self._job_id]
        self._scene.rows[self._job_id] = replace(job, state=JobState.CANCELLED)
        return JobState.RUNNING

    async def fetch(self, _job_id: str) -> Job:
        return self._scene.rows[self._job_id]


async def test_an_edit_that_another_process_had_begun_does_not_stand_over_the_cancellation(tmp_path: Path) -> None:
    async with opened_scene(tmp_path) as scene:
        job = await scene.ask(count=1)
        scene.discord.fail("PATCH", r"^/webhooks/", delay=0.3)
        before = len(scene.discord.requests)
        editing = asyncio.create_task(scene.process().show_progress(job, Glimpse(0.4, 4, 10)))
        await scene.discord.until(lambda: len(scene.discord.requests) > before, what="the edit to be on its way")
        cog = CancelCog(cast(Studio, Row(scene, job.id)), scene.process())
        await cog.on_press(cast(discord.Interaction, Press()), job.id)
        await editing
        reply = scene.reply(job)
        assert "Cancelled while it was being drawn." in reply.content
        assert not reply.buttons()
