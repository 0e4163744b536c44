"""What the tests of the store share: a PostgreSQL with Easel's driver, and waiting."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database

WAIT = 15.0


@pytest.fixture
def server_url(postgres_url: str, tmp_path: Path) -> sa.URL:
    """An empty database on PostgreSQL."""
    return database_url(postgres_url, tmp_path)


@pytest.fixture
async def on_server(server_url: sa.URL) -> AsyncIterator[AsyncEngine]:
    """The same, opened."""
    async with open_database(server_url) as engine:
        yield engine


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = WAIT) -> None:
    """Ask until it is so: for what only the server knows, and tells nobody."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  # hence no event
            await asyncio.sleep(0.02)
