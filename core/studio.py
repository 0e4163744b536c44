"""What a command may ask of the core: submit a request, cancel jobs, look at the queue and the webuis."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.errors import NoDatabase, NoPlace, NotOffered, UserError
from core.fleet import Fleet
from core.jobs.model import Job, JobState, NewJob, Origin, Ticket
from core.jobs.outlook import Outlook
from core.jobs.patience import for_a_person, on_database, until_given_up
from core.jobs.points import reached
from core.jobs.queue import WaitingQueue, entry
from core.jobs.rows import JobRows, QueueFull
from core.limits import Checked
from core.metrics import Metrics
from core.request import GenerationRequest
from core.scheduling.forecast import Expectation, Turn
from core.understanding import Understanding, may_take_long
from core.webui.catalog import Catalog
from core.webui.lacking import check_together
from core.webui.pool import BackendView, Mode

SOONEST_SECONDS = 5.0
"""Nobody is told to try again sooner, however wrong an estimate turned out to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request with who asked and where the answer goes; `job_id` is Discord's interaction id."""

    job_id: str
    owner_id: str
    guild_id: str | None
    request: GenerationRequest
    reply: str
    weight: float = 1.0
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MyJob:
    """One of a person's own jobs in the queue; `expectation` is None for one that is being drawn.

    `waiting` is how many of its pictures wait.
    """

    job: Job
    expectation: Expectation | None
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """What a person may know of the queue: `turns` in the order in which jobs will begin, and their own jobs.

    `guilds` gives the server of each job in `turns`, since people of other servers are not named.
    """

    waiting: int
    turns: tuple[Turn, ...]
    guilds: dict[str, str | None]
    mine: tuple[MyJob, ...]
    obstacle: str | None


class Studio:
    """The core's door. `on_cancelled` is told the id of each job that is cancelled here, `on_ticket` new tickets."""

    def __init__(
        self,
        *,
        rows: JobRows,
        fleet: Fleet,
        queue: WaitingQueue,
        outlook: Outlook,
        metrics: Metrics,
        on_cancelled: Callable[[str], None],
        on_ticket: Callable[[Ticket], None],
        understanding: Understanding | None = None,
    ) -> None:
        self._rows = rows
        self._fleet = fleet
        self._queue = queue
        self._outlook = outlook
        self._metrics = metrics
        self._on_cancelled = on_cancelled
        self._on_ticket = on_ticket
        self._understanding = understanding or Understanding()
        self._beside: set[asyncio.Task[None]] = set()

    def get_catalog(self) -> Catalog | None:
        """What all known webuis offer together; None as long as none has answered."""
        return self._fleet.catalog()

    async def submit(self, order: Order) -> Ticket | None:
        """Check the request and write its job; on return it is on disk.

        UserError where the request can't be carried out, NoPlace where the queue is full for this person or server;
        NoDatabase where it could not be written in time, and then it won't be drawn either.
        None where the same command was submitted before: events of Discord's may come twice.
        """
        checked = await self.understand(order.request, order.guild_id)
        job = NewJob(
            id=order.job_id,
            owner_id=order.owner_id,
            guild_id=order.guild_id,
            request=checked.request,
            notes=checked.notes,
            reply=order.reply,
            created_at=time.time(),
            weight=order.weight,
            origin=order.origin,
        )
        attempts = itertools.count()

        async def submit() -> bool:
            is_again = next(attempts) > 0
            return await self._rows.submit(job) or is_again  # what is there then was written by the first attempt

        until = until_given_up()
        try:
            is_new = await for_a_person(submit, until=until)
        except QueueFull as full:
            raise await self._no_place(full, order, until) from None
        except NoDatabase:
            self._begin(self._take_back(job.id))
            raise
        if not is_new:
            return None
        reached("submitted", job.id)
        self._metrics.submitted.inc()
        return self._ticket(job)

    async def unfold(self, asked: GenerationRequest, guild_id: str | None) -> tuple[GenerationRequest, ...]:
        """A picture for each permutation of its prompts, as requests; UserError where they can't be carried out."""
        unfolded = await asyncio.to_thread(self._understanding.unfold, asked)
        for request in unfolded:
            await self.understand(request, guild_id)
        return unfolded

    async def compare(self, asked: GenerationRequest, text: str, guild_id: str | None) -> GenerationRequest:
        """The comparison that `text` asks for; UserError where it can't be read, or no webui could draw all of it."""
        compared = self._understanding.compare(asked, text)
        await self.understand(compared, guild_id)
        return compared

    async def _take_back(self, job_id: str) -> None:
        """Its owner was told to try again: whatever was written of it after that is not to be drawn, too."""
        if await self._rows.was_written(job_id):
            await on_database(self._rows.mark_cancelled, job_id, time.time())
            self._on_cancelled(job_id)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="take a job back")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def fetch(self, job_id: str) -> Job | None:
        """The job as its row says now."""
        return await for_a_person(lambda: self._rows.fetch(job_id))

    async def note_message(self, ticket: Ticket, message_id: str) -> None:
        """The reply is out, and this message is it."""
        reached("replied", ticket.job_id)
        await on_database(self._rows.note_message, ticket.job_id, message_id, ticket.starts_at)

    async def cancel(self, job_id: str, person_id: str) -> JobState:
        """Cancel a job of this person's; the state that it was in. UserError where it can't be cancelled."""
        until = until_given_up()

        async def fetch() -> Job | None:
            return await for_a_person(lambda: self._rows.fetch(job_id), until=until)

        job = await fetch()
        if job is None:
            raise UserError("I don't know this job any more.")
        if job.owner_id != person_id:
            raise UserError("Only the person who asked for this picture can cancel it.")
        attempts = itertools.count()

        async def mark_cancelled() -> JobState | None:
            next(attempts)
            return await self._rows.mark_cancelled(job_id, time.time())

        was = await for_a_person(mark_cancelled, until=until)
        now = await fetch() if was is None else None
        if now is not None and now.state is JobState.CANCELLED and next(attempts) > 1:
            was = job.state  # the first attempt did it, and its answer was lost
        if was is None:
            raise UserError(_too_late(job.state if now is None else now.state))
        self._queue.remove(job_id)
        self._on_cancelled(job_id)
        self._metrics.ended.labels(JobState.CANCELLED).inc()
        return was

    async def look(self, person_id: str) -> QueuePage:
        """The queue as this person may see it."""
        mine = await self.fetch_mine(person_id)
        turns = await self._outlook.turns()
        places = {turn.job_id: Expectation(place, turn.starts_at) for place, turn in enumerate(turns, 1)}
        waiting = [self._queue.get(turn.job_id) for turn in turns]
        return QueuePage(
            waiting=len(self._queue),
            turns=tuple(turns),
            guilds={job.job_id: job.guild_id for job in waiting if job is not None},
            mine=tuple(self._mine(job, places) for job in mine),
            obstacle=self._fleet.explain(),
        )

    def _mine(self, job: Job, places: Mapping[str, Expectation]) -> MyJob:
        entry_of_it = self._queue.get(job.id)
        waiting = 0 if entry_of_it is None else entry_of_it.pictures
        if job.state is not JobState.QUEUED:
            return MyJob(job=job, expectation=None, waiting=waiting)
        return MyJob(job=job, expectation=places.get(job.id) or self._outlook.of_job(job.id), waiting=waiting)

    async def fetch_mine(self, person_id: str) -> list[Job]:
        """This person's jobs in the queue, the oldest first."""
        return await for_a_person(lambda: self._rows.fetch_of(person_id))

    @property
    def waiting(self) -> int:
        """How many jobs have pictures that wait."""
        return len(self._queue)

    def webuis(self) -> tuple[BackendView, ...]:
        """Every webui as it is now."""
        return self._fleet.views()

    def explain(self) -> str | None:
        """Why no picture can be drawn now; None where one can."""
        return self._fleet.explain()

    async def set_mode(self, key: str, mode: Mode) -> None:
        """What an admin wants of a webui from now on. UserError where there is no such webui (any more)."""
        if not await for_a_person(lambda: self._fleet.set_mode(key, mode)):
            raise UserError("I don't know this webui (any more).")

    def _ticket(self, job: NewJob) -> Ticket:
        self._queue.put(entry(job, job.request.pictures))
        expectation = self._outlook.of_job(job.id)
        ticket = Ticket(
            job_id=job.id,
            request=job.request,
            notes=job.notes,
            place=1 if expectation is None else expectation.place,
            obstacle=self._outlook.obstacle(expectation),
            starts_at=None if expectation is None else expectation.starts_at,
        )
        self._on_ticket(ticket)
        return ticket

    async def _no_place(self, full: QueueFull, order: Order, until: float) -> NoPlace:
        """The sentence, and when the first of the jobs that are in the way is likely to be done."""
        if full.whose == "person":
            one = "one" if full.taken != 1 else "it"
            sentence = (
                f"You have {_jobs(full.taken)} in the queue, as many as one person may have at once. "
                f"Wait until {one} is done, or cancel {one} with /queue."
            )
            mine = await for_a_person(lambda: self._rows.fetch_of(order.owner_id), until=until)
            in_the_way = [job.id for job in mine]
        else:
            sentence = f"This server has {_jobs(full.taken)} in the queue, as many as it may have at once."
            in_the_way = self._queue.first_of_guild(order.guild_id)
        ends_at = self._outlook.first_end(in_the_way)
        if ends_at is None:
            return NoPlace(f"{sentence} Try again in a few minutes.", None)
        return NoPlace(sentence, max(ends_at, time.time() + SOONEST_SECONDS))

    async def understand(self, asked: GenerationRequest, guild_id: str | None) -> Checked:
        """As it would be queued: as the webuis were when last asked; what they don't have makes them be asked again."""
        catalog, loaded = self._fleet.catalog(), self._fleet.default_checkpoint()
        read = partial(self._understanding.read, asked, catalog, loaded, guild_id)
        try:
            checked = await asyncio.to_thread(read) if may_take_long(asked) else read()
            check_together(checked.request, self._fleet.catalogs())
        except NotOffered:
            self._fleet.refresh()
            raise
        return checked


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number} jobs"


def _too_late(state: JobState) -> str:
    if state is JobState.CANCELLED:
        return "This job was cancelled already."
    if state is JobState.FAILED:
        return "This job has ended already."
    return "Too late: the picture is drawn already."
