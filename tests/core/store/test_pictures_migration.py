"""Jobs of version 0.1 become jobs with pictures: what was drawn is kept, what was being drawn is drawn again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command

from core.images.store import Kept
from core.jobs.ledger import Ledger
from core.jobs.model import Drawing, Job, JobState, Part, PartState
from core.jobs.parts import PartRows
from core.jobs.rows import JobRows
from core.role import ALONE
from core.store.database import database_url, migrate, open_database
from tests.core.ground import give_out
from tests.core.store.test_database import plain_engine, run_alembic

GPU = "http://gpu:7860"
FILES = [Kept(f"{letter * 64}.png", "png", 64, 64, 9, None) for letter in "ab"]
RESULT = {
    "pictures": msgspec.to_builtins(FILES),
    "seeds": [7, 8],
    "warnings": ["W."],
    "checkpoint": "ink",
    "steps": 3,
    "seconds": 1.5,
}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.URL]:
    """A database as version 0.1 left it, with a job in each state; their ids are those."""
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    url = database_url(configured, tmp_path)
    run_alembic(url, command.upgrade, "0001")
    drawn = {"attempt": 2, "backend": GPU, "result": json.dumps(RESULT), "started_at": 150.0}
    insert_old(url, "queued")
    insert_old(url, "waiting again", state="queued", attempt=1, backend=GPU, breaks=1, started_at=150.0)
    insert_old(url, "running", attempt=1, backend=GPU, task_id="easel-1-abc", started_at=150.0)
    insert_old(url, "drawn", **drawn)
    insert_old(url, "done", **drawn, message_id="555", delivered_to="reply", finished_at=300.0)
    insert_old(url, "failed", attempt=1, backend=GPU, sentence="It failed.", finished_at=300.0)
    insert_old(url, "failed late", **drawn, state="failed", sentence="No.", finished_at=300.0)
    insert_old(url, "cancelled", finished_at=300.0)
    insert_old(url, "single", request=json.dumps({"prompt": "a red fox", "seed": 7}))
    yield url


def insert_old(url: sa.URL, job_id: str, **values: Any) -> None:
    row = {
        "id": job_id,
        "state": job_id,
        "owner_id": "42",
        "guild_id": None,
        "request": json.dumps({"prompt": "a red fox", "seed": 7, "count": 2}),
        "notes": '["Steps set to 2."]',
        "reply": "{}",
        "attempt": 0,
        "breaks": 0,
        "created_at": 100.0,
        **values,
    }
    if job_id == "single":
        row["state"] = "queued"
    names = ", ".join(row)
    slots = ", ".join(f":{name}" for name in row)
    engine = plain_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO jobs ({names}) VALUES ({slots})"), row)  # noqa: S608  # our own names
    engine.dispose()


async def found(url: sa.URL) -> dict[str, tuple[Job, list[Part]]]:
    async with open_database(url) as engine:
        parts = PartRows(engine)
        async with engine.connect() as connection:
            ids = list((await connection.execute(sa.text("SELECT id FROM jobs"))).scalars())
        rows = {job_id: await parts.fetch(job_id) for job_id in ids}
        return {job_id: row for job_id, row in rows.items() if row is not None}


def picture(job_id: str, number: int, state: PartState) -> Part:
    drawing = Drawing(
        pictures=(FILES[number],),
        seeds=(7 + number,),
        numbers=(number,),
        warnings=("W.",),
        checkpoint="ink",
        steps=3,
        seconds=0.75,
    )
    return Part(
        job_id=job_id,
        number=number,
        state=state,
        worker=ALONE,
        backend=GPU,
        attempt=2,
        breaks=0,
        task_id=None,
        drawing=drawing,
    )


async def test_every_job_is_there_and_what_was_being_drawn_waits_again(url: sa.URL) -> None:
    states = {job_id: job.state for job_id, (job, _) in (await found(url)).items()}
    assert states == {
        "queued": JobState.QUEUED,
        "waiting again": JobState.QUEUED,
        "running": JobState.QUEUED,
        "drawn": JobState.DRAWN,
        "done": JobState.DONE,
        "failed": JobState.FAILED,
        "failed late": JobState.FAILED,
        "cancelled": JobState.CANCELLED,
        "single": JobState.QUEUED,
    }


async def test_what_was_drawn_are_pictures_of_the_one_worker_there_was(url: sa.URL) -> None:
    parts = {job_id: parts for job_id, (_, parts) in (await found(url)).items() if parts}
    assert parts == {
        "drawn": [picture("drawn", number, PartState.DRAWN) for number in (0, 1)],
        "done": [picture("done", number, PartState.SHOWN) for number in (0, 1)],
        "failed late": [picture("failed late", number, PartState.DRAWN) for number in (0, 1)],
    }


async def test_all_else_that_was_known_of_a_job_stays(url: sa.URL) -> None:
    jobs = {job_id: job for job_id, (job, _) in (await found(url)).items()}
    done = jobs["done"]
    assert (done.message_id, done.delivered_to, done.started_at, done.notes) == (
        "555",
        "reply",
        150.0,
        ("Steps set to 2.",),
    )
    assert jobs["failed"].sentence == "It failed."
    assert {(job.weight, job.avoid, job.expected_at) for job in jobs.values()} == {(1.0, frozenset(), None)}
    engine = plain_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT id, pictures FROM jobs"))
        assert {row.id: row.pictures for row in rows} == {job_id: 1 if job_id == "single" else 2 for job_id in jobs}
    engine.dispose()


async def test_jobs_go_on_where_they_were(url: sa.URL) -> None:
    async with open_database(url) as engine:
        rows, parts = JobRows(engine), PartRows(engine)
        waiting = [job.id async for some in rows.read_queue() for job in some]
        assert set(waiting) == {"queued", "waiting again", "running", "single"}
        in_hand = await parts.fetch_in_hand(ALONE)
        assert [(part.job_id, part.number) for part in in_hand] == [("drawn", 0), ("drawn", 1)]
        piece = await give_out(Ledger(engine, ALONE), "running", GPU)
        assert (piece.number, piece.attempt) == (0, 1)


def test_back_in_version_0_1_what_is_not_done_is_drawn_again(url: sa.URL) -> None:
    migrate(url)
    run_alembic(url, command.downgrade, "0001")
    engine = plain_engine(url)
    with engine.connect() as connection:
        rows = list(connection.execute(sa.text("SELECT id, state, attempt, breaks, result FROM jobs")).mappings())
    engine.dispose()
    assert {row["id"]: row["state"] for row in rows if row["state"] == "queued"}.keys() == {
        "queued",
        "waiting again",
        "running",
        "drawn",
        "single",
    }
    assert {(row["attempt"], row["breaks"], row["result"]) for row in rows} == {(0, 0, None)}
    migrate(url)


def test_what_was_drawn_and_has_ended_is_in_the_gallery(url: sa.URL) -> None:
    migrate(url)
    query = sa.text("SELECT job_id, number, seed, checkpoint, words FROM gallery ORDER BY job_id, number")
    engine = plain_engine(url)
    with engine.connect() as connection:
        entered = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    assert entered == [
        (job_id, number, 7 + number, "ink", "a red fox") for job_id in ("done", "failed late") for number in range(2)
    ]
