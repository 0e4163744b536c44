"""Job rows in a real database of either kind: every change of state, and what it refuses."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs import rows as module
from core.jobs.ledger import Stale
from core.jobs.model import Delivered, Job, JobState
from core.jobs.rows import JobRows, Places
from core.store.database import open_database
from core.store.schema import jobs
from tests.core.jobs.conftest import DELIVERED, DRAWING, Bench, drawing_of, new_job, queue_of


async def job_in(bench: Bench, state: JobState, job_id: str = "1") -> Job:
    """A job that went to `state` the ordinary way, on its first attempt."""
    await bench.submit(job_id)
    if state is JobState.CANCELLED:
        await bench.rows.mark_cancelled(job_id, 200.0)
    elif state is not JobState.QUEUED:
        piece = await bench.give(job_id)
    if state in (JobState.DRAWN, JobState.DONE):
        await bench.draw(piece)
    if state is JobState.DONE:
        await bench.rows.mark_done(job_id, DELIVERED, 300.0)
    if state is JobState.FAILED:
        await bench.rows.mark_failed(job_id, "It failed.", DELIVERED, 300.0)
    job = await bench.job(job_id)
    assert job.state is state
    return job


async def test_a_submitted_job_is_read_back_as_it_was(rows: JobRows) -> None:
    new = new_job(negative_prompt="blurry", cfg_scale=6.5, private=True)
    assert await rows.submit(new)
    job = await rows.fetch("1")
    assert job == Job(
        id=new.id,
        state=JobState.QUEUED,
        owner_id=new.owner_id,
        guild_id=new.guild_id,
        request=new.request,
        notes=new.notes,
        reply=new.reply,
        weight=1.0,
        avoid=frozenset(),
        sentence=None,
        message_id=None,
        delivered_to=None,
        created_at=100.0,
        expected_at=None,
        started_at=None,
    )


async def test_a_job_that_is_not_there_is_none(rows: JobRows) -> None:
    assert await rows.fetch("1") is None
    assert await rows.mark_cancelled("1", 1.0) is None
    assert not await rows.mark_done("1", DELIVERED, 1.0)
    assert not await rows.mark_failed("1", "No.", DELIVERED, 1.0)


async def test_the_same_id_twice_is_one_job(rows: JobRows) -> None:
    assert await rows.submit(new_job(prompt="first"))
    assert not await rows.submit(new_job(prompt="second"))
    job = await rows.fetch("1")
    assert job is not None
    assert job.request.prompt == "first"


async def test_the_same_id_twice_at_once_is_new_for_one_of_them(rows: JobRows) -> None:
    answers = await asyncio.gather(*(rows.submit(new_job()) for _ in range(5)))
    assert sorted(answers) == [False] * 4 + [True]


async def test_two_hundred_at_once_share_transactions_and_none_is_lost(database: AsyncEngine) -> None:
    commits: list[object] = []
    sa.event.listen(database.sync_engine, "commit", commits.append)
    rows = JobRows(database, Places(per_person=200))
    answers = await asyncio.gather(*(rows.submit(new_job(str(number))) for number in range(200)))
    assert answers == [True] * 200
    assert len(await queue_of(rows)) == 200
    assert len(commits) <= 5


async def test_a_job_is_on_disk_once_submit_returns(rows: JobRows, url: sa.URL) -> None:
    await rows.submit(new_job())
    other = sa.create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    with other.connect() as connection:
        assert connection.scalar(sa.text("SELECT state FROM jobs WHERE id = '1'")) == "queued"
    other.dispose()


async def begin(writing: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
    """Let a job be submitted, until its insertion is on its way or it waits for the one that is."""
    task = asyncio.create_task(writing)
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_a_submitter_who_gives_up_does_not_take_the_others_along(rows: JobRows) -> None:
    writing = await begin(rows.submit(new_job("1")))
    impatient, patient = await begin(rows.submit(new_job("2"))), await begin(rows.submit(new_job("3")))
    impatient.cancel()
    assert await writing
    assert await patient
    assert not await rows.was_written("2")
    assert {job.id for job in await queue_of(rows)} == {"1", "3"}


async def test_what_is_written_after_its_submitter_gave_up_is_known(rows: JobRows) -> None:
    for expected in (True, False):  # the second time it was there before
        impatient = await begin(rows.submit(new_job("1")))
        impatient.cancel()
        assert await rows.was_written("1") is expected
        assert not await rows.was_written("1")


async def test_a_job_that_can_not_be_written_fails_alone(rows: JobRows) -> None:
    broken = new_job("1", checkpoint="\ud800")
    async with asyncio.timeout(5):
        first, second = await asyncio.gather(rows.submit(broken), rows.submit(new_job("2")), return_exceptions=True)
    assert isinstance(first, UnicodeEncodeError)
    assert second is True


async def test_a_database_that_fails_is_told_to_everyone_and_later_jobs_are_written(
    rows: JobRows, database: AsyncEngine
) -> None:
    async with database.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE jobs RENAME TO away"))
    answers = await asyncio.gather(*(rows.submit(new_job(str(n))) for n in range(3)), return_exceptions=True)
    assert all(isinstance(answer, sa.exc.DBAPIError) for answer in answers)
    async with database.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE away RENAME TO jobs"))
    assert await rows.submit(new_job("1"))


async def test_the_queue_comes_oldest_first_and_what_is_drawn_or_at_an_end_not_at_all(bench: Bench) -> None:
    for number, state in enumerate(JobState):
        await job_in(bench, state, str(number))
    await bench.submit("99", created_at=1.0)
    assert [(job.id, job.state) for job in await queue_of(bench.rows)] == [
        ("99", JobState.QUEUED),
        ("0", JobState.QUEUED),
        ("1", JobState.RUNNING),
    ]
    assert [job.id for job in await bench.rows.fetch_queue(["0", "2", "77"])] == ["0"]


async def test_a_long_queue_is_read_in_pieces_and_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    for number in range(5):
        await bench.submit(str(number), created_at=float(number // 2))  # some came at the same moment
    pieces = [[job.id for job in some] async for some in bench.rows.read_queue()]
    assert pieces == [["0", "1"], ["2", "3"], ["4"]]


async def test_a_job_that_gets_no_further_picture_is_not_in_the_queue_of_those_that_wait(bench: Bench) -> None:
    first, _second = await bench.given(2)
    await bench.parts.mark_failed(first, "It failed.")
    assert await queue_of(bench.rows) == []
    assert [job.id for job in await bench.rows.fetch_of("42")] == ["1"]


async def test_a_person_s_jobs_are_their_own_alone_the_oldest_first(bench: Bench) -> None:
    await bench.submit("1", created_at=5.0)
    await bench.submit("2", created_at=3.0)
    await bench.submit("3", created_at=1.0, owner_id="43")
    await bench.submit("4", created_at=2.0)
    await bench.rows.mark_cancelled("4", 9.0)
    assert [job.id for job in await bench.rows.fetch_of("42")] == ["2", "1"]
    assert await bench.rows.fetch_of("44") == []


async def test_the_ordinary_way_leaves_everything_in_the_row(bench: Bench) -> None:
    await bench.submit()
    await bench.rows.note_message("1", "444", 160.0)
    piece = await bench.give()
    await bench.draw(piece)
    assert await bench.rows.mark_done("1", DELIVERED, 300.0)
    job = await bench.job()
    assert (job.state, job.message_id, job.delivered_to) == (JobState.DONE, "555", "reply")
    assert (job.expected_at, job.started_at) == (160.0, 150.0)
    async with bench.engine.connect() as connection:
        assert await connection.scalar(sa.text("SELECT finished_at FROM jobs")) == 300.0


async def test_a_job_at_its_end_is_found_by_its_message(bench: Bench) -> None:
    await job_in(bench, JobState.DRAWN)
    await bench.rows.note_message("1", "555")
    assert await bench.rows.fetch_ended_in("555") is None
    await bench.rows.mark_done("1", DELIVERED, 300.0)
    found = await bench.rows.fetch_ended_in("555")
    assert found is not None
    assert found.id == "1"
    assert await bench.rows.fetch_ended_in("444") is None


async def test_a_message_whose_start_nobody_can_say_leaves_what_was_said(bench: Bench) -> None:
    await bench.submit()
    await bench.rows.note_message("1", "444", 160.0)
    await bench.rows.note_message("1", "445")
    job = await bench.job()
    assert (job.message_id, job.expected_at) == ("445", 160.0)


async def test_a_delivery_without_a_message_keeps_the_one_that_was_known(bench: Bench) -> None:
    await job_in(bench, JobState.DRAWN)
    await bench.rows.note_message("1", "444")
    assert await bench.rows.mark_done("1", Delivered("kept", None), 300.0)
    job = await bench.job()
    assert (job.message_id, job.delivered_to) == ("444", "kept")


Change = Callable[[JobRows], Coroutine[Any, Any, object]]
UNFINISHED = {JobState.QUEUED, JobState.RUNNING, JobState.DRAWN}
CHANGES: dict[str, tuple[Change, set[JobState]]] = {
    "mark_done": (lambda rows: rows.mark_done("1", DELIVERED, 999.0), {JobState.RUNNING, JobState.DRAWN}),
    "mark_failed": (lambda rows: rows.mark_failed("1", "No.", DELIVERED, 999.0), UNFINISHED),
    "mark_cancelled": (lambda rows: rows.mark_cancelled("1", 999.0), {JobState.QUEUED, JobState.RUNNING}),
}


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_made_in_the_right_state_and_else_changes_nothing(
    bench: Bench, name: str, state: JobState
) -> None:
    change, allowed = CHANGES[name]
    before = await job_in(bench, state)
    answer = await change(bench.rows)
    after = await bench.job()
    if state in allowed:
        assert answer
        assert after.state is not state
    else:
        assert not answer
        assert after == before


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
async def test_a_cancellation_says_what_it_cancelled(bench: Bench, state: JobState) -> None:
    await job_in(bench, state)
    assert await bench.rows.mark_cancelled("1", 200.0) is state


async def test_of_a_cancellation_and_a_start_at_once_the_row_decides(bench: Bench) -> None:
    for number in range(20):
        job_id = str(number)
        await bench.submit(job_id, owner_id=job_id)

        async def start(job_id: str = job_id) -> bool:
            try:
                await bench.give(job_id)
            except Stale:
                return False
            return True

        changes: list[Coroutine[Any, Any, Any]] = [start(), bench.rows.mark_cancelled(job_id, 1.0)]
        if number % 2:
            changes.reverse()
        answers = await asyncio.gather(*changes)
        started = next(answer for answer in answers if isinstance(answer, bool))
        was = next(answer for answer in answers if isinstance(answer, JobState))
        assert was is (JobState.RUNNING if started else JobState.QUEUED)
        assert await bench.state(job_id) is JobState.CANCELLED


async def test_of_a_cancellation_and_a_drawing_at_once_one_wins(bench: Bench) -> None:
    for number in range(20):
        job_id = str(number)
        await bench.submit(job_id)
        piece = await bench.give(job_id)
        drawn, was = await asyncio.gather(
            bench.parts.mark_drawn(piece, DRAWING), bench.rows.mark_cancelled(job_id, 1.0)
        )
        assert drawn is (was is None)
        assert await bench.state(job_id) is (JobState.DRAWN if drawn else JobState.CANCELLED)
        await bench.rows.mark_done(job_id, DELIVERED, 2.0)


async def test_only_one_of_many_that_cancel_at_once_did_it(rows: JobRows) -> None:
    await rows.submit(new_job())
    answers = await asyncio.gather(*(rows.mark_cancelled("1", 1.0) for _ in range(5)))
    assert sorted(answer is not None for answer in answers) == [False] * 4 + [True]


async def test_rows_outlive_the_connection(url: sa.URL) -> None:
    async with open_database(url) as engine:
        await job_in(Bench(engine), JobState.DRAWN)
    async with open_database(url) as engine:
        bench = Bench(engine)
        (picture,) = await bench.pictures()
        assert picture.drawing == drawing_of(0)
        assert math.isclose((await bench.job()).created_at, 100.0)


async def test_a_row_that_can_not_be_read_does_not_hide_the_others(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.submit("1")
    await bench.submit("2")
    async with bench.engine.begin() as connection:
        await connection.execute(sa.update(jobs).where(jobs.c.id == "1").values(request="{"))
    assert [job.id for job in await queue_of(bench.rows)] == ["2"]
    assert "can't be read" in caplog.text


@pytest.mark.parametrize("state", list(JobState))
async def test_the_images_of_unfinished_jobs_are_needed(bench: Bench, state: JobState) -> None:
    await job_in(bench, JobState.QUEUED, "other")
    await bench.submit("over", image="a" * 64, mask="b" * 64)
    async with bench.engine.begin() as connection:
        await connection.execute(sa.update(jobs).where(jobs.c.id == "over").values(state=state))
    is_unfinished = state in (JobState.QUEUED, JobState.RUNNING, JobState.DRAWN)
    assert await bench.rows.fetch_input_keys() == ({"a" * 64, "b" * 64} if is_unfinished else set())


async def test_a_prompt_that_speaks_of_an_image_needs_none(bench: Bench) -> None:
    await bench.submit("1", prompt='{"image":"x"} "image":')
    await bench.submit("2", image="a" * 64)
    assert await bench.rows.fetch_input_keys() == {"a" * 64}


async def test_a_row_that_can_not_be_read_needs_no_image(bench: Bench) -> None:
    await bench.submit("1", image="a" * 64)
    await bench.submit("2", image="b" * 64)
    async with bench.engine.begin() as connection:
        broken = sa.update(jobs).where(jobs.c.id == "1").values(request='{"image":7}')
        await connection.execute(broken)
    assert await bench.rows.fetch_input_keys() == {"b" * 64}
