"""Gives pictures out: what people were given so far, the decision, and the rows of it, in one transaction.

The decision itself is the scheduler's. Two processes never decide at once, so fair shares hold across all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.jobs.engine import Piece
from core.jobs.model import JobState, PartState
from core.jobs.rows import IN_THE_QUEUE, QUEUED_SIGNAL
from core.request import GenerationRequest
from core.scheduling.cost import work_of
from core.scheduling.scheduler import Account, Assignment, Decision
from core.store.locks import GIVING_OUT, lock
from core.store.schema import accounts, jobs, parts
from core.store.signals import Signal, notify_all

CLOCK = ""
"""The account that is nobody's: its `given` is the clock of fair shares."""

MANY = 500
"""From so many people on all accounts are read: a list of that length costs a database more than it saves."""

Decide = Callable[[Mapping[str, Account], float], Decision]


class Stale(Exception):
    """A job that was to be given out is not waiting any more; nothing was written."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class GivenOut:
    """One picture and who draws it."""

    piece: Piece
    assignment: Assignment
    work: float
    """Megapixel-steps of the picture."""
    expected_at: float | None
    """When its job was said to begin, where this is the first picture of it to be given out."""


class Ledger:
    """Accounts, and the rows of what is given out."""

    def __init__(self, engine: AsyncEngine, worker: str) -> None:
        self._engine = engine
        self._worker = worker

    async def fetch_accounts(self, owner_ids: Collection[str]) -> tuple[dict[str, Account], float]:
        """What these people were given so far, and the clock."""
        async with self._engine.connect() as connection:
            return await _accounts(connection, owner_ids)

    async def give_out(self, owner_ids: Collection[str], decide: Decide, now: float) -> list[GivenOut]:
        """Let `decide` choose, knowing these people's accounts, and write down what it chose.

        Stale where a chosen job is not to be had any more; then nothing is changed.
        """
        async with self._engine.begin() as connection:
            await lock(connection, GIVING_OUT)
            decision = decide(*await _accounts(connection, owner_ids))
            given = [await self._claim(connection, assignment, now) for assignment in decision.assignments]
            if given:
                await self._charge(connection, decision)
                job_ids = {one.piece.job_id for one in given}
                await notify_all(connection, [Signal(QUEUED_SIGNAL, job_id) for job_id in sorted(job_ids)])
        return given

    async def _claim(self, connection: AsyncConnection, assignment: Assignment, now: float) -> GivenOut:
        job_id = assignment.job_id
        taken = (
            sa.update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state.in_(IN_THE_QUEUE), jobs.c.sentence.is_(None))
            .values(state=JobState.RUNNING, started_at=sa.func.coalesce(jobs.c.started_at, now))
            .returning(jobs.c.pictures, jobs.c.request, jobs.c.started_at, jobs.c.expected_at)
        )
        job = (await connection.execute(taken)).first()
        if job is None:
            raise Stale(job_id)
        query = sa.select(parts.c.number, parts.c.state, parts.c.attempt).where(parts.c.job_id == job_id)
        known = {row.number: row for row in await connection.execute(query)}
        free = [n for n in range(job.pictures) if n not in known or known[n].state == PartState.WAITING]
        if not free:
            raise Stale(job_id)
        number = free[0]
        values = {"state": PartState.RUNNING, "worker": self._worker, "backend": assignment.backend}
        if number in known:
            attempt = known[number].attempt + 1
            again = sa.update(parts).where(parts.c.job_id == job_id, parts.c.number == number)
            await connection.execute(again.values(**values, attempt=attempt))
        else:
            attempt = 1
            row = {"job_id": job_id, "number": number, "attempt": attempt, "breaks": 0, **values}
            await connection.execute(sa.insert(parts).values(row))
        first = not known and job.started_at == now
        work = work_of(GenerationRequest.from_json(job.request))
        return GivenOut(Piece(job_id, number, attempt), assignment, work, job.expected_at if first else None)

    async def _charge(self, connection: AsyncConnection, decision: Decision) -> None:
        rows: list[dict[str, Any]] = [
            {"owner_id": owner, "given": one.given, "head": one.head, "passed_since": one.passed_since}
            for owner, one in decision.accounts.items()
        ]
        rows.append({"owner_id": CLOCK, "given": decision.clock, "head": None, "passed_since": None})
        insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(accounts)
        fresh = {name: insert.excluded[name] for name in ("given", "head", "passed_since")}
        await connection.execute(insert.on_conflict_do_update(index_elements=["owner_id"], set_=fresh), rows)


async def _accounts(connection: AsyncConnection, owner_ids: Collection[str]) -> tuple[dict[str, Account], float]:
    query = sa.select(accounts)
    if len(owner_ids) <= MANY:
        query = query.where(accounts.c.owner_id.in_([CLOCK, *owner_ids]))
    found = {
        row.owner_id: Account(given=row.given, head=row.head, passed_since=row.passed_since)
        for row in await connection.execute(query)
    }
    clock = found.pop(CLOCK, None)
    return found, 0.0 if clock is None else clock.given
