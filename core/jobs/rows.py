"""The only module that reads and writes job rows. Every change of state is one conditional UPDATE.

A change that finds the row in another state than expected changes nothing and says so (False or None): the row is the
truth, and whoever came second has to accept what it says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.model import Delivered, Drawing, Job, JobState, NewJob
from core.request import GenerationRequest
from core.store.schema import jobs

log = logging.getLogger(__name__)

UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.DRAWN)

_Row = dict[str, Any]


class JobRows:
    """Job rows in the database; times are unix seconds given by the caller."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._arriving: list[tuple[_Row, asyncio.Future[bool]]] = []
        self._inserting: asyncio.Task[None] | None = None

    async def submit(self, job: NewJob) -> bool:
        """Write a new job; False where its id is there already. On return it is on disk.

        Jobs that arrive while a transaction is being written share the next one: two hundred at once cost a handful of
        disk flushes instead of two hundred.
        """
        row = _new_row(job)  # here, so that one that can't be encoded fails alone
        written = asyncio.get_running_loop().create_future()
        self._arriving.append((row, written))
        if self._inserting is None:
            self._inserting = asyncio.create_task(self._insert_arriving(), name="insert jobs")
        return await asyncio.shield(written)

    async def fetch(self, job_id: str) -> Job | None:
        """The row as it is now."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(jobs).where(jobs.c.id == job_id))).first()
        return None if row is None else _job(row)

    async def fetch_unfinished(self) -> list[Job]:
        """All jobs that are not at an end, the oldest first."""
        query = sa.select(jobs).where(jobs.c.state.in_(UNFINISHED)).order_by(jobs.c.created_at, jobs.c.id)
        async with self._engine.connect() as connection:
            return [job for row in await connection.execute(query) if (job := _readable(row)) is not None]

    async def mark_running(self, job_id: str, backend: str, now: float) -> int | None:
        """queued → running on `backend`; the number of this attempt, or None where the job isn't queued any more."""
        statement = (
            sa.update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
            .values(state=JobState.RUNNING, backend=backend, attempt=jobs.c.attempt + 1, started_at=now)
            .returning(jobs.c.attempt)
        )
        async with self._engine.begin() as connection:
            attempt: int | None = await connection.scalar(statement)
            return attempt

    async def note_task(self, job_id: str, task_id: str) -> None:
        """Remember the webui's task id before the payload is sent, so that a next process can tell it is ours."""
        await self._update(sa.update(jobs).where(jobs.c.id == job_id).values(task_id=task_id))

    async def note_message(self, job_id: str, message_id: str) -> None:
        """Remember which message the reply is."""
        await self._update(sa.update(jobs).where(jobs.c.id == job_id).values(message_id=message_id))

    async def requeue(self, job_id: str, attempt: int, *, broke: bool) -> bool:
        """running → queued, to be given to a backend again; `broke` counts an outcome that stayed unknown."""
        return await self._update(
            _running(job_id, attempt).values(state=JobState.QUEUED, breaks=jobs.c.breaks + int(broke))
        )

    async def mark_drawn(self, job_id: str, attempt: int, drawing: Drawing) -> Job | None:
        """running → drawn: the pictures are on disk and will never be drawn again. The row as it is then."""
        result = msgspec.json.encode(drawing).decode()
        statement = _running(job_id, attempt).values(state=JobState.DRAWN, result=result).returning(jobs)
        async with self._engine.begin() as connection:
            row = (await connection.execute(statement)).first()
        return None if row is None else _job(row)

    async def mark_done(self, job_id: str, delivered: Delivered, now: float) -> bool:
        """drawn → done."""
        statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.DRAWN)
        return await self._update(statement.values(state=JobState.DONE, **_ended(delivered, now)))

    async def mark_failed(self, job_id: str, sentence: str, delivered: Delivered, now: float) -> bool:
        """running or drawn → failed, after its owner was told `sentence`."""
        statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_((JobState.RUNNING, JobState.DRAWN)))
        return await self._update(
            statement.values(state=JobState.FAILED, sentence=sentence, **_ended(delivered, now)),
        )

    async def mark_cancelled(self, job_id: str, now: float) -> JobState | None:
        """queued or running → cancelled; the state it was in, or None where it was too late (or no such job)."""
        async with self._engine.begin() as connection:
            for state in (JobState.QUEUED, JobState.RUNNING):
                statement = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state == state)
                values = statement.values(state=JobState.CANCELLED, finished_at=now)
                if (await connection.execute(values)).rowcount:
                    return state
        return None

    async def _update(self, statement: sa.Update) -> bool:
        async with self._engine.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def _insert_arriving(self) -> None:
        """Write what has arrived, in as few transactions as it takes, until nothing arrives any more."""
        try:
            while self._arriving:
                batch, self._arriving = self._arriving, []
                try:
                    fresh = await self._insert([row for row, _ in batch])
                except sa.exc.SQLAlchemyError as error:
                    for _, written in batch:
                        written.set_exception(error)
                    continue
                for row, written in batch:
                    written.set_result(row["id"] in fresh)
                    fresh.discard(row["id"])  # a command that arrived twice is new only once
        finally:
            self._inserting = None

    async def _insert(self, batch: list[_Row]) -> set[str]:
        """Insert those of `batch` that are not there yet; their ids."""
        rows = {row["id"]: row for row in batch}
        async with self._engine.begin() as connection:
            known = await connection.execute(sa.select(jobs.c.id).where(jobs.c.id.in_(rows)))
            fresh = rows.keys() - set(known.scalars())
            if fresh:
                await connection.execute(sa.insert(jobs), [rows[job_id] for job_id in rows if job_id in fresh])
        return set(fresh)


def _running(job_id: str, attempt: int) -> sa.Update:
    return sa.update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.RUNNING, jobs.c.attempt == attempt)


def _ended(delivered: Delivered, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {"finished_at": now, "delivered_to": delivered.where}
    if delivered.message_id is not None:
        values["message_id"] = delivered.message_id
    return values


def _new_row(job: NewJob) -> _Row:
    return {
        "id": job.id,
        "state": JobState.QUEUED,
        "owner_id": job.owner_id,
        "guild_id": job.guild_id,
        "request": job.request.to_json(),
        "notes": msgspec.json.encode(job.notes).decode(),
        "reply": job.reply,
        "attempt": 0,
        "breaks": 0,
        "created_at": job.created_at,
    }


def _readable(row: Any) -> Job | None:
    """One row that can't be read must not keep the bot from starting; it stays where it is."""
    try:
        return _job(row)
    except (ValueError, msgspec.MsgspecError):
        log.exception("a job's row can't be read", extra={"job": row.id})
        return None


def _job(row: Any) -> Job:
    return Job(
        id=row.id,
        state=JobState(row.state),
        owner_id=row.owner_id,
        guild_id=row.guild_id,
        request=GenerationRequest.from_json(row.request),
        notes=tuple(_strings(row.notes)),
        reply=row.reply,
        attempt=row.attempt,
        breaks=row.breaks,
        backend=row.backend,
        task_id=row.task_id,
        drawing=None if row.result is None else msgspec.json.decode(row.result, type=Drawing),
        sentence=row.sentence,
        message_id=row.message_id,
        created_at=row.created_at,
        started_at=row.started_at,
    )


def _strings(text: str) -> Iterable[str]:
    return msgspec.json.decode(text, type=list[str])
