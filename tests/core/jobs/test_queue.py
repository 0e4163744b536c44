"""The waiting jobs in memory and their bell."""

import asyncio

import pytest

from core.jobs.queue import WaitingQueue
from tests.core.jobs.conftest import new_job


def test_jobs_wait_in_the_order_of_their_arrival_whenever_they_are_added() -> None:
    queue = WaitingQueue()
    for job_id, created_at in (("b", 2.0), ("c", 3.0), ("a", 1.0), ("c2", 3.0)):
        queue.add(new_job(job_id, created_at=created_at))
    assert [job.job_id for job in queue.snapshot()] == ["a", "b", "c", "c2"]
    assert [queue.place(job_id) for job_id in ("a", "b", "c", "c2", "x")] == [1, 2, 3, 4, None]
    assert len(queue) == 4


def test_a_job_is_there_once() -> None:
    queue = WaitingQueue()
    queue.add(new_job("1"))
    queue.add(new_job("1", created_at=5.0))
    assert len(queue) == 1
    assert queue.snapshot()[0].created_at == 100.0


def test_a_removed_job_is_gone_and_removing_it_again_does_nothing() -> None:
    queue = WaitingQueue()
    queue.add(new_job("1", checkpoint="dream"))
    assert queue.snapshot()[0].checkpoint == "dream"
    queue.remove("1")
    queue.remove("1")
    assert (len(queue), queue.place("1")) == (0, None)


async def test_a_job_rings_the_bell_and_rings_in_between_count_as_one() -> None:
    queue = WaitingQueue()
    waiting = asyncio.create_task(queue.wait())
    queue.add(new_job("1"))
    queue.add(new_job("2"))
    await asyncio.wait_for(waiting, 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.wait(), 0.01)
    queue.ring()
    await asyncio.wait_for(queue.wait(), 1)
