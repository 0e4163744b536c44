"""Searches in a real database of either kind: kept, found again, forgotten."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.searches import KEPT_SECONDS, SearchRows, forget_searches


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


async def test_a_search_is_kept_until_it_is_old(engine: AsyncEngine) -> None:
    rows = SearchRows(engine)
    await rows.put("1", '{"words":"fox"}', 100.0)
    await rows.put("1", '{"words":"owl"}', 200.0)
    await rows.put("2", "{}", 300.0)
    assert await rows.fetch("1") == '{"words":"fox"}'
    assert await rows.delete_before(200.0) == 1
    assert await rows.fetch("1") is None
    assert await rows.fetch("2") == "{}"


async def test_the_chore_forgets_what_is_older_than_a_month(engine: AsyncEngine) -> None:
    rows = SearchRows(engine)
    await rows.put("1", "{}", time.time() - KEPT_SECONDS - 60)
    await rows.put("2", "{}", time.time() - KEPT_SECONDS + 60)
    chore = asyncio.create_task(forget_searches(rows))
    try:
        async with asyncio.timeout(5):
            while await rows.fetch("1") is not None:  # noqa: ASYNC110  # a row sets no event
                await asyncio.sleep(0.01)
    finally:
        chore.cancel()
    assert await rows.fetch("2") == "{}"
