"""How many jobs a person and a server may have in the queue, also where many come at once and through two gateways."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.model import JobState, NewJob
from core.jobs.rows import JobRows, Places, QueueFull
from core.store.database import open_database
from tests.core.jobs.conftest import DELIVERED, Bench, drawing_of, new_job, queue_of


async def race(rows: Sequence[JobRows], jobs: Sequence[NewJob]) -> Counter[str]:
    """All at once, over each of `rows` in turn; how often each answer came."""
    submits = [rows[number % len(rows)].submit(job) for number, job in enumerate(jobs)]
    answers = await asyncio.gather(*submits, return_exceptions=True)
    return Counter(f"full: {one.whose} {one.taken}" if isinstance(one, QueueFull) else str(one) for one in answers)


async def test_the_last_place_of_a_person_goes_to_one_of_thirty_at_once(database: AsyncEngine) -> None:
    rows = JobRows(database, Places(per_person=3))
    for number in (1, 2):
        await rows.submit(new_job(str(number)))
    answers = await race([rows], [new_job(str(number)) for number in range(100, 130)])
    assert answers == {"True": 1, "full: person 3": 29}
    assert len(await rows.fetch_of("42")) == 3


async def test_the_last_place_of_a_server_goes_to_one_of_thirty_people_at_once(database: AsyncEngine) -> None:
    rows = JobRows(database, Places(per_server=2))
    await rows.submit(new_job("1", owner_id="1"))
    answers = await race([rows], [new_job(str(number), owner_id=str(number)) for number in range(100, 130)])
    assert answers == {"True": 1, "full: server 2": 29}
    assert len(await queue_of(rows)) == 2


async def test_two_gateways_do_not_give_the_same_last_place_away(server_url: sa.URL) -> None:
    places = Places(per_person=3)
    async with open_database(server_url) as one, open_database(server_url) as other:
        gateways = [JobRows(one, places), JobRows(other, places)]
        for turn in range(10):  # each is a race that a missing lock would lose now and then
            owner_id = f"9{turn}"
            jobs = [new_job(f"{turn}{number:03}", owner_id=owner_id) for number in range(30)]
            assert await race(gateways, jobs) == {"True": 3, "full: person 3": 27}
            assert len(await gateways[0].fetch_of(owner_id)) == 3


async def test_a_command_that_comes_through_two_gateways_is_one_job(server_url: sa.URL) -> None:
    async with open_database(server_url) as one, open_database(server_url) as other:
        gateways = [JobRows(one), JobRows(other)]
        for turn in range(5):
            answers = await race(gateways, [new_job(str(turn))] * 6)
            assert answers == {"True": 1, "False": 5}


async def test_a_duplicate_is_a_duplicate_also_where_the_queue_is_full(database: AsyncEngine) -> None:
    rows = JobRows(database, Places(per_person=1))
    answers = await race([rows], [new_job("1"), new_job("1"), new_job("2")])
    assert answers == {"True": 1, "False": 1, "full: person 1": 1}
    assert await rows.submit(new_job("1")) is False


async def test_a_server_has_no_say_in_direct_messages(database: AsyncEngine) -> None:
    rows = JobRows(database, Places(per_person=3, per_server=1))
    answers = await race([rows], [new_job(str(number), guild_id=None) for number in range(4)])
    assert answers == {"True": 3, "full: person 3": 1}


async def test_one_person_s_places_are_counted_over_all_their_servers(database: AsyncEngine) -> None:
    rows = JobRows(database, Places(per_person=2))
    answers = await race([rows], [new_job(str(number), guild_id=str(number)) for number in range(3)])
    assert answers == {"True": 2, "full: person 2": 1}


@pytest.mark.parametrize("end", ["drawn", "failed", "cancelled"])
async def test_a_place_is_free_again_once_nothing_is_left_to_be_drawn(bench: Bench, end: str) -> None:
    rows = JobRows(bench.engine, Places(per_person=1))
    await rows.submit(new_job("1"))
    piece = await bench.give("1")
    with pytest.raises(QueueFull):
        await rows.submit(new_job("2"))  # one that is being drawn has its place
    if end == "drawn":
        await bench.parts.mark_drawn(piece, drawing_of(0))
    elif end == "failed":
        await rows.mark_failed("1", "No.", DELIVERED, 2.0)
    else:
        await rows.mark_cancelled("1", 2.0)
    assert await rows.submit(new_job("2"))
    assert await bench.state("2") is JobState.QUEUED
