"""What a command may ask of the core: submit a request, cancel a job, look at what the webuis offer."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass

from core.defaults import merge
from core.errors import UserError
from core.jobs.model import Job, JobState, NewJob
from core.jobs.pipeline import Pipeline
from core.jobs.points import reached
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows
from core.limits import Limits, check
from core.metrics import Metrics
from core.request import GenerationRequest
from core.webui.catalog import Catalog
from core.webui.payload import check_names
from core.webui.pool import BackendPool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request with who asked and where the answer goes; `job_id` is Discord's interaction id."""

    job_id: str
    owner_id: str
    guild_id: str | None
    request: GenerationRequest
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What somebody is told at once: what was understood, the place in the queue, what stands in the way.

    `starts_at`: when the job is likely to begin, in unix seconds; None where that can't be said.
    """

    job_id: str
    request: GenerationRequest
    notes: tuple[str, ...]
    place: int
    obstacle: str | None
    starts_at: float | None = None


class Studio:
    """The core's door."""

    def __init__(
        self,
        *,
        rows: JobRows,
        pool: BackendPool,
        queue: WaitingQueue,
        pipeline: Pipeline,
        metrics: Metrics,
        limits: Limits | None = None,
    ) -> None:
        self._rows = rows
        self._pool = pool
        self._queue = queue
        self._pipeline = pipeline
        self._metrics = metrics
        self._limits = limits or Limits()
        self._rng = random.SystemRandom()

    def get_catalog(self) -> Catalog | None:
        """What all known webuis offer together; None as long as none has answered."""
        return self._pool.catalog()

    async def submit(self, order: Order) -> Ticket | None:
        """Check the request and write its job; on return it is on disk.

        UserError where the request can't be carried out. None where the same command was submitted before: events of
        Discord's may come twice.
        """
        checked = check(merge(order.request, rng=self._rng), self._limits)
        self._check_names(checked.request)
        job = NewJob(
            id=order.job_id,
            owner_id=order.owner_id,
            guild_id=order.guild_id,
            request=checked.request,
            notes=checked.notes,
            reply=order.reply,
            created_at=time.time(),
        )
        if not await self._rows.submit(job):
            return None
        reached("submitted", job.id)
        self._metrics.submitted.inc()
        self._queue.add(job)
        place = self._queue.place(job.id) or 1
        return Ticket(
            job_id=job.id,
            request=job.request,
            notes=job.notes,
            place=place,
            obstacle=self._pool.explain(),
        )

    async def fetch(self, job_id: str) -> Job | None:
        """The job as its row says now."""
        return await self._rows.fetch(job_id)

    async def note_message(self, job_id: str, message_id: str) -> None:
        """The reply is out, and this message is it."""
        reached("replied", job_id)
        await self._rows.note_message(job_id, message_id)

    async def cancel(self, job_id: str, person_id: str) -> str:
        """Cancel a job of this person's; the sentence to say once it is done. UserError where it can't be."""
        job = await self._rows.fetch(job_id)
        if job is None:
            raise UserError("I don't know this job any more.")
        if job.owner_id != person_id:
            raise UserError("Only the person who asked for this picture can cancel it.")
        was = await self._rows.mark_cancelled(job_id, time.time())
        if was is None:
            now = await self._rows.fetch(job_id)
            raise UserError(_too_late(job.state if now is None else now.state))
        self._queue.remove(job_id)
        self._pipeline.cancel(job_id)
        self._metrics.ended.labels(JobState.CANCELLED).inc()
        return "Cancelled before it was begun." if was is JobState.QUEUED else "Cancelled while it was being drawn."

    def _check_names(self, request: GenerationRequest) -> None:
        """Against what the webuis offered when last asked; an unknown name makes them be asked again."""
        catalog = self._pool.catalog()
        if catalog is None:
            return
        try:
            check_names(request, catalog)
        except UserError:
            self._pool.refresh()
            raise


def _too_late(state: JobState) -> str:
    if state is JobState.CANCELLED:
        return "This job was cancelled already."
    if state is JobState.FAILED:
        return "This job has ended already."
    return "Too late: the picture is drawn already."
