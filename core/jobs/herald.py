"""Keeps the messages of waiting jobs true: their place, their start, and what is in the way. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import sqlalchemy as sa

from core.jobs.forecast import Expectation
from core.jobs.model import Delivery, JobState, Ticket
from core.jobs.outlook import Outlook
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
EDITS = 3
"""Messages that are edited after one look: Discord has other things to do for this bot."""
PLACE_SECONDS = 15.0
"""A place is said anew at most this often; an obstacle at once."""
LATE_SECONDS = 20.0
"""A start that is expected so much later or earlier is said anew, too."""

Chore = Callable[[], AbstractAsyncContextManager[bool]]
"""Whether this process is the one to do it, while the block runs."""


@dataclass(frozen=True, slots=True)
class _Said:
    obstacle: str | None
    place: int
    starts_at: float | None
    at: float


class Herald:
    """Remembers what each waiting job's message says. What an earlier process said is said again once."""

    def __init__(
        self,
        *,
        queue: WaitingQueue,
        outlook: Outlook,
        explain: Callable[[], str | None],
        rows: JobRows,
        delivery: Delivery,
        chore: Chore | None = None,
    ) -> None:
        self._queue = queue
        self._outlook = outlook
        self._explain = explain
        self._rows = rows
        self._delivery = delivery
        self._chore = chore or _always
        self._said: dict[str, _Said] = {}

    def note(self, ticket: Ticket) -> None:
        """A job's first message says so."""
        self._said[ticket.job_id] = _Said(ticket.obstacle, ticket.place, ticket.starts_at, time.monotonic())

    async def run(self) -> None:
        """Look for ever; the caller cancels it."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                async with self._chore() as is_mine:
                    while is_mine:
                        await self.look()
                        await asyncio.sleep(EVERY)
            except sa.exc.SQLAlchemyError as error:
                log.warning("waiting messages could not be kept true: %s", type(error).__name__)

    async def look(self) -> None:
        """One look: edit a few of the messages that are not true any more, the most urgent first."""
        self._said = {job_id: said for job_id, said in self._said.items() if self._queue.get(job_id) is not None}
        obstacle = self._explain()
        turns = [turn.job_id for turn in self._outlook.turns()]
        told = [job_id for job_id, said in self._said.items() if said.obstacle != obstacle]
        edits = 0
        for job_id in dict.fromkeys((*told, *turns, *self._waiting_without_turn(turns))):
            if edits == EDITS:
                return
            expectation = self._outlook.of_job(job_id)
            if expectation is not None and self._is_untrue(job_id, obstacle, expectation):
                edits += 1
                await self._tell(job_id, obstacle, expectation)

    def _waiting_without_turn(self, turns: list[str]) -> list[str]:
        """While nothing can be drawn nobody has a turn, and all the same people want to know why."""
        return [] if turns else self._queue.first(EDITS * 10)

    def _is_untrue(self, job_id: str, obstacle: str | None, expected: Expectation) -> bool:
        said = self._said.get(job_id)
        if said is None or said.obstacle != obstacle:
            return True
        if obstacle is not None or time.monotonic() - said.at < PLACE_SECONDS:
            return False
        if said.starts_at is None or expected.starts_at is None:
            return said.place != expected.place or said.starts_at != expected.starts_at
        return said.place != expected.place or abs(said.starts_at - expected.starts_at) > LATE_SECONDS

    async def _tell(self, job_id: str, obstacle: str | None, expected: Expectation) -> None:
        job = await self._rows.fetch(job_id)
        self._said[job_id] = _Said(obstacle, expected.place, expected.starts_at, time.monotonic())
        if job is not None and job.state is JobState.QUEUED and job.message_id is not None:
            await self._delivery.show_queued(job, expected.place, expected.starts_at, obstacle)


@contextlib.asynccontextmanager
async def _always() -> AsyncIterator[bool]:
    yield True
