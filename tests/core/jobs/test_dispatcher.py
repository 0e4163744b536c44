"""Jobs are given to idle webuis, and what an earlier process left is taken up."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.jobs import dispatcher as module
from core.jobs.engine import Piece
from core.jobs.ledger import Decide, GivenOut, Ledger
from core.jobs.model import Delivered, JobState
from core.jobs.queue import entry
from core.store.schema import accounts, jobs
from core.webui.views import explain
from tests.core.ground import WORKER, Ground, InlineEngine, fast_webui, opened_ground
from tests.core.jobs.conftest import drawing_of, new_job


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


@pytest.fixture
def _short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DATABASE_PAUSE", 0.01)


class Dispatching:
    """The dispatcher's task while the block runs."""

    def __init__(self, ground: Ground, engine: InlineEngine | None = None) -> None:
        self._ground = ground
        self._engine = engine or ground.engine

    async def __aenter__(self) -> None:
        await self._ground.dispatcher.open(self._engine)
        self._task = asyncio.create_task(self._ground.dispatcher.run())

    async def __aexit__(self, *_error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._ground.dispatcher.close()


async def test_a_waiting_job_of_an_earlier_process_is_drawn(ground: Ground) -> None:
    await ground.rows.submit(new_job("1"))
    async with Dispatching(ground):
        shown = await ground.until_delivered("1")
        assert shown.what == "pictures"
        assert not shown.perhaps_done


async def test_a_running_job_of_an_earlier_process_goes_on_as_the_same_attempt(ground: Ground) -> None:
    await ground.rows.submit(new_job("1"))
    await ground.given_out("1")
    async with Dispatching(ground):
        shown = await ground.until_delivered("1")
        assert (shown.what, shown.perhaps_done) == ("pictures", True)
        await ground.until_state("1", JobState.DONE)
        assert (await ground.part("1")).attempt == 1


async def test_a_drawn_job_of_an_earlier_process_is_delivered_and_never_drawn_again(ground: Ground) -> None:
    await ground.rows.submit(new_job("1"))
    await ground.given_out("1")
    await ground.parts.mark_drawn(Piece("1", 0, 1), drawing_of(0))
    async with Dispatching(ground):
        shown = await ground.until_delivered("1")
    assert (shown.what, shown.drawing, shown.perhaps_done) == ("pictures", drawing_of(0), True)
    assert ground.webui.renders == []


async def test_jobs_at_an_end_are_left_alone(ground: Ground) -> None:
    for job_id in ("1", "2", "3"):
        await ground.rows.submit(new_job(job_id))
        piece = await ground.given_out(job_id)
        if job_id == "1":
            await ground.parts.mark_drawn(piece, drawing_of(0))
    await ground.rows.mark_done("1", Delivered("reply", "5"), 2.0)
    await ground.rows.mark_failed("2", "No.", Delivered("reply", "5"), 2.0)
    await ground.rows.mark_cancelled("3", 2.0)
    async with Dispatching(ground):
        await ground.rows.submit(new_job("4"))
        ground.mirror.note("4")
        await ground.until_delivered("4")
    assert {one.job.id for one in ground.delivery.shown if one.what != "progress"} == {"4"}


async def test_a_webui_that_an_earlier_process_keeps_busy_gets_nothing_else(ground: Ground) -> None:
    ground.webui.hold()
    await ground.rows.submit(new_job("1"))
    await ground.given_out("1")
    async with Dispatching(ground):
        await ground.webui.until(lambda: ground.webui.running)
        ticket = await ground.submit(seed=8)
        assert len(ground.queue) == 1
        assert len(ground.webui.renders) == 1
        ground.webui.release()
        await ground.until_delivered("1")
        await ground.until_delivered(ticket.job_id)
    assert [render.seed for render in ground.webui.renders] == [7, 8]


async def test_the_dispatcher_is_open_between_open_and_close(ground: Ground) -> None:
    seen = [ground.dispatcher.is_open]
    async with Dispatching(ground):
        seen.append(ground.dispatcher.is_open)
    seen.append(ground.dispatcher.is_open)
    await ground.dispatcher.close()
    assert seen == [False, True, False]


async def test_jobs_go_to_the_webui_that_has_their_checkpoint(tmp_path: Path) -> None:
    async with (
        fast_webui(checkpoints=("ink.safetensors",)) as first,
        fast_webui(checkpoints=("paper.safetensors",)) as second,
        opened_ground(tmp_path, first, second) as ground,
    ):
        for name in ("paper", "ink", "paper"):
            ticket = await ground.submit(checkpoint=name)
            await ground.until_delivered(ticket.job_id)
        assert [render.checkpoint for render in first.renders] == ["ink"]
        assert [render.checkpoint for render in second.renders] == ["paper", "paper"]


async def test_how_far_off_its_estimate_was_is_counted_once_for_each_job(ground: Ground) -> None:
    ticket = await ground.submit(count=2)
    await ground.rows.note_message(ticket.job_id, "555", time.time() + 60)
    async with Dispatching(ground):
        await ground.until_delivered(ticket.job_id)
    found = ground.metrics.registry.get_sample_value
    assert found("easel_estimate_error_seconds_count") == 1
    assert 50 < (found("easel_estimate_error_seconds_sum") or 0) <= 60
    assert found("easel_estimate_late_jobs_total") == 0


async def test_two_webuis_draw_side_by_side(tmp_path: Path) -> None:
    async with fast_webui() as first, fast_webui() as second, opened_ground(tmp_path, first, second) as ground:
        first.hold()
        second.hold()
        tickets = [await ground.submit(seed=seed) for seed in (1, 2, 3)]
        await first.until(lambda: first.running)
        await second.until(lambda: second.running)
        assert len(ground.queue) == 1
        first.release()
        second.release()
        for ticket in tickets:
            await ground.until_delivered(ticket.job_id)


async def test_a_job_waits_while_every_webui_is_down_and_is_drawn_when_one_is_back(ground: Ground) -> None:
    ground.webui.refuse_connections()
    ground.pool.refresh()
    await ground.until(lambda: explain(ground.pool.views()) is not None)
    async with Dispatching(ground):
        ticket = await ground.submit()
        assert "can't be reached" in (ticket.obstacle or "")
        assert ticket.place == 1
        await ground.webui.accept_connections()
        assert (await ground.until_delivered(ticket.job_id)).what == "pictures"
    assert (await ground.part(ticket.job_id)).attempt == 1


async def test_a_job_that_is_cancelled_while_it_waits_is_never_given_out(ground: Ground) -> None:
    first = await ground.submit()
    await ground.rows.mark_cancelled(first.job_id, 1.0)  # the queue in memory does not know
    second = await ground.submit(seed=8)
    async with Dispatching(ground):
        await ground.until_delivered(second.job_id)
    assert [render.seed for render in ground.webui.renders] == [8]
    assert len(ground.queue) == 0


class Warned(logging.Handler):
    """Says when the dispatcher has warned of something."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # that there was one is enough
        self.event.set()


@pytest.fixture
def warned() -> Iterator[Warned]:
    handler = Warned()
    module.log.addHandler(handler)
    yield handler
    module.log.removeHandler(handler)


@pytest.mark.usefixtures("_short_pause")
async def test_a_database_that_is_away_is_waited_for(ground: Ground, warned: Warned) -> None:
    ticket = await ground.submit()
    database = ground.rows._engine
    async with database.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE jobs RENAME COLUMN started_at TO away"))
    ground.dispatcher._engine = ground.engine
    running = asyncio.create_task(ground.dispatcher.run())
    await asyncio.wait_for(warned.event.wait(), 5)
    assert all(view.idle for view in ground.pool.views())
    async with database.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE jobs RENAME COLUMN away TO started_at"))
    assert (await ground.until_delivered(ticket.job_id)).what == "pictures"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class FailingEngine(InlineEngine):
    """An engine whose database is away twice."""

    failures = 2

    async def start(self, piece: Piece) -> None:
        if self.failures:
            self.failures -= 1
            raise sa.exc.OperationalError("INSERT", {}, Exception("away"))
        await super().start(piece)


@pytest.mark.usefixtures("_short_pause")
async def test_an_engine_that_can_not_record_is_asked_until_it_can(ground: Ground) -> None:
    async with Dispatching(ground, FailingEngine(ground.pipeline, ground.happened.set)) as _:
        ticket = await ground.submit()
        await ground.until(lambda: bool(ground.delivery.of("pictures", ticket.job_id)))
        await ground.until_state(ticket.job_id, JobState.DONE)
        assert (await ground.part(ticket.job_id)).attempt == 1


class Forgetful(Ledger):
    """Rows whose first commit is carried out and its answer lost, as with a connection that breaks in that moment."""

    lost = 0

    async def give_out(self, owner_ids: Collection[str], decide: Decide, now: float) -> list[GivenOut]:
        given = await super().give_out(owner_ids, decide, now)
        if given and not self.lost:
            self.lost += 1
            raise sa.exc.OperationalError("COMMIT", {}, Exception("the connection broke"))
        return given


class Slow(InlineEngine):
    """An engine that knows what it has begun, and whose database takes its time once somebody says so."""

    gate: asyncio.Event | None = None

    async def start(self, piece: Piece) -> None:
        if any(known == piece for known, _ in self.records):
            return
        if self.gate is not None:
            await self.gate.wait()
        await super().start(piece)


@pytest.mark.usefixtures("_short_pause")
async def test_what_ends_while_the_engine_is_slow_is_not_begun_anew(tmp_path: Path) -> None:
    async with (
        fast_webui(name="1") as one,
        fast_webui(name="2") as two,
        opened_ground(tmp_path, one, two, dispatching=False) as ground,
    ):
        engine = Slow(ground.pipeline, ground.happened.set)
        ledger = ground.dispatcher._ledger = Forgetful(ground.ledger._engine, WORKER)
        ledger.lost = 1
        one.hold(1)
        two.hold(1)
        async with Dispatching(ground, engine):
            younger = await ground.submit(owner_id="2")
            await ground.until(lambda: one.running is not None or two.running is not None)
            ledger.lost, engine.gate = 0, asyncio.Event()
            older = await ground.submit(owner_id="1")
            async with ground.parts._engine.begin() as connection:  # its row comes first when all are read
                await connection.execute(sa.update(jobs).where(jobs.c.id == older.job_id).values(created_at=1.0))
            await ground.until(lambda: ledger.lost == 1)
            one.release()
            two.release()
            await ground.until_state(younger.job_id, JobState.DONE)
            engine.gate.set()
            await ground.until_state(older.job_id, JobState.DONE)
            await ground.until(lambda: ground.pipeline.in_hand == 0)
        assert [view.job_id for view in ground.pool.views()] == [None, None]


class Meanwhile(Ledger):
    """Somebody else's job comes while the transaction waits for its turn."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.ledger._engine, WORKER)
        self._ground = ground

    async def give_out(self, owner_ids: Collection[str], decide: Decide, now: float) -> list[GivenOut]:
        if self._ground.queue.get("77") is None and "heavy" not in owner_ids:
            job = new_job("77", owner_id="heavy")
            await self._ground.rows.submit(job)
            self._ground.queue.put(entry(job, 1))
        return await super().give_out(owner_ids, decide, now)


async def test_whoever_comes_after_the_accounts_were_read_waits_for_the_next_time(ground: Ground) -> None:
    async with ground.parts._engine.begin() as connection:
        given = [{"owner_id": "heavy", "given": 5000.0}, {"owner_id": "", "given": 1000.0}]
        await connection.execute(sa.insert(accounts), given)
    ground.dispatcher._ledger = Meanwhile(ground)
    ground.webui.hold(1)
    async with Dispatching(ground):
        light = await ground.submit(owner_id="light")
        await ground.until(lambda: ground.webui.running is not None)
        assert (await ground.job(light.job_id)).state is JobState.RUNNING
        known, _ = await ground.ledger.fetch_accounts(["heavy"])
        assert known["heavy"].given == 5000.0
        ground.webui.release()
        await ground.until_state("77", JobState.DONE)
        known, _ = await ground.ledger.fetch_accounts(["heavy"])
        assert known["heavy"].given > 5000.0


@pytest.mark.usefixtures("_short_pause")
async def test_what_was_given_out_is_drawn_though_nobody_heard_that_it_was_written(ground: Ground) -> None:
    ledger = ground.dispatcher._ledger = Forgetful(ground.ledger._engine, WORKER)
    async with Dispatching(ground):
        ticket = await ground.submit(count=2)
        await ground.until_delivered(ticket.job_id)
        await ground.until_state(ticket.job_id, JobState.DONE)
    assert ledger.lost == 1
    assert [render.seed for render in ground.webui.renders] == [7, 8]
