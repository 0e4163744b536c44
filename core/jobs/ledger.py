"""Gives pictures out: what people were given so far, the decision, and the rows of it, in one transaction.

The decision itself is the scheduler's. Two processes never decide at once, so fair shares hold across all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.jobs import statements
from core.jobs.engine import Piece
from core.jobs.model import PartState
from core.jobs.rows import QUEUED_SIGNAL
from core.request import GenerationRequest
from core.scheduling.cost import work_of
from core.scheduling.scheduler import Account, Assignment, Decision
from core.store.locks import GIVING_OUT, lock
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
    task_id: str | None
    """The webui's task id for its first render, which is in its row; a later attempt has to look what ran before."""


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
        job_id, of_job = assignment.job_id, {"of_job": assignment.job_id}
        job = (await connection.execute(statements.TAKE_JOB, {**of_job, "now": now})).first()
        if job is None:
            raise Stale(job_id)
        known = {row.number: row for row in await connection.execute(statements.ATTEMPTS, of_job)}
        free = [n for n in range(job.pictures) if n not in known or known[n].state == PartState.WAITING]
        if not free:
            raise Stale(job_id)
        number, task_id = free[0], None
        if number in known:
            piece = Piece(job_id, number, known[number].attempt + 1)
            given = {"of_number": number, "by_worker": self._worker, "on_backend": assignment.backend}
            await connection.execute(statements.ATTEMPT_AGAIN, {**of_job, **given})
        else:
            piece = Piece(job_id, number, 1)
            task_id = piece.new_task_id()
            await connection.execute(statements.ATTEMPT_FIRST, self._first(piece, assignment.backend, task_id))
        first = not known and job.started_at == now
        work = work_of(GenerationRequest.from_json(job.request))
        return GivenOut(piece, assignment, work, job.expected_at if first else None, task_id)

    def _first(self, piece: Piece, backend: str, task_id: str) -> dict[str, Any]:
        return {
            "job_id": piece.job_id,
            "number": piece.number,
            "state": PartState.RUNNING,
            "worker": self._worker,
            "backend": backend,
            "attempt": piece.attempt,
            "breaks": 0,
            "task_id": task_id,
        }

    async def _charge(self, connection: AsyncConnection, decision: Decision) -> None:
        rows: list[dict[str, Any]] = [
            {"owner_id": owner, "given": one.given, "head": one.head, "passed_since": one.passed_since}
            for owner, one in decision.accounts.items()
        ]
        rows.append({"owner_id": CLOCK, "given": decision.clock, "head": None, "passed_since": None})
        await connection.execute(statements.CHARGE[connection.dialect.name], rows)


async def _accounts(connection: AsyncConnection, owner_ids: Collection[str]) -> tuple[dict[str, Account], float]:
    if len(owner_ids) <= MANY:
        rows = await connection.execute(statements.ACCOUNTS_OF, {"owners": [CLOCK, *owner_ids]})
    else:
        rows = await connection.execute(statements.ACCOUNTS)
    found = {row.owner_id: Account(given=row.given, head=row.head, passed_since=row.passed_since) for row in rows}
    clock = found.pop(CLOCK, None)
    return found, 0.0 if clock is None else clock.given
