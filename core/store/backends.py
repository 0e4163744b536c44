"""Rows of the webuis: what admins want of each, what was learned, and what its worker sees of it. Knows no webui."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.store.schema import backends
from core.store.signals import notify

BACKENDS_SIGNAL = "backends"
"""Its subject is a worker whose webuis changed."""
MODE_SIGNAL = "mode"
"""Its subject is a webui of which an admin wants something else."""
OPEN = "open"
FORGET_AFTER = 7 * 24 * 3600.0
"""Seconds for which what was learned of a webui, and wanted of it, is kept while nobody hears of its worker."""

_Learned = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRow:
    """One webui. `view` is JSON of its worker's; `age` is how many seconds ago the worker wrote it."""

    key: str
    worker: str
    mode: str
    speed: float | None
    load_seconds: float | None
    view: str | None
    age: float


class BackendRows:
    """The table of the webuis."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, worker: str, younger: float) -> list[BackendRow]:
        """This worker's own, and the others' that were written in the last so many seconds, by worker and key."""
        age = self._now() - backends.c.seen_at
        query = sa.select(backends, age.label("age")).where(sa.or_(backends.c.worker == worker, age < younger))
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(backends.c.worker, backends.c.key))
            return [
                BackendRow(
                    key=row.key,
                    worker=row.worker,
                    mode=row.mode,
                    speed=row.speed,
                    load_seconds=row.load_seconds,
                    view=row.view,
                    age=row.age,
                )
                for row in rows
            ]

    async def publish(self, worker: str, views: Mapping[str, str | None], learned: Mapping[str, _Learned]) -> None:
        """What `worker` sees of its webuis (JSON by key; None: as it was), and that it is there; others of it go."""
        async with self._engine.begin() as connection:
            mine = sa.and_(backends.c.worker == worker, backends.c.key.not_in(views))
            old = sa.and_(backends.c.worker != worker, self._now() - backends.c.seen_at > FORGET_AFTER)
            await connection.execute(sa.delete(backends).where(sa.or_(mine, old)))
            for key, view in views.items():
                await self._publish(connection, worker, key, view, learned.get(key, (None, None)))
            if any(view is not None for view in views.values()):
                await notify(connection, BACKENDS_SIGNAL, worker)

    async def set_mode(self, key: str, mode: str) -> bool:
        """What an admin wants of a webui from now on; False where nobody knows it."""
        async with self._engine.begin() as connection:
            changed = sa.update(backends).where(backends.c.key == key).values(mode=mode)
            known = bool((await connection.execute(changed)).rowcount)
            await notify(connection, MODE_SIGNAL, key)
        return known

    async def _publish(
        self, connection: AsyncConnection, worker: str, key: str, view: str | None, learned: _Learned
    ) -> None:
        values = {"worker": worker, "speed": learned[0], "load_seconds": learned[1], "seen_at": self._now()}
        if view is not None:
            values["view"] = view
        insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(backends)
        row = insert.values(key=key, mode=OPEN, **values)
        await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=values))

    def _now(self) -> sa.ColumnElement[float]:
        """Unix seconds of the one clock that all workers share: the database's; with SQLite there is one machine."""
        if self._engine.dialect.name == "postgresql":
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time())
