"""Job rows: submitted within the places that people have, looked at, cancelled. Pictures are in core.jobs.parts.

A change that finds the row in another state than expected changes nothing and says so (False or None): the row is the
truth, and whoever came second has to accept what it says.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.jobs import gallery, statements
from core.jobs.columns import Row, as_job, new_row, readable, shown_in
from core.jobs.model import ENDED, IN_THE_QUEUE, UNFINISHED, Delivered, Job, JobState, NewJob
from core.store.locks import ADMISSION, lock
from core.store.schema import jobs, parts
from core.store.signals import Signal, notify, notify_all

log = logging.getLogger(__name__)

QUEUED_SIGNAL = "queued"
"""Its subject is a job whose waiting pictures changed."""
CANCELLED_SIGNAL = "cancelled"
WAITING = (
    sa.select(jobs)
    .where(jobs.c.state.in_(IN_THE_QUEUE), jobs.c.sentence.is_(None))
    .order_by(jobs.c.created_at, jobs.c.id)
)
AT_ONCE = 200
"""Rows of a long queue that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """How many jobs may be in the queue at once, those being drawn included."""

    per_person: int = 10
    per_server: int = 200


class QueueFull(Exception):
    """A new job found no place. `whose` is "person" or "server", `taken` how many jobs are there."""

    def __init__(self, whose: str, taken: int) -> None:
        super().__init__(f"{taken} jobs of this {whose} are in the queue")
        self.whose = whose
        self.taken = taken


class JobRows:
    """Job rows in the database; times are unix seconds given by the caller."""

    def __init__(self, engine: AsyncEngine, places: Places | None = None) -> None:
        self._engine = engine
        self._places = places or Places()
        self._arriving: list[tuple[NewJob, Row, asyncio.Future[bool]]] = []
        self._underway: dict[str, asyncio.Future[bool]] = {}
        self._inserting: asyncio.Task[None] | None = None

    async def submit(self, job: NewJob) -> bool:
        """Write a new job; False where its id is there already, QueueFull where its owner or server has no place left.

        On return it is on disk. Jobs that arrive while a transaction is being written share the next one: two hundred
        at once cost a handful of disk flushes instead of two hundred. Where the caller gives up, see `was_written`.
        """
        written = asyncio.get_running_loop().create_future()
        arriving = (job, new_row(job), written)  # here, so that one that can't be encoded fails alone
        self._arriving.append(arriving)
        if self._inserting is None:
            self._inserting = asyncio.create_task(self._insert_arriving(), name="insert jobs")
        self._underway[job.id] = written
        is_given_up = False
        try:
            return await asyncio.shield(written)
        except asyncio.CancelledError:
            is_given_up = True
            if arriving in self._arriving:
                self._arriving.remove(arriving)
                written.cancel()
            raise
        finally:
            if not is_given_up:
                self._underway.pop(job.id, None)

    async def was_written(self, job_id: str) -> bool:
        """Whether a submission that was given up, and not an earlier one, has written the job after all; it waits."""
        written = self._underway.pop(job_id, None)
        if written is None:
            return False
        await asyncio.wait({written})
        return not written.cancelled() and written.exception() is None and written.result()

    async def fetch(self, job_id: str) -> Job | None:
        """The row as it is now."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(statements.JOB, {"of_job": job_id})).first()
        return None if row is None else as_job(row)

    async def fetch_ended_in(self, message_id: str) -> Job | None:
        """The job at its end whose answer this message is."""
        query = sa.select(jobs).where(jobs.c.message_id == message_id, jobs.c.state.in_(ENDED)).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else readable(row)

    async def fetch_queue(self, job_ids: Sequence[str]) -> list[Job]:
        """Those of `job_ids` that may have pictures waiting, the oldest first."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(WAITING.where(jobs.c.id.in_(job_ids)))
            return [job for row in rows if (job := readable(row)) is not None]

    async def read_queue(self) -> AsyncIterator[list[Job]]:
        """All jobs that may have pictures waiting, the oldest first, some at a time: whole they take much memory."""
        last: Row | None = None
        while True:
            query = WAITING.limit(AT_ONCE)
            if last is not None:
                place = sa.tuple_(jobs.c.created_at, jobs.c.id)
                query = query.where(place > sa.tuple_(last["created_at"], last["id"]))
            async with self._engine.connect() as connection:
                rows = (await connection.execute(query)).all()
            if not rows:
                return
            yield [job for row in rows if (job := readable(row)) is not None]
            last = {"created_at": rows[-1].created_at, "id": rows[-1].id}

    async def fetch_input_keys(self) -> set[str]:
        """The keys of the images that unfinished jobs need: those that are drawn over, and control images."""
        query = sa.select(jobs).where(jobs.c.state.in_(UNFINISHED), jobs.c.request.contains('"image":'))
        async with self._engine.connect() as connection:
            found = [job.request for row in await connection.execute(query) if (job := readable(row)) is not None]
        return {key for one in found for key in one.input_keys}

    async def fetch_of(self, owner_id: str) -> list[Job]:
        """One person's jobs in the queue, the oldest first."""
        query = sa.select(jobs).where(jobs.c.owner_id == owner_id, jobs.c.state.in_(IN_THE_QUEUE))
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(jobs.c.created_at, jobs.c.id))
            return [job for row in rows if (job := readable(row)) is not None]

    async def note_message(self, job_id: str, message_id: str, expected_at: float | None = None) -> None:
        """Remember which message the reply is, and when it says that the job begins."""
        said = {"of_job": job_id, "message": message_id, "begins_at": expected_at}
        async with self._engine.begin() as connection:
            await connection.execute(statements.NOTE_MESSAGE, said)

    async def note_shown(self, job_id: str, delivered: Delivered, reply: str) -> bool:
        """Remember where a job is shown after all whose pictures were only kept; whether it was such a one."""
        kept = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.delivered_to == "kept", jobs.c.state.in_(ENDED))
        shown = kept.values(delivered_to=delivered.where, message_id=delivered.message_id, reply=reply)
        async with self._engine.begin() as connection:
            return bool((await connection.execute(shown)).rowcount)

    async def mark_done(self, job_id: str, delivered: Delivered, now: float, shown: Collection[int] = ()) -> bool:
        """drawn → done; running too, where a job ends with fewer pictures than were asked for.

        `shown` are the numbers of the pictures that were shown last: their rows say so in the same transaction.
        """
        async with self._engine.begin() as connection:
            row = (await connection.execute(statements.DONE, {**shown_in(job_id, delivered), "now": now})).first()
            if row is None:
                return False
            if shown:
                await connection.execute(statements.SHOWN, {"of_job": job_id, "numbers": list(shown)})
            await gallery.enter(connection, row)
        return True

    async def mark_failed(self, job_id: str, sentence: str, delivered: Delivered, now: float) -> bool:
        """Whatever is not at an end → failed, after its owner was told `sentence`."""
        failed = {**shown_in(job_id, delivered), "now": now, "why": sentence}
        async with self._engine.begin() as connection:
            row = (await connection.execute(statements.FAILED, failed)).first()
            if row is None:
                return False
            await gallery.enter(connection, row)
        return True

    async def mark_cancelled(self, job_id: str, now: float) -> JobState | None:
        """queued or running → cancelled; the state it was in, or None where it was too late (or no such job)."""
        async with self._engine.begin() as connection:
            state = await connection.scalar(statements.HOLD_JOB, {"of_job": job_id})
            if state not in IN_THE_QUEUE:
                return None
            cancelled = sa.update(jobs).where(jobs.c.id == job_id).returning(jobs)
            row = (await connection.execute(cancelled.values(state=JobState.CANCELLED, finished_at=now))).one()
            await gallery.enter(connection, row)
            await notify(connection, CANCELLED_SIGNAL, job_id)
            return JobState(state)

    async def delete_ended(self, job_id: str) -> bool:
        """Forget a job that is at its end, with its pictures' rows; whether there was one."""
        ended = sa.delete(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(ENDED))
        async with self._engine.begin() as connection:
            if not (await connection.execute(ended)).rowcount:
                return False
            await connection.execute(sa.delete(parts).where(parts.c.job_id == job_id))
        return True

    async def _insert_arriving(self) -> None:
        """Write what has arrived, in as few transactions as it takes, until nothing arrives any more."""
        try:
            while self._arriving:
                batch, self._arriving = self._arriving, []
                try:
                    outcomes = await self._insert([(job, row) for job, row, _ in batch])
                except sa.exc.SQLAlchemyError as error:
                    outcomes = [error] * len(batch)
                for (_, _, written), outcome in zip(batch, outcomes, strict=True):
                    if isinstance(outcome, bool):
                        written.set_result(outcome)
                    else:
                        written.set_exception(outcome)
        finally:
            self._inserting = None

    async def _insert(self, batch: Sequence[tuple[NewJob, Row]]) -> list[bool | Exception]:
        """Insert those that are new and have a place; for each True, False (it was there) or QueueFull."""
        async with self._engine.begin() as connection:
            await lock(connection, ADMISSION)  # two processes must not give the same last place away
            known = await self._known(connection, [job.id for job, _ in batch])
            people = await self._taken(connection, jobs.c.owner_id, [job.owner_id for job, _ in batch])
            servers = await self._taken(connection, jobs.c.guild_id, [job.guild_id for job, _ in batch])
            outcomes: list[bool | Exception] = []
            fresh: list[Row] = []
            for job, row in batch:
                outcome = job.id not in known and (self._refusal(job, people, servers) or True)
                outcomes.append(outcome)
                if outcome is True:
                    known.add(job.id)  # a command that arrived twice is new only once
                    people[job.owner_id] += 1
                    servers[job.guild_id] += 1
                    fresh.append(row)
            if fresh:
                await connection.execute(sa.insert(jobs), fresh)
                await notify_all(connection, [Signal(QUEUED_SIGNAL, row["id"]) for row in fresh])
        return outcomes

    async def _known(self, connection: AsyncConnection, job_ids: Iterable[str]) -> set[str]:
        return set((await connection.execute(sa.select(jobs.c.id).where(jobs.c.id.in_(list(job_ids))))).scalars())

    async def _taken(
        self, connection: AsyncConnection, column: sa.Column[Any], names: Iterable[str | None]
    ) -> Counter[str | None]:
        """How many places are taken, by person or by server."""
        wanted = {name for name in names if name is not None}
        query = sa.select(column, sa.func.count()).where(column.in_(wanted), jobs.c.state.in_(IN_THE_QUEUE))
        if not wanted:
            return Counter()
        return Counter({row[0]: row[1] for row in await connection.execute(query.group_by(column))})

    def _refusal(self, job: NewJob, people: Counter[str | None], servers: Counter[str | None]) -> QueueFull | None:
        if people[job.owner_id] >= self._places.per_person:
            return QueueFull("person", people[job.owner_id])
        if job.guild_id is not None and servers[job.guild_id] >= self._places.per_server:
            return QueueFull("server", servers[job.guild_id])
        return None
