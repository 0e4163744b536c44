"""Whether half-done pictures are wanted somewhere: asked of the database now and then, and never waited for twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core import previews
from core.preferences import Preferences
from core.previews import PreviewWishes
from core.store.database import database_url, open_database
from core.store.preferences import CHANNEL, SERVER, PreferenceRows
from core.store.schema import preferences


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url(None, tmp_path)) as engine:
        yield engine


async def test_nobody_wants_them_unless_the_channel_or_the_server_says_so(engine: AsyncEngine) -> None:
    written = Preferences(PreferenceRows(engine))
    await written.put(SERVER, "900", {"preview": "on"})
    await written.put(CHANNEL, "7", {"preview": "off"})
    await written.put(CHANNEL, "8", {"preview": "on"})
    wishes = PreviewWishes(written)
    assert await wishes.of(("1",), "900")
    assert await wishes.of(("8",), None)
    assert not await wishes.of(("7",), "900")
    assert not await wishes.of(("1",), "901")


async def test_an_answer_counts_for_a_moment_and_a_change_is_heard_of_then(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Preferences(PreferenceRows(engine))
    wishes = PreviewWishes(written)
    assert not await wishes.of(("7",), "900")
    await written.put(CHANNEL, "7", {"preview": "on"})
    assert not await wishes.of(("7",), "900")
    monkeypatch.setattr(previews, "KNOWN_SECONDS", 0.0)
    wishes = PreviewWishes(written)
    assert await wishes.of(("7",), "900")
    await written.put(CHANNEL, "7", {"preview": None})
    assert not await wishes.of(("7",), "900")


async def test_they_are_not_wanted_while_the_database_can_not_say(engine: AsyncEngine) -> None:
    wishes = PreviewWishes(Preferences(PreferenceRows(engine)))
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"DROP TABLE {preferences.name}"))
    assert not await wishes.of(("7",), "900")
    async with engine.begin() as connection:
        await connection.run_sync(preferences.create)
    assert not await wishes.of(("7",), "900")


async def test_many_places_are_not_remembered_for_ever(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "KNOWN_PLACES", 2)
    written = Preferences(PreferenceRows(engine))
    wishes = PreviewWishes(written)
    assert not await wishes.of(("1",), None)
    assert not await wishes.of(("2",), None)
    await written.put(CHANNEL, "1", {"preview": "on"})
    assert not await wishes.of(("1",), None)
    assert not await wishes.of(("3",), None)
    assert await wishes.of(("1",), None)
