"""What the tests of jobs share: a database of either kind with its tables, and jobs to put into it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.images.store import Kept
from core.jobs.engine import Piece
from core.jobs.ledger import Ledger
from core.jobs.model import Delivered, Drawing, Job, JobState, NewJob, Part, PartState
from core.jobs.parts import PartRows
from core.jobs.rows import JobRows
from core.request import GenerationRequest
from core.store.database import database_url, open_database
from tests.core.ground import WORKER, give_out

GPU = "http://gpu:7860"
DELIVERED = Delivered("reply", "555")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> sa.URL:
    """A new database of either kind."""
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    return database_url(configured, tmp_path)


@pytest.fixture
def server_url(postgres_url: str, tmp_path: Path) -> sa.URL:
    """A new database on PostgreSQL, for what only several processes can do."""
    return database_url(postgres_url, tmp_path)


@pytest.fixture
async def database(url: sa.URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(url) as engine:
        yield engine


@pytest.fixture
def rows(database: AsyncEngine) -> JobRows:
    return JobRows(database)


@pytest.fixture
def parts(database: AsyncEngine) -> PartRows:
    return PartRows(database)


@pytest.fixture
def ledger(database: AsyncEngine) -> Ledger:
    return Ledger(database, WORKER)


def new_job(
    job_id: str = "1", *, created_at: float = 100.0, owner_id: str = "42", guild_id: str | None = "900", **asked: Any
) -> NewJob:
    request = {"prompt": "a red fox", "seed": 7, "steps": 2, "width": 64, "height": 64, **asked}
    return NewJob(
        id=job_id,
        owner_id=owner_id,
        guild_id=guild_id,
        request=GenerationRequest(**request),
        notes=("Steps set to 2.",),
        reply='{"channel":1}',
        created_at=created_at,
    )


DRAWING = Drawing(
    pictures=(Kept(f"{'ab' * 32}.png", "png", 64, 64, 1234, "a red fox\nSteps: 2"),),
    seeds=(7,),
    warnings=("The webui took 3 steps instead of 2.",),
    checkpoint="dream",
    sampler="Euler a",
    steps=3,
    cfg_scale=7.0,
    seconds=1.25,
)


async def queue_of(rows: JobRows) -> list[Job]:
    """Everything that may wait, read as the mirror reads it."""
    return [job async for some in rows.read_queue() for job in some]


def drawing_of(number: int) -> Drawing:
    """One picture of a job, as its row holds it."""
    (kept,) = DRAWING.pictures
    name = f"{number:064x}.png"
    return replace(DRAWING, pictures=(replace(kept, name=name),), seeds=(7 + number,), numbers=(number,))


def job_of(pictures: int, *, state: JobState = JobState.RUNNING, sentence: str | None = None) -> Job:
    """A job at work, as its row says; no database knows it."""
    new = new_job("1", count=pictures)
    return Job(
        id=new.id,
        state=state,
        owner_id=new.owner_id,
        guild_id=new.guild_id,
        request=new.request,
        notes=new.notes,
        reply=new.reply,
        weight=1.0,
        avoid=frozenset(),
        sentence=sentence,
        message_id=None,
        created_at=new.created_at,
        expected_at=None,
        started_at=1.0,
    )


class Bench:
    """Rows of jobs, and pictures given out by hand."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.rows = JobRows(engine)
        self.parts = PartRows(engine)

    async def submit(self, job_id: str = "1", **asked: Any) -> None:
        assert await self.rows.submit(new_job(job_id, **asked))

    async def give(self, job_id: str = "1", *, worker: str = WORKER, backend: str = GPU, now: float = 150.0) -> Piece:
        """The next picture of the job to this worker."""
        return await give_out(Ledger(self.engine, worker), job_id, backend, now)

    async def given(self, pictures: int, *, workers: Iterable[str] = (WORKER,), job_id: str = "1") -> list[Piece]:
        """A job of so many pictures, each given out, to the workers in turn."""
        await self.submit(job_id, count=pictures)
        names = list(workers)
        return [await self.give(job_id, worker=names[number % len(names)]) for number in range(pictures)]

    async def draw(self, piece: Piece) -> None:
        assert await self.parts.mark_drawn(piece, drawing_of(piece.number))

    async def job(self, job_id: str = "1") -> Job:
        job = await self.rows.fetch(job_id)
        assert job is not None
        return job

    async def state(self, job_id: str = "1") -> JobState:
        return (await self.job(job_id)).state

    async def pictures(self, job_id: str = "1") -> list[Part]:
        found = await self.parts.fetch(job_id)
        assert found is not None
        return found[1]

    async def states(self, job_id: str = "1") -> list[PartState]:
        return [part.state for part in await self.pictures(job_id)]


@pytest.fixture
def bench(database: AsyncEngine) -> Bench:
    return Bench(database)
