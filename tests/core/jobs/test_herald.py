"""The messages of waiting jobs say what is true: their place, their start, and what is in the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from core.jobs import herald as module
from core.jobs.herald import EDITS, Herald
from core.jobs.model import Ticket
from core.jobs.outlook import Outlook
from core.jobs.queue import WaitingQueue, entry
from core.webui.pool import Health
from tests.core.ground import RememberingDelivery
from tests.core.jobs.conftest import Bench, new_job
from tests.core.jobs.views import StillFleet, as_fleet, view

AWAY = [view("a", Health.DOWN)]
OBSTACLE = "The webui can't be reached at the moment; pictures wait until it is back."


class Stand:
    """A herald, a queue, and webuis that come and go."""

    def __init__(self, bench: Bench, chore: module.Chore | None = None) -> None:
        self.bench = bench
        self.queue = WaitingQueue()
        self.fleet = StillFleet()
        self.happened = asyncio.Event()
        self.delivery = RememberingDelivery(self.happened.set)
        self.outlook = Outlook(self.queue, as_fleet(self.fleet))
        self.herald = Herald(
            queue=self.queue,
            outlook=self.outlook,
            explain=self.fleet.explain,
            rows=bench.rows,
            delivery=self.delivery,
            chore=chore,
        )

    async def submit(self, *job_ids: str, noted: bool = True, message_id: str | None = "444") -> None:
        """Jobs whose first message says what is true now; each of another person, in this order."""
        for job_id in job_ids:
            new = new_job(job_id, created_at=float(job_id), owner_id=f"o{job_id}", width=1024, height=1024, steps=50)
            await self.bench.rows.submit(new)
            if message_id is not None:
                await self.bench.rows.note_message(job_id, message_id)
            self.queue.put(entry(new, 1))
            if noted:
                self.note(job_id)

    def note(self, job_id: str) -> None:
        found = self.outlook.of_job(job_id)
        assert found is not None
        ticket = Ticket(
            job_id=job_id,
            request=new_job().request,
            notes=(),
            place=found.place,
            obstacle=self.fleet.explain(),
            starts_at=found.starts_at,
        )
        self.herald.note(ticket)

    async def look(self) -> list[tuple[str, str]]:
        """What one look edits: jobs, and what they were told."""
        before = len(self.delivery.shown)
        await self.herald.look()
        return [(shown.job.id, shown.sentence) for shown in self.delivery.shown[before:]]


@pytest.fixture
def stand(bench: Bench) -> Stand:
    return Stand(bench)


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLACE_SECONDS", 0.0)


async def test_what_is_true_is_not_said_again(stand: Stand) -> None:
    await stand.submit("1", "2")
    assert await stand.look() == []


async def test_an_obstacle_is_told_at_once_and_told_to_be_gone(stand: Stand) -> None:
    await stand.submit("1", "2")
    stand.fleet.every = list(AWAY)
    assert await stand.look() == [("1", OBSTACLE), ("2", OBSTACLE)]
    assert await stand.look() == []
    stand.fleet.every = [view()]
    assert await stand.look() == [("1", "1"), ("2", "2")]
    assert await stand.look() == []


async def test_few_messages_are_edited_in_one_look_and_none_is_forgotten(stand: Stand) -> None:
    job_ids = [str(number) for number in range(1, 2 * EDITS + 2)]
    await stand.submit(*job_ids)
    stand.fleet.every = list(AWAY)
    told = []
    for _ in range(3):
        looked = await stand.look()
        assert len(looked) <= EDITS
        told += [job_id for job_id, _ in looked]
    assert sorted(told) == sorted(job_ids)


@pytest.mark.usefixtures("_at_once")
async def test_a_place_that_changed_is_said_anew(stand: Stand) -> None:
    await stand.submit("1", "2")
    stand.queue.remove("1")
    assert await stand.look() == [("2", "1")]


async def test_a_place_is_not_said_anew_all_the_time(stand: Stand) -> None:
    await stand.submit("1", "2")
    stand.queue.remove("1")
    assert await stand.look() == []


@pytest.mark.usefixtures("_at_once")
async def test_a_start_that_moved_much_is_said_anew_and_one_that_moved_little_is_not(stand: Stand) -> None:
    await stand.submit("1", "2")
    stand.fleet.every = [view(speed=0.25)]
    assert await stand.look() == []
    stand.fleet.every = [view(speed=2.0)]
    assert await stand.look() == [("2", "2")]  # the first begins now as it did before


async def test_what_an_earlier_process_said_is_said_once_more(stand: Stand) -> None:
    await stand.submit("1", noted=False)
    assert await stand.look() == [("1", "1")]
    assert await stand.look() == []


async def test_while_nothing_can_be_drawn_those_of_an_earlier_process_are_told_too(stand: Stand) -> None:
    stand.fleet.every = list(AWAY)
    await stand.submit("1", "2", noted=False)
    assert await stand.look() == [("1", OBSTACLE), ("2", OBSTACLE)]


async def test_a_job_that_began_is_left_alone(stand: Stand) -> None:
    await stand.submit("1", "2")
    await stand.bench.give("1")  # the queue in memory does not know
    await stand.bench.rows.mark_cancelled("2", 9.0)
    stand.fleet.every = list(AWAY)
    assert await stand.look() == []


async def test_a_job_whose_message_is_not_out_is_left_alone(stand: Stand) -> None:
    await stand.submit("1", message_id=None)
    stand.fleet.every = list(AWAY)
    assert await stand.look() == []


async def test_it_looks_again_and_again_while_it_is_its_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    turns: list[bool] = []

    @contextlib.asynccontextmanager
    async def chore() -> AsyncIterator[bool]:
        turns.append(len(turns) >= 2)
        yield turns[-1]

    stand = Stand(bench, chore)
    await stand.submit("1")
    stand.fleet.every = list(AWAY)
    running = asyncio.create_task(stand.herald.run())
    try:
        for every in ([view()], list(AWAY)):
            await asyncio.wait_for(stand.happened.wait(), 5)
            stand.happened.clear()
            stand.fleet.every = every
        await asyncio.wait_for(stand.happened.wait(), 5)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [shown.sentence for shown in stand.delivery.shown][:3] == [OBSTACLE, "1", OBSTACLE]
    assert turns == [False, False, True]


async def test_a_database_that_is_away_costs_time_and_no_message(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.01)
    await stand.submit("1", "2")
    async with stand.bench.engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE jobs RENAME TO away"))
    stand.fleet.every = list(AWAY)
    running = asyncio.create_task(stand.herald.run())
    try:
        async with asyncio.timeout(5):
            while "could not be kept true" not in caplog.text:  # noqa: ASYNC110  # a log rings no bell
                await asyncio.sleep(0.01)
        async with stand.bench.engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE away RENAME TO jobs"))
        async with asyncio.timeout(5):
            while len(stand.delivery.shown) < 2:
                stand.happened.clear()
                await stand.happened.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert {(shown.job.id, shown.sentence) for shown in stand.delivery.shown} == {("1", OBSTACLE), ("2", OBSTACLE)}


async def test_in_a_long_queue_others_get_their_turn_between_two_jobs(stand: Stand) -> None:
    stand.fleet.every = list(AWAY)
    await stand.submit(*(str(number) for number in range(1, 41)))
    stand.fleet.every = [view()]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    found = await stand.herald._with_places(())
    beside.cancel()
    assert len(found) == EDITS
    assert turns >= EDITS - 1
