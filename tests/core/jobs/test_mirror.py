"""The queue in memory and the rows: read whole, read again where something changed, and nothing lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs import mirror as module
from core.jobs.ledger import Ledger
from core.jobs.mirror import Mirror
from core.jobs.model import Job
from core.jobs.parts import PartRows
from core.jobs.queue import WaitingQueue, entry
from core.jobs.rows import JobRows
from core.scheduling.scheduler import Account, Assignment, Decision, Reason
from tests.core.jobs.conftest import GPU, Bench, drawing_of, new_job

WAIT = 5.0


class Rows(JobRows):
    """Real rows, which something may happen to while they are read."""

    between: asyncio.Event | None = None
    reading: asyncio.Event

    async def read_queue(self) -> AsyncIterator[list[Job]]:
        async for some in super().read_queue():
            yield some
        if self.between is not None:
            self.reading.set()
            await self.between.wait()


class Glass:
    """A queue and its mirror."""

    def __init__(self, engine: AsyncEngine, *, shared: bool = False) -> None:
        self.rows = Rows(engine)
        self.ledger = Ledger(engine, "a")
        self.queue = WaitingQueue()
        self.mirror = Mirror(
            rows=self.rows, parts=PartRows(engine), ledger=self.ledger, queue=self.queue, shared=shared
        )

    @property
    def waiting(self) -> dict[str, int]:
        """How many pictures of each job wait."""
        jobs = [job for lane in self.queue.waiting().lanes for job in lane.jobs]
        return {job.job_id: job.pictures for job in jobs}

    async def until(self, waiting: dict[str, int]) -> None:
        """Until the queue is so; it rings for everything that is put in."""
        async with asyncio.timeout(WAIT):
            while self.waiting != waiting:  # noqa: ASYNC110  # what is removed rings no bell
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.mirror.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def glass(database: AsyncEngine) -> Glass:
    return Glass(database)


async def test_everything_that_waits_is_read_with_the_pictures_that_are_left(bench: Bench, glass: Glass) -> None:
    await bench.submit("1", count=3)
    await bench.submit("2", count=2)
    for _ in range(2):
        piece = await bench.give("2")
    await bench.parts.requeue(piece)
    await bench.submit("3")
    await bench.give("3")
    await bench.submit("4")
    await bench.rows.mark_cancelled("4", 1.0)
    first, _second = await bench.given(2, job_id="5")
    await bench.parts.mark_failed(first, "It failed.")
    await glass.mirror.load()
    assert glass.waiting == {"1": 3, "2": 1}
    await glass.mirror.load()
    assert glass.waiting == {"1": 3, "2": 1}


async def test_what_people_were_given_is_read_too(bench: Bench, glass: Glass) -> None:
    await bench.submit(count=2)
    decision = Decision((Assignment("1", "42", GPU, Reason.FAIR, 3.0),), {"42": Account(3.0)}, 2.0)
    await glass.ledger.give_out(["42"], lambda _accounts, _clock: decision, 1.0)
    await glass.mirror.load()
    found = glass.queue.waiting()
    assert ([lane.account for lane in found.lanes], found.clock) == ([Account(3.0)], 2.0)


async def test_what_is_not_in_the_rows_any_more_is_forgotten(bench: Bench, glass: Glass) -> None:
    glass.queue.put(entry(new_job("gone"), 1))
    await bench.submit("1")
    await glass.mirror.load()
    assert glass.waiting == {"1": 1}


async def test_a_job_that_comes_while_everything_is_read_is_not_lost(bench: Bench, glass: Glass) -> None:
    await bench.submit("1")
    glass.rows.between, glass.rows.reading = asyncio.Event(), asyncio.Event()
    reading = asyncio.create_task(glass.mirror.load())
    await glass.rows.reading.wait()
    await bench.submit("2")
    glass.queue.put(entry(new_job("2"), 1))  # as the studio does
    glass.rows.between.set()
    await reading
    assert glass.waiting == {"1": 1, "2": 1}


async def test_single_jobs_are_read_again(bench: Bench, glass: Glass) -> None:
    await bench.submit("1", count=3)
    await bench.submit("2")
    await glass.mirror.load()
    await bench.submit("3", count=2)
    await bench.give("1")
    await bench.rows.mark_cancelled("2", 1.0)
    await glass.mirror.refresh(["1", "2", "unknown"])
    assert glass.waiting == {"1": 2}
    await glass.mirror.refresh(["3"])
    assert glass.waiting == {"1": 2, "3": 2}
    await glass.mirror.refresh([])
    assert glass.waiting == {"1": 2, "3": 2}


async def test_a_job_that_avoids_a_webui_does_so_after_it_was_read_again(bench: Bench, glass: Glass) -> None:
    await bench.submit("1")
    piece = await bench.give("1")
    await bench.parts.requeue(piece, avoid=GPU)
    await glass.mirror.refresh(["1"])
    job = glass.queue.get("1")
    assert job is not None
    assert job.avoid == {GPU}


async def test_what_was_noted_is_read_soon(bench: Bench, glass: Glass) -> None:
    async with glass.running():
        await bench.submit("1")
        glass.mirror.note("1")
        await glass.until({"1": 1})
        piece = await bench.give("1")
        await bench.parts.mark_drawn(piece, drawing_of(0))
        glass.mirror.note("1")
        await glass.until({})


async def test_what_was_missed_is_read_whole(bench: Bench, glass: Glass) -> None:
    async with glass.running():
        await bench.submit("1")
        await bench.submit("2")
        glass.mirror.miss()
        await glass.until({"1": 1, "2": 1})


async def test_where_others_change_it_everything_is_read_now_and_then(
    bench: Bench, database: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RELOAD_SECONDS", 0.01)
    glass = Glass(database, shared=True)
    async with glass.running():
        await bench.submit("1")
        await glass.until({"1": 1})


@pytest.mark.parametrize("missed", [False, True])
async def test_a_database_that_is_away_is_asked_again(
    bench: Bench, glass: Glass, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, missed: bool
) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    await bench.submit("1")
    async with bench.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE parts RENAME TO away"))
    async with glass.running():
        if missed:
            glass.mirror.miss()
        else:
            glass.mirror.note("1")
        async with asyncio.timeout(WAIT):
            while "could not be read" not in caplog.text:  # noqa: ASYNC110  # a log rings no bell
                await asyncio.sleep(0.01)
        async with bench.engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE away RENAME TO parts"))
        await glass.until({"1": 1})
