"""Job rows in a real SQLite file: every change of state, and what it refuses."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.model import Delivered, Job, JobState
from core.jobs.rows import JobRows
from core.store.database import database_url, open_database
from tests.core.jobs.conftest import DRAWING, new_job

DELIVERED = Delivered("reply", "555")


async def job_in(rows: JobRows, state: JobState, job_id: str = "1") -> Job:
    """A job that went to `state` the ordinary way, on its first attempt."""
    await rows.submit(new_job(job_id))
    if state is JobState.CANCELLED:
        await rows.mark_cancelled(job_id, 200.0)
    elif state is not JobState.QUEUED:
        assert await rows.mark_running(job_id, "http://gpu:7860", 150.0) == 1
    if state in (JobState.DRAWN, JobState.DONE):
        await rows.mark_drawn(job_id, 1, DRAWING)
    if state is JobState.DONE:
        await rows.mark_done(job_id, DELIVERED, 300.0)
    if state is JobState.FAILED:
        await rows.mark_failed(job_id, "It failed.", DELIVERED, 300.0)
    job = await rows.fetch(job_id)
    assert job is not None
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
        attempt=0,
        breaks=0,
        backend=None,
        task_id=None,
        drawing=None,
        sentence=None,
        message_id=None,
        created_at=100.0,
        started_at=None,
    )


async def test_a_job_that_is_not_there_is_none(rows: JobRows) -> None:
    assert await rows.fetch("1") is None
    assert await rows.mark_running("1", "key", 1.0) is None
    assert await rows.mark_cancelled("1", 1.0) is None


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
    rows = JobRows(database)
    answers = await asyncio.gather(*(rows.submit(new_job(str(number))) for number in range(200)))
    assert answers == [True] * 200
    assert len(await rows.fetch_unfinished()) == 200
    assert len(commits) <= 5


async def test_a_job_is_on_disk_once_submit_returns(rows: JobRows, url: sa.URL) -> None:
    await rows.submit(new_job())
    other = sa.create_engine(url.set(drivername="sqlite"))
    with other.connect() as connection:
        assert connection.scalar(sa.text("SELECT state FROM jobs WHERE id = '1'")) == "queued"
    other.dispose()


async def test_a_submitter_who_gives_up_does_not_take_the_others_along(rows: JobRows) -> None:
    impatient = asyncio.create_task(rows.submit(new_job("1")))
    patient = asyncio.create_task(rows.submit(new_job("2")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    assert {job.id for job in await rows.fetch_unfinished()} == {"1", "2"}


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
    assert all(isinstance(answer, sa.exc.OperationalError) for answer in answers)
    async with database.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE away RENAME TO jobs"))
    assert await rows.submit(new_job("1"))


async def test_unfinished_jobs_come_oldest_first_and_ended_ones_not_at_all(rows: JobRows) -> None:
    for number, state in enumerate(JobState):
        await job_in(rows, state, str(number))
    await rows.submit(new_job("99", created_at=1.0))
    unfinished = await rows.fetch_unfinished()
    assert [(job.id, job.state) for job in unfinished] == [
        ("99", JobState.QUEUED),
        ("0", JobState.QUEUED),
        ("1", JobState.RUNNING),
        ("2", JobState.DRAWN),
    ]


async def test_the_ordinary_way_leaves_everything_in_the_row(rows: JobRows, database: AsyncEngine) -> None:
    await rows.submit(new_job())
    assert await rows.mark_running("1", "http://gpu:7860", 150.0) == 1
    await rows.note_message("1", "444")
    await rows.note_task("1", "easel-1-abc")
    assert await rows.mark_drawn("1", 1, DRAWING)
    assert await rows.mark_done("1", DELIVERED, 300.0)
    job = await rows.fetch("1")
    assert job is not None
    assert (job.state, job.attempt, job.backend, job.task_id) == (JobState.DONE, 1, "http://gpu:7860", "easel-1-abc")
    assert (job.drawing, job.message_id, job.started_at) == (DRAWING, "555", 150.0)
    async with database.connect() as connection:
        row = (await connection.execute(sa.text("SELECT delivered_to, finished_at FROM jobs"))).one()
    assert tuple(row) == ("reply", 300.0)


async def test_a_delivery_without_a_message_keeps_the_one_that_was_known(rows: JobRows) -> None:
    await job_in(rows, JobState.DRAWN)
    await rows.note_message("1", "444")
    assert await rows.mark_done("1", Delivered("kept", None), 300.0)
    job = await rows.fetch("1")
    assert job is not None
    assert job.message_id == "444"


Change = Callable[[JobRows], Coroutine[Any, Any, object]]
CHANGES: dict[str, tuple[Change, set[JobState]]] = {
    "mark_running": (lambda rows: rows.mark_running("1", "other", 999.0), {JobState.QUEUED}),
    "requeue": (lambda rows: rows.requeue("1", 1, broke=True), {JobState.RUNNING}),
    "mark_drawn": (lambda rows: rows.mark_drawn("1", 1, DRAWING), {JobState.RUNNING}),
    "mark_done": (lambda rows: rows.mark_done("1", DELIVERED, 999.0), {JobState.DRAWN}),
    "mark_failed": (lambda rows: rows.mark_failed("1", "No.", DELIVERED, 999.0), {JobState.RUNNING, JobState.DRAWN}),
    "mark_cancelled": (lambda rows: rows.mark_cancelled("1", 999.0), {JobState.QUEUED, JobState.RUNNING}),
}


@pytest.mark.parametrize("state", list(JobState))
@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_is_made_in_the_right_state_and_else_changes_nothing(
    rows: JobRows, name: str, state: JobState
) -> None:
    change, allowed = CHANGES[name]
    before = await job_in(rows, state)
    answer = await change(rows)
    after = await rows.fetch("1")
    assert after is not None
    if state in allowed:
        assert answer
        assert after.state is not state
    else:
        assert not answer
        assert after == before


@pytest.mark.parametrize("attempt", [0, 2])
async def test_an_older_attempt_changes_nothing(rows: JobRows, attempt: int) -> None:
    before = await job_in(rows, JobState.RUNNING)
    assert not await rows.requeue("1", attempt, broke=False)
    assert not await rows.mark_drawn("1", attempt, DRAWING)
    assert await rows.fetch("1") == before


async def test_each_time_a_backend_is_given_the_job_is_an_attempt(rows: JobRows) -> None:
    await rows.submit(new_job())
    for attempt in (1, 2, 3):
        assert await rows.mark_running("1", "key", 1.0) == attempt
        assert await rows.requeue("1", attempt, broke=attempt > 1)
    job = await rows.fetch("1")
    assert job is not None
    assert (job.attempt, job.breaks) == (3, 2)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING])
async def test_a_cancellation_says_what_it_cancelled(rows: JobRows, state: JobState) -> None:
    await job_in(rows, state)
    assert await rows.mark_cancelled("1", 200.0) is state


async def test_of_a_cancellation_and_a_start_at_once_the_row_decides(rows: JobRows) -> None:
    for number in range(20):
        job_id = str(number)
        await rows.submit(new_job(job_id))
        changes = [rows.mark_running(job_id, "key", 1.0), rows.mark_cancelled(job_id, 1.0)]
        if number % 2:
            changes.reverse()
        answers = await asyncio.gather(*changes)
        attempt = next((answer for answer in answers if isinstance(answer, int)), None)
        was = next(answer for answer in answers if isinstance(answer, JobState))
        assert was is (JobState.QUEUED if attempt is None else JobState.RUNNING)
        job = await rows.fetch(job_id)
        assert job is not None
        assert job.state is JobState.CANCELLED


async def test_of_a_cancellation_and_a_drawing_at_once_one_wins(rows: JobRows) -> None:
    for number in range(20):
        job_id = str(number)
        await job_in(rows, JobState.RUNNING, job_id)
        drawn, was = await asyncio.gather(rows.mark_drawn(job_id, 1, DRAWING), rows.mark_cancelled(job_id, 1.0))
        assert (drawn is not None) is (was is None)


async def test_only_one_of_many_that_cancel_at_once_did_it(rows: JobRows) -> None:
    await rows.submit(new_job())
    answers = await asyncio.gather(*(rows.mark_cancelled("1", 1.0) for _ in range(5)))
    assert sorted(answer is not None for answer in answers) == [False] * 4 + [True]


async def test_rows_outlive_the_connection(tmp_path: Path) -> None:
    url = database_url(None, tmp_path)
    async with open_database(url) as engine:
        await job_in(JobRows(engine), JobState.DRAWN)
    async with open_database(url) as engine:
        (job,) = await JobRows(engine).fetch_unfinished()
        assert job.drawing == DRAWING
        assert math.isclose(job.created_at, 100.0)
