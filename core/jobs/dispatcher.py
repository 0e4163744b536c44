"""Gives waiting jobs to idle backends: asks the scheduler, writes the row, starts the engine. It makes no policy."""

from __future__ import annotations

import asyncio
import logging
import time

import sqlalchemy as sa

from core.jobs.engine import Engine
from core.jobs.model import JobState
from core.jobs.pipeline import Pipeline
from core.jobs.points import reached
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows
from core.jobs.scheduler import Assignment, BackendFacts, choose
from core.webui.pool import BackendPool, Health

log = logging.getLogger(__name__)

DATABASE_PAUSE = 1.0
"""Seconds before the database is tried again."""


class Dispatcher:
    """One task that sleeps until the queue's bell rings: no polling between two jobs."""

    def __init__(self, *, rows: JobRows, pool: BackendPool, queue: WaitingQueue, pipeline: Pipeline) -> None:
        self._rows = rows
        self._pool = pool
        self._queue = queue
        self._pipeline = pipeline
        self._engine: Engine | None = None

    @property
    def is_open(self) -> bool:
        """Whether jobs are given out."""
        return self._engine is not None

    async def open(self, engine: Engine) -> None:
        """Take up what an earlier process left: waiting jobs wait on, the others go on where they were."""
        unfinished = await self._rows.fetch_unfinished()
        await self._pipeline.pictures.sweep_spool({job.id for job in unfinished})
        for job in unfinished:
            if job.state is JobState.QUEUED:
                self._queue.add(job)
            elif job.state is JobState.RUNNING and job.backend is not None:
                self._pool.reserve(job.backend, job.id)
        await engine.open()
        self._engine = engine
        for job in unfinished:
            if job.state is not JobState.QUEUED:
                await engine.resume(job.id, job.attempt)

    async def close(self) -> None:
        """Stop the engine; unfinished jobs go on at the next start."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

    async def run(self) -> None:
        """Give out jobs for ever; the caller cancels it."""
        while True:
            await self._queue.wait()
            try:
                for assignment in choose(self._queue.snapshot(), self._facts()):
                    await self._assign(assignment)
            except sa.exc.SQLAlchemyError as error:
                log.warning("the database did not answer, trying again: %s", type(error).__name__)
                await asyncio.sleep(DATABASE_PAUSE)
                self._queue.ring()

    def _facts(self) -> list[BackendFacts]:
        return [
            BackendFacts(key=view.key, up=view.health is Health.UP, idle=view.idle, catalog=view.catalog)
            for view in self._pool.views()
        ]

    async def _assign(self, assignment: Assignment) -> None:
        job_id, backend = assignment.job_id, assignment.backend
        if not self._pool.reserve(backend, job_id):
            return
        try:
            attempt = await self._rows.mark_running(job_id, backend, time.time())
        except sa.exc.SQLAlchemyError:
            self._pool.release(job_id)
            raise
        self._queue.remove(job_id)
        if attempt is None:
            self._pool.release(job_id)
            return
        reached("assigned", job_id)
        self._pipeline.expect(job_id, attempt)
        await self._start(job_id, attempt)
        reached("started", job_id)

    async def _start(self, job_id: str, attempt: int) -> None:
        """The row says running, so the engine has to know, however long its database takes."""
        while self._engine is not None:
            try:
                await self._engine.start(job_id, attempt)
            except sa.exc.SQLAlchemyError as error:
                log.warning("the engine's database did not answer, trying again: %s", type(error).__name__)
                await asyncio.sleep(DATABASE_PAUSE)
            else:
                return
