"""Takes over from a worker that is gone for good: its pictures wait again, its jobs come to their end. No policy."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from core.jobs.mirror import Mirror
from core.jobs.parts import PartRows
from core.jobs.patience import on_database
from core.jobs.showing import Shower

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at who is alive."""
OWN_AFTER = 10.0
"""Seconds in which the engine takes up again what it has a record of."""


class Rescuer:
    """Looks for workers that have pictures in hand and are dead, seen so twice in a row.

    Once would also find one that has just lost its connection. `is_known_alive` says whether this worker's own sign of
    life is in the database: while it is not, after a restart of that, the others' may be missing just as well.
    """

    def __init__(
        self,
        *,
        parts: PartRows,
        mirror: Mirror,
        shower: Shower,
        worker: str,
        is_dead: Callable[[str], Awaitable[bool]],
        is_known_alive: Callable[[], bool],
        stop_what_ended: Callable[[], Awaitable[None]],
    ) -> None:
        self._parts = parts
        self._mirror = mirror
        self._shower = shower
        self._worker = worker
        self._is_dead = is_dead
        self._is_known_alive = is_known_alive
        self._stop_what_ended = stop_what_ended
        self._suspects: set[str] = set()
        self._ending: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look for ever; the caller cancels it."""
        while True:
            try:
                await self.look()
            except sa.exc.SQLAlchemyError as error:
                log.warning("dead workers could not be looked for: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """One look; what was found dead before and still is has nothing in hand afterwards."""
        if not self._is_known_alive():
            self._suspects = set()
            return
        await self._stop_what_ended()
        unended = await self._parts.fetch_unended()
        others = (await self._parts.fetch_workers()).union(*unended.values()) - {self._worker}
        dead = {worker for worker in others if await self._is_dead(worker)}
        gone = dead & self._suspects
        for worker in gone:
            job_ids = await self._parts.hand_back(worker)
            log.warning("a worker is gone, %d of its jobs go on elsewhere", len(job_ids), extra={"worker": worker})
            for job_id in job_ids:
                self._mirror.note(job_id)
        if gone:
            await self._end_of(gone)
        self._suspects = dead - self._suspects

    async def end_own(self) -> None:
        """What an earlier process of this worker was about to end, unless a step of it was run again; then for ever."""
        await asyncio.sleep(OWN_AFTER)
        await on_database(self._end_of, {self._worker})
        await asyncio.Event().wait()

    async def _end_of(self, workers: set[str]) -> None:
        """See to the end of every job that one of these had a part in and nobody has in hand any more."""
        for job_id, had_a_part in (await self._parts.fetch_unended()).items():
            if had_a_part & workers and job_id not in self._ending:
                task = self._ending[job_id] = asyncio.create_task(self._shower.end(job_id), name=f"end {job_id}")
                task.add_done_callback(functools.partial(self._note_end, job_id))

    def _note_end(self, job_id: str, task: asyncio.Task[None]) -> None:
        del self._ending[job_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a job could not be ended", exc_info=error, extra={"job": job_id})
