"""What is shown of a job, by whom, and who ends it: a table, and Showers on a real database of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import UserError
from core.jobs.engine import Piece
from core.jobs.model import (
    ENDED,
    Delivered,
    Drawing,
    Job,
    JobState,
    Part,
    PartState,
    Showing,
    is_settled,
    join,
    plan_showing,
)
from core.jobs.parts import PartRows
from core.jobs.rows import JobRows
from core.jobs.showing import GAVE_UP, Shower
from core.metrics import Metrics
from core.store.database import open_database
from tests.core.ground import RememberingDelivery, Shown
from tests.core.jobs.conftest import GPU, Bench, drawing_of, job_of

W, R, D, S, F = PartState.WAITING, PartState.RUNNING, PartState.DRAWN, PartState.SHOWN, PartState.FAILED


def part(number: int, state: PartState, worker: str = "a", attempt: int = 1) -> Part:
    return Part(
        job_id="1",
        number=number,
        state=state,
        worker=worker,
        backend=GPU,
        attempt=attempt,
        breaks=0,
        task_id=None,
        drawing=drawing_of(number) if state in (D, S) else None,
    )


SETTLED: list[tuple[int, str | None, list[PartState], bool]] = [
    (1, None, [], False),
    (1, None, [R], False),
    (1, None, [W], False),
    (1, None, [D], True),
    (1, None, [S], True),
    (1, "No.", [F], True),
    (2, None, [S], False),
    (2, None, [S, W], False),
    (2, None, [S, R], False),
    (2, None, [S, D], True),
    (2, "No.", [F], True),
    (2, "No.", [F, W], True),
    (2, "No.", [F, R], False),
    (2, "No.", [F, D], True),
    (3, "No.", [S, F], True),
    (3, "No.", [], True),
]


@pytest.mark.parametrize(("pictures", "sentence", "states", "settled"), SETTLED)
def test_a_job_is_settled_when_no_further_picture_of_it_will_be_drawn(
    pictures: int, sentence: str | None, states: Sequence[PartState], settled: bool
) -> None:
    parts = [part(number, state) for number, state in enumerate(states)]
    assert is_settled(job_of(pictures, sentence=sentence), parts) is settled


A = "a"
B = "b"
Row = tuple[PartState, str]
PLANS: list[tuple[str, int, str | None, list[Row], tuple[set[int], bool] | None]] = [
    ("nothing is begun", 2, None, [], None),
    ("one is being drawn", 2, None, [(R, A)], None),
    ("one is drawn", 2, None, [(D, A)], ({0}, False)),
    ("one is drawn, the other is on its way", 2, None, [(R, A), (D, A)], ({1}, False)),
    ("all are drawn", 2, None, [(D, A), (D, A)], ({0, 1}, True)),
    ("the first is shown, the last is drawn", 2, None, [(S, A), (D, A)], ({1}, True)),
    ("all are shown", 2, None, [(S, A), (S, A)], (set(), True)),
    ("another worker's is drawn", 2, None, [(D, B), (R, A)], None),
    ("another worker's is the last to be shown", 2, None, [(S, A), (D, B)], None),
    ("one of each worker's is drawn", 2, None, [(D, A), (D, B)], ({0}, False)),
    ("the other worker's is shown already", 2, None, [(D, A), (S, B)], ({0}, True)),
    ("everything was another's, and is shown", 2, None, [(S, B), (S, B)], (set(), True)),
    ("the only one failed", 1, "No.", [(F, A)], (set(), True)),
    ("one failed, one is on its way", 2, "No.", [(F, A), (R, A)], None),
    ("one failed, one is drawn", 2, "No.", [(F, A), (D, A)], ({1}, True)),
    ("one failed, another worker's is drawn", 2, "No.", [(F, A), (D, B)], None),
    ("one failed, one waits in vain", 2, "No.", [(F, A), (W, B)], (set(), True)),
]


@pytest.mark.parametrize(
    ("pictures", "sentence", "rows", "expected"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS]
)
def test_a_worker_shows_its_own_and_the_last_one_the_end(
    pictures: int, sentence: str | None, rows: Sequence[Row], expected: tuple[set[int], bool] | None
) -> None:
    parts = [part(number, state, worker) for number, (state, worker) in enumerate(rows)]
    showing = plan_showing(job_of(pictures, sentence=sentence), parts, A)
    if expected is None:
        assert showing is None
        return
    drawing = join(one.drawing for one in parts if one.drawing is not None)
    if drawing is not None and sentence is not None:
        drawing = replace(drawing, warnings=(*drawing.warnings, sentence))
    assert showing == Showing(drawing, frozenset(expected[0]), final=expected[1], retried=False)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_of_a_job_at_an_end_nothing_is_shown(state: JobState) -> None:
    assert plan_showing(job_of(1, state=state, sentence="No."), [part(0, D)], A) is None


def test_a_picture_that_was_given_out_before_may_be_there_already() -> None:
    showing = plan_showing(job_of(2), [part(0, D), part(1, R, B, attempt=2)], A)
    assert showing is not None
    assert showing.retried


@dataclass
class Worker:
    """One process that shows; what it was asked to show is remembered."""

    engine: AsyncEngine
    name: str
    shared: bool = False
    kept: int = 0
    """So many times nothing takes the pictures."""
    refusal: str = ""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    delivery: RememberingDelivery = field(init=False)
    shower: Shower = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.gate.set()
        self.delivery = _Delivery(lambda: None, worker=self)
        self.shower = Shower(
            rows=JobRows(self.engine),
            parts=PartRows(self.engine),
            delivery=self.delivery,
            metrics=self.metrics,
            worker=self.name,
            shared=self.shared,
        )

    def begin(self, *pieces: Piece) -> None:
        for piece in pieces:
            self.shower.expect(piece)

    @property
    def pictures(self) -> list[tuple[set[int], bool]]:
        """Which were fresh, and whether it was the end."""
        return [(set(shown.fresh), shown.final) for shown in self.delivery.of("pictures")]

    @property
    def ended(self) -> dict[str, float]:
        families = text_string_to_metric_families(self.metrics.render().decode())
        samples = [sample for family in families for sample in family.samples]
        return {one.labels["state"]: one.value for one in samples if one.name == "easel_jobs_ended_total"}


@dataclass
class _Delivery(RememberingDelivery):
    worker: Worker = field(kw_only=True)

    async def deliver(
        self, job: Job, drawing: Drawing, *, fresh: Collection[int], final: bool, perhaps_done: bool
    ) -> Delivered:
        delivered = await super().deliver(job, drawing, fresh=fresh, final=final, perhaps_done=perhaps_done)
        await self.worker.gate.wait()
        if self.worker.refusal:
            raise UserError(self.worker.refusal)
        if self.worker.kept:
            self.worker.kept -= 1
            return Delivered("kept", None)
        return delivered


@pytest.fixture
def worker(database: AsyncEngine) -> Worker:
    return Worker(database, "a")


async def test_pictures_are_shown_as_they_are_drawn_and_the_last_one_ends_the_job(bench: Bench, worker: Worker) -> None:
    pieces = await bench.given(3, workers=["a"])
    worker.begin(*pieces)
    for piece in (pieces[1], pieces[0], pieces[2]):
        await bench.draw(piece)
        await worker.shower.show(piece)
    assert worker.pictures == [({1}, False), ({0}, False), ({2}, True)]
    assert [shown.drawing and shown.drawing.numbers for shown in worker.delivery.shown] == [(1,), (0, 1), (0, 1, 2)]
    assert not any(shown.perhaps_done for shown in worker.delivery.shown)
    assert await bench.states() == [S, S, S]
    job = await bench.job()
    assert (job.state, job.message_id, job.delivered_to) == (JobState.DONE, "555", "reply")
    assert worker.ended == {"done": 1}


async def test_what_is_drawn_while_something_is_shown_is_shown_right_after_it(bench: Bench, worker: Worker) -> None:
    pieces = await bench.given(3, workers=["a"])
    worker.begin(*pieces)
    worker.gate.clear()
    await bench.draw(pieces[0])
    first = asyncio.create_task(worker.shower.show(pieces[0]))
    while not worker.pictures:  # noqa: ASYNC110  # the database's answer, which rings no bell
        await asyncio.sleep(0.01)
    others = []
    for piece in pieces[1:]:
        await bench.draw(piece)
        others.append(asyncio.create_task(worker.shower.show(piece)))
    worker.gate.set()
    await asyncio.gather(first, *others)
    assert worker.pictures == [({0}, False), ({1, 2}, True)]
    assert await bench.state() is JobState.DONE
    assert worker.ended == {"done": 1}


async def test_showing_again_shows_nothing_again(bench: Bench, worker: Worker) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    await bench.draw(piece)
    for _ in range(2):
        await worker.shower.show(piece)
    assert worker.pictures == [({0}, True)]
    await worker.shower.show(Piece("unknown", 0, 1))


@pytest.mark.parametrize("begun_here", [True, False])
async def test_who_may_have_shown_it_before_looks_first(bench: Bench, worker: Worker, begun_here: bool) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    if begun_here:
        worker.begin(piece)
    await bench.draw(piece)
    await worker.shower.show(piece)
    assert [shown.perhaps_done for shown in worker.delivery.shown] == [not begun_here]


async def test_a_picture_that_was_given_out_before_is_looked_for(bench: Bench, worker: Worker) -> None:
    (piece,) = await bench.given(1, workers=["b"])
    await bench.draw(piece)
    await bench.parts.hand_back("b")
    again = await bench.give(worker="a")
    worker.begin(again)
    await bench.draw(again)
    await worker.shower.show(again)
    assert [shown.perhaps_done for shown in worker.delivery.shown] == [True]


async def test_a_picture_of_an_earlier_process_beside_one_of_ours_is_looked_for(bench: Bench, worker: Worker) -> None:
    old, ours = await bench.given(2, workers=["a"])
    worker.begin(ours)
    await bench.draw(old)
    await bench.draw(ours)
    await worker.shower.show(ours)
    assert [(shown.fresh, shown.perhaps_done) for shown in worker.delivery.shown] == [(frozenset({0, 1}), True)]


async def test_what_nothing_takes_is_shown_with_the_next_picture(bench: Bench, worker: Worker) -> None:
    first, second = await bench.given(2, workers=["a"])
    worker.begin(first, second)
    worker.kept = 1
    await bench.draw(first)
    await worker.shower.show(first)
    assert await bench.states() == [D, R]
    await bench.draw(second)
    await worker.shower.show(second)
    assert worker.pictures == [({0}, False), ({0, 1}, True)]
    assert await bench.state() is JobState.DONE


async def test_two_workers_whose_pictures_nothing_takes_do_not_leave_the_end_to_each_other(bench: Bench) -> None:
    first, second = await bench.given(2, workers=["a", "b"])
    workers = {piece: Worker(bench.engine, name, shared=True) for piece, name in ((first, "a"), (second, "b"))}
    for piece, worker in workers.items():
        worker.begin(piece)
        worker.kept = 9
        await bench.draw(piece)
    for piece, worker in workers.items():
        await worker.shower.show(piece)
    job = await bench.job()
    assert (job.state, job.delivered_to) == (JobState.DONE, "kept")


async def test_what_nothing_takes_does_not_keep_a_job_from_its_end_that_another_worker_comes_to(
    bench: Bench,
) -> None:
    here, there = Worker(bench.engine, "a", shared=True, kept=1), Worker(bench.engine, "b", shared=True)
    await bench.submit(count=2)
    first = await bench.give(worker="a")
    here.begin(first)
    await bench.draw(first)
    await here.shower.show(first)
    second = await bench.give(worker="b")
    there.begin(second)
    await bench.draw(second)
    await there.shower.show(second)
    assert await bench.state() is JobState.DONE


async def test_what_nothing_takes_at_the_end_is_done_and_kept(bench: Bench, worker: Worker) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    worker.kept = 1
    await bench.draw(piece)
    await worker.shower.show(piece)
    job = await bench.job()
    assert (job.state, job.delivered_to, job.message_id) == (JobState.DONE, "kept", None)


async def test_a_failure_without_any_picture_is_explained(bench: Bench, worker: Worker) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    await bench.parts.mark_failed(piece, "It failed.")
    await worker.shower.show(piece)
    assert [(shown.what, shown.sentence) for shown in worker.delivery.shown] == [("sentence", "It failed.")]
    job = await bench.job()
    assert (job.state, job.sentence, job.message_id) == (JobState.FAILED, "It failed.", "555")
    assert worker.ended == {"failed": 1}
    assert GAVE_UP.endswith(".")


async def test_a_failure_of_one_of_several_ends_the_job_with_the_others_and_says_why(
    bench: Bench, worker: Worker
) -> None:
    first, second, third = await bench.given(3, workers=["a"])
    worker.begin(first, second, third)
    await bench.draw(first)
    await worker.shower.show(first)
    await bench.parts.mark_failed(second, "It failed.")
    await worker.shower.show(second)
    assert worker.pictures == [({0}, False)]  # the third is still on its way
    await bench.draw(third)
    await worker.shower.show(third)
    assert worker.pictures == [({0}, False), ({2}, True)]
    last = worker.delivery.shown[-1].drawing
    assert last is not None
    assert (last.numbers, last.warnings[-1]) == ((0, 2), "It failed.")
    assert await bench.state() is JobState.DONE


async def test_pictures_that_never_were_given_out_are_not_waited_for_after_a_failure(
    bench: Bench, worker: Worker
) -> None:
    await bench.submit(count=5)
    piece = await bench.give(worker="a")
    await bench.parts.mark_failed(piece, "It failed.")
    await worker.shower.show(piece)
    assert await bench.state() is JobState.FAILED


async def test_a_delivery_that_is_refused_ends_the_job_with_its_sentence(bench: Bench, worker: Worker) -> None:
    first, second = await bench.given(2, workers=["a"])
    worker.refusal = "These pictures can't be shown."
    await bench.draw(first)
    await worker.shower.show(first)
    assert await bench.state() is JobState.FAILED
    assert [shown.sentence for shown in worker.delivery.of("sentence")] == ["These pictures can't be shown."]
    assert not await bench.parts.mark_drawn(second, drawing_of(1))


async def test_of_a_job_cancelled_in_between_nothing_more_is_shown_but_that(bench: Bench, worker: Worker) -> None:
    first, second = await bench.given(2, workers=["a"])
    worker.begin(first, second)
    await bench.draw(first)
    worker.gate.clear()
    showing = asyncio.create_task(worker.shower.show(first))
    while not worker.pictures:  # noqa: ASYNC110  # the database's answer, which rings no bell
        await asyncio.sleep(0.01)
    await bench.rows.mark_cancelled("1", 2.0)
    worker.gate.set()
    await showing
    assert [shown.what for shown in worker.delivery.shown] == ["pictures", "cancelled"]
    assert await bench.state() is JobState.CANCELLED
    assert worker.ended == {}


async def test_of_a_job_that_was_cancelled_before_nothing_is_shown(bench: Bench, worker: Worker) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    await bench.rows.mark_cancelled("1", 2.0)
    await worker.shower.show(piece)
    assert worker.delivery.shown == []


async def test_two_workers_show_their_own_pictures_and_one_of_them_ends_the_job(bench: Bench) -> None:
    workers = {name: Worker(bench.engine, name) for name in "ab"}
    for turn in range(8):
        job_id = str(turn)
        pieces = await bench.given(4, workers=["a", "b"], job_id=job_id)
        for number, piece in enumerate(pieces):
            workers["ab"[number % 2]].begin(piece)

        async def finish(number: int, piece: Piece) -> None:
            await bench.draw(piece)
            await workers["ab"[number % 2]].shower.show(piece)

        await asyncio.gather(*(finish(number, piece) for number, piece in enumerate(pieces)))
        assert await bench.states(job_id) == [S] * 4
        assert await bench.state(job_id) is JobState.DONE
        for name, own in (("a", {0, 2}), ("b", {1, 3})):
            shown = _fresh(workers[name].delivery.of("pictures", job_id))
            assert sorted(shown) == sorted(own), (turn, name)
        finals = [one for each in workers.values() for one in each.delivery.of("pictures", job_id) if one.final]
        assert finals
        assert all(one.drawing is not None and one.drawing.numbers == (0, 1, 2, 3) for one in finals)
    assert sum(each.ended.get("done", 0) for each in workers.values()) == 8


async def test_two_processes_on_one_server_end_each_job_once(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        bench, workers = Bench(one), [Worker(one, "a"), Worker(other, "b")]
        for turn in range(10):
            job_id = str(turn)
            pieces = await bench.given(2, workers=["a", "b"], job_id=job_id)
            for piece in pieces:
                await bench.draw(piece)
            await asyncio.gather(*(each.shower.show(piece) for each, piece in zip(workers, pieces, strict=True)))
            assert await bench.state(job_id) is JobState.DONE
        assert sum(each.ended.get("done", 0) for each in workers) == 10
        assert [sorted(_fresh(each.delivery.of("pictures"))) for each in workers] == [[0] * 10, [1] * 10]


def _fresh(shown: Sequence[Shown]) -> list[int]:
    return [number for one in shown for number in one.fresh]
