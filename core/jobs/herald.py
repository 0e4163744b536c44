"""Keeps the messages of waiting jobs true: their place, their start, and what is in the way. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import sqlalchemy as sa

from core.jobs.model import Delivery, JobState, Ticket
from core.jobs.outlook import Outlook
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows
from core.scheduling.forecast import Expectation, Turn

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
EDITS = 3
"""Messages that are edited after one look: Discord has other things to do for this bot."""
LOOKED_AT = 60
"""Jobs that are thought about in one look, beside those that wait for the same obstacle to go."""
PLACE_SECONDS = 15.0
"""A place is said anew at most this often; an obstacle at once."""
LOOKS = 60
"""After so many the turn is taken anew."""
NOTHING = ""
"""In place of an obstacle: the message says something else, since an edit was not taken."""
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

    @property
    def may_be_said_again(self) -> bool:
        """An edit that Discord did not take is not tried again at once."""
        return self.obstacle != NOTHING or time.monotonic() - self.at >= PLACE_SECONDS


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
        self._perhaps_untrue: dict[str, None] = {}
        self._was_drawn = True

    def note(self, ticket: Ticket) -> None:
        """A job's first message says so."""
        self._said[ticket.job_id] = _Said(ticket.obstacle, ticket.place, ticket.starts_at, time.monotonic())

    async def run(self) -> None:
        """Look for ever; the caller cancels it."""
        while True:
            await asyncio.sleep(EVERY)
            self._forget()
            try:
                async with self._chore() as is_mine:
                    # Not for ever: a lock that went with its connection would go on being believed in.
                    for _ in range(LOOKS if is_mine else 0):
                        await self.look()
                        await asyncio.sleep(EVERY)
            except sa.exc.SQLAlchemyError as error:
                log.warning("waiting messages could not be kept true: %s", type(error).__name__)

    async def look(self) -> None:
        """One look: edit a few of the messages that are not true any more."""
        self._forget()
        waiting = self._queue.job_ids
        obstacle = self._explain()
        if waiting and (obstacle is None) != self._was_drawn:
            self._was_drawn = obstacle is None
            self._perhaps_untrue = dict.fromkeys(waiting)
        if obstacle is not None:
            untrue = list(itertools.islice(self._without(waiting, obstacle), EDITS))
        else:
            untrue = await self._with_places(await self._outlook.turns())
        for job_id, why in untrue:
            await self._tell(job_id, why)

    def _forget(self) -> None:
        """Nothing has to be remembered of a job that waits no longer."""
        self._said = {job_id: said for job_id, said in self._said.items() if self._queue.get(job_id) is not None}

    def _without(self, waiting: Iterable[str], obstacle: str) -> Iterator[tuple[str, str | None]]:
        """While nothing is drawn at all: who was not told why."""
        for job_id in waiting:
            said = self._said.get(job_id)
            if said is None or (said.obstacle != obstacle and said.may_be_said_again):
                yield job_id, obstacle

    async def _with_places(self, turns: Sequence[Turn]) -> list[tuple[str, str | None]]:
        """The first of those who come next, who were told of an obstacle, and who may have been by an earlier process.

        In a long queue it takes a while to say when somebody's turn is: others get theirs in between.
        """
        told = [job_id for job_id, said in self._said.items() if said.obstacle is not None]
        next_ones = [turn.job_id for turn in turns]
        found: list[tuple[str, str | None]] = []
        for job_id in itertools.islice(dict.fromkeys((*next_ones, *told, *self._perhaps_untrue)), LOOKED_AT):
            expectation = self._outlook.of_job(job_id, turns)
            obstacle = self._outlook.obstacle(expectation)
            self._perhaps_untrue.pop(job_id, None)
            if expectation is not None and self._is_untrue(job_id, obstacle, expectation):
                found.append((job_id, obstacle))
            if len(found) == EDITS:
                break
            await asyncio.sleep(0)
        return found

    def _is_untrue(self, job_id: str, obstacle: str | None, expected: Expectation) -> bool:
        said = self._said.get(job_id)
        if said is None:
            return True
        if said.obstacle != obstacle:
            return said.may_be_said_again
        if obstacle is not None or time.monotonic() - said.at < PLACE_SECONDS:
            return False
        if said.starts_at is None or expected.starts_at is None:
            return said.place != expected.place or said.starts_at != expected.starts_at
        return said.place != expected.place or abs(said.starts_at - expected.starts_at) > LATE_SECONDS

    async def _tell(self, job_id: str, obstacle: str | None) -> None:
        expected = self._outlook.of_job(job_id)
        if expected is None:
            return
        job = await self._rows.fetch(job_id)
        taken = False
        if job is not None and job.state is JobState.QUEUED and job.message_id is not None:
            taken = await self._delivery.show_queued(job, expected.place, expected.starts_at, obstacle)
        said = obstacle if taken else NOTHING
        self._said[job_id] = _Said(said, expected.place, expected.starts_at, time.monotonic())


@contextlib.asynccontextmanager
async def _always() -> AsyncIterator[bool]:
    yield True
