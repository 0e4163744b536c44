"""The core's door: submit, cancel, look."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from core.errors import UserError
from core.jobs import points
from core.jobs.model import Delivered, JobState
from core.request import GenerationRequest
from core.studio import Order
from playground.webui import Fault
from tests.core.ground import Ground, fast_webui, opened_ground
from tests.core.jobs.conftest import DRAWING


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


def order(job_id: str = "1", **asked: Any) -> Order:
    request = GenerationRequest(**{"prompt": "a red fox", **asked})
    return Order(job_id=job_id, owner_id="42", guild_id="900", request=request, reply='{"channel":1}')


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
    assert await ground.studio.cancel("1", "42") == "Cancelled before it was begun."
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
        await ground.rows.mark_running("1", "key", 1.0)
    if state is JobState.FAILED:
        await ground.rows.mark_failed("1", "No.", Delivered("kept", None), 2.0)
    elif state is not JobState.CANCELLED:
        await ground.rows.mark_drawn("1", 1, DRAWING)
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
        await ground.studio.submit(order())
        await ground.studio.note_message("1", "555")
    finally:
        points._listeners.pop()
    assert (await ground.job("1")).message_id == "555"
    assert heard == ["submitted", "replied"]
