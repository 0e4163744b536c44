"""Rows of what admins want set for good on webuis, and what became of it: who asks and who has the webui meet here.

Every change of state is one conditional UPDATE: what has ended stays as it ended, whoever comes second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.schema import switches
from core.store.signals import notify

SWITCH_SIGNAL = "switch"
"""Its subject is the wish of which something changed."""
KEPT_SECONDS = 90 * 24 * 3600.0
"""For so long it is remembered who switched what."""


class SwitchState(StrEnum):
    """wished → waiting (for the running picture) → loading → done or failed."""

    WISHED = "wished"
    WAITING = "waiting"
    LOADING = "loading"
    DONE = "done"
    FAILED = "failed"


OPEN = (SwitchState.WISHED, SwitchState.WAITING, SwitchState.LOADING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRow:
    """One wish for one webui. `id` is Discord's interaction id, which several webuis may share.

    `setting` is one of core.webui.options.Setting, or `refresh`; `wanted` is what was typed. `age` is in seconds, and
    `sentence` says how it ended, to people. `reply` is where it is said, as whoever asked wrote it down; rows of
    versions before migration 0005 have none.
    """

    id: str
    backend: str
    setting: str
    wanted: str
    state: SwitchState
    sentence: str
    person_id: str
    guild_id: str
    reply: str | None
    age: float
    created_at: float


class SwitchRows:
    """The table of the wishes. `on_change` is called for each change that is made here; others ring (SWITCH_SIGNAL)."""

    def __init__(self, engine: AsyncEngine, on_change: Callable[[], None]) -> None:
        self._engine = engine
        self._on_change = on_change

    async def wish(
        self,
        wish_id: str,
        backends: Sequence[str],
        *,
        setting: str,
        wanted: str,
        person_id: str,
        guild_id: str,
        reply: str,
    ) -> None:
        """Ask for it on each of these; asking again with the same id changes nothing."""
        now = self._now()
        async with self._engine.begin() as connection:
            old = self._now() - switches.c.created_at > KEPT_SECONDS
            await connection.execute(sa.delete(switches).where(old))
            known = set(await connection.scalars(sa.select(switches.c.backend).where(switches.c.id == wish_id)))
            for backend in backends:
                if backend not in known:
                    row = sa.insert(switches).values(
                        id=wish_id,
                        backend=backend,
                        setting=setting,
                        wanted=wanted,
                        state=SwitchState.WISHED,
                        sentence="",
                        person_id=person_id,
                        guild_id=guild_id,
                        reply=reply,
                        created_at=now,
                    )
                    await connection.execute(row)
            await notify(connection, SWITCH_SIGNAL, wish_id)
        self._on_change()

    async def fetch(self, wish_id: str) -> list[SwitchRow]:
        """What became of a wish, webui by webui."""
        return await self._fetch(switches.c.id == wish_id)

    async def fetch_open(self, backends: Collection[str]) -> list[SwitchRow]:
        """What is still to be done on these, the oldest first."""
        return await self._fetch(sa.and_(switches.c.backend.in_(backends), switches.c.state.in_(OPEN)))

    async def fetch_unfinished(self) -> list[SwitchRow]:
        """What has not ended on any webui, the oldest first."""
        return await self._fetch(switches.c.state.in_(OPEN))

    async def fetch_last(self, settings: Collection[str]) -> SwitchRow | None:
        """What was done last of these settings, on any webui."""
        done = sa.and_(switches.c.state == SwitchState.DONE, switches.c.setting.in_(settings))
        newest = sa.select(sa.func.max(switches.c.created_at)).where(done).scalar_subquery()
        found = await self._fetch(sa.and_(done, switches.c.created_at == newest))
        return found[0] if found else None

    async def move(self, row: SwitchRow, state: SwitchState, sentence: str = "") -> bool:
        """Note how far it is; False where it has ended already."""
        mine = sa.and_(switches.c.id == row.id, switches.c.backend == row.backend, switches.c.state.in_(OPEN))
        changed = sa.update(switches).where(mine).values(state=state, sentence=sentence)
        async with self._engine.begin() as connection:
            moved = bool((await connection.execute(changed)).rowcount)
            if moved:
                await notify(connection, SWITCH_SIGNAL, row.id)
        if moved:
            self._on_change()
        return moved

    async def _fetch(self, where: sa.ColumnElement[bool]) -> list[SwitchRow]:
        query = sa.select(switches, (self._now() - switches.c.created_at).label("age")).where(where)
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(switches.c.created_at, switches.c.id, switches.c.backend))
            return [
                SwitchRow(
                    id=row.id,
                    backend=row.backend,
                    setting=row.setting,
                    wanted=row.wanted,
                    state=SwitchState(row.state),
                    sentence=row.sentence,
                    person_id=row.person_id,
                    guild_id=row.guild_id,
                    reply=row.reply,
                    age=row.age,
                    created_at=row.created_at,
                )
                for row in found
            ]

    def _now(self) -> sa.ColumnElement[float]:
        """Unix seconds of the one clock that all processes share: the database's; with SQLite there is one machine."""
        if self._engine.dialect.name == "postgresql":
            return sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), sa.Float)
        return sa.literal(time.time())
