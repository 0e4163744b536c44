"""The core put together without Discord and without a durable engine: real rows, real HTTP, fakes that remember."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy.ext.asyncio import AsyncEngine

from core.fleet import Fleet
from core.images.store import PictureStore
from core.jobs.dispatcher import Dispatcher
from core.jobs.engine import Piece, Record
from core.jobs.ledger import Ledger
from core.jobs.mirror import Mirror
from core.jobs.model import Delivered, Drawing, Glimpse, Job, JobState, Part, Ticket
from core.jobs.outlook import Outlook
from core.jobs.parts import PartRows
from core.jobs.pipeline import Pipeline
from core.jobs.queue import WaitingQueue
from core.jobs.rows import JobRows, Places
from core.jobs.showing import Shower
from core.jobs.watch import WatchTiming
from core.metrics import Metrics
from core.request import GenerationRequest
from core.scheduling.scheduler import Assignment, Decision, Reason
from core.store.backends import BackendRows
from core.store.database import database_url, open_database
from core.store.inputs import InputRows
from core.studio import Order, Studio
from core.webui.address import parse_addresses
from core.webui.client import open_session
from core.webui.pool import BackendPool, Health, Timing
from playground.webui import LocalWebui

WORKER = "easel"
QUICK = Timing(idle=0.2, shortest=0.02, longest=0.1)
WAIT = 30.0
WATCHFUL = WatchTiming(poll=0.02, edit=0.0)


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that an owner was shown: `what` is progress, waiting, queued, pictures, cancelled or sentence."""

    what: str
    job: Job
    sentence: str = ""
    drawing: Drawing | None = None
    glimpse: Glimpse | None = None
    perhaps_done: bool = False
    fresh: frozenset[int] = frozenset()
    final: bool = True


@dataclass
class RememberingDelivery:
    """A Delivery that remembers everything it was asked to show."""

    changed: Callable[[], None]
    shown: list[Shown] = field(default_factory=list)

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        self._remember(Shown("progress", job, glimpse=glimpse))

    async def show_waiting(self, job: Job, sentence: str) -> None:
        self._remember(Shown("waiting", job, sentence))

    async def show_queued(self, job: Job, place: int, starts_at: float | None, obstacle: str | None) -> bool:
        del starts_at
        self._remember(Shown("queued", job, obstacle or str(place)))
        return True

    async def show_cancelled(self, job: Job) -> None:
        self._remember(Shown("cancelled", job))

    async def deliver(
        self, job: Job, drawing: Drawing, *, fresh: Collection[int], final: bool, perhaps_done: bool
    ) -> Delivered:
        shown = Shown("pictures", job, drawing=drawing, perhaps_done=perhaps_done, fresh=frozenset(fresh), final=final)
        self._remember(shown)
        return Delivered("reply", "555")

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        self._remember(Shown("sentence", job, sentence, perhaps_done=perhaps_done))
        return Delivered("reply", "555")

    def of(self, what: str, job_id: str | None = None) -> list[Shown]:
        """What of this kind was shown, of one job or of all."""
        return [one for one in self.shown if one.what == what and job_id in (None, one.job.id)]

    def _remember(self, shown: Shown) -> None:
        self.shown.append(shown)
        self.changed()


@dataclass
class InlineEngine:
    """Runs the steps at once, in this process, and records nothing."""

    pipeline: Pipeline
    changed: Callable[[], None]
    records: dict[tuple[Piece, str], Record] = field(default_factory=dict)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        """Nothing is left of an earlier process."""

    async def start(self, piece: Piece) -> None:
        task = asyncio.create_task(self._run(piece), name=f"steps of {piece}")
        self.running.add(task)
        task.add_done_callback(self._end)

    async def resume(self, piece: Piece) -> None:
        await self.start(piece)

    async def close(self) -> None:
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)

    def _end(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self.changed()

    async def _run(self, piece: Piece) -> None:
        record: Record = {}
        for step in (self.pipeline.render, self.pipeline.keep, self.pipeline.deliver):
            record = await step(piece, record)
            self.records[piece, step.__name__] = record
            self.changed()
            if record.get("stop"):
                return


@dataclass
class Ground:
    """Everything at hand; `until` waits for what the fakes remember."""

    webuis: tuple[LocalWebui, ...]
    rows: JobRows
    parts: PartRows
    ledger: Ledger
    mirror: Mirror
    pool: BackendPool
    fleet: Fleet
    outlook: Outlook
    queue: WaitingQueue
    pictures: PictureStore
    metrics: Metrics
    delivery: RememberingDelivery
    pipeline: Pipeline
    dispatcher: Dispatcher
    engine: InlineEngine
    studio: Studio
    happened: asyncio.Event
    _ids: Any = field(default_factory=lambda: itertools.count(1001))

    @property
    def webui(self) -> LocalWebui:
        """The only webui, or the first."""
        return self.webuis[0]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until the fakes have seen enough; TimeoutError after ten seconds."""
        async with asyncio.timeout(WAIT):
            while not condition():
                self.happened.clear()
                await self.happened.wait()

    async def submit(self, *, owner_id: str = "42", **asked: Any) -> Ticket:
        """A small request, as the command would submit it."""
        request = {"prompt": "a red fox", "seed": 7, "steps": 2, "width": 64, "height": 64, **asked}
        ticket = await self.studio.submit(
            Order(
                job_id=str(next(self._ids)),
                owner_id=owner_id,
                guild_id=None,
                request=GenerationRequest(**request),
                reply="{}",
            )
        )
        assert ticket is not None
        return ticket

    async def job(self, job_id: str) -> Job:
        """The row, which is there."""
        job = await self.rows.fetch(job_id)
        assert job is not None
        return job

    async def part(self, job_id: str, number: int = 0) -> Part:
        """One of its pictures, which was given out."""
        found = await self.parts.fetch(job_id)
        assert found is not None
        return next(part for part in found[1] if part.number == number)

    async def given_out(self, job_id: str, backend: str | None = None) -> Piece:
        """Give one picture of a waiting job out, as the dispatcher would."""
        piece = await give_out(self.ledger, job_id, backend or self.webui.url)
        self.queue.take(job_id)
        return piece

    async def until_delivered(self, job_id: str) -> Shown:
        """Until the owner has all their pictures or their sentence, and the row says so; what they were shown last."""
        ends = ("pictures", "sentence")

        def last() -> list[Shown]:
            return [one for what in ends for one in self.delivery.of(what, job_id) if one.final]

        await self.until(lambda: bool(last()))
        await self.until(lambda: not self.engine.running or self._is_recorded(job_id))
        (shown,) = last()
        return shown

    async def until_state(self, job_id: str, state: JobState) -> Job:
        """Until the row says so."""
        while (job := await self.job(job_id)).state is not state:
            await self.until_change()
        return job

    async def until_change(self) -> None:
        """Until anything happens."""
        self.happened.clear()
        async with asyncio.timeout(WAIT):
            await self.happened.wait()

    def _is_recorded(self, job_id: str) -> bool:
        return any(piece.job_id == job_id and step == "deliver" for piece, step in self.engine.records)


async def give_out(ledger: Ledger, job_id: str, backend: str, now: float = 1.0) -> Piece:
    """The next picture of a job to this backend, whoever's turn it is."""
    assignment = Assignment(job_id, "42", backend, Reason.ALONE, 0.0)
    decision = Decision(assignments=(assignment,), accounts={}, clock=0.0)
    (given,) = await ledger.give_out([], lambda _accounts, _clock: decision, now)
    return given.piece


def fast_webui(**options: Any) -> LocalWebui:
    """A webui whose steps take no time and whose pictures cost nothing."""
    return LocalWebui(**{"seconds_per_step": 0.0, "cheap_pictures": True, **options})


def _assembled(
    folder: Path,
    database: AsyncEngine,
    session: aiohttp.ClientSession,
    webuis: tuple[LocalWebui, ...],
    timing: WatchTiming,
    places: Places | None,
) -> Ground:
    """The parts of the core, put together; nothing runs yet."""
    happened = asyncio.Event()
    queue, metrics, pictures = WaitingQueue(), Metrics(), PictureStore(folder)
    delivery = RememberingDelivery(happened.set)

    def on_change() -> None:
        queue.ring()
        happened.set()

    def on_cancelled(job_id: str) -> None:
        pipeline.cancel(job_id)
        happened.set()

    rows, parts, ledger = JobRows(database, places), PartRows(database), Ledger(database, WORKER)
    mirror = Mirror(rows=rows, parts=parts, ledger=ledger, queue=queue, shared=False)
    urls = ",".join(webui.url for webui in webuis)
    pool = BackendPool(parse_addresses(urls), session=session, on_change=on_change, timing=QUICK)
    fleet = Fleet(rows=BackendRows(database), pool=pool, worker=WORKER, shared=False, on_change=queue.ring)
    outlook = Outlook(queue, fleet)
    shower = Shower(rows=rows, parts=parts, delivery=delivery, metrics=metrics, worker=WORKER)
    pipeline = Pipeline(
        parts=parts,
        pool=pool,
        pictures=pictures,
        inputs=InputRows(database),
        delivery=delivery,
        shower=shower,
        metrics=metrics,
        worker=WORKER,
        on_waiting=mirror.note,
        elsewhere=outlook.elsewhere,
        timing=timing,
    )
    dispatcher = Dispatcher(ledger=ledger, mirror=mirror, fleet=fleet, queue=queue, pipeline=pipeline)
    engine = InlineEngine(pipeline, happened.set)
    studio = _studio(rows, fleet, queue, outlook, metrics, on_cancelled, happened.set)
    between = (pool, fleet, outlook, queue, pictures, metrics, delivery)
    return Ground(webuis, rows, parts, ledger, mirror, *between, pipeline, dispatcher, engine, studio, happened)


def _studio(  # as many as the studio has
    rows: JobRows,
    fleet: Fleet,
    queue: WaitingQueue,
    outlook: Outlook,
    metrics: Metrics,
    on_cancelled: Callable[[str], None],
    happened: Callable[[], None],
) -> Studio:
    return Studio(
        rows=rows,
        fleet=fleet,
        queue=queue,
        outlook=outlook,
        metrics=metrics,
        on_cancelled=on_cancelled,
        on_ticket=lambda _ticket: happened(),
    )


@asynccontextmanager
async def opened_ground(
    folder: Path,
    *webuis: LocalWebui,
    timing: WatchTiming = WATCHFUL,
    dispatching: bool = True,
    places: Places | None = None,
) -> AsyncIterator[Ground]:
    """The core on `folder`, with every webui started and known."""
    async with open_database(database_url(None, folder)) as database, open_session() as session:
        ground = _assembled(folder, database, session, webuis, timing, places)
        await ground.fleet.open()
        ground.pool.start()
        tasks = [asyncio.create_task(ground.mirror.run(), name="mirror")]
        try:
            await ground.until(lambda: all(view.health is not Health.UNKNOWN for view in ground.pool.views()))
            if dispatching:
                await ground.dispatcher.open(ground.engine)
                tasks.append(asyncio.create_task(ground.dispatcher.run(), name="dispatcher"))
            yield ground
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await ground.engine.close()
            await ground.dispatcher.close()
            await ground.pool.stop()
