"""The quick way to SQLite: what SQLAlchemy gets through it is what SQLite says, and nothing half done stays."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.quick_sqlite import connect_quickly

SHORT = 0.1
"""Seconds after which a statement has begun to wait for a lock."""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url(None, tmp_path)) as engine:
        async with engine.begin() as connection:
            await connection.execute(sa.text("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)"))
        yield engine


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else writes."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


async def write(engine: AsyncEngine, *numbers: int) -> int:
    async with engine.begin() as connection:
        rows = [{"a": number} for number in numbers]
        result = await connection.execute(sa.text("INSERT INTO t VALUES (:a, 'x')"), rows)
        return result.rowcount


async def read(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.text("SELECT a FROM t ORDER BY a"))).scalars())


async def test_rows_and_counts_are_those_of_sqlite(engine: AsyncEngine) -> None:
    assert await write(engine, 1, 2, 3) == 3
    async with engine.begin() as connection:
        changed = await connection.execute(sa.text("UPDATE t SET b = 'y' WHERE a < 3 RETURNING a"))
        assert sorted(changed.scalars()) == [1, 2]
        assert (await connection.execute(sa.text("DELETE FROM t WHERE b = 'y'"))).rowcount == 2
    assert await read(engine) == [3]


async def test_a_reading_asks_the_thread_once(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    await write(engine, 1)
    with caplog.at_level(logging.DEBUG, logger="aiosqlite"):
        assert await read(engine) == [1]
    assert sum(record.getMessage().startswith("executing") for record in caplog.records) == 1


async def test_a_write_that_failed_is_rolled_back(engine: AsyncEngine) -> None:
    await write(engine, 1)
    with pytest.raises(sa.exc.IntegrityError):
        await write(engine, 2, 1)
    await write(engine, 3)
    assert await read(engine) == [1, 3]


async def test_a_write_that_was_given_up_is_not_committed_with_the_next(engine: AsyncEngine, tmp_path: Path) -> None:
    with locked(tmp_path / "easel.db"):
        given_up = asyncio.create_task(write(engine, 1))
        await asyncio.sleep(SHORT)
        given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await write(engine, 2)
    assert await read(engine) == [2]


async def test_what_the_thread_has_not_begun_is_rolled_back_too(engine: AsyncEngine, tmp_path: Path) -> None:
    connection = connect_quickly(str(tmp_path / "easel.db"))
    async with connection:
        await connection.create_function("nap", 0, lambda: time.sleep(SHORT))
        napping = asyncio.create_task(connection.cursor().execute("SELECT nap()"))
        given_up = asyncio.create_task(connection.cursor().execute("INSERT INTO t VALUES (1, 'x')"))
        await asyncio.sleep(0)
        given_up.cancel()
        await connection.rollback()
        await connection.commit()
        await napping
    assert await read(engine) == []
