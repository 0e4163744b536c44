"""What histories are filtered by, so that their page buttons work after a restart. It knows no filter's meaning."""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.forgetting import keep_forgetting
from core.store.schema import searches

KEPT_SECONDS = 30 * 24 * 3600.0
"""A history whose pages nobody asked for in so long can't be paged any more."""


class SearchRows:
    """The table of the searches. Times are unix seconds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, search_id: str, wanted: str, now: float) -> None:
        """Keep what is looked for; twice is once."""
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(searches)
        row = insert.values(id=search_id, filter=wanted, made_at=now).on_conflict_do_nothing()
        async with self._engine.begin() as connection:
            await connection.execute(row)

    async def fetch(self, search_id: str) -> str | None:
        """What is looked for; None where that is not known any more."""
        async with self._engine.connect() as connection:
            found: str | None = await connection.scalar(sa.select(searches.c.filter).where(searches.c.id == search_id))
            return found

    async def delete_before(self, before: float) -> int:
        """Forget the older ones; how many that were."""
        async with self._engine.begin() as connection:
            return (await connection.execute(sa.delete(searches).where(searches.c.made_at < before))).rowcount


async def forget_searches(rows: SearchRows) -> None:
    """Delete old ones, for ever."""
    await keep_forgetting("old searches", lambda: rows.delete_before(time.time() - KEPT_SECONDS))
