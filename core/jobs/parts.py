"""Rows of the pictures of jobs: what became of each, by conditional UPDATEs. Given out by core.jobs.ledger.

Whatever changes a picture holds its job's row before: two pictures that end at once would each not see the other, and
leave the job in a state that is true of neither.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.jobs import statements
from core.jobs.columns import as_job, shown_in, strings
from core.jobs.engine import Piece
from core.jobs.model import BEGUN, ENDED, Delivered, Drawing, Job, JobState, Part, PartState
from core.jobs.rows import QUEUED_SIGNAL
from core.jobs.statements import count_of
from core.store.locks import GIVING_OUT, lock
from core.store.schema import jobs, parts
from core.store.signals import notify

AT_WORK = (PartState.RUNNING, PartState.DRAWN)
"""What a worker has in hand."""
SETTLED = (PartState.SHOWN, PartState.FAILED)
"""What nobody has to do anything about."""


class PartRows:
    """The pictures in the database."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, job_id: str) -> tuple[Job, list[Part]] | None:
        """The job and its pictures that were given out, in order."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(statements.JOB, {"of_job": job_id})).first()
            if row is None:
                return None
            return as_job(row), await _parts(connection, job_id)

    async def fetch_one(self, job_id: str, number: int) -> tuple[Job, Part] | None:
        """One picture that was given out, and its job."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(statements.ONE_PART, {"of_job": job_id, "of_number": number})).first()
        return None if row is None else (as_job(row), _part(row, "part_"))

    async def count_begun(self, job_ids: Collection[str]) -> dict[str, int]:
        """How many pictures of each job are not waiting (any more); a job that has none is left out."""
        query = (
            sa.select(parts.c.job_id, sa.func.count())
            .where(parts.c.state != PartState.WAITING, parts.c.job_id.in_(job_ids))
            .group_by(parts.c.job_id)
        )
        async with self._engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def fetch_in_hand(self, worker: str) -> list[Part]:
        """What this worker was given and has not shown, of jobs that are not at an end."""
        query = (
            sa.select(parts)
            .join(jobs, jobs.c.id == parts.c.job_id)
            .where(parts.c.worker == worker, parts.c.state.in_(AT_WORK), jobs.c.state.not_in(ENDED))
            .order_by(jobs.c.created_at, parts.c.job_id, parts.c.number)
        )
        async with self._engine.connect() as connection:
            return [_part(row) for row in await connection.execute(query)]

    async def fetch_workers(self) -> set[str]:
        """Who has anything in hand."""
        query = (
            sa.select(parts.c.worker)
            .distinct()
            .join(jobs, jobs.c.id == parts.c.job_id)
            .where(parts.c.state.in_(AT_WORK), jobs.c.state.not_in(ENDED))
        )
        async with self._engine.connect() as connection:
            return set((await connection.execute(query)).scalars())

    async def fetch_unended(self) -> dict[str, set[str]]:
        """Jobs that nobody draws any more and nobody has ended, with the workers that had a part in them.

        Most are about to be ended by one of these; where that one died before, somebody else has to.
        """
        settled = sa.or_(jobs.c.sentence.is_not(None), jobs.c.pictures == count_of(jobs.c.id, *SETTLED))
        query = (
            sa.select(parts.c.job_id, parts.c.worker)
            .join(jobs, jobs.c.id == parts.c.job_id)
            .where(jobs.c.state.in_(BEGUN), settled, count_of(jobs.c.id, *AT_WORK) == 0)
        )
        found: dict[str, set[str]] = {}
        async with self._engine.connect() as connection:
            for row in await connection.execute(query):
                found.setdefault(row.job_id, set()).add(row.worker)
        return found

    async def are_held(self, job_id: str, numbers: Collection[int], worker: str) -> bool:
        """Whether all of these pictures are drawn, not shown, and still this worker's."""
        held = {"of_job": job_id, "numbers": list(numbers), "by_worker": worker}
        async with self._engine.connect() as connection:
            return await connection.scalar(statements.COUNT_HELD, held) == len(numbers)

    async def note_task(self, piece: Piece, task_id: str) -> None:
        """Remember the webui's task id before the payload is sent, so that a next process can tell it is ours."""
        async with self._engine.begin() as connection:
            await connection.execute(statements.NOTE_TASK, {**_of(piece), "task": task_id})

    async def requeue(self, piece: Piece, *, broke: bool = False, avoid: str | None = None) -> Job | None:
        """running → waiting, to be given out again; the job as it is then, None where that was not to be done.

        `broke` counts an outcome that stayed unknown; `avoid` is a backend that this job shall not be given to again.
        """
        async with self._engine.begin() as connection:
            await _hold(connection, piece.job_id)
            if not (await connection.execute(statements.PART_WAITS, {**_of(piece), "broken": int(broke)})).rowcount:
                return None
            return await _wait_again(connection, piece.job_id, avoid)

    async def mark_drawn(self, piece: Piece, drawing: Drawing) -> bool:
        """running → drawn: the picture is on disk and will not be drawn again; False where the row forbids it."""
        drawn = {**_of(piece), "drawing": msgspec.json.encode(drawing).decode()}
        async with self._engine.begin() as connection:
            if await _hold(connection, piece.job_id) != JobState.RUNNING:
                return False
            if not (await connection.execute(statements.DRAWN, drawn)).rowcount:
                return False
            await connection.execute(statements.ALL_DRAWN, {"of_job": piece.job_id})
        return True

    async def mark_failed(self, piece: Piece, sentence: str) -> bool:
        """running → failed; the job gets no further picture, and `sentence` is why."""
        async with self._engine.begin() as connection:
            await _hold(connection, piece.job_id)
            if not (await connection.execute(statements.PART_FAILED, _of(piece))).rowcount:
                return False
            why = sa.func.coalesce(jobs.c.sentence, sentence)
            await connection.execute(sa.update(jobs).where(jobs.c.id == piece.job_id).values(sentence=why))
            await notify(connection, QUEUED_SIGNAL, piece.job_id)
        return True

    async def mark_shown(self, job_id: str, numbers: Collection[int], delivered: Delivered | None) -> None:
        """drawn → shown, in the message that `delivered` names; None: nothing took them, and they are only kept."""
        async with self._engine.begin() as connection:
            if delivered is None:
                await _hold(connection, job_id)
            else:
                await connection.execute(statements.SHOWN_IN, shown_in(job_id, delivered))
            await connection.execute(statements.SHOWN, {"of_job": job_id, "numbers": list(numbers)})

    async def forget(self, job_id: str, number: int) -> None:
        """What became of one picture of a job that is at its end: there is nothing of it any more."""
        ended = sa.exists().where(jobs.c.id == parts.c.job_id, jobs.c.state.in_(ENDED))
        its = sa.and_(parts.c.job_id == job_id, parts.c.number == number, ended)
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(parts).where(its).values(result=None))

    async def hand_back(self, worker: str) -> list[str]:
        """What a worker has in hand waits again, for whoever has a webui for it; the jobs' ids.

        Pictures that it drew and did not show are given up with it: their files are on its disk. They are drawn again
        with the same seeds, and whoever shows them looks first whether they are there.
        """
        async with self._engine.begin() as connection:
            await lock(connection, GIVING_OUT)  # nobody else holds several jobs at once
            in_hand = sa.exists().where(
                parts.c.job_id == jobs.c.id, parts.c.worker == worker, parts.c.state.in_(AT_WORK)
            )
            held = sa.select(jobs.c.id).where(jobs.c.state.not_in(ENDED), in_hand).order_by(jobs.c.id)
            holding = list((await connection.execute(held.with_for_update())).scalars())
            statement = (
                sa.update(parts)
                .where(parts.c.worker == worker, parts.c.state.in_(AT_WORK), parts.c.job_id.in_(holding))
                .values(state=PartState.WAITING, result=None)
                .returning(parts.c.job_id)
            )
            job_ids = sorted(set((await connection.execute(statement)).scalars()))
            for job_id in job_ids:
                await _wait_again(connection, job_id, None)
        return job_ids


def _of(piece: Piece) -> dict[str, Any]:
    """The attempt, as the parameters of statements that change it."""
    return {"of_job": piece.job_id, "of_number": piece.number, "of_attempt": piece.attempt}


async def _hold(connection: AsyncConnection, job_id: str) -> str | None:
    """The job's state, which stays until the transaction ends. On SQLite nobody else writes meanwhile."""
    state: str | None = await connection.scalar(statements.HOLD_JOB, {"of_job": job_id})
    return state


async def _wait_again(connection: AsyncConnection, job_id: str, avoid: str | None) -> Job | None:
    """The job's row after one of its pictures went back: queued where nothing of it is begun any more."""
    row = (await connection.execute(statements.JOB, {"of_job": job_id})).first()
    if row is None or row.state in ENDED:
        return None
    values: dict[str, Any] = {}
    begun = await connection.scalar(
        sa.select(sa.func.count()).where(parts.c.job_id == job_id, parts.c.state != PartState.WAITING)
    )
    values["state"] = JobState.RUNNING if begun else JobState.QUEUED
    if avoid is not None:
        values["avoid"] = msgspec.json.encode(sorted({*strings(row.avoid), avoid})).decode()
    statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state.not_in(ENDED)).values(values).returning(jobs)
    changed = (await connection.execute(statement)).first()
    await notify(connection, QUEUED_SIGNAL, job_id)
    return None if changed is None else as_job(changed)


async def _parts(connection: AsyncConnection, job_id: str) -> list[Part]:
    rows = await connection.execute(statements.ITS_PARTS, {"of_job": job_id})
    return [_part(row) for row in rows]


def _part(row: Any, prefix: str = "") -> Part:
    facts = {column.name: getattr(row, prefix + column.name) for column in parts.c}
    result = facts.pop("result")
    facts["state"] = PartState(facts["state"])
    return Part(**facts, drawing=None if result is None else msgspec.json.decode(result, type=Drawing))
