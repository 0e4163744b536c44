"""Giving out: the decision, the accounts and the rows are one transaction, whoever else decides at the same time."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.engine import Piece
from core.jobs.ledger import GivenOut, Ledger, Stale
from core.jobs.mirror import Mirror
from core.jobs.model import JobState, PartState
from core.jobs.queue import Books, WaitingQueue
from core.jobs.rows import Places
from core.scheduling.cost import work_of
from core.scheduling.scheduler import Account, Assignment, BackendFacts, Decision, Reason, choose
from core.store.database import open_database
from core.webui.catalog import Capabilities, Catalog
from tests.core.jobs.conftest import DELIVERED, GPU, Bench, drawing_of

NOBODY: Mapping[str, Account] = {}


def decision(*job_ids: str, accounts: Mapping[str, Account] = NOBODY, clock: float = 0.0) -> Decision:
    """These jobs' next pictures, whoever's turn it is."""
    assignments = tuple(Assignment(job_id, "42", f"{GPU}/{n}", Reason.FAIR, 0.0) for n, job_id in enumerate(job_ids))
    return Decision(assignments, accounts, clock)


async def give(ledger: Ledger, *job_ids: str, now: float = 150.0) -> list[GivenOut]:
    return await ledger.give_out([], lambda _accounts, _clock: decision(*job_ids), now)


async def test_pictures_are_given_out_by_number_and_the_job_is_running(bench: Bench, ledger: Ledger) -> None:
    await bench.submit(count=3)
    given = await give(ledger, "1", "1")
    assert [one.piece for one in given] == [Piece("1", 0, 1), Piece("1", 1, 1)]
    assert [one.assignment.backend for one in given] == [f"{GPU}/0", f"{GPU}/1"]
    assert {one.work for one in given} == {work_of((await bench.job()).request)}
    assert [(part.backend, part.state) for part in await bench.pictures()] == [
        (f"{GPU}/0", PartState.RUNNING),
        (f"{GPU}/1", PartState.RUNNING),
    ]
    job = await bench.job()
    assert (job.state, job.started_at) == (JobState.RUNNING, 150.0)


async def test_the_task_of_a_first_attempt_is_in_its_row_and_a_later_one_has_to_look(
    bench: Bench, ledger: Ledger
) -> None:
    await bench.submit(count=2)
    first, second = await give(ledger, "1", "1")
    tasks = [first.task_id, second.task_id]
    assert [part.task_id for part in await bench.pictures()] == tasks
    assert all(re.fullmatch(rf"easel-1-{n}-[0-9a-f]{{8}}", str(task)) for n, task in enumerate(tasks))
    await bench.parts.requeue(first.piece)
    (again,) = await give(ledger, "1")
    assert (again.piece, again.task_id) == (Piece("1", 0, 2), None)
    assert [part.task_id for part in await bench.pictures()] == tasks


async def test_what_waits_again_is_given_out_before_what_was_never_begun(bench: Bench, ledger: Ledger) -> None:
    await bench.submit(count=3)
    first, second = await give(ledger, "1", "1")
    await bench.parts.note_task(second.piece, "easel-1-1-abc")
    await bench.parts.requeue(second.piece, broke=True)
    (again,) = await give(ledger, "1")
    assert again.piece == Piece("1", 1, 2)
    part = (await bench.pictures())[1]
    assert (part.breaks, part.task_id) == (1, "easel-1-1-abc")  # what may still be at work there is known
    (last,) = await give(ledger, "1")
    assert last.piece == Piece("1", 2, 1)
    assert first.piece == Piece("1", 0, 1)


async def test_when_a_job_was_said_to_begin_is_told_with_its_first_picture_alone(bench: Bench, ledger: Ledger) -> None:
    await bench.submit(count=3)
    await bench.rows.note_message("1", "444", 160.0)
    given = await give(ledger, "1", "1")
    assert [one.expected_at for one in given] == [160.0, None]
    await bench.parts.requeue(given[0].piece)
    await bench.parts.requeue(given[1].piece)
    (again,) = await give(ledger, "1", now=151.0)
    assert again.expected_at is None


async def test_a_job_nobody_was_told_about_has_no_start_to_be_compared(bench: Bench, ledger: Ledger) -> None:
    await bench.submit()
    (given,) = await give(ledger, "1")
    assert given.expected_at is None


async def make_stale(bench: Bench, why: str) -> None:
    """Job 2 has nothing to be given out, each time for another reason."""
    if why == "unknown":
        return
    await bench.submit("2")
    if why == "cancelled":
        await bench.rows.mark_cancelled("2", 1.0)
        return
    piece = await bench.give("2")
    if why == "failed":
        await bench.parts.mark_failed(piece, "It failed.")
    elif why == "drawn":
        await bench.parts.mark_drawn(piece, drawing_of(0))
    elif why == "done":
        await bench.rows.mark_done("2", DELIVERED, 1.0)


@pytest.mark.parametrize("why", ["unknown", "cancelled", "running", "failed", "drawn", "done"])
async def test_a_job_that_is_not_to_be_had_any_more_takes_everything_back(
    bench: Bench, ledger: Ledger, why: str
) -> None:
    await bench.submit("1")
    await make_stale(bench, why)
    wanted = decision("1", "2", accounts={"42": Account(9.0)}, clock=5.0)
    with pytest.raises(Stale) as stale:
        await ledger.give_out(["42"], lambda _accounts, _clock: wanted, 150.0)
    assert stale.value.job_id == "2"
    job = await bench.job("1")
    assert (job.state, job.started_at, await bench.pictures("1")) == (JobState.QUEUED, None, [])
    assert await ledger.fetch_accounts(["42"]) == ({}, 0.0)


async def test_accounts_and_the_clock_are_kept_and_handed_to_the_next_decision(bench: Bench, ledger: Ledger) -> None:
    await bench.submit(count=2)
    told: list[tuple[Mapping[str, Account], float]] = []

    def decide(accounts: Mapping[str, Account], clock: float) -> Decision:
        told.append((accounts, clock))
        changed = {"42": Account(2.5, "1", 140.0), "43": Account(1.0)}
        return decision("1", accounts=changed if len(told) == 1 else {"42": Account(4.0)}, clock=float(len(told)))

    for _ in range(2):
        await ledger.give_out(["42", "43", "44"], decide, 150.0)
    assert told == [({}, 0.0), ({"42": Account(2.5, "1", 140.0), "43": Account(1.0)}, 1.0)]
    assert await ledger.fetch_accounts(["42", "43"]) == ({"42": Account(4.0), "43": Account(1.0)}, 2.0)
    assert await ledger.fetch_accounts(["44"]) == ({}, 2.0)
    many = [str(number) for number in range(1000)]
    assert (await ledger.fetch_accounts(many))[0] == {"42": Account(4.0), "43": Account(1.0)}


async def test_where_nothing_is_given_out_nothing_is_charged(bench: Bench, ledger: Ledger) -> None:
    await bench.submit()
    nothing = decision(accounts={"42": Account(9.0)}, clock=3.0)
    assert await ledger.give_out(["42"], lambda _accounts, _clock: nothing, 150.0) == []
    assert await ledger.fetch_accounts(["42"]) == ({}, 0.0)


async def test_a_decision_that_fails_changes_nothing(bench: Bench, ledger: Ledger) -> None:
    await bench.submit()

    def fail(_accounts: Mapping[str, Account], _clock: float) -> Decision:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.give_out(["42"], fail, 150.0)
    assert await bench.state() is JobState.QUEUED
    await give(ledger, "1")  # and holds no lock


async def test_of_charges_at_once_none_is_lost(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        benches = Bench(one), Bench(other)
        benches[0].rows._places = Places(per_person=50)
        for number in range(40):
            await benches[0].submit(str(number))

        async def charge(number: int) -> None:
            def decide(accounts: Mapping[str, Account], clock: float) -> Decision:
                given = accounts.get("42", Account()).given + 1.0
                return decision(str(number), accounts={"42": Account(given)}, clock=clock + 1.0)

            await Ledger(benches[number % 2].engine, "w").give_out(["42"], decide, 150.0)

        await asyncio.gather(*(charge(number) for number in range(40)))
        assert await Ledger(one, "w").fetch_accounts(["42"]) == ({"42": Account(40.0)}, 40.0)


def catalog() -> Catalog:
    return Catalog(checkpoints=(), samplers=(), schedulers=(), loaded_checkpoint=None, capabilities=Capabilities())


class Process:
    """One worker with a webui of its own: it decides on the queue as it knows it, which is not always the newest."""

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self.bench = Bench(engine)
        self.ledger = Ledger(engine, name)
        self.queue = WaitingQueue()
        self.mirror = Mirror(
            rows=self.bench.rows, parts=self.bench.parts, ledger=self.ledger, queue=self.queue, shared=True
        )
        self.given: list[GivenOut] = []
        self.stale = 0
        self._facts = BackendFacts(key=f"{name} {GPU}", up=True, idle=True, catalog=catalog())

    async def work(self) -> None:
        """Draw until nothing waits any more, each picture in no time."""
        await self.mirror.load()
        while len(self.queue):
            try:
                given = await self.ledger.give_out(self.queue.owner_ids, self._decide, 150.0)
            except Stale as stale:
                self.stale += 1
                await self.mirror.refresh([stale.job_id])
                continue
            for one in given:
                self.queue.take(one.piece.job_id)
                self.given.append(one)
                assert await self.bench.parts.mark_drawn(one.piece, drawing_of(one.piece.number))

    def _decide(self, accounts: Mapping[str, Account], clock: float) -> Decision:
        return choose(self.queue.waiting(Books(accounts, clock, frozenset(self.queue.owner_ids))), [self._facts], 150.0)


async def test_two_that_decide_at_once_never_give_the_same_picture_twice_and_share_fairly(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        processes = [Process(one, "a"), Process(other, "b")]
        rows = processes[0].bench.rows
        rows._places = Places(per_person=50)
        for number in range(20):
            await processes[0].bench.submit(f"1{number:02}", owner_id="greedy", count=2, created_at=100.0 + number)
        for number in range(5):
            await processes[0].bench.submit(f"2{number:02}", owner_id="modest", count=2, created_at=900.0 + number)
        order: list[str] = []
        for process in processes:
            process.given = _Noting(order)
        await asyncio.gather(*(process.work() for process in processes))
        pieces = [given.piece for process in processes for given in process.given]
        assert len(pieces) == len(set(pieces)) == 50
        assert {piece.attempt for piece in pieces} == {1}
        assert all(process.given for process in processes)
        for number in range(2, 21, 2):  # while both wait, neither is more than a picture or two ahead
            counted = Counter(order[:number])
            assert abs(counted["greedy"] - counted["modest"]) <= 2, order
        accounts, _clock = await processes[0].ledger.fetch_accounts(["greedy", "modest"])
        assert accounts["greedy"].given > accounts["modest"].given > 0


class _Noting(list[GivenOut]):
    """Whose pictures were given out, over several processes, in the order in which they said so."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order = order

    def append(self, given: GivenOut) -> None:
        self._order.append(given.assignment.owner_id)
        super().append(given)
