"""Images that people send in, by their content: any process can draw a job that needs one. It knows no job."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.schema import inputs

_BATCH = 500
"""Keys in one statement: SQLite takes 32,766 parameters, and a delete of many images holds its one connection."""


class InputRows:
    """The table of the images. `created_at` is when an image was sent in last, in unix seconds as the caller has it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, key: str, png: bytes, created_at: float) -> None:
        """Keep `png`, whose SHA-256 in hex is `key`. One that is there already is young again, and not written anew."""
        touched = sa.update(inputs).where(inputs.c.key == key).values(created_at=created_at)
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(inputs)
        row = insert.values(key=key, png=png, created_at=created_at)
        async with self._engine.begin() as connection:
            if not (await connection.execute(touched)).rowcount:
                # Another process may have put it just now.
                await connection.execute(
                    row.on_conflict_do_update(index_elements=["key"], set_={"created_at": created_at})
                )

    async def touch(self, keys: Collection[str], created_at: float) -> int:
        """As if these had been sent in again then; how many of them there are."""
        touched = sa.update(inputs).where(inputs.c.key.in_(keys)).values(created_at=created_at)
        async with self._engine.begin() as connection:
            return (await connection.execute(touched)).rowcount

    async def get(self, key: str) -> bytes | None:
        """The image of this key; None where there is none (any more)."""
        async with self._engine.connect() as connection:
            png: bytes | None = await connection.scalar(sa.select(inputs.c.png).where(inputs.c.key == key))
        return png

    async def delete_unused(self, before: float, keep: Collection[str]) -> int:
        """Delete what was sent in before that, but for the keys in `keep`; how many images that were.

        One that is put again meanwhile is young, and stays.
        """
        old = inputs.c.created_at < before
        async with self._engine.connect() as connection:
            keys = list(await connection.scalars(sa.select(inputs.c.key).where(old)))
        kept = frozenset(keep)
        unused = [key for key in keys if key not in kept]
        deleted = 0
        for start in range(0, len(unused), _BATCH):
            batch = inputs.c.key.in_(unused[start : start + _BATCH])
            async with self._engine.begin() as connection:
                deleted += (await connection.execute(sa.delete(inputs).where(old, batch))).rowcount
        return deleted
