"""Rows of the webuis: what admins want of each, what was learned, and what its worker sees of it. Knows no webui."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.store.schema import backends, catalogs
from core.store.signals import notify

BACKENDS_SIGNAL = "backends"
"""Its subject is a worker whose webuis changed."""
MODE_SIGNAL = "mode"
"""Its subject is a webui of which an admin wants something else."""
OPEN = "open"
FORGET_AFTER = 7 * 24 * 3600.0
"""Seconds for which what was learned of a webui, and wanted of it, is kept while nobody hears of its worker."""


@dataclass(frozen=True, slots=True)
class StoredCatalog:
    """What a webui offers, as JSON, and its SHA-256 in hex."""

    digest: str
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a worker writes of one webui: what it sees (JSON; None: as it was), and what it learned.

    `catalog_digest` and `loaded_checkpoint` go with the view.
    """

    view: str | None = None
    catalog_digest: str | None = None
    loaded_checkpoint: str | None = None
    speed: float | None = None
    load_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRow:
    """One webui. `view` is JSON of its worker's; `age` is how many seconds ago the worker wrote it.

    Workers of versions before migration 0006 have no `catalog_digest`: their catalogs stand in their views.
    """

    key: str
    worker: str
    mode: str
    speed: float | None
    load_seconds: float | None
    view: str | None
    catalog_digest: str | None
    loaded_checkpoint: str | None
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
                    catalog_digest=row.catalog_digest,
                    loaded_checkpoint=row.loaded_checkpoint,
                    age=row.age,
                )
                for row in rows
            ]

    async def fetch_catalogs(self, keys: Collection[str]) -> dict[str, StoredCatalog]:
        """What these webuis offer, as it was written last."""
        query = sa.select(catalogs).where(catalogs.c.key.in_(keys))
        async with self._engine.connect() as connection:
            return {row.key: StoredCatalog(row.digest, row.catalog) for row in await connection.execute(query)}

    async def publish(
        self, worker: str, said: Mapping[str, Said], new_catalogs: Mapping[str, StoredCatalog] | None = None
    ) -> None:
        """What `worker` says of its webuis, by key, and that it is there; others of it go. Catalogs that changed."""
        async with self._engine.begin() as connection:
            mine = sa.and_(backends.c.worker == worker, backends.c.key.not_in(said))
            old = sa.and_(backends.c.worker != worker, self._now() - backends.c.seen_at > FORGET_AFTER)
            await connection.execute(sa.delete(backends).where(sa.or_(mine, old)))
            for key, catalog in (new_catalogs or {}).items():
                await _upsert(connection, catalogs, key, {"digest": catalog.digest, "catalog": catalog.json})
            for key, one in said.items():
                await self._publish(connection, worker, key, one)
            if new_catalogs:
                gone = catalogs.c.key.not_in(sa.select(backends.c.key))
                await connection.execute(sa.delete(catalogs).where(gone))
            if any(one.view is not None for one in said.values()):
                await notify(connection, BACKENDS_SIGNAL, worker)

    async def set_mode(self, key: str, mode: str) -> bool:
        """What an admin wants of a webui from now on; False where nobody knows it."""
        async with self._engine.begin() as connection:
            changed = sa.update(backends).where(backends.c.key == key).values(mode=mode)
            known = bool((await connection.execute(changed)).rowcount)
            await notify(connection, MODE_SIGNAL, key)
        return known

    async def _publish(self, connection: AsyncConnection, worker: str, key: str, said: Said) -> None:
        values: dict[str, Any] = {"worker": worker, "speed": said.speed, "load_seconds": said.load_seconds}
        values |= {"seen_at": self._now(), "catalog_digest": said.catalog_digest}
        if said.view is not None:
            values |= {"view": said.view, "loaded_checkpoint": said.loaded_checkpoint}
        await _upsert(connection, backends, key, values, {"mode": OPEN})

    def _now(self) -> sa.ColumnElement[float]:
        """Unix seconds of the one clock that all workers share: the database's; with SQLite there is one machine."""
        if self._engine.dialect.name == "postgresql":
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time())


async def _upsert(
    connection: AsyncConnection,
    table: sa.Table,
    key: str,
    values: Mapping[str, Any],
    at_first: Mapping[str, Any] | None = None,
) -> None:
    """Write these of the row; `at_first` only where there is none yet."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    row = insert.values(key=key, **(at_first or {}), **values)
    await connection.execute(row.on_conflict_do_update(index_elements=["key"], set_=dict(values)))
