"""The three steps of a job: render, keep, deliver. It knows their order of effects, and no HTTP, SQL or Discord.

Every step begins by reading the row, since between two of them the process may have died or the owner may have
cancelled; whatever the row doesn't allow any more is left undone. Only a row that has just become drawn goes from keep
to deliver in memory: nobody but deliver changes it any more, and somebody is waiting.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
import stamina
from msgspec import UNSET

from core.errors import NotReady, OutcomeUnknown, UnreadableAnswer, UserError, WebuiError
from core.images.infotext import format_infotext
from core.images.store import PictureStore, Raw
from core.jobs.engine import STOP, Record
from core.jobs.model import Delivery, Drawing, Glimpse, Job, JobState
from core.jobs.points import reached
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows
from core.jobs.verdict import Verdict, judge
from core.jobs.watch import RenderWatch, WatchTiming
from core.metrics import Metrics
from core.webui.answer import Rendered, RenderedPicture
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient
from core.webui.payload import build_txt2img
from core.webui.pool import BackendPool
from core.webui.results import build_rendered

log = logging.getLogger(__name__)

persevere = stamina.retry(on=(sa.exc.SQLAlchemyError, OSError), attempts=None, timeout=None, wait_max=30.0)
"""A full disk or a database that restarts costs time, never a job."""


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
    _begun_here: set[tuple[str, int]] = field(default_factory=set)
    _drawn: dict[tuple[str, int], Job] = field(default_factory=dict)
    _watches: dict[str, RenderWatch] = field(default_factory=dict)
    _rendering: set[str] = field(default_factory=set)
    _cancelled: set[str] = field(default_factory=set)

    def expect(self, job_id: str, attempt: int) -> None:
        """This process gave the attempt out itself: nothing of it can have happened before."""
        self._begun_here.add((job_id, attempt))

    def cancel(self, job_id: str) -> None:
        """The row says cancelled: stop the webui's work on it, if it is at it."""
        if job_id in self._rendering:
            self._cancelled.add(job_id)
        if (watch := self._watches.get(job_id)) is not None:
            watch.cancel()

    @persevere
    async def render(self, job_id: str, attempt: int, before: Record) -> Record:
        """Ask the backend that was reserved; the record names the raw files and what the webui said of them."""
        self._rendering.add(job_id)  # before the row is read: a cancellation after that is noticed here
        try:
            job = await self.rows.fetch(job_id)
            if job is not None and job.state is JobState.DRAWN:
                return before
            if job is None or job.attempt != attempt:
                return STOP
            return await self._render_reserved(job)
        finally:
            self._rendering.discard(job_id)
            self._cancelled.discard(job_id)

    @persevere
    async def keep(self, job_id: str, attempt: int, before: Record) -> Record:
        """Move the pictures to where they stay, with their infotext inside, and say so in the row."""
        self.pool.release(job_id)  # reserved again at a start, though its render was recorded already
        job = await self.rows.fetch(job_id)
        if job is None or job.state is JobState.DRAWN or "failed" in before:
            return before
        if job.state is not JobState.RUNNING or job.attempt != attempt:
            await self.pictures.discard_spool(job_id)
            return STOP
        rendered = msgspec.convert(before["rendered"], Rendered)
        try:
            drawing = await self._keep(job, rendered, before)
        except (FileNotFoundError, UnreadableAnswer) as error:
            # They were whole when they arrived: the machine lost them in a power cut. The same seed draws them again.
            log.warning("raw pictures are gone from the disk: %s", error, extra={"job": job_id})
            return await self._again(job, judge(OutcomeUnknown("raw pictures lost"), job.breaks), "RawPicturesLost")
        reached("kept", job_id)
        drawn = await self.rows.mark_drawn(job_id, attempt, drawing)
        if drawn is None:
            await self.pictures.discard_spool(job_id)
            return STOP
        self._drawn[job_id, attempt] = drawn
        reached("drawn", job_id)
        return {}

    @persevere
    async def deliver(self, job_id: str, attempt: int, before: Record) -> Record:
        """Show what the row holds, or the sentence that render found."""
        self.pool.release(job_id)  # as in keep
        job = self._drawn.pop((job_id, attempt), None) or await self.rows.fetch(job_id)
        perhaps_done = (job_id, attempt) not in self._begun_here
        if job is None:
            return STOP
        reached("delivering", job_id)
        if job.state is JobState.DRAWN and job.drawing is not None:
            with self.metrics.delivery_seconds.time():
                delivered = await self.delivery.deliver(job, job.drawing, perhaps_done=perhaps_done)
            reached("delivered", job_id)
            await self.rows.mark_done(job_id, delivered, time.time())
            self.metrics.ended.labels(JobState.DONE).inc()
        elif job.state is JobState.RUNNING and job.attempt == attempt and "failed" in before:
            delivered = await self.delivery.explain(job, before["failed"], perhaps_done=perhaps_done)
            reached("delivered", job_id)
            await self.rows.mark_failed(job_id, before["failed"], delivered, time.time())
            self.metrics.ended.labels(JobState.FAILED).inc()
        reached("done", job_id)
        self._begun_here.discard((job_id, attempt))
        await self.pictures.discard_spool(job_id)
        return {}

    async def _render_reserved(self, job: Job) -> Record:
        """Render on the reserved backend, which is free afterwards whatever happens."""
        try:
            if job.state is not JobState.RUNNING:
                return STOP
            if job.backend is not None:
                self.pool.reserve(job.backend, job.id)
            return await self._render(job)
        except UserError as error:
            return {"failed": str(error)}
        except WebuiError as error:
            return await self._after(error, job)
        except (sa.exc.SQLAlchemyError, OSError):
            raise
        except Exception:  # a boundary: whatever goes wrong in here ends one job, with a reference, and no other
            log.exception("a job failed through a fault of the bot's own", extra={"job": job.id})
            return {"failed": f"Something in the bot itself went wrong. Reference for its operator: {job.id}."}
        finally:
            self.pool.release(job.id)

    async def _render(self, job: Job) -> Record:
        view = next((view for view in self.pool.views() if view.key == job.backend), None)
        if view is None:
            raise NotReady("the backend is not in WEBUI_URLS any more")
        client = self.pool.client(view.key)
        catalog = view.catalog or await client.fetch_catalog()
        if job.task_id is not None:
            await self._abandon(client, job.task_id)
        task_id = f"easel-{job.id}-{secrets.token_hex(4)}" if catalog.capabilities.task_progress else None
        payload = build_txt2img(job.request, catalog, task_id=task_id)
        if task_id is not None:
            await self.rows.note_task(job.id, task_id)
        reached("sending", job.id)
        if job.id in self._cancelled:
            return STOP
        rendered, seconds = await self._draw(job, client, payload, catalog)
        self.pool.report_success(view.key, rendered.checkpoint)
        reached("rendered", job.id)
        return {"rendered": msgspec.to_builtins(rendered), "seconds": seconds, "backend": view.key}

    async def _draw(
        self, job: Job, client: WebuiClient, payload: dict[str, Any], catalog: Catalog
    ) -> tuple[Rendered, float]:
        """Send the payload and watch over it; what came back, and how many seconds it took."""

        async def show(glimpse: Glimpse) -> None:
            await self.delivery.show_progress(job, glimpse)

        watch = self._watches[job.id] = RenderWatch(client, payload.get("force_task_id"), show, self.timing)
        await self.pictures.discard_spool(job.id)
        spool = self.pictures.spool(job.id)
        started = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(watch.run(), name=f"watch {job.id}")
                answer = await client.txt2img(payload, spool, heard=watch.hear)
                watching.cancel()
        except* (WebuiError, OSError) as errors:
            raise errors.exceptions[0] from None
        finally:
            del self._watches[job.id]
        seconds = time.monotonic() - started
        self.pool.release(job.id)
        self.metrics.render_seconds.observe(seconds)
        return await asyncio.to_thread(build_rendered, answer, spool, job.request, catalog), seconds

    async def _abandon(self, client: WebuiClient, task_id: str) -> None:
        """What an earlier process or attempt sent may still be at work, for nobody: stop it, since it is ours."""
        try:
            if await client.fetch_progress(task_id) is not None:
                await client.interrupt()
        except WebuiError as error:
            log.info("an abandoned task could not be looked for: %s", error.detail)

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
        if await self.rows.requeue(job.id, job.attempt, broke=verdict.broke):
            self.metrics.requeued.labels(reason).inc()
            self.pool.release(job.id)
            self.queue.add(job)
            await self.delivery.show_waiting(job, verdict.sentence)
        return STOP

    async def _keep(self, job: Job, rendered: Rendered, before: Record) -> Drawing:
        spool = self.pictures.spool(job.id)
        raws = [
            Raw(spool / picture.file, await self._find_infotext(job, rendered, number, before["backend"]))
            for number, picture in enumerate(rendered.pictures)
        ]
        kept = await self.pictures.keep_all(raws)
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


def _seed(job: Job, picture: RenderedPicture, number: int) -> int:
    """What the webui said, else what was asked: webuis count up from the first picture's seed."""
    if picture.seed is not None or job.request.seed is UNSET:
        return picture.seed or 0
    return job.request.seed + number
