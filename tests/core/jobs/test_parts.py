"""Rows of pictures in a real database of either kind: every change, what it refuses, and their jobs' states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import sqlalchemy as sa

from core.jobs.engine import Piece
from core.jobs.model import Delivered, Job, JobState, Part, PartState
from core.store.database import open_database
from tests.core.ground import WORKER
from tests.core.jobs.conftest import DELIVERED, GPU, Bench, drawing_of

Change = Callable[[Bench, Piece], Coroutine[Any, Any, object]]


async def _show(bench: Bench, piece: Piece) -> None:
    await bench.parts.mark_shown(piece.job_id, [piece.number], DELIVERED)


CHANGES: dict[str, tuple[Change, PartState]] = {
    "requeue": (lambda bench, piece: bench.parts.requeue(piece), PartState.WAITING),
    "mark_drawn": (lambda bench, piece: bench.parts.mark_drawn(piece, drawing_of(piece.number)), PartState.DRAWN),
    "mark_failed": (lambda bench, piece: bench.parts.mark_failed(piece, "It failed."), PartState.FAILED),
}


async def part_in(bench: Bench, state: PartState) -> Piece:
    """The first picture of a job of two, which went to `state` the ordinary way; the second is being drawn."""
    piece, _other = await bench.given(2)
    if state is PartState.WAITING:
        await bench.parts.requeue(piece)
    elif state is PartState.FAILED:
        await bench.parts.mark_failed(piece, "It failed.")
    elif state is not PartState.RUNNING:
        await bench.draw(piece)
    if state is PartState.SHOWN:
        await _show(bench, piece)
    assert await bench.states() == [state, PartState.RUNNING]
    return piece


async def everything(bench: Bench) -> tuple[Job, list[Part]]:
    found = await bench.parts.fetch("1")
    assert found is not None
    return found


async def test_a_picture_that_was_given_out_is_read_back_as_it_is(bench: Bench) -> None:
    await bench.submit(count=3)
    assert await bench.pictures() == []
    piece = await bench.give()
    assert piece == Piece("1", 0, 1)
    (part,) = await bench.pictures()
    assert part.task_id is not None
    assert part == Part(
        job_id="1",
        number=0,
        state=PartState.RUNNING,
        worker=WORKER,
        backend=GPU,
        attempt=1,
        breaks=0,
        task_id=part.task_id,
        drawing=None,
    )
    assert await bench.parts.fetch("2") is None


async def test_one_picture_is_read_as_all_of_them_are(bench: Bench) -> None:
    piece = await part_in(bench, PartState.DRAWN)
    job, read = await everything(bench)
    assert [await bench.parts.fetch_one("1", part.number) for part in read] == [(job, part) for part in read]
    assert read[piece.number].drawing is not None
    assert await bench.parts.fetch_one("1", len(read)) is None
    assert await bench.parts.fetch_one("2", 0) is None


@pytest.mark.parametrize("state", list(PartState))
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_made_while_it_is_drawn_and_else_changes_nothing(
    bench: Bench, name: str, state: PartState
) -> None:
    change, becomes = CHANGES[name]
    piece = await part_in(bench, state)
    before = await everything(bench)
    answer = await change(bench, piece)
    if state is PartState.RUNNING:
        assert answer
        assert await bench.states() == [becomes, PartState.RUNNING]
    else:
        assert not answer
        assert await everything(bench) == before


@pytest.mark.parametrize("state", list(PartState))
async def test_only_what_is_drawn_can_be_shown(bench: Bench, state: PartState) -> None:
    piece = await part_in(bench, state)
    await _show(bench, piece)
    is_drawn = state in (PartState.DRAWN, PartState.SHOWN)
    assert await bench.states() == [PartState.SHOWN if is_drawn else state, PartState.RUNNING]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("attempt", [0, 2])
async def test_another_attempt_changes_nothing(bench: Bench, name: str, attempt: int) -> None:
    piece = await part_in(bench, PartState.RUNNING)
    before = await everything(bench)
    assert not await CHANGES[name][0](bench, Piece(piece.job_id, piece.number, attempt))
    await bench.parts.note_task(Piece(piece.job_id, piece.number, attempt), "easel-1-0-abc")
    assert await everything(bench) == before


async def test_the_task_is_noted_while_it_is_drawn(bench: Bench) -> None:
    piece, other = await bench.given(2)
    of_other = (await bench.pictures())[1].task_id
    await bench.parts.note_task(piece, "easel-1-0-abc")
    await bench.draw(other)
    await bench.parts.note_task(other, "easel-1-1-def")
    assert [part.task_id for part in await bench.pictures()] == ["easel-1-0-abc", of_other]


async def test_each_time_it_is_given_out_is_an_attempt_and_what_broke_is_counted(bench: Bench) -> None:
    await bench.submit()
    for attempt in (1, 2, 3):
        piece = await bench.give()
        assert piece == Piece("1", 0, attempt)
        assert await bench.parts.requeue(piece, broke=attempt > 1)
    (part,) = await bench.pictures()
    assert (part.attempt, part.breaks, part.state) == (3, 2, PartState.WAITING)


async def test_a_job_s_backends_to_avoid_are_remembered_each_once(bench: Bench) -> None:
    pieces = await bench.given(3)
    for piece, key in zip(pieces, ("b", "a", "b"), strict=True):
        assert await bench.parts.requeue(piece, avoid=key) is not None
    assert (await bench.job()).avoid == {"a", "b"}


async def test_the_first_failure_is_the_one_that_is_told(bench: Bench) -> None:
    first, second = await bench.given(2)
    assert await bench.parts.mark_failed(first, "First.")
    assert await bench.parts.mark_failed(second, "Second.")
    assert (await bench.job()).sentence == "First."


async def test_a_job_waits_as_a_whole_only_while_none_of_its_pictures_is_begun(bench: Bench) -> None:
    first, second = await bench.given(2)
    job = await bench.parts.requeue(first)
    assert job is not None
    assert job.state is JobState.RUNNING
    job = await bench.parts.requeue(second)
    assert job is not None
    assert job.state is JobState.QUEUED
    assert job.started_at == 150.0
    await bench.give(now=170.0)
    assert (await bench.job()).started_at == 150.0


async def test_a_job_is_drawn_when_all_its_pictures_are(bench: Bench) -> None:
    await bench.submit(count=3)
    states: list[JobState] = []
    for _ in range(3):
        piece = await bench.give()
        await bench.draw(piece)
        states.append(await bench.state())
        await _show(bench, piece)
    assert states == [JobState.RUNNING, JobState.RUNNING, JobState.DRAWN]


async def test_a_drawn_picture_that_is_shown_names_the_message(bench: Bench) -> None:
    first, second = await bench.given(2)
    await bench.draw(first)
    await bench.parts.mark_shown("1", [0], Delivered("channel", "777"))
    job = await bench.job()
    assert (job.message_id, job.delivered_to, job.state) == ("777", "channel", JobState.RUNNING)
    await bench.draw(second)
    await bench.parts.mark_shown("1", [1], Delivered("kept", None))
    assert ((await bench.job()).message_id, await bench.states()) == ("777", [PartState.SHOWN] * 2)


@pytest.mark.parametrize("end", ["cancelled", "failed", "done"])
async def test_nothing_is_drawn_or_waits_for_a_job_at_an_end(bench: Bench, end: str) -> None:
    first, second = await bench.given(2)
    if end == "cancelled":
        await bench.rows.mark_cancelled("1", 2.0)
    elif end == "failed":
        await bench.rows.mark_failed("1", "No.", DELIVERED, 2.0)
    else:
        await bench.rows.mark_done("1", DELIVERED, 2.0)
    before = await bench.job()
    assert not await bench.parts.mark_drawn(first, drawing_of(0))
    assert await bench.parts.requeue(second) is None
    assert await bench.parts.hand_back(WORKER) == []
    assert await bench.job() == before
    assert await bench.parts.fetch_in_hand(WORKER) == []
    assert await bench.parts.fetch_workers() == set()


async def test_what_a_worker_has_in_hand_is_what_it_draws_or_has_not_shown(bench: Bench) -> None:
    drawing, drawn, shown, failed, waiting, _other = await bench.given(6, workers=["a"] * 5 + ["b"])
    await bench.draw(drawn)
    await bench.draw(shown)
    await _show(bench, shown)
    await bench.parts.requeue(waiting)
    await bench.parts.mark_failed(failed, "No.")
    assert [part.number for part in await bench.parts.fetch_in_hand("a")] == [drawing.number, drawn.number]
    assert [part.number for part in await bench.parts.fetch_in_hand("b")] == [5]
    assert await bench.parts.fetch_workers() == {"a", "b"}
    assert await bench.parts.fetch_in_hand("c") == []


async def test_what_is_in_hand_comes_in_the_order_of_the_jobs(bench: Bench) -> None:
    await bench.submit("1", created_at=5.0, count=2)
    await bench.submit("2", created_at=3.0)
    for job_id in ("1", "2", "1"):
        await bench.give(job_id)
    in_hand = [(part.job_id, part.number) for part in await bench.parts.fetch_in_hand(WORKER)]
    assert in_hand == [("2", 0), ("1", 0), ("1", 1)]


async def test_handing_back_lets_everything_wait_that_was_not_shown(bench: Bench) -> None:
    pieces = await bench.given(4, workers=["a", "a", "a", "b"])
    await bench.draw(pieces[0])
    await _show(bench, pieces[0])
    await bench.draw(pieces[1])
    assert await bench.parts.hand_back("a") == ["1"]
    assert await bench.states() == [PartState.SHOWN, PartState.WAITING, PartState.WAITING, PartState.RUNNING]
    assert [part.drawing is None for part in await bench.pictures()] == [False, True, True, True]
    assert await bench.state() is JobState.RUNNING
    assert await bench.parts.hand_back("a") == []
    assert await bench.give(worker="b") == Piece("1", 1, 2)


async def test_a_job_that_was_drawn_and_is_handed_back_whole_waits_like_a_new_one(bench: Bench) -> None:
    first, second = await bench.given(2)
    await bench.draw(first)
    await bench.draw(second)
    assert await bench.state() is JobState.DRAWN
    assert await bench.parts.hand_back(WORKER) == ["1"]
    assert await bench.state() is JobState.QUEUED
    assert await bench.parts.count_begun(["1"]) == {}


async def test_what_was_handed_back_is_not_the_first_worker_s_any_more(bench: Bench) -> None:
    (piece,) = await bench.given(1, workers=["a"])
    await bench.parts.hand_back("a")
    assert not await bench.parts.mark_drawn(piece, drawing_of(0))
    again = await bench.give(worker="b")
    assert not await bench.parts.mark_drawn(piece, drawing_of(0))
    assert not await bench.parts.mark_failed(piece, "No.")
    await bench.draw(again)


async def test_begun_pictures_are_counted_of_the_jobs_asked_for(bench: Bench) -> None:
    pieces = await bench.given(3)
    await bench.parts.requeue(pieces[1])
    await bench.draw(pieces[2])
    await bench.submit("2")
    done = (await bench.given(1, job_id="3"))[0]
    await bench.draw(done)
    assert await bench.parts.count_begun(["1", "2", "3"]) == {"1": 2, "3": 1}
    assert await bench.parts.count_begun(["3"]) == {"3": 1}
    assert await bench.parts.count_begun([]) == {}


async def test_pictures_that_end_at_once_leave_their_job_drawn(bench: Bench) -> None:
    for turn in range(20):
        job_id = str(turn)
        pieces = await bench.given(4, job_id=job_id)
        await asyncio.gather(*(bench.draw(piece) for piece in pieces))
        assert await bench.state(job_id) is JobState.DRAWN


async def test_a_picture_that_is_given_out_while_another_goes_back_is_drawn_all_the_same(server_url: sa.URL) -> None:
    """Whichever comes first, the job is running afterwards: a queued one would let go of what is being drawn."""
    async with open_database(server_url) as one, open_database(server_url) as other:
        here, there = Bench(one), Bench(other)
        for turn in range(20):
            job_id = str(turn)
            await here.submit(job_id, count=2)
            first = await here.give(job_id)
            given, _ = await asyncio.gather(there.give(job_id), here.parts.requeue(first))
            assert await here.state(job_id) is JobState.RUNNING
            await here.draw(given)
            await here.rows.mark_cancelled(job_id, 1.0)


async def test_what_happens_at_once_to_one_picture_happens_once(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        here, there = Bench(one), Bench(other)
        for turn in range(20):
            job_id = str(turn)
            (piece,) = await here.given(1, job_id=job_id)
            drawn, waiting, failed, back = await asyncio.gather(
                here.parts.mark_drawn(piece, drawing_of(0)),
                there.parts.requeue(piece),
                here.parts.mark_failed(piece, "No."),
                there.parts.hand_back("nobody"),
            )
            assert [bool(drawn), bool(waiting), failed].count(True) == 1
            assert back == []
            await here.rows.mark_failed(job_id, "No.", DELIVERED, 1.0)
