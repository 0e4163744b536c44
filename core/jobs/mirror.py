"""Keeps the waiting queue in memory in line with the rows: all of them at a start, single jobs when they change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from core.jobs.ledger import Ledger
from core.jobs.model import Job
from core.jobs.parts import PartRows
from core.jobs.queue import WaitingQueue, entry
from core.jobs.rows import JobRows

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds before a database that did not answer is asked again."""

RELOAD_SECONDS = 30.0
"""How often everything is read where others change it too: a ring that was acted upon too early is made up for."""


class Mirror:
    """Reads what waits. Whatever it read too early is put right when the ledger finds it stale."""

    def __init__(self, *, rows: JobRows, parts: PartRows, ledger: Ledger, queue: WaitingQueue, shared: bool) -> None:
        self._rows = rows
        self._parts = parts
        self._ledger = ledger
        self._queue = queue
        self._every = RELOAD_SECONDS if shared else None
        self._changed: set[str] = set()
        self._missed = False
        self._ring = asyncio.Event()
        self._reading = asyncio.Lock()

    async def load(self) -> None:
        """Read everything that waits. What comes into the queue meanwhile stays there."""
        async with self._reading:
            left = dict.fromkeys(self._queue.job_ids)
            async for some in self._rows.read_queue():
                jobs = {job.id: job for job in some}
                self._take_over(jobs, jobs, await self._parts.count_begun(jobs.keys()))
                for job_id in jobs:
                    left.pop(job_id, None)
            self._take_over(left, {}, {})
            await self._know_accounts()

    async def refresh(self, job_ids: Iterable[str]) -> None:
        """Read these jobs again."""
        async with self._reading:
            wanted = list(dict.fromkeys(job_ids))
            jobs = {job.id: job for job in await self._rows.fetch_queue(wanted)}
            self._take_over(wanted, jobs, await self._parts.count_begun(jobs.keys()))

    def _take_over(self, job_ids: Iterable[str], jobs: Mapping[str, Job], begun: Mapping[str, int]) -> None:
        for job_id in job_ids:
            job = jobs.get(job_id)
            if job is None:
                self._queue.remove(job_id)
            else:
                self._queue.put(entry(job, job.request.pictures - begun.get(job_id, 0)))

    def note(self, job_id: str) -> None:
        """Somebody changed the job: read it soon, together with others."""
        self._changed.add(job_id)
        self._ring.set()

    def miss(self) -> None:
        """Changes may have been missed: read everything soon."""
        self._missed = True
        self._ring.set()

    async def run(self) -> None:
        """Read what changed, for ever; the caller cancels it."""
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._ring.wait()
            except TimeoutError:
                self._missed = True
            self._ring.clear()
            missed, self._missed = self._missed, False
            changed, self._changed = self._changed, set()
            try:
                await (self.load() if missed else self.refresh(changed))
                if self._every is not None:
                    await self._know_accounts()  # others give out pictures, too
            except sa.exc.SQLAlchemyError as error:
                log.warning("the queue could not be read, trying again: %s", type(error).__name__)
                self._changed |= changed
                self._missed = self._missed or missed
                await asyncio.sleep(PAUSE)
                self._ring.set()

    async def _know_accounts(self) -> None:
        self._queue.know(*await self._ledger.fetch_accounts(self._queue.owner_ids))
