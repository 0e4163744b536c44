"""The core's door: submit, cancel, look."""

import asyncio
import random
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from core.errors import NoDatabase, NoPlace, UserError
from core.jobs import points
from core.jobs.model import Delivered, JobState
from core.jobs.rows import Places
from core.request import GenerationRequest
from core.studio import Order
from core.understanding import Understanding
from core.webui.pool import Mode
from playground.webui import Fault
from tests.core.ground import Ground, fast_webui, opened_ground
from tests.core.jobs.conftest import drawing_of


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


def order(job_id: str = "1", *, owner_id: str = "42", guild_id: str = "900", **asked: Any) -> Order:
    request = GenerationRequest(**{"prompt": "a red fox", **asked})
    return Order(job_id=job_id, owner_id=owner_id, guild_id=guild_id, request=request, reply='{"channel":1}')


async def test_a_submitted_job_is_a_row_before_anybody_is_told(ground: Ground) -> None:
    ticket = await ground.studio.submit(order(steps=500, width=512, height=512))
    assert ticket is not None
    job = await ground.job("1")
    assert (job.state, job.owner_id, job.guild_id, job.reply) == (JobState.QUEUED, "42", "900", '{"channel":1}')
    assert job.request == ticket.request
    assert (job.request.steps, job.request.count) == (150, 1)
    assert job.notes == ticket.notes == ("Steps set to 150: 1 to 150 are allowed here.",)
    assert isinstance(job.request.seed, int)
    assert job.request.sampler is UNSET
    assert (ticket.place, ticket.obstacle) == (1, None)
    assert await ground.studio.fetch("1") == job


async def test_a_job_whose_owner_was_told_to_try_again_is_not_drawn(ground: Ground, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NoDatabase):
            await ground.studio.submit(order("1"))
    assert await ground.studio.submit(order("2")) is not None
    await ground.until_state("1", JobState.CANCELLED)
    assert ground.queue.job_ids == ["2"]


async def test_an_event_that_comes_again_while_the_database_hangs_takes_nothing_back(
    ground: Ground, tmp_path: Path
) -> None:
    assert await ground.studio.submit(order("1")) is not None
    with closing(sqlite3.connect(tmp_path / "easel.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        both = (ground.studio.submit(order("2")), ground.studio.submit(order("1")))
        outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NoDatabase, NoDatabase]
    await ground.until_state("2", JobState.CANCELLED)
    assert (await ground.job("1")).state is JobState.QUEUED


async def test_places_count_up(ground: Ground) -> None:
    tickets = [await ground.studio.submit(order(str(number))) for number in (1, 2, 3)]
    assert [ticket.place for ticket in tickets if ticket is not None] == [1, 2, 3]


async def test_a_command_that_arrives_twice_is_one_job(ground: Ground) -> None:
    assert await ground.studio.submit(order()) is not None
    assert await ground.studio.submit(order()) is None
    assert len(ground.queue) == 1


@pytest.mark.parametrize(
    "asked",
    [{"prompt": ""}, {"seed": -7}, {"width": 0, "height": 8}, {"sampler": "Eular"}, {"prompt": "<sd_cpp_extra_args>"}],
)
async def test_what_can_not_be_done_is_refused_and_leaves_no_row(ground: Ground, asked: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        await ground.studio.submit(order(**asked))
    assert await ground.studio.fetch("1") is None
    assert len(ground.queue) == 0


async def test_an_unknown_name_gets_the_nearest_and_the_lists_are_read_again(ground: Ground) -> None:
    before = ground.webui.count("/sdapi/v1/sd-models")
    with pytest.raises(UserError, match=r'no checkpoint called "dreamLandscape X".*nearest .*"dreamLandscapes_v4"'):
        await ground.studio.submit(order(checkpoint="dreamLandscape X"))
    await ground.webui.until(lambda: ground.webui.count("/sdapi/v1/sd-models") > before, what="another probe")


async def test_names_are_taken_on_trust_while_no_webui_has_answered(tmp_path: Path) -> None:
    async with fast_webui() as webui:
        webui.fault(Fault.UNAVAILABLE, times=None, route="/*")
        async with opened_ground(tmp_path, webui, dispatching=False) as ground:
            assert ground.studio.get_catalog() is None
            ticket = await ground.studio.submit(order(checkpoint="whatever"))
    assert ticket is not None
    assert ticket.obstacle is not None


async def test_the_catalog_is_what_the_webuis_offer(ground: Ground) -> None:
    catalog = ground.studio.get_catalog()
    assert catalog is not None
    assert "dreamLandscapes_v4" in {checkpoint.stem for checkpoint in catalog.checkpoints}


async def test_a_waiting_job_is_cancelled_before_it_is_begun(ground: Ground) -> None:
    await ground.studio.submit(order())
    assert await ground.studio.cancel("1", "42") is JobState.QUEUED
    assert (await ground.job("1")).state is JobState.CANCELLED
    assert len(ground.queue) == 0


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (JobState.CANCELLED, "This job was cancelled already."),
        (JobState.FAILED, "This job has ended already."),
        (JobState.DRAWN, "Too late: the picture is drawn already."),
        (JobState.DONE, "Too late: the picture is drawn already."),
    ],
)
async def test_a_cancellation_that_comes_too_late_is_told_why(ground: Ground, state: JobState, sentence: str) -> None:
    await ground.studio.submit(order())
    if state is JobState.CANCELLED:
        await ground.rows.mark_cancelled("1", 1.0)
    else:
        piece = await ground.given_out("1")
    if state is JobState.FAILED:
        await ground.rows.mark_failed("1", "No.", Delivered("kept", None), 2.0)
    elif state is not JobState.CANCELLED:
        await ground.parts.mark_drawn(piece, drawing_of(0))
    if state is JobState.DONE:
        await ground.rows.mark_done("1", Delivered("kept", None), 2.0)
    with pytest.raises(UserError, match=sentence):
        await ground.studio.cancel("1", "42")
    assert (await ground.job("1")).state is state


async def test_only_the_owner_can_cancel(ground: Ground) -> None:
    await ground.studio.submit(order())
    with pytest.raises(UserError, match="Only the person who asked"):
        await ground.studio.cancel("1", "43")
    assert (await ground.job("1")).state is JobState.QUEUED


async def test_a_job_that_nobody_knows_can_not_be_cancelled(ground: Ground) -> None:
    with pytest.raises(UserError, match="don't know this job"):
        await ground.studio.cancel("1", "42")


async def test_the_message_of_a_reply_is_noted(ground: Ground) -> None:
    heard: list[points.Point] = []
    points.listen(lambda point, _job_id: heard.append(point))
    try:
        ticket = await ground.studio.submit(order())
        assert ticket is not None
        await ground.studio.note_message(ticket, "555")
    finally:
        points._listeners.pop()
    job = await ground.job("1")
    assert (job.message_id, job.expected_at) == ("555", ticket.starts_at)
    assert heard == ["submitted", "replied"]


async def test_who_has_no_place_left_is_told_when_to_come_back(tmp_path: Path) -> None:
    places = Places(per_person=2, per_server=3)
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False, places=places) as ground:
        for number in (1, 2):
            await ground.studio.submit(order(str(number)))
        with pytest.raises(NoPlace, match=r"You have 2 jobs in the queue.*cancel one with /queue") as mine:
            await ground.studio.submit(order("3"))
        await ground.studio.submit(order("4", owner_id="43"))
        with pytest.raises(NoPlace, match="This server has 3 jobs in the queue") as server:
            await ground.studio.submit(order("5", owner_id="44"))
        now = time.time()
        assert all(full.value.again_at is not None and full.value.again_at > now for full in (mine, server))
        assert [await ground.studio.fetch(job_id) for job_id in ("3", "5")] == [None, None]
        assert len(ground.queue) == 3
        await ground.studio.cancel("1", "42")
        assert await ground.studio.submit(order("6")) is not None


async def test_when_a_place_is_free_is_not_told_where_nobody_knows(tmp_path: Path) -> None:
    async with fast_webui() as webui:
        webui.fault(Fault.UNAVAILABLE, times=None, route="/*")
        async with opened_ground(tmp_path, webui, dispatching=False, places=Places(per_person=1)) as ground:
            await ground.studio.submit(order("1"))
            with pytest.raises(NoPlace) as full:
                await ground.studio.submit(order("2"))
            assert full.value.again_at is None


async def test_the_queue_shows_turns_and_one_s_own_jobs(ground: Ground) -> None:
    await ground.studio.submit(order("1", owner_id="43", guild_id="901"))
    await ground.studio.submit(order("2", count=2))
    await ground.studio.submit(order("3"))
    await ground.given_out("2")
    page = await ground.studio.look("42")
    assert page.waiting == ground.studio.waiting == 3
    assert sorted(turn.job_id for turn in page.turns) == ["1", "2", "3"]
    assert page.guilds == {"1": "901", "2": "900", "3": "900"}
    assert [(mine.job.id, mine.job.state, mine.expectation is None) for mine in page.mine] == [
        ("2", JobState.RUNNING, True),
        ("3", JobState.QUEUED, False),
    ]
    assert page.obstacle is None
    assert [job.id for job in await ground.studio.fetch_mine("42")] == ["2", "3"]


async def test_a_cancellation_reaches_whoever_draws_it(ground: Ground) -> None:
    await ground.studio.submit(order(count=3))
    await ground.given_out("1")
    assert await ground.studio.cancel("1", "42") is JobState.RUNNING
    assert len(ground.queue) == 0


async def test_an_admin_pauses_and_resumes_a_webui(ground: Ground) -> None:
    (view,) = ground.studio.webuis()
    await ground.studio.set_mode(view.key, Mode.PAUSED)
    assert ground.studio.webuis()[0].mode is Mode.PAUSED
    assert "paused by an admin" in (ground.studio.explain() or "")
    ticket = await ground.studio.submit(order())
    assert ticket is not None
    assert ticket.obstacle == ground.studio.explain()
    await ground.studio.set_mode(view.key, Mode.OPEN)
    assert ground.studio.explain() is None
    with pytest.raises(UserError, match="don't know this webui"):
        await ground.studio.set_mode("http://gone:7860", Mode.PAUSED)


async def test_what_a_person_weighs_is_in_the_row_and_in_the_queue(ground: Ground) -> None:
    await ground.studio.submit(replace(order(), weight=2.5))
    assert (await ground.job("1")).weight == 2.5
    waiting = ground.queue.get("1")
    assert waiting is not None
    assert waiting.weight == 2.5


class NotingRandom(random.Random):
    """Remembers where it was asked."""

    def __init__(self) -> None:
        super().__init__(1)
        self.on_loop: list[bool] = []

    def randint(self, a: int, b: int) -> int:
        self.on_loop.append(threading.current_thread() is threading.main_thread())
        return super().randint(a, b)


@pytest.mark.parametrize(
    ("asked", "on_loop"),
    [
        ({}, True),
        ({"prompt": "a {red|blue} fox"}, False),
        ({"prompt": "a __colour__ fox"}, False),
        ({"negative_prompt": "{snow|rain}"}, False),
    ],
)
async def test_choices_are_drawn_beside_the_loop(ground: Ground, asked: dict[str, Any], on_loop: bool) -> None:
    chance = NotingRandom()
    ground.studio._understanding = Understanding(rng=chance)
    ticket = await ground.studio.submit(order(**asked))
    assert ticket is not None
    assert chance.on_loop == [on_loop]
    with pytest.raises(UserError, match='no lora called "nothing"'):
        await ground.studio.submit(order("2", prompt="a {<lora:nothing:1>|<lora:nothing:2>}"))


async def test_what_only_different_webuis_have_is_not_queued(tmp_path: Path) -> None:
    async with (
        fast_webui(checkpoints=("ink.safetensors",)) as first,
        fast_webui(checkpoints=("noir.safetensors",)) as second,
        opened_ground(tmp_path, first, second, dispatching=False) as ground,
    ):
        for number, name in enumerate(("ink", "noir")):
            assert await ground.studio.submit(order(str(number), checkpoint=name)) is not None
        with pytest.raises(UserError, match=r'No webui here has all of this together\. .* lacks: checkpoint "noir"\.'):
            await ground.studio.submit(order("2", checkpoint="ink", refiner_checkpoint="noir"))
        assert {job.id for job in await ground.studio.fetch_mine("42")} == {"0", "1"}
