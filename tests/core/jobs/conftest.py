"""What the tests of jobs share: a database file with its tables, and jobs to put into it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.images.store import Kept
from core.jobs.model import Drawing, NewJob
from core.jobs.rows import JobRows
from core.request import GenerationRequest
from core.store.database import database_url, open_database


@pytest.fixture
def url(tmp_path: Path) -> sa.URL:
    return database_url(None, tmp_path)


@pytest.fixture
async def database(url: sa.URL) -> AsyncIterator[AsyncEngine]:
    async with open_database(url) as engine:
        yield engine


@pytest.fixture
def rows(database: AsyncEngine) -> JobRows:
    return JobRows(database)


def new_job(job_id: str = "1", *, created_at: float = 100.0, owner_id: str = "42", **asked: Any) -> NewJob:
    request = {"prompt": "a red fox", "seed": 7, "steps": 2, "width": 64, "height": 64, **asked}
    return NewJob(
        id=job_id,
        owner_id=owner_id,
        guild_id="900",
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
