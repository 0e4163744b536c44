"""What somebody pointed at last on a message, so that a choice or a form about it works after a restart.

Discord shows a message of others to the bot only while its menu is opened: what was found then is kept for a day,
beside the histories' filters in the table of searches. It knows no meaning of it.
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.forgetting import keep_forgetting
from core.store.schema import searches

KEPT_SECONDS = 24 * 3600.0
"""Discord's addresses of files are good for about as long."""
_PREFIX = "message:"
"""How the ids of these rows begin; those of searches are numbers."""


class PointedRows:
    """Rows by person and message: nobody gets at what they did not see themselves. Times are unix seconds."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, person_id: str, message_id: str, found: str, now: float) -> None:
        """Keep what was found on the message, in place of what was found there before."""
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(searches)
        row = insert.values(id=_id(person_id, message_id), filter=found, made_at=now)
        newer = {"filter": row.excluded.filter, "made_at": row.excluded.made_at}
        async with self._engine.begin() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=[searches.c.id], set_=newer))

    async def fetch(self, person_id: str, message_id: str) -> str | None:
        """What was found there; None where that is not known any more."""
        query = sa.select(searches.c.filter).where(searches.c.id == _id(person_id, message_id))
        async with self._engine.connect() as connection:
            found: str | None = await connection.scalar(query)
            return found

    async def delete_before(self, before: float) -> int:
        """Forget the older ones; how many that were."""
        is_ours = searches.c.id.startswith(_PREFIX, autoescape=True)
        async with self._engine.begin() as connection:
            statement = sa.delete(searches).where(searches.c.made_at < before, is_ours)
            return (await connection.execute(statement)).rowcount


async def forget_pointed(rows: PointedRows) -> None:
    """Delete old ones, for ever."""
    await keep_forgetting("images that were pointed at", lambda: rows.delete_before(time.time() - KEPT_SECONDS))


def _id(person_id: str, message_id: str) -> str:
    return f"{_PREFIX}{person_id}:{message_id}"
