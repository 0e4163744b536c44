"""Every step reads the rows, so that a cancellation between two of them still counts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from core.jobs.engine import STOP, Piece, Record
from core.jobs.model import Drawing, JobState
from core.jobs.parts import PartRows
from tests.core.ground import WORKER, Ground, fast_webui, opened_ground


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Ground]:
    """The test runs the steps."""
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


async def rendered(ground: Ground) -> tuple[Piece, Record]:
    """A picture whose render has just ended, and the record of that."""
    ticket = await ground.submit()
    piece = await ground.given_out(ticket.job_id)
    return piece, await ground.pipeline.render(piece, {})


async def test_an_attempt_that_is_over_leaves_the_files_of_the_next_one_alone(tmp_path: Path) -> None:
    webuis = one, two = fast_webui(name="one"), fast_webui(name="two")
    for webui in webuis:
        webui.hold(1)
    async with one, two, opened_ground(tmp_path, one, two) as ground:
        ticket = await ground.submit(steps=5)
        await ground.until(lambda: any(webui.running for webui in webuis))
        assert await ground.parts.hand_back(WORKER) == [ticket.job_id]  # another worker takes this one for dead
        ground.mirror.note(ticket.job_id)
        await one.until(lambda: one.running, what="the one to draw")
        await two.until(lambda: two.running, what="the other to draw")
        await ground.pipeline.stop_what_ended()
        await ground.until(lambda: ground.pipeline.in_hand == 1)
        for webui in webuis:
            webui.release()
        await ground.until_delivered(ticket.job_id)
    assert sorted(render.state for webui in webuis for render in webui.renders) == ["done", "interrupted"]
    assert ground.delivery.of("waiting") == []


async def test_deliver_reads_what_keep_wrote(still: Ground) -> None:
    piece, record = await rendered(still)
    assert await still.pipeline.keep(piece, record) == {}
    await still.pipeline.deliver(piece, {})
    (shown,) = still.delivery.of("pictures", piece.job_id)
    assert shown.drawing == (await still.part(piece.job_id)).drawing
    assert (await still.job(piece.job_id)).state is JobState.DONE


async def test_a_message_that_became_known_while_drawing_is_handed_on_too(still: Ground) -> None:
    piece, record = await rendered(still)
    await still.rows.note_message(piece.job_id, "444")
    await still.pipeline.deliver(piece, await still.pipeline.keep(piece, record))
    (shown,) = still.delivery.of("pictures", piece.job_id)
    assert shown.job.message_id == "444"


async def _by_its_owner(ground: Ground, job_id: str) -> None:
    await ground.studio.cancel(job_id, "42")


async def _by_another_process(ground: Ground, job_id: str) -> None:
    await ground.rows.mark_cancelled(job_id, 2.0)


@pytest.mark.parametrize("cancel", [_by_its_owner, _by_another_process])
async def test_a_job_that_is_cancelled_between_two_steps_is_not_delivered(
    still: Ground, cancel: Callable[[Ground, str], Awaitable[None]]
) -> None:
    piece, record = await rendered(still)
    await cancel(still, piece.job_id)
    assert await still.pipeline.keep(piece, record) == STOP
    await still.pipeline.deliver(piece, {})
    assert (await still.job(piece.job_id)).state is JobState.CANCELLED
    assert still.delivery.of("pictures", piece.job_id) == []
    assert not (still.pictures._spool / piece.spool).exists()
    assert list(still.pictures._pictures.rglob("*.png")) == []


async def test_a_job_that_is_cancelled_while_its_pictures_are_kept_leaves_nothing_in_the_spool(still: Ground) -> None:
    class Cancelling(PartRows):
        async def mark_drawn(self, piece: Piece, drawing: Drawing) -> bool:
            await still.studio.cancel(piece.job_id, "42")
            return await super().mark_drawn(piece, drawing)

    still.pipeline.parts = Cancelling(still.rows._engine)
    piece, record = await rendered(still)
    assert await still.pipeline.keep(piece, record) == STOP
    assert (await still.job(piece.job_id)).state is JobState.CANCELLED
    assert not (still.pictures._spool / piece.spool).exists()


async def test_what_another_worker_took_over_is_left_to_it(still: Ground) -> None:
    piece, record = await rendered(still)
    await still.parts.hand_back("easel")
    await still.given_out(piece.job_id)
    assert await still.pipeline.keep(piece, record) == STOP
    assert await still.pipeline.render(piece, {}) == STOP
    assert (await still.part(piece.job_id)).attempt == 2
    assert len(still.webui.renders) == 1


async def test_a_delivery_that_is_tried_again_reads_the_row(still: Ground) -> None:
    piece, record = await rendered(still)
    kept = await still.pipeline.keep(piece, record)
    for _ in range(2):
        await still.pipeline.deliver(piece, kept)
    assert len(still.delivery.of("pictures", piece.job_id)) == 1
    assert still.pipeline.in_hand == 0
