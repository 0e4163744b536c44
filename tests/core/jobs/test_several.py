"""A job of several pictures on two webuis: seeds, showing as it goes, and what happens if one of them fails or dies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from core.errors import BadRequest, ServerFault
from core.jobs.model import JobState
from playground.webui import Fault, LocalWebui
from tests.core.ground import Ground, fast_webui, opened_ground

Two = tuple[LocalWebui, LocalWebui, Ground]


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with fast_webui() as first, fast_webui() as second, opened_ground(tmp_path, first, second) as ground:
        yield first, second, ground


async def seeds_of_one_webui(count: int) -> list[int]:
    """What one webui draws that is asked for all of them at once."""
    payload = {"prompt": "a red fox", "seed": 7, "steps": 1, "width": 64, "height": 64, "n_iter": count}
    async with (
        fast_webui() as webui,
        aiohttp.ClientSession() as session,
        session.post(f"{webui.url}/sdapi/v1/txt2img", json=payload) as answer,
    ):
        seeds: list[int] = json.loads((await answer.json())["info"])["all_seeds"]
        return seeds


async def test_the_seeds_are_those_that_one_webui_would_have_used(two: Two) -> None:
    first, second, ground = two
    ticket = await ground.submit(count=6)
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    assert shown.drawing.ordered_seeds() == await seeds_of_one_webui(6)
    assert [number for number, _ in shown.drawing.numbered()] == list(range(6))
    assert sorted(render.seed for webui in (first, second) for render in webui.renders) == list(range(7, 13))
    assert first.renders
    assert second.renders
    assert len({kept.name for kept in shown.drawing.pictures}) == 6
    assert (await ground.until_state(ticket.job_id, JobState.DONE)).sentence is None


async def test_each_picture_is_shown_as_it_is_done(two: Two) -> None:
    first, second, ground = two
    slow, quick = first, second
    slow.hold()
    ticket = await ground.submit(count=3)
    await ground.until(lambda: len(fresh(ground, ticket.job_id)) == 2)
    assert not any(one.final for one in ground.delivery.of("pictures", ticket.job_id))
    assert len(quick.renders) == 2
    slow.release()
    last = await ground.until_delivered(ticket.job_id)
    assert last.drawing is not None
    assert last.drawing.ordered_seeds() == [7, 8, 9]
    assert sorted(fresh(ground, ticket.job_id)) == [0, 1, 2]
    assert not any(one.perhaps_done for one in ground.delivery.of("pictures"))


async def test_a_webui_that_dies_in_the_middle_leaves_its_picture_to_the_other(two: Two) -> None:
    first, second, ground = two
    for webui in two[:2]:
        webui.hold()
    ticket = await ground.submit(count=2)
    await at_work(first, second)
    lost = second.renders[0].seed
    second.refuse_connections()
    await ground.until(lambda: bool(ground.delivery.of("waiting", ticket.job_id)))
    first.release()
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    assert shown.drawing.ordered_seeds() == [7, 8]
    assert sorted(render.seed for render in first.renders) == [7, 8]
    part = await ground.part(ticket.job_id, lost - 7)
    assert (part.attempt, part.breaks, part.backend) == (2, 1, first.url)
    await ground.until_state(ticket.job_id, JobState.DONE)


async def test_a_picture_that_one_webui_can_not_draw_is_tried_by_the_other(two: Two) -> None:
    first, _second, ground = two
    first.fault(Fault.LEAKY_ERROR, times=None)
    ticket = await ground.submit(count=3)
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    assert shown.drawing.ordered_seeds() == [7, 8, 9]
    assert shown.drawing.warnings == ()
    job = await ground.until_state(ticket.job_id, JobState.DONE)
    assert job.avoid == {first.url}
    assert first.count("/sdapi/v1/txt2img") <= 2  # the second may be on its way when the first comes back
    assert {waiting.sentence for waiting in ground.delivery.of("waiting")} == {
        f"{ServerFault.sentence} Another webui tries it."
    }


async def test_a_picture_that_no_webui_can_draw_fails_when_each_has_tried(two: Two) -> None:
    first, second, ground = two
    for webui in (first, second):
        webui.fault(Fault.LEAKY_ERROR, times=None)
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    assert (shown.what, shown.sentence) == ("sentence", ServerFault.sentence)
    job = await ground.until_state(ticket.job_id, JobState.FAILED)
    assert job.sentence == ServerFault.sentence
    assert [webui.count("/sdapi/v1/txt2img") for webui in (first, second)] == [1, 1]
    assert (await ground.part(ticket.job_id)).attempt == 2


async def fail_on_the_first(two: Two, count: int) -> str:
    """A job: the first webui has failed at one picture for good, the second has another and does not get on."""
    first, second, ground = two
    second.hold()
    first.fault(Fault.VALIDATION_ECHO)
    ticket = await ground.submit(count=count)
    await second.until(lambda: second.running)
    await ground.until(lambda: any("failed" in record for record in ground.engine.records.values()))
    await ground.until(lambda: any(step == "deliver" for _, step in ground.engine.records))
    assert ground.delivery.of("sentence") == []
    return ticket.job_id


async def test_a_job_one_of_whose_pictures_fails_ends_with_the_others_and_why(two: Two) -> None:
    _first, second, ground = two
    job_id = await fail_on_the_first(two, 4)
    second.release()
    await ground.until(lambda: bool(ground.delivery.of("pictures", job_id)))
    job = await ground.until_state(job_id, JobState.DONE)
    (shown,) = ground.delivery.of("pictures", job_id)
    assert shown.drawing is not None
    assert (len(shown.drawing.pictures), shown.drawing.warnings[-1], shown.final) == (1, BadRequest.sentence, True)
    assert job.sentence == BadRequest.sentence
    assert len(ground.queue) == 0


async def test_a_job_that_gets_no_further_picture_ends_also_if_its_last_one_goes_back(two: Two) -> None:
    """One failed for good; the other's connection broke, so that it would be drawn again, but nobody will."""
    _first, second, ground = two
    job_id = await fail_on_the_first(two, 2)
    second.refuse_connections()
    await ground.until(lambda: bool(ground.delivery.of("sentence", job_id)))
    job = await ground.until_state(job_id, JobState.FAILED)
    assert job.sentence == BadRequest.sentence
    assert ground.delivery.of("waiting", job_id) == []
    second.release()


async def test_a_cancellation_stops_every_webui_that_is_at_work_on_it(two: Two) -> None:
    first, second, ground = two
    for webui in (first, second):
        webui.hold()
    ticket = await ground.submit(count=4)
    await at_work(first, second)
    await ground.studio.cancel(ticket.job_id, "42")
    await first.until(lambda: first.renders[0].state == "interrupted")
    await second.until(lambda: second.renders[0].state == "interrupted")
    for webui in (first, second):
        webui.release()
    other = await ground.submit(seed=100)
    await ground.until_delivered(other.job_id)
    assert [len(webui.interrupts) for webui in (first, second)] == [1, 1]
    assert ground.delivery.of("pictures", ticket.job_id) == []
    assert len(first.renders) + len(second.renders) == 3


async def test_progress_never_goes_backwards(two: Two) -> None:
    first, second, ground = two
    for webui in (first, second):
        webui.hold(at_step=1)
    ticket = await ground.submit(count=3, steps=4)
    await at_work(first, second)

    def fractions() -> list[float]:
        glimpses = [one.glimpse for one in ground.delivery.of("progress", ticket.job_id)]
        return [one.fraction for one in glimpses if one is not None and one.fraction is not None]

    await ground.until(lambda: len(fractions()) >= 2)
    first.release()
    await ground.until(lambda: len(fresh(ground, ticket.job_id)) == 2)
    second.release()
    await ground.until_delivered(ticket.job_id)
    seen = fractions()
    assert seen == sorted(seen)
    assert 0.0 < seen[-1] <= 1.0


def fresh(ground: Ground, job_id: str) -> list[int]:
    """Which pictures were shown, in the order in which they were."""
    return [number for one in ground.delivery.of("pictures", job_id) for number in sorted(one.fresh)]


async def at_work(*webuis: LocalWebui) -> None:
    """Until each of them draws."""
    for webui in webuis:
        await _until_running(webui)


async def _until_running(webui: LocalWebui) -> None:
    await webui.until(lambda: webui.running)
