"""Draws one picture on the backend that was reserved for it: payload, watch, answer. It changes no row's state."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import UNSET

from core.errors import NotReady, WebuiError
from core.images.inbound import resized
from core.images.store import PictureStore
from core.jobs.engine import Piece
from core.jobs.model import Glimpse, Job, Part
from core.jobs.parts import PartRows
from core.jobs.patience import on_database
from core.jobs.points import reached
from core.jobs.previewing import Wanted, never
from core.jobs.watch import RenderWatch, WatchTiming
from core.metrics import Metrics
from core.request import GenerationRequest, Task
from core.scheduling.cost import work_of
from core.store.inputs import InputRows
from core.webui.answer import Answer, Rendered
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient
from core.webui.dialects import DIALECTS
from core.webui.extras import build_describe, build_upscale
from core.webui.payload import build_payload
from core.webui.pool import BackendPool
from core.webui.results import build_described, build_rendered, build_upscaled

log = logging.getLogger(__name__)

Show = Callable[[Glimpse], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a backend drew: a raw file in the spool and facts; `seconds` from the sending to the end of the answer."""

    rendered: Rendered
    seconds: float
    backend: str


def request_of(job: Job, number: int) -> GenerationRequest:
    """One of the job's pictures as a request of its own."""
    return job.request.of(number)


def _as_drawn(request: GenerationRequest, rendered: Rendered) -> GenerationRequest:
    """What nobody asked for as the webui chose it."""
    return replace(
        request,
        width=request.width if request.width is not UNSET else rendered.width or UNSET,
        height=request.height if request.height is not UNSET else rendered.height or UNSET,
        steps=request.steps if request.steps is not UNSET else rendered.steps or UNSET,
    )


def _payload(request: GenerationRequest, catalog: Catalog, task_id: str, inputs: Mapping[str, bytes]) -> dict[str, Any]:
    """What is sent. Only drawing has tasks that a webui can be asked for."""
    match request.task:
        case "upscale":
            return build_upscale(request, catalog, inputs)
        case "describe":
            return build_describe(request, catalog, inputs)
        case _:
            known = task_id if catalog.capabilities.task_progress else None
            return build_payload(request, catalog, task_id=known, inputs=inputs)


def _read(answer: Answer, spool: Path, request: GenerationRequest, catalog: Catalog) -> Rendered:
    """What came. It reads files."""
    match request.task:
        case "upscale":
            return build_upscaled(answer, spool, request, catalog)
        case "describe":
            return build_described(answer)
        case _:
            return build_rendered(answer, spool, request, catalog)


class Renderer:
    """Knows which renders are going on here, so that a cancellation reaches them."""

    def __init__(
        self,
        *,
        parts: PartRows,
        pool: BackendPool,
        pictures: PictureStore,
        inputs: InputRows,
        metrics: Metrics,
        timing: WatchTiming,
    ) -> None:
        self._parts = parts
        self._inputs = inputs
        self._pool = pool
        self._pictures = pictures
        self._metrics = metrics
        self._timing = timing
        self._going_on: set[Piece] = set()
        self._stopped: set[Piece] = set()
        self._watches: dict[Piece, RenderWatch] = {}
        self._unsent: dict[Piece, str] = {}

    @property
    def going_on(self) -> frozenset[Piece]:
        """What is being drawn here now."""
        return frozenset(self._going_on)

    def expect(self, piece: Piece, task_id: str) -> None:
        """Its row names this task, and no webui was sent it yet."""
        self._unsent[piece] = task_id

    def begin(self, piece: Piece) -> None:
        """Called before the rows are read: a cancellation that comes later is noticed here."""
        self._going_on.add(piece)

    def end(self, piece: Piece) -> None:
        """Nothing more is drawn for it now."""
        self._going_on.discard(piece)
        self._stopped.discard(piece)
        self._unsent.pop(piece, None)

    def cancel(self, job_id: str) -> None:
        """Stop every picture of this job."""
        for piece in self._going_on:
            if piece.job_id == job_id:
                self.stop(piece)

    def stop(self, piece: Piece) -> None:
        """Send no payload for it, or interrupt the webui that is at work on it."""
        if piece in self._going_on:
            self._stopped.add(piece)
        if (watch := self._watches.get(piece)) is not None:
            watch.cancel()

    def is_stopped(self, piece: Piece) -> bool:
        """Whether its webui was told to stop: what comes of that says nothing of the webui."""
        return piece in self._stopped

    async def draw(self, job: Job, part: Part, piece: Piece, show: Show, wants_preview: Wanted = never) -> Drawn | None:
        """The picture, raw, in its spool; None where it was stopped before anything was sent.

        WebuiError, UserError (a name that this webui lacks), OSError (the spool can't be written).
        """
        view = next((view for view in self._pool.views() if view.key == part.backend), None)
        if view is None:
            raise NotReady("the backend is not in WEBUI_URLS any more")
        client = self._pool.client(view.key)
        catalog = view.catalog or await client.fetch_catalog()
        task_id = self._unsent.pop(piece, None) or await self._new_task(piece, part, client)
        request = request_of(job, piece.number)
        inputs = await self._read_inputs(request, catalog)
        # What draws where no checkpoint is named is the webui's own: it takes back what the last job loaded.
        own = catalog.with_loaded(view.default_checkpoint or catalog.loaded_checkpoint)
        build = partial(_payload, request, own, task_id, inputs)
        payload = await asyncio.to_thread(build) if inputs else build()
        await self._pictures.discard_spool(piece.spool)
        reached("sending", job.id)
        if piece in self._stopped:
            return None
        watch = RenderWatch(client, payload.get("force_task_id"), show, self._timing, wants_preview)
        answer, seconds = await self._send(piece, client, request.task, payload, watch)
        rendered = await asyncio.to_thread(_read, answer, self._pictures.spool(piece.spool), request, catalog)
        if piece not in self._stopped:
            before = catalog.loaded_checkpoint
            # What is no drawing says nothing of how long a step takes.
            work = work_of(_as_drawn(request, rendered)) if request.task == "draw" else None
            self._pool.report_success(view.key, rendered.checkpoint, seconds=seconds, work=work, loaded_before=before)
        return Drawn(rendered, seconds, view.key)

    async def _read_inputs(self, request: GenerationRequest, catalog: Catalog) -> dict[str, bytes]:
        """The images that it names, by their keys; of the picture's size where the webui takes no other."""
        found = {
            key: png for key in request.input_keys if (png := await on_database(self._inputs.get, key)) is not None
        }
        is_exact = DIALECTS[catalog.capabilities.speech].exact_image
        if not is_exact or request.width is UNSET or request.height is UNSET:
            return found
        size = (request.width, request.height)
        return {key: await asyncio.to_thread(resized, png, size) for key, png in found.items()}

    async def _send(
        self, piece: Piece, client: WebuiClient, task: Task, payload: dict[str, Any], watch: RenderWatch
    ) -> tuple[Answer, float]:
        """Send the payload and watch over it; what came back, and how many seconds it took."""
        spool = self._pictures.spool(piece.spool)
        self._watches[piece] = watch
        started = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                watching = group.create_task(watch.run(), name=f"watch {piece}")
                match task:
                    case "upscale":
                        answer = await client.upscale(payload, spool, heard=watch.hear)
                    case "describe":
                        answer = await client.describe(payload, heard=watch.hear)
                    case _:
                        answer = await client.txt2img(payload, spool, heard=watch.hear)
                watching.cancel()
        except* (WebuiError, OSError) as errors:
            raise errors.exceptions[0] from None
        finally:
            del self._watches[piece]
        seconds = time.monotonic() - started
        if (checkpoint := payload.get("override_settings", {}).get("sd_model_checkpoint")) is not None:
            self._pool.note_loaded(client.address.key, checkpoint)
        self._pool.release(piece.id)  # the webui is free; what is left to do needs only its files
        self._metrics.render_seconds.observe(seconds)
        return answer, seconds

    async def _new_task(self, piece: Piece, part: Part, client: WebuiClient) -> str:
        """In its row before it is sent. What was sent before may still be at work, for nobody."""
        if part.task_id is not None:
            await self._abandon(client, part.task_id)
        task_id = piece.new_task_id()
        await self._parts.note_task(piece, task_id)
        return task_id

    async def _abandon(self, client: WebuiClient, task_id: str) -> None:
        """Stop it if it is what the webui is doing, since it is ours."""
        try:
            await client.interrupt_task(task_id)
        except WebuiError as error:
            log.info("an abandoned task could not be looked for: %s", error.detail)
