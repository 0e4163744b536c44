"""What people pointed at, in a real database of either kind: each person's own, the newest, forgotten after a day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.pointed import KEPT_SECONDS, PointedRows, forget_pointed
from core.store.searches import SearchRows


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


async def test_each_person_has_what_they_saw_last_on_a_message(engine: AsyncEngine) -> None:
    rows = PointedRows(engine)
    await rows.put("42", "7", "[1]", 100.0)
    await rows.put("43", "7", "[2]", 100.0)
    await rows.put("42", "7", "[3]", 200.0)
    assert [await rows.fetch(person, "7") for person in ("42", "43", "44")] == ["[3]", "[2]", None]
    assert await rows.fetch("42", "8") is None
    assert await rows.delete_before(200.0) == 1
    assert [await rows.fetch(person, "7") for person in ("42", "43")] == ["[3]", None]


async def test_the_chore_forgets_them_after_a_day_and_no_search(engine: AsyncEngine) -> None:
    rows, searches = PointedRows(engine), SearchRows(engine)
    old = time.time() - KEPT_SECONDS - 60
    await rows.put("42", "7", "[]", old)
    await rows.put("42", "8", "[]", old + 120)
    await searches.put("7", "{}", old)
    chore = asyncio.create_task(forget_pointed(rows))
    try:
        async with asyncio.timeout(5):
            while await rows.fetch("42", "7") is not None:  # noqa: ASYNC110  # a row sets no event
                await asyncio.sleep(0.01)
    finally:
        chore.cancel()
    assert await rows.fetch("42", "8") == "[]"
    assert await searches.fetch("7") == "{}"
