"""Keep hands the drawn row on to deliver in memory; everything else is read, so that a cancellation still counts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from core.jobs.engine import STOP, Record
from core.jobs.model import Drawing, Job, JobState
from core.jobs.rows import JobRows
from tests.core.ground import Ground, fast_webui, opened_ground


class CountingRows(JobRows):
    """Real rows that remember how often they were read."""

    reads = 0

    async def fetch(self, job_id: str) -> Job | None:
        self.reads += 1
        return await super().fetch(job_id)


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Ground]:
    """The test runs the steps."""
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


async def rendered_job(ground: Ground) -> tuple[str, Record]:
    """A job whose render has just ended, and the record of that."""
    ticket = await ground.submit()
    await ground.rows.mark_running(ticket.job_id, ground.webui.url, 1.0)
    return ticket.job_id, await ground.pipeline.render(ticket.job_id, 1, {})


async def test_deliver_takes_the_row_from_keep_in_the_same_process(still: Ground) -> None:
    rows = still.pipeline.rows = CountingRows(still.rows._engine)
    job_id, record = await rendered_job(still)
    await still.pipeline.deliver(job_id, 1, await still.pipeline.keep(job_id, 1, record))
    assert rows.reads == 2
    assert (await still.job(job_id)).state is JobState.DONE


async def test_a_message_that_became_known_while_drawing_is_handed_on_too(still: Ground) -> None:
    job_id, record = await rendered_job(still)
    await still.rows.note_message(job_id, "444")
    await still.pipeline.deliver(job_id, 1, await still.pipeline.keep(job_id, 1, record))
    (shown,) = still.delivery.of("pictures", job_id)
    assert shown.job.message_id == "444"


async def _by_its_owner(ground: Ground, job_id: str) -> None:
    await ground.studio.cancel(job_id, "42")


async def _by_another_process(ground: Ground, job_id: str) -> None:
    await ground.rows.mark_cancelled(job_id, 2.0)


@pytest.mark.parametrize("cancel", [_by_its_owner, _by_another_process])
async def test_a_job_that_is_cancelled_between_two_steps_is_not_delivered(
    still: Ground, cancel: Callable[[Ground, str], Awaitable[None]]
) -> None:
    job_id, record = await rendered_job(still)
    await cancel(still, job_id)
    assert await still.pipeline.keep(job_id, 1, record) == STOP
    await still.pipeline.deliver(job_id, 1, {})
    assert (await still.job(job_id)).state is JobState.CANCELLED
    assert still.delivery.of("pictures", job_id) == []
    assert not (still.pictures._spool / job_id).exists()
    assert list(still.pictures._pictures.rglob("*.png")) == []


async def test_a_job_that_is_cancelled_while_its_pictures_are_kept_leaves_nothing_in_the_spool(still: Ground) -> None:
    class Cancelling(JobRows):
        async def mark_drawn(self, job_id: str, attempt: int, drawing: Drawing) -> Job | None:
            await still.studio.cancel(job_id, "42")
            return await super().mark_drawn(job_id, attempt, drawing)

    still.pipeline.rows = Cancelling(still.rows._engine)
    job_id, record = await rendered_job(still)
    assert await still.pipeline.keep(job_id, 1, record) == STOP
    assert (await still.job(job_id)).state is JobState.CANCELLED
    assert not (still.pictures._spool / job_id).exists()


async def test_a_delivery_that_is_tried_again_reads_the_row(still: Ground) -> None:
    job_id, record = await rendered_job(still)
    kept = await still.pipeline.keep(job_id, 1, record)
    for _ in range(2):
        await still.pipeline.deliver(job_id, 1, kept)
    assert len(still.delivery.of("pictures", job_id)) == 1
