"""The steps of one picture: render, keep, deliver. It knows their order of effects, and no HTTP, SQL or Discord.

Every step begins by reading the rows, since between two of them the process may have died, the owner may have
cancelled, or another worker may have taken the picture over; what the rows don't allow any more is left undone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec

from core.errors import OutcomeUnknown, UnreadableAnswer, UserError, WebuiError
from core.images.store import PictureStore
from core.jobs.boundary import bounded
from core.jobs.engine import STOP, Piece, Record
from core.jobs.keeping import Keeper
from core.jobs.model import ENDED, Delivery, Glimpse, Job, Part, PartState
from core.jobs.parts import PartRows
from core.jobs.patience import on_database, on_disk
from core.jobs.points import reached
from core.jobs.progress import JobProgress
from core.jobs.renderer import Renderer
from core.jobs.showing import Shower
from core.jobs.verdict import Verdict, judge
from core.jobs.watch import WatchTiming
from core.metrics import Metrics
from core.store.inputs import InputRows
from core.webui.pool import BackendPool

log = logging.getLogger(__name__)

DISK_TROUBLE = "The bot can't write to its disk at the moment. Your job waits and is drawn after that."
LOST = "The pictures were lost before they were safe on the disk. Your job is in the queue again."
TAKEN = Verdict(again=True, broke=False, sentence="Your job is in the queue again.")
HANDED_BACK = "The bot is being restarted. Your job is in the queue again."

Elsewhere = Callable[[Job, str], bool]
"""Whether a webui other than the one of this key could draw the job and has not failed at it."""
WantsPreview = Callable[[Job], Awaitable[bool]]
"""Whether the half-done picture of this job is to be shown."""


async def _nobody(_: Job) -> bool:
    return False


@dataclass(slots=True)
class Pipeline:
    """The steps, as the engine runs them. `on_waiting` is told the id of each job that got a picture back."""

    parts: PartRows
    pool: BackendPool
    pictures: PictureStore
    inputs: InputRows
    delivery: Delivery
    shower: Shower
    metrics: Metrics
    worker: str
    on_waiting: Callable[[str], None]
    elsewhere: Elsewhere
    timing: WatchTiming = field(default_factory=WatchTiming)
    wants_preview: WantsPreview = _nobody
    _renderer: Renderer = field(init=False)
    _keeper: Keeper = field(init=False)
    _progress: JobProgress = field(default_factory=JobProgress)
    _in_hand: set[Piece] = field(default_factory=set)
    _empty: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._renderer = Renderer(
            parts=self.parts,
            pool=self.pool,
            pictures=self.pictures,
            inputs=self.inputs,
            metrics=self.metrics,
            timing=self.timing,
        )
        self._keeper = Keeper(self.pool, self.pictures)

    @property
    def in_hand(self) -> int:
        """How many pictures are being drawn, kept or shown here now."""
        return len(self._in_hand)

    def has_in_hand(self, piece: Piece) -> bool:
        """Whether this attempt was begun here and is not over."""
        return piece in self._in_hand

    async def until_empty(self) -> None:
        """Until nothing is in hand here."""
        while self._in_hand:
            self._empty.clear()
            await self._empty.wait()

    def expect(self, piece: Piece, task_id: str | None = None) -> None:
        """This process gave it out itself, with this task (if any) in its row: nothing of it has happened before."""
        self._in_hand.add(piece)
        if task_id is not None:
            self._renderer.expect(piece, task_id)
        self.shower.expect(piece)

    def cancel(self, job_id: str) -> None:
        """The row says cancelled: stop the webuis' work on it, as far as they are at it."""
        self._renderer.cancel(job_id)

    async def stop_what_ended(self) -> None:
        """Stop what the rows don't want any more: the ring of a cancellation may have been lost."""
        for piece in self._renderer.going_on:
            if await self._find(piece) is None:
                self._renderer.stop(piece)

    async def give_back(self) -> None:
        """Let what is being drawn here be drawn elsewhere or later, with the same seeds."""
        back: list[tuple[Piece, Job]] = []
        for piece in self._renderer.going_on:
            if (waiting := await on_database(self.parts.requeue, piece)) is not None:
                back.append((piece, waiting))
            self._renderer.stop(piece)  # it stays in hand until its webui has noticed
        for piece, waiting in back:  # Discord may take its time, and all of them are safe
            await self._wait_again(waiting, piece, HANDED_BACK, "HandedBack")

    async def render(self, piece: Piece, before: Record) -> Record:
        """Ask the backend that was reserved; the record names the raw file and what the webui said of it."""
        self._in_hand.add(piece)
        self._renderer.begin(piece)
        self._progress.begin(piece)
        try:
            found = await self._find(piece)
            if found is None:
                return self._stop(piece)
            job, part = found
            if part.state is PartState.DRAWN:
                return before
            return await self._render(job, part, piece)
        finally:
            self.pool.release(piece.id)
            self._renderer.end(piece)
            self._progress.forget(piece)

    async def keep(self, piece: Piece, before: Record) -> Record:
        """Move the picture to where it stays, with its infotext inside, and say so in its row."""
        self._go_on(piece)
        if "failed" in before:
            return before
        found = await self._find(piece)
        if found is None:
            return await self._drop(piece)
        job, part = found
        if part.state is PartState.DRAWN:
            return before
        try:
            with bounded(job.id):
                drawing = await on_disk(self._keeper.keep, job, piece, before)
        except UnreadableAnswer as error:
            # It was whole when it arrived, so a power cut took it. The same seed draws it again.
            log.warning("a raw picture is gone from the disk: %s", error, extra={"job": job.id})
            verdict = judge(OutcomeUnknown("raw picture lost"), part.breaks)
            return await self._again(piece, replace(verdict, sentence=LOST) if verdict.again else verdict, "Lost")
        except UserError as error:
            return {"failed": str(error)}
        reached("kept", job.id)
        if not await on_database(self.parts.mark_drawn, piece, drawing):
            return await self._drop(piece)
        reached("drawn", job.id)
        return {}

    async def deliver(self, piece: Piece, before: Record) -> Record:
        """Show what the rows hold, or why there is nothing to show."""
        self._go_on(piece)
        if "failed" in before:
            await on_database(self.parts.mark_failed, piece, before["failed"])
        await self.shower.show(piece)
        reached("done", piece.job_id)
        await self.pictures.discard_spool(piece.spool)
        self._let_go(piece)
        return {}

    def _go_on(self, piece: Piece) -> None:
        """It is rendered, perhaps by an earlier process: then its webui was reserved for it at this one's start."""
        self._in_hand.add(piece)
        self.pool.release(piece.id)

    async def _find(self, piece: Piece) -> tuple[Job, Part] | None:
        """The rows, where this attempt is still the one that counts and its job is not at an end."""
        found = await on_database(self.parts.fetch_one, piece.job_id, piece.number)
        if found is None or found[0].state in ENDED:
            return None
        _, part = found
        if part.attempt != piece.attempt or part.worker != self.worker:
            return None
        return found if part.state in (PartState.RUNNING, PartState.DRAWN) else None

    async def _render(self, job: Job, part: Part, piece: Piece) -> Record:
        """One render as a record: what came, or why nothing did."""
        if not self.pool.reserve(part.backend, piece.id):
            return await self._again(piece, TAKEN, "Taken")
        try:
            with bounded(job.id):
                drawn = await on_disk(self._draw, job, part, piece)
        except UserError as error:
            return {"failed": str(error)}
        except WebuiError as error:
            return await self._after(error, job, part, piece)
        if drawn is None:
            return self._stop(piece)
        reached("rendered", job.id)
        return drawn

    async def _draw(self, job: Job, part: Part, piece: Piece) -> Record | None:
        """Draw; while the disk can't be written the owner is told, and the backend stays reserved."""

        async def show(glimpse: Glimpse) -> None:
            await self.delivery.show_progress(job, self._progress.of_job(job, piece, glimpse))

        async def wants_preview() -> bool:
            # Of several pictures the first alone: two would take turns in one message.
            return piece.number == 0 and await self.wants_preview(job)

        try:
            drawn = await self._renderer.draw(job, part, piece, show, wants_preview)
        except OSError as error:
            log.warning("the spool can't be written: %s", error.strerror, extra={"job": job.id})
            await self.delivery.show_waiting(job, DISK_TROUBLE)
            raise
        if drawn is None:
            return None
        return {"rendered": msgspec.to_builtins(drawn.rendered), "seconds": drawn.seconds, "backend": drawn.backend}

    async def _after(self, error: WebuiError, job: Job, part: Part, piece: Piece) -> Record:
        """Back into the queue, or the sentence to end with."""
        verdict = judge(error, part.breaks, elsewhere=self.elsewhere(job, part.backend))
        log.warning(
            "a render failed: %s",
            type(error).__name__,
            extra={"job": job.id, "backend": part.backend, "detail": error.detail, "again": verdict.again},
        )
        if not self._renderer.is_stopped(piece):
            self.pool.report_failure(part.backend, error)
        return await self._again(piece, verdict, type(error).__name__, part.backend if verdict.avoid else None)

    async def _again(self, piece: Piece, verdict: Verdict, reason: str, avoid: str | None = None) -> Record:
        """Put the picture back into the queue if the verdict says so; else the record of its failure."""
        if not verdict.again:
            return {"failed": verdict.sentence}
        waiting = await on_database(self.parts.requeue, piece, broke=verdict.broke, avoid=avoid)
        if waiting is not None:
            self.pool.release(piece.id)
            await self._wait_again(waiting, piece, verdict.sentence, reason)
        return self._stop(piece)

    async def _wait_again(self, job: Job, piece: Piece, sentence: str, reason: str) -> None:
        """Tell of a picture that went back; one of a job that gets no further picture was the last, and ends it."""
        self.metrics.requeued.labels(reason).inc()
        self.on_waiting(job.id)
        if job.sentence is None:
            await self.delivery.show_waiting(job, sentence)
        else:
            await self.shower.show(piece)

    async def _drop(self, piece: Piece) -> Record:
        """The picture is nobody's any more."""
        await self.pictures.discard_spool(piece.spool)
        return self._stop(piece)

    def _stop(self, piece: Piece) -> Record:
        """Nothing is left to do in this attempt."""
        self.shower.forget(piece)
        self._let_go(piece)
        return STOP

    def _let_go(self, piece: Piece) -> None:
        self._in_hand.discard(piece)
        if not self._in_hand:
            self._empty.set()
