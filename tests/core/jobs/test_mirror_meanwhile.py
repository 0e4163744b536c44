"""The queue in memory follows the rows, also while both change in the midst of a reading."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.ledger import Ledger
from core.jobs.mirror import Mirror
from core.jobs.model import NewJob
from core.jobs.parts import PartRows
from core.jobs.queue import WaitingQueue, entry
from core.jobs.rows import JobRows
from core.request import GenerationRequest
from core.store.database import database_url, open_database
from tests.core.ground import give_out


class SlowParts(PartRows):
    """The rows of pictures, where one counting of them can be held while other things happen."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(engine)
        self.counting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def count_begun(self, job_ids: Collection[str]) -> dict[str, int]:
        begun = await super().count_begun(job_ids)
        if not self.counting.is_set():
            self.counting.set()
            await self.go_on.wait()
        return begun


@dataclass
class Desk:
    """A database with its mirror."""

    rows: JobRows
    parts: SlowParts
    ledger: Ledger
    queue: WaitingQueue = field(default_factory=WaitingQueue)

    def __post_init__(self) -> None:
        self.mirror = Mirror(rows=self.rows, parts=self.parts, ledger=self.ledger, queue=self.queue, shared=False)

    async def submit(self, job_id: str) -> None:
        """As somebody's command does."""
        request = GenerationRequest(prompt="a red fox", seed=1, count=2)
        job = NewJob(
            id=job_id, owner_id="42", guild_id=None, request=request, notes=(), reply="{}", created_at=float(job_id)
        )
        assert await self.rows.submit(job)
        self.queue.put(entry(job, 2))

    def waiting(self) -> dict[str, int]:
        """How many pictures of each job wait."""
        ids = self.queue.job_ids
        return {job_id: job.pictures for job_id in ids if (job := self.queue.get(job_id)) is not None}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_database(database_url(None, tmp_path)) as database:
        yield Desk(JobRows(database), SlowParts(database), Ledger(database, "easel"))


async def test_a_job_that_comes_while_everything_is_read_is_not_forgotten(desk: Desk) -> None:
    await desk.submit("1")
    desk.parts.go_on.clear()
    loading = asyncio.create_task(desk.mirror.load())
    await desk.parts.counting.wait()
    await desk.submit("2")
    desk.parts.go_on.set()
    await loading
    assert desk.waiting() == {"1": 2, "2": 2}


async def test_what_waits_no_longer_is_forgotten(desk: Desk) -> None:
    await desk.submit("1")
    await desk.submit("2")
    await desk.rows.mark_cancelled("1", 1.0)
    await give_out(desk.ledger, "2", "one")
    await desk.mirror.load()
    assert desk.waiting() == {"2": 1}


async def test_a_picture_that_comes_back_while_everything_is_read_waits_again(desk: Desk) -> None:
    await desk.submit("1")
    pieces = [await give_out(desk.ledger, "1", backend) for backend in ("one", "two")]
    desk.parts.go_on.clear()
    loading = asyncio.create_task(desk.mirror.load())
    await desk.parts.counting.wait()
    await desk.parts.requeue(pieces[0])
    refreshing = asyncio.create_task(desk.mirror.refresh(["1"]))
    await asyncio.wait([refreshing], timeout=0.2)  # it has to wait: the other one would write over it
    desk.parts.go_on.set()
    await asyncio.gather(loading, refreshing)
    assert desk.waiting() == {"1": 1}
