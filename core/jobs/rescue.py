"""Takes over what a worker had in hand that is gone for good: its pictures wait again. It sends and draws nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from core.jobs.mirror import Mirror
from core.jobs.parts import PartRows

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks at who is alive."""


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
        worker: str,
        is_dead: Callable[[str], Awaitable[bool]],
        is_known_alive: Callable[[], bool],
    ) -> None:
        self._parts = parts
        self._mirror = mirror
        self._worker = worker
        self._is_dead = is_dead
        self._is_known_alive = is_known_alive
        self._suspects: set[str] = set()

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
        others = await self._parts.fetch_workers() - {self._worker}
        dead = {worker for worker in others if await self._is_dead(worker)}
        for worker in dead & self._suspects:
            job_ids = await self._parts.hand_back(worker)
            log.warning("a worker is gone, %d of its jobs go on elsewhere", len(job_ids), extra={"worker": worker})
            for job_id in job_ids:
                self._mirror.note(job_id)
        self._suspects = dead - self._suspects
