"""The three steps of a job: render, keep, deliver. It knows their order of effects, and no HTTP, SQL or Discord.

Every step begins by reading the row, since between two of them the process may have died or the owner may have
cancelled; whatever the row doesn't allow any more is left undone. Only a row that has just become drawn goes from keep
to deliver in memory: nobody but deliver changes it any more, and somebody is waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field, replace

import msgspec
import sqlalchemy as sa
import stamina
from msgspec import UNSET

from core.errors import OutcomeUnknown, UnreadableAnswer, UserError, WebuiError
from core.images.infotext import format_infotext
from core.images.store import PictureStore, Raw
from core.jobs.boundary import bounded
from core.jobs.engine import STOP, Record
from core.jobs.model import Delivered, Delivery, Drawing, Job, JobState
from core.jobs.points import reached
from core.jobs.queue import WaitingQueue
from core.jobs.renderer import Renderer
from core.jobs.rows import JobRows
from core.jobs.verdict import Verdict, judge
from core.jobs.watch import WatchTiming
from core.metrics import Metrics
from core.webui.answer import Rendered, RenderedPicture
from core.webui.pool import BackendPool

log = logging.getLogger(__name__)

_forever = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0)
on_database = _forever.on(sa.exc.SQLAlchemyError)
on_disk = _forever.on((sa.exc.SQLAlchemyError, OSError))
"""A database that restarts or a full disk costs time, never a job: such a call is repeated until it works."""

DISK_TROUBLE = "The bot can't write to its disk at the moment. Your job waits and is drawn after that."
LOST = "The pictures were lost before they were safe on the disk. Your job is in the queue again."
TAKEN = Verdict(again=True, broke=False, sentence="Your job is in the queue again.")


@dataclass(slots=True)
class Pipeline:
    """The steps, as the engine runs them."""

    rows: JobRows
    pool: BackendPool
    pictures: PictureStore
    delivery: Delivery
    queue: WaitingQueue
    metrics: Metrics
    timing: WatchTiming = field(default_factory=WatchTiming)
    _renderer: Renderer = field(init=False)
    _begun_here: set[tuple[str, int]] = field(default_factory=set)
    _drawn: dict[tuple[str, int], Job] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._renderer = Renderer(
            rows=self.rows,
            pool=self.pool,
            pictures=self.pictures,
            delivery=self.delivery,
            metrics=self.metrics,
            timing=self.timing,
        )

    def expect(self, job_id: str, attempt: int) -> None:
        """This process gave the attempt out itself: nothing of it can have happened before."""
        self._begun_here.add((job_id, attempt))

    def cancel(self, job_id: str) -> None:
        """The row says cancelled: stop the webui's work on it, if it is at it."""
        self._renderer.cancel(job_id)

    async def render(self, job_id: str, attempt: int, before: Record) -> Record:
        """Ask the backend that was reserved; the record names the raw files and what the webui said of them."""
        self._renderer.begin(job_id)
        try:
            job = await on_database(self.rows.fetch, job_id)
            if job is not None and job.state is JobState.DRAWN:
                return before
            if job is None or job.attempt != attempt:
                return self._stop(job_id, attempt)
            try:
                return await self._render(job)
            finally:
                self.pool.release(job_id)
        finally:
            self._renderer.end(job_id)

    async def keep(self, job_id: str, attempt: int, before: Record) -> Record:
        """Move the pictures to where they stay, with their infotext inside, and say so in the row."""
        self.pool.release(job_id)  # reserved again at a start, though its render was recorded already
        job = await on_database(self.rows.fetch, job_id)
        if job is None or job.state is JobState.DRAWN or "failed" in before:
            return before
        drawn: Job | None = None
        if job.state is JobState.RUNNING and job.attempt == attempt:
            try:
                with bounded(job_id):
                    drawing = await on_disk(self._keep, job, before)
            except UnreadableAnswer as error:
                # They were whole when they arrived, so a power cut took them. The same seed draws them again.
                log.warning("raw pictures are gone from the disk: %s", error, extra={"job": job_id})
                verdict = judge(OutcomeUnknown("raw pictures lost"), job.breaks)
                return await self._again(job, replace(verdict, sentence=LOST) if verdict.again else verdict, "Lost")
            except UserError as error:
                return {"failed": str(error)}
            reached("kept", job_id)
            drawn = await on_database(self.rows.mark_drawn, job_id, attempt, drawing)
        if drawn is None:
            await self.pictures.discard_spool(job_id)
            return self._stop(job_id, attempt)
        self._drawn[job_id, attempt] = drawn
        reached("drawn", job_id)
        return {}

    async def deliver(self, job_id: str, attempt: int, before: Record) -> Record:
        """Show what the row holds, or the sentence that render found."""
        self.pool.release(job_id)  # as in keep
        job = self._drawn.pop((job_id, attempt), None) or await on_database(self.rows.fetch, job_id)
        perhaps_done = (job_id, attempt) not in self._begun_here
        self._begun_here.discard((job_id, attempt))
        if job is None:
            return STOP
        reached("delivering", job_id)
        if job.state is JobState.DRAWN and job.drawing is not None:
            await self._show(job, job.drawing, perhaps_done=perhaps_done)
        elif job.state is JobState.RUNNING and job.attempt == attempt and "failed" in before:
            await self._explain(job, before["failed"], perhaps_done=perhaps_done)
        reached("done", job_id)
        await self.pictures.discard_spool(job_id)
        return {}

    async def _render(self, job: Job) -> Record:
        """One render as a record: what came, or why nothing did."""
        if job.state is not JobState.RUNNING:
            return self._stop(job.id, job.attempt)
        if job.backend is not None and not self.pool.reserve(job.backend, job.id):
            return await self._again(job, TAKEN, "Taken")
        try:
            with bounded(job.id):
                drawn = await on_disk(self._draw, job)
        except UserError as error:
            return {"failed": str(error)}
        except WebuiError as error:
            return await self._after(error, job)
        if drawn is None:
            return self._stop(job.id, job.attempt)
        reached("rendered", job.id)
        return drawn

    async def _draw(self, job: Job) -> Record | None:
        """Draw; while the disk can't be written the owner is told, and the backend stays reserved."""
        try:
            drawn = await self._renderer.draw(job)
        except OSError as error:
            log.warning("the spool can't be written: %s", error.strerror, extra={"job": job.id})
            await self.delivery.show_waiting(job, DISK_TROUBLE)
            raise
        if drawn is None:
            return None
        return {"rendered": msgspec.to_builtins(drawn.rendered), "seconds": drawn.seconds, "backend": drawn.backend}

    async def _after(self, error: WebuiError, job: Job) -> Record:
        """Back into the queue, or the sentence to end with."""
        verdict = judge(error, job.breaks)
        log.warning(
            "a render failed: %s",
            type(error).__name__,
            extra={"job": job.id, "backend": job.backend, "detail": error.detail, "again": verdict.again},
        )
        if verdict.again and job.backend is not None:
            self.pool.report_failure(job.backend, error)
        return await self._again(job, verdict, type(error).__name__)

    async def _again(self, job: Job, verdict: Verdict, reason: str) -> Record:
        """Put the job back into the queue if the verdict says so; else the record of its failure."""
        if not verdict.again:
            return {"failed": verdict.sentence}
        if await on_database(self.rows.requeue, job.id, job.attempt, broke=verdict.broke):
            self.metrics.requeued.labels(reason).inc()
            self.pool.release(job.id)
            self.queue.add(job)
            await self.delivery.show_waiting(job, verdict.sentence)
        return self._stop(job.id, job.attempt)

    async def _keep(self, job: Job, before: Record) -> Drawing:
        rendered = msgspec.convert(before["rendered"], Rendered)
        spool = self.pictures.spool(job.id)
        try:
            raws = [
                Raw(spool / picture.file, await self._find_infotext(job, rendered, number, before["backend"]))
                for number, picture in enumerate(rendered.pictures)
            ]
            kept = await self.pictures.keep_all(raws)
        except FileNotFoundError as error:
            raise UnreadableAnswer(str(error)) from None
        return Drawing(
            pictures=tuple(kept),
            seeds=tuple(_seed(job, picture, number) for number, picture in enumerate(rendered.pictures)),
            warnings=rendered.warnings,
            checkpoint=rendered.checkpoint,
            sampler=rendered.sampler,
            scheduler=rendered.scheduler,
            steps=rendered.steps,
            cfg_scale=rendered.cfg_scale,
            seconds=before["seconds"],
        )

    async def _find_infotext(self, job: Job, rendered: Rendered, number: int, backend: str) -> str:
        """The webui's own, from the picture or from `info`; else what its png-info finds; else from the request."""
        picture = rendered.pictures[number]
        if picture.infotext:
            return picture.infotext
        data = await asyncio.to_thread((self.pictures.spool(job.id) / picture.file).read_bytes)
        found = None
        if any(view.key == backend for view in self.pool.views()):
            found = await self.pool.client(backend).read_png_info(data)
        return found or format_infotext(
            job.request,
            seed=_seed(job, picture, number),
            checkpoint=rendered.checkpoint,
            size=(rendered.width or 0, rendered.height or 0),
        )

    async def _show(self, job: Job, drawing: Drawing, *, perhaps_done: bool) -> None:
        try:
            with bounded(job.id), self.metrics.delivery_seconds.time():
                delivered = await self.delivery.deliver(job, drawing, perhaps_done=perhaps_done)
        except UserError as error:  # the pictures stay kept
            await self._explain(job, str(error), perhaps_done=perhaps_done)
            return
        reached("delivered", job.id)
        if await on_database(self.rows.mark_done, job.id, delivered, time.time()):
            self.metrics.ended.labels(JobState.DONE).inc()

    async def _explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> None:
        delivered = Delivered("kept", None)
        with contextlib.suppress(UserError), bounded(job.id):
            delivered = await self.delivery.explain(job, sentence, perhaps_done=perhaps_done)
        reached("delivered", job.id)
        if await on_database(self.rows.mark_failed, job.id, sentence, delivered, time.time()):
            self.metrics.ended.labels(JobState.FAILED).inc()

    def _stop(self, job_id: str, attempt: int) -> Record:
        """Nothing is left to do in this attempt."""
        self._begun_here.discard((job_id, attempt))
        return STOP


def _seed(job: Job, picture: RenderedPicture, number: int) -> int:
    """What the webui said, else what was asked: webuis count up from the first picture's seed."""
    if picture.seed is not None or job.request.seed is UNSET:
        return picture.seed or 0
    return job.request.seed + number
