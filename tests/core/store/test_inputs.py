"""Images that people send in, kept by their content, on a real SQLite file and a real PostgreSQL."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.inputs import InputRows
from core.store.schema import inputs

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\0\0"
KEY = hashlib.sha256(PNG).hexdigest()
OTHER = "b" * 64


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


@pytest.fixture
def rows(engine: AsyncEngine) -> InputRows:
    return InputRows(engine)


async def kept(engine: AsyncEngine) -> dict[str, float]:
    async with engine.connect() as connection:
        found = await connection.execute(sa.select(inputs.c.key, inputs.c.created_at))
        return {row.key: row.created_at for row in found}


async def test_an_image_comes_back_byte_for_byte(rows: InputRows) -> None:
    await rows.put(KEY, PNG, 100.0)
    assert await rows.get(KEY) == PNG


async def test_what_nobody_put_is_not_there(rows: InputRows) -> None:
    assert await rows.get(KEY) is None


async def test_an_image_of_many_megabytes_comes_back(rows: InputRows) -> None:
    large = os.urandom(20 << 20)
    await rows.put(KEY, large, 100.0)
    assert await rows.get(KEY) == large


async def test_another_process_finds_it(rows: InputRows, engine: AsyncEngine) -> None:
    await rows.put(KEY, PNG, 100.0)
    async with open_database(engine.url) as other:
        assert await InputRows(other).get(KEY) == PNG


async def test_putting_it_again_makes_it_young_and_writes_it_once(rows: InputRows, engine: AsyncEngine) -> None:
    await rows.put(KEY, PNG, 100.0)
    await rows.put(KEY, b"not written", 250.5)
    assert await kept(engine) == {KEY: 250.5}
    assert await rows.get(KEY) == PNG


async def test_many_who_put_the_same_at_once_all_succeed(rows: InputRows, engine: AsyncEngine) -> None:
    await asyncio.gather(*(rows.put(KEY, PNG, 100.0 + number) for number in range(20)))
    assert list(await kept(engine)) == [KEY]


async def test_old_images_go_but_for_those_that_are_needed(rows: InputRows, engine: AsyncEngine) -> None:
    for key, created_at in (("old", 10.0), ("needed", 10.0), ("young", 20.0)):
        await rows.put(key, PNG, created_at)
    assert await rows.delete_unused(20.0, keep={"needed", "unknown"}) == 1
    assert await kept(engine) == {"needed": 10.0, "young": 20.0}


async def test_of_many_all_go_and_many_can_be_needed(rows: InputRows, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        many = [{"key": f"{number:064x}", "png": b"", "created_at": 1.0} for number in range(70_001)]
        await connection.execute(sa.insert(inputs), many)
    assert await rows.delete_unused(2.0, keep=[f"{number:064x}" for number in range(1, 100_000)]) == 1
    assert await rows.delete_unused(2.0, keep=()) == 70_000
    assert await kept(engine) == {}


async def test_an_image_that_is_put_again_while_old_ones_go_stays(rows: InputRows, engine: AsyncEngine) -> None:
    await rows.put(KEY, PNG, 10.0)
    await rows.put(OTHER, PNG, 10.0)
    put = False

    @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
    def put_again(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        nonlocal put
        if statement.startswith("DELETE") and not put:
            put = True
            connection.execute(sa.update(inputs).where(inputs.c.key == KEY).values(created_at=99.0))

    assert await rows.delete_unused(20.0, keep=()) == 1
    assert await kept(engine) == {KEY: 99.0}


async def test_a_touched_image_is_young_again_and_missing_ones_are_told_apart(
    rows: InputRows, engine: AsyncEngine
) -> None:
    await rows.put(KEY, PNG, 100.0)
    assert await rows.touch([KEY, OTHER], 200.0) == 1
    assert await kept(engine) == {KEY: 200.0}
