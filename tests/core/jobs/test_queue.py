"""The waiting jobs in memory, their pictures, people's accounts, and the bell."""

import asyncio
from typing import Any

import pytest
from msgspec import UNSET

from core.jobs.queue import Books, WaitingQueue, entry
from core.scheduling.cost import rank_of, work_of
from core.scheduling.scheduler import Account, WaitingJob
from tests.core.jobs.conftest import new_job


def waiting(
    job_id: str = "1", *, created_at: float = 100.0, owner_id: str = "42", pictures: int = 1, **asked: Any
) -> WaitingJob:
    return entry(new_job(job_id, created_at=created_at, owner_id=owner_id, count=pictures, **asked), pictures)


def lane(queue: WaitingQueue, owner_id: str) -> list[WaitingJob]:
    """One person's jobs in their order."""
    return [job for one in queue.waiting().lanes if one.owner_id == owner_id for job in one.jobs]


def ids(queue: WaitingQueue) -> dict[str, list[str]]:
    return {lane.owner_id: [job.job_id for job in lane.jobs] for lane in queue.waiting().lanes}


def test_jobs_wait_in_their_owner_s_lane_in_the_order_of_their_arrival_whenever_they_are_put() -> None:
    queue = WaitingQueue()
    for job_id, created_at in (("b", 2.0), ("c", 3.0), ("a", 1.0), ("c2", 3.0)):
        queue.put(waiting(job_id, created_at=created_at))
    queue.put(waiting("x", owner_id="43"))
    assert ids(queue) == {"42": ["a", "b", "c", "c2"], "43": ["x"]}
    assert [job.job_id for job in lane(queue, "42")] == ["a", "b", "c", "c2"]
    assert lane(queue, "44") == []
    assert queue.owner_ids == ["42", "43"]
    assert queue.job_ids == ["b", "c", "a", "c2", "x"]
    assert len(queue) == 5


def test_a_small_job_comes_before_a_large_one_of_the_same_owner_that_came_just_before() -> None:
    queue = WaitingQueue()
    queue.put(waiting("large", created_at=100.0, pictures=10, width=1024, height=1024, steps=100))
    queue.put(waiting("small", created_at=101.0))
    assert ids(queue) == {"42": ["small", "large"]}


def test_an_entry_holds_what_the_scheduler_has_to_know() -> None:
    job = new_job("1", checkpoint="dream", sampler="Euler a", count=4)
    found = entry(job, 3)
    work = work_of(job.request)
    assert (found.checkpoint, found.sampler, found.scheduler) == ("dream", "Euler a", None)
    assert (found.work, found.pictures, found.rank) == (work, 3, rank_of(100.0, work, 4))
    assert (found.weight, found.avoid, found.guild_id) == (1.0, frozenset(), "900")
    assert entry(new_job("2", guild_id=None, scheduler=UNSET), 1).guild_id is None


def test_a_job_is_there_once_and_the_last_word_counts() -> None:
    queue = WaitingQueue()
    queue.put(waiting("1", pictures=3))
    queue.put(waiting("1", created_at=5.0, pictures=2))
    assert len(queue) == 1
    assert [(job.created_at, job.pictures) for job in lane(queue, "42")] == [(5.0, 2)]
    assert queue.get("1") == lane(queue, "42")[0]
    queue.put(entry(new_job("1"), 0))
    assert (len(queue), queue.get("1"), queue.owner_ids) == (0, None, [])


def test_pictures_are_taken_one_by_one_until_the_job_is_gone() -> None:
    queue = WaitingQueue()
    queue.put(waiting("1", pictures=3))
    queue.put(waiting("2", created_at=101.0))
    left = []
    for _ in range(4):
        queue.take("1")
        job = queue.get("1")
        left.append(0 if job is None else job.pictures)
        assert [job.job_id for job in lane(queue, "42")] == (["1", "2"] if left[-1] else ["2"])
    assert left == [2, 1, 0, 0]
    queue.take("unknown")


def test_a_removed_job_is_gone_and_removing_it_again_does_nothing() -> None:
    queue = WaitingQueue()
    queue.put(waiting("1", checkpoint="dream"))
    assert lane(queue, "42")[0].checkpoint == "dream"
    queue.remove("1")
    queue.remove("1")
    assert (len(queue), queue.owner_ids, queue.waiting().lanes) == (0, [], ())


def test_what_people_were_given_is_kept_of_those_who_wait() -> None:
    queue = WaitingQueue()
    queue.put(waiting("1"))
    queue.know({"42": Account(3.0), "43": Account(4.0)}, 2.0)
    queue.put(waiting("2", owner_id="43"))
    found = queue.waiting()
    assert ({lane.owner_id: lane.account for lane in found.lanes}, found.clock) == (
        {"42": Account(3.0), "43": Account()},
        2.0,
    )
    queue.know({"43": Account(5.0)}, 3.0)
    found = queue.waiting()
    assert ([lane.account for lane in found.lanes], found.clock) == ([Account(3.0), Account(5.0)], 3.0)
    told = queue.waiting(Books({"43": Account(9.0)}, 7.0, frozenset({"42", "43"})))
    assert ([lane.account for lane in told.lanes], told.clock) == ([Account(), Account(9.0)], 7.0)


async def test_who_came_after_the_books_were_read_is_not_in_what_is_decided_with_them() -> None:
    queue = WaitingQueue()
    queue.put(waiting("1"))
    queue.put(waiting("2", owner_id="43"))
    assert [lane.owner_id for lane in queue.waiting(Books({}, 7.0, frozenset({"42"}))).lanes] == ["42"]


async def test_a_job_rings_the_bell_and_rings_in_between_count_as_one() -> None:
    queue = WaitingQueue()
    ring = asyncio.create_task(queue.wait())
    queue.put(waiting("1"))
    queue.put(waiting("2"))
    await asyncio.wait_for(ring, 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.wait(), 0.01)
    queue.ring()
    await asyncio.wait_for(queue.wait(), 1)
