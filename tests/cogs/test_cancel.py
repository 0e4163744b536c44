"""A press on cancel is acknowledged in time, though the job's message is being written at that moment."""

from pathlib import Path
from typing import Any, cast

import discord
import pytest

from cogs.cancel import CancelCog
from cogs.delivery import DiscordDelivery
from core.images.store import PictureStore
from core.jobs.model import JobState
from core.studio import Studio


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
