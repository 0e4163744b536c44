"""Draws one job on the backend that was reserved for it: payload, watch, answer. It changes no job's state."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

from core.errors import NotReady, WebuiError
from core.images.store import PictureStore
from core.jobs.model import Delivery, Glimpse, Job
from core.jobs.points import reached
from core.jobs.rows import JobRows
from core.jobs.watch import RenderWatch, WatchTiming
from core.metrics import Metrics
from core.webui.answer import Rendered
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient
from core.webui.payload import build_txt2img
from core.webui.pool import BackendPool
from core.webui.results import build_rendered

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a backend drew: raw files in the spool and facts; `seconds` from the sending to the end of the answer."""

    rendered: Rendered
    seconds: float
    backend: str


class Renderer:
    """Knows which renders are going on here, so that a cancellation reaches them."""

    def __init__(
        self,
        *,
        rows: JobRows,
        pool: BackendPool,
        pictures: PictureStore,
        delivery: Delivery,
        metrics: Metrics,
        timing: WatchTiming,
    ) -> None:
        self._rows = rows
        self._pool = pool
        self._pictures = pictures
        self._delivery = delivery
        self._metrics = metrics
        self._timing = timing
        self._going_on: set[str] = set()
        self._cancelled: set[str] = set()
        self._watches: dict[str, RenderWatch] = {}

    def begin(self, job_id: str) -> None:
        """Called before the job's row is read: a cancellation that comes later is noticed here."""
        self._going_on.add(job_id)

    def end(self, job_id: str) -> None:
        """Nothing more is drawn for this job now."""
        self._going_on.discard(job_id)
        self._cancelled.discard(job_id)

    def cancel(self, job_id: str) -> None:
        """Send no payload for this job, or interrupt the webui that is at work on it."""
        if job_id in self._going_on:
            self._cancelled.add(job_id)
        if (watch := self._watches.get(job_id)) is not None:
            watch.cancel()

    async def draw(self, job: Job) -> Drawn | None:
        """The pictures, raw, in the job's spool; None where it was cancelled before anything was sent.

        WebuiError, UserError (a name that this webui lacks), OSError (the spool can't be written).
        """
        view = next((view for view in self._pool.views() if view.key == job.backend), None)
        if view is None:
            raise NotReady("the backend is not in WEBUI_URLS any more")
        client = self._pool.client(view.key)
        catalog = view.catalog or await client.fetch_catalog()
        if job.task_id is not None:
            await self._abandon(client, job.task_id)
        task_id = f"easel-{job.id}-{secrets.token_hex(4)}" if catalog.capabilities.task_progress else None
        payload = build_txt2img(job.request, catalog, task_id=task_id)
        if task_id is not None:
            await self._rows.note_task(job.id, task_id)
        reached("sending", job.id)
        if job.id in self._cancelled:
            return None
        rendered, seconds = await self._send(job, client, payload, catalog)
        self._pool.report_success(view.key, rendered.checkpoint)
        return Drawn(rendered, seconds, view.key)

    async def _send(
        self, job: Job, client: WebuiClient, payload: dict[str, Any], catalog: Catalog
    ) -> tuple[Rendered, float]:
        """Send the payload and watch over it; what came back, and how many seconds it took."""

        async def show(glimpse: Glimpse) -> None:
            await self._delivery.show_progress(job, glimpse)

        await self._pictures.discard_spool(job.id)
        spool = self._pictures.spool(job.id)
        watch = self._watches[job.id] = RenderWatch(client, payload.get("force_task_id"), show, self._timing)
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
        self._pool.release(job.id)  # the webui is free; what is left to do needs only its files
        self._metrics.render_seconds.observe(seconds)
        return await asyncio.to_thread(build_rendered, answer, spool, job.request, catalog), seconds

    async def _abandon(self, client: WebuiClient, task_id: str) -> None:
        """What an earlier process or attempt sent may still be at work, for nobody: stop it, since it is ours."""
        try:
            if await client.fetch_progress(task_id) is not None:
                await client.interrupt()
        except WebuiError as error:
            log.info("an abandoned task could not be looked for: %s", error.detail)
