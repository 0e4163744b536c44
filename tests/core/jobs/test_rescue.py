"""What a worker had in hand that is gone for good goes on elsewhere, but not too soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs import rescue as module
from core.jobs.ledger import Ledger
from core.jobs.mirror import Mirror
from core.jobs.model import JobState, PartState
from core.jobs.queue import WaitingQueue
from core.jobs.rescue import Rescuer
from core.jobs.showing import Shower
from core.metrics import Metrics
from core.store.database import open_database
from core.store.liveness import hold, is_dead
from tests.core.ground import RememberingDelivery
from tests.core.jobs.conftest import Bench


class Watch:
    """A rescuer called "us", and who is dead."""

    def __init__(self, bench: Bench, *dead: str) -> None:
        self.bench = bench
        self.dead = set(dead)
        self.alive = True
        self.looked_at_own = 0
        self.queue = WaitingQueue()
        self.mirror = Mirror(
            rows=bench.rows, parts=bench.parts, ledger=Ledger(bench.engine, "us"), queue=self.queue, shared=True
        )
        self.delivery = RememberingDelivery(lambda: None)
        shower = Shower(rows=bench.rows, parts=bench.parts, delivery=self.delivery, metrics=Metrics(), worker="us")
        self.rescuer = Rescuer(
            parts=bench.parts,
            mirror=self.mirror,
            shower=shower,
            worker="us",
            is_dead=self._is_dead,
            is_known_alive=lambda: self.alive,
            stop_what_ended=self._look_at_own,
        )

    async def _look_at_own(self) -> None:
        self.looked_at_own += 1

    async def _is_dead(self, worker: str) -> bool:
        return worker in self.dead


async def test_a_worker_that_is_dead_twice_in_a_row_has_nothing_in_hand_any_more(bench: Bench) -> None:
    await bench.given(3, workers=["gone", "other", "us"])
    watch = Watch(bench, "gone")
    await watch.rescuer.look()
    assert watch.looked_at_own == 1
    assert await bench.states() == [PartState.RUNNING] * 3
    await watch.rescuer.look()
    assert await bench.states() == [PartState.WAITING, PartState.RUNNING, PartState.RUNNING]
    assert await bench.parts.fetch_workers() == {"other", "us"}
    reading = asyncio.create_task(watch.mirror.run())
    await asyncio.wait_for(watch.queue.wait(), 5)  # whoever has a webui for it hears of it
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    job = watch.queue.get("1")
    assert job is not None
    assert job.pictures == 1


async def test_a_worker_that_comes_back_in_between_keeps_everything(bench: Bench) -> None:
    await bench.given(1, workers=["slow"])
    watch = Watch(bench, "slow")
    for _ in range(3):
        await watch.rescuer.look()
        watch.dead ^= {"slow"}
    assert await bench.states() == [PartState.RUNNING]


async def test_nobody_is_dead_while_our_own_sign_of_life_is_away(bench: Bench) -> None:
    await bench.given(1, workers=["gone"])
    watch = Watch(bench, "gone")
    for alive in (True, False, True):
        watch.alive = alive
        await watch.rescuer.look()
    assert await bench.states() == [PartState.RUNNING]
    await watch.rescuer.look()
    assert await bench.states() == [PartState.WAITING]


async def test_nobody_rescues_themselves(bench: Bench) -> None:
    await bench.given(1, workers=["us"])
    watch = Watch(bench, "us")
    for _ in range(3):
        await watch.rescuer.look()
    assert await bench.states() == [PartState.RUNNING]


async def test_a_database_that_is_away_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    await bench.given(1, workers=["gone"])
    watch = Watch(bench, "gone")
    async with bench.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE parts RENAME TO away"))
    running = asyncio.create_task(watch.rescuer.run())
    try:
        async with asyncio.timeout(5):
            while "could not be looked for" not in caplog.text:  # noqa: ASYNC110  # a log rings no bell
                await asyncio.sleep(0.01)
            async with bench.engine.begin() as connection:
                await connection.execute(sa.text("ALTER TABLE away RENAME TO parts"))
            while await bench.state() is not JobState.QUEUED:  # noqa: ASYNC110  # a row rings no bell
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_two_that_find_the_same_worker_dead_hand_its_work_back_once(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        bench = Bench(one)
        pieces = await bench.given(4, workers=["gone"])
        for piece in pieces[:2]:
            await bench.draw(piece)
        watches = Watch(bench, "gone"), Watch(Bench(other), "gone")
        for _ in range(2):
            await asyncio.gather(*(watch.rescuer.look() for watch in watches))
        assert await bench.states() == [PartState.WAITING] * 4
        assert await bench.state() is JobState.QUEUED


async def test_a_worker_whose_process_ended_is_found_by_the_lock_it_lost(server_url: sa.URL, postgres_url: str) -> None:
    async with open_database(server_url) as engine:
        bench = Bench(engine)
        await bench.given(2, workers=["gone", "here"])
        lives = {
            name: await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) for name in ("gone", "here")
        }
        for name, life in lives.items():
            await hold(life, name)
        watch = Watch(bench)
        watch.rescuer._is_dead = _asking(engine)
        for _ in range(2):
            await watch.rescuer.look()
        assert await bench.states() == [PartState.RUNNING] * 2
        await lives.pop("gone").close()
        async with asyncio.timeout(5):
            while not await is_dead(engine, "gone"):  # noqa: ASYNC110  # the server tells nobody
                await asyncio.sleep(0.01)
        for _ in range(2):
            await watch.rescuer.look()
        assert await bench.states() == [PartState.WAITING, PartState.RUNNING]
        await lives["here"].close()


def _asking(engine: AsyncEngine) -> Callable[[str], Awaitable[bool]]:
    return lambda worker: is_dead(engine, worker)
