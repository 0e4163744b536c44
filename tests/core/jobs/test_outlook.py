"""What is to be expected of the queue and the webuis as they are."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.jobs.model import Job, JobState
from core.jobs.outlook import Outlook, facts_of
from core.jobs.queue import WaitingQueue, entry
from core.webui.breaker import Circuit
from core.webui.pool import Health, Mode
from tests.core.jobs.conftest import job_of, new_job
from tests.core.jobs.views import CATALOG, StillFleet, as_fleet, view


def outlook(*job_ids: str, fleet: StillFleet | None = None) -> Outlook:
    queue = WaitingQueue()
    for number, job_id in enumerate(job_ids):
        queue.put(entry(new_job(job_id, created_at=100.0 + number, width=1024, height=1024, steps=20), 1))
    return Outlook(queue, as_fleet(fleet or StillFleet()))


def test_a_webui_is_to_the_scheduler_what_its_view_says() -> None:
    seen = view("a", default_checkpoint="dream", speed=0.5, load_seconds=9.0)
    facts = facts_of(seen)
    assert (facts.key, facts.up, facts.idle, facts.accepts) == ("a", True, True, True)
    assert (facts.catalog, facts.speed, facts.load_seconds, facts.default_checkpoint) == (CATALOG, 0.5, 9.0, "dream")
    assert not facts_of(view("a", Health.DOWN)).up
    assert not facts_of(view("a", mode=Mode.PAUSED)).accepts
    assert not facts_of(view("a", circuit=Circuit.OPEN)).accepts


def test_another_worker_s_webui_is_never_idle_for_us() -> None:
    assert not facts_of(view("a"), mine=False).idle


async def test_a_job_s_place_and_start_are_told_while_it_waits() -> None:
    found = outlook("1", "2")
    first, second = found.of_job("1"), found.of_job("2")
    assert first is not None
    assert second is not None
    assert (first.place, second.place) == (1, 2)
    assert first.starts_at is not None
    assert second.starts_at is not None
    assert second.starts_at > first.starts_at
    assert found.of_job("unknown") is None
    assert [turn.job_id for turn in await found.turns()] == ["1", "2"]
    assert [turn.job_id for turn in await found.turns(1)] == ["1"]


def test_what_a_webui_is_at_work_on_comes_before() -> None:
    since = time.time()
    busy = view("a", idle=False, job_id="9-0", since=since, work=50.0, speed=2.0)
    expectation = outlook("1", fleet=StillFleet([busy])).of_job("1")
    assert expectation is not None
    assert expectation.starts_at == pytest.approx(since + 100.0, abs=1.0)


async def test_nobody_can_say_when_it_begins_where_nothing_takes_it() -> None:
    found = outlook("1", fleet=StillFleet([view("a", Health.DOWN)]))
    expectation = found.of_job("1")
    assert expectation is not None
    assert (expectation.place, expectation.starts_at) == (1, None)
    assert await found.turns() == []


def job(**changes: object) -> Job:
    return replace(job_of(1), state=JobState.RUNNING, **changes)  # type: ignore[arg-type]  # a test says what differs


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ([], False),
        ([view("b")], True),
        ([view("b", idle=False, job_id="9-0")], True),
        ([view("b", Health.DOWN)], False),
        ([view("b", mode=Mode.PAUSED)], False),
        ([view("b", circuit=Circuit.OPEN)], False),
        ([view("b", catalog=None)], False),
        ([view("b", Health.DOWN), view("c")], True),
    ],
)
def test_another_webui_could_draw_it_where_one_takes_jobs(others: list[object], found: bool) -> None:
    fleet = StillFleet([view("a"), *others])  # type: ignore[list-item]  # all are views
    assert outlook(fleet=fleet).elsewhere(job(), "a") is found


def test_another_webui_that_failed_at_it_or_lacks_a_name_is_none() -> None:
    found = outlook(fleet=StillFleet([view("a"), view("b")]))
    assert not found.elsewhere(job(avoid=frozenset({"b"})), "a")
    wanted = job(request=new_job("1", checkpoint="ink").request)
    assert not found.elsewhere(wanted, "a")
    assert found.elsewhere(job(request=new_job("1", checkpoint="dream").request), "a")
