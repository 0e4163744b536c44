"""A job's way from its row to its owner: the real steps against a real local webui, rows in a real database."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import stamina.instrumentation
from msgspec import UNSET
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from core.errors import (
    BadRequest,
    NanPicture,
    NoPicture,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.images.store import PictureStore
from core.jobs.engine import STOP, Piece, Record
from core.jobs.model import Delivered, JobState, PartState
from core.jobs.parts import PartRows
from core.jobs.verdict import MAX_BREAKS
from playground.webui import Fault
from tests.core.ground import Ground, fast_webui, opened_ground
from tests.core.jobs.conftest import drawing_of, new_job


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        yield ground


@pytest.fixture
async def still(tmp_path: Path) -> AsyncIterator[Ground]:
    """The same without a dispatcher: the test runs the steps."""
    async with fast_webui() as webui, opened_ground(tmp_path, webui, dispatching=False) as ground:
        yield ground


async def running(ground: Ground, **asked: Any) -> Piece:
    """A picture that an earlier process gave to the webui, on its first attempt."""
    ticket = await ground.submit(**asked)
    return await ground.given_out(ticket.job_id)


def counted(ground: Ground, name: str) -> float:
    families = text_string_to_metric_families(ground.metrics.render().decode())
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


async def test_a_picture_arrives_byte_for_byte_as_the_webui_drew_it(ground: Ground) -> None:
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    job = await ground.until_state(ticket.job_id, JobState.DONE)
    assert shown.drawing is not None
    part = await ground.part(ticket.job_id)
    assert part.drawing == shown.drawing
    (picture,) = shown.drawing.pictures
    data = await asyncio.to_thread(ground.pictures.path(picture.name).read_bytes)
    (render,) = ground.webui.renders
    assert hashlib.sha256(data).hexdigest() == render.digests[0]
    assert (shown.drawing.seeds, shown.drawing.steps, shown.drawing.warnings) == ((7,), 2, ())
    assert shown.drawing.seconds > 0
    assert not shown.perhaps_done
    assert (part.attempt, part.breaks, part.state, job.message_id) == (1, 0, PartState.SHOWN, "555")
    assert counted(ground, "easel_jobs_ended_total") == 1
    assert counted(ground, "easel_render_seconds_count") == 1
    assert counted(ground, "easel_delivery_seconds_count") == 1


async def test_the_webui_is_told_a_task_of_this_job_and_the_row_knows_it(ground: Ground) -> None:
    ticket = await ground.submit()
    await ground.until_delivered(ticket.job_id)
    (render,) = ground.webui.renders
    assert render.task_id.startswith(f"easel-{ticket.job_id}-")
    assert (await ground.part(ticket.job_id)).task_id == render.task_id


async def test_nothing_is_left_in_the_spool(ground: Ground, tmp_path: Path) -> None:
    ticket = await ground.submit(count=2)
    await ground.until_delivered(ticket.job_id)
    await ground.until_state(ticket.job_id, JobState.DONE)
    await ground.until(lambda: not ground.engine.running)
    assert list((tmp_path / "spool").iterdir()) == []


async def test_several_pictures_are_one_drawing_with_their_seeds(ground: Ground) -> None:
    ticket = await ground.submit(count=3, seed=100)
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    assert shown.drawing.seeds == (100, 101, 102)
    assert len({picture.name for picture in shown.drawing.pictures}) == 3


async def test_a_picture_without_infotext_gets_the_webui_s_own(ground: Ground) -> None:
    ground.webui.fault(Fault.NO_METADATA)
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    with Image.open(ground.pictures.path(shown.drawing.pictures[0].name)) as image:
        assert image.info["parameters"] == ground.webui.renders[0].infotexts[0]


@pytest.mark.parametrize("fault", [Fault.INFO_EMPTY, Fault.INFO_MISSING, Fault.INFO_NOT_JSON])
async def test_an_answer_without_info_is_a_picture_all_the_same(ground: Ground, fault: Fault) -> None:
    ground.webui.fault(fault)
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    assert shown.drawing.seeds == (7,)


async def test_jobs_are_served_one_after_the_other_in_order(ground: Ground) -> None:
    tickets = [await ground.submit(seed=seed) for seed in (1, 2, 3)]
    for ticket in tickets:
        await ground.until_delivered(ticket.job_id)
    assert [render.seed for render in ground.webui.renders] == [1, 2, 3]
    renders = ground.webui.renders
    assert all((before.finished or 0) <= after.started for before, after in itertools.pairwise(renders))


async def test_progress_is_shown_while_it_is_drawn(tmp_path: Path) -> None:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        webui.hold(at_step=1)
        ticket = await ground.submit(steps=4)
        await ground.until(lambda: any(one.glimpse and one.glimpse.step for one in ground.delivery.shown))
        webui.release()
        await ground.until_delivered(ticket.job_id)
        glimpses = [one.glimpse for one in ground.delivery.of("progress") if one.glimpse is not None]
        assert (glimpses[-1].step, glimpses[-1].steps) == (1, 4)
        assert 0.2 < (glimpses[-1].fraction or 0.0) < 0.3


@pytest.mark.parametrize(
    "fault", [Fault.UNAVAILABLE, Fault.TOO_MANY_REQUESTS, Fault.UNAUTHORIZED, Fault.NO_API, Fault.HTML_502]
)
async def test_a_webui_that_is_not_ready_makes_the_job_wait(ground: Ground, fault: Fault) -> None:
    ground.webui.fault(fault)
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.what == "pictures"
    (waiting,) = ground.delivery.of("waiting")
    assert waiting.sentence.endswith("Your job waits and is drawn after that.")
    await ground.until_state(ticket.job_id, JobState.DONE)
    part = await ground.part(ticket.job_id)
    assert (part.attempt, part.breaks) == (2, 0)
    assert len(ground.webui.renders) == 1
    assert counted(ground, "easel_jobs_requeued_total") == 1


@pytest.mark.parametrize("fault", [Fault.CLOSE_UNREAD, Fault.CLOSE_BEFORE_ANSWER, Fault.CLOSE_MID_BODY])
async def test_a_broken_connection_draws_the_same_picture_again(ground: Ground, fault: Fault) -> None:
    ground.webui.fault(fault)
    ticket = await ground.submit()
    shown = await ground.until_delivered(ticket.job_id)
    assert shown.drawing is not None
    await ground.until_state(ticket.job_id, JobState.DONE)
    part = await ground.part(ticket.job_id)
    assert (part.attempt, part.breaks) == (2, 1)
    assert {render.seed for render in ground.webui.renders} == {7}
    assert len(ground.delivery.of("pictures")) == 1


async def test_a_request_that_breaks_the_connection_every_time_ends(ground: Ground) -> None:
    ground.webui.fault(Fault.CLOSE_UNREAD, times=MAX_BREAKS)
    first = await ground.submit()
    shown = await ground.until_delivered(first.job_id)
    assert "broke 3 times" in shown.sentence
    job = await ground.until_state(first.job_id, JobState.FAILED)
    assert job.sentence == shown.sentence
    second = await ground.submit(seed=8)
    assert (await ground.until_delivered(second.job_id)).what == "pictures"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.OUT_OF_MEMORY, OutOfMemory),
        (Fault.OUT_OF_MEMORY_200, NoPicture),
        (Fault.NAN, NanPicture),
        (Fault.BLANK_IMAGE, NoPicture),
        (Fault.NULL_IMAGES, NoPicture),
        (Fault.GARBAGE_BASE64, UnreadableAnswer),
        (Fault.NOT_AN_IMAGE, UnreadableAnswer),
        (Fault.TRUNCATED_JSON, UnreadableAnswer),
        (Fault.HTML_200, UnreadableAnswer),
        (Fault.LEAKY_ERROR, ServerFault),
        (Fault.VALIDATION_ECHO, BadRequest),
    ],
)
async def test_a_failure_ends_the_job_with_its_sentence_and_the_next_is_served(
    ground: Ground, fault: Fault, kind: type[WebuiError]
) -> None:
    ground.webui.fault(fault)
    first, second = await ground.submit(), await ground.submit(seed=8)
    shown = await ground.until_delivered(first.job_id)
    assert shown.sentence == kind.sentence
    job = await ground.until_state(first.job_id, JobState.FAILED)
    assert (job.sentence, job.message_id) == (kind.sentence, "555")
    assert (await ground.until_delivered(second.job_id)).what == "pictures"


async def test_a_checkpoint_that_went_away_is_said_and_none_that_may_be_hidden(still: Ground) -> None:
    job = new_job("77", checkpoint="dreamLandscape_v5")
    await still.rows.submit(job)
    record = await still.pipeline.render(await still.given_out("77"), {})
    assert record["failed"] == 'The webui has no checkpoint called "dreamLandscape_v5".'
    assert still.webui.renders == []


async def test_a_fault_of_our_own_ends_one_job_with_a_reference(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    broken = new_job("88", seed=UNSET)  # defaults.merge would have drawn one
    await ground.rows.submit(broken)
    ground.mirror.note("88")
    shown = await ground.until_delivered("88")
    assert shown.sentence == "Something in the bot itself went wrong. Reference for its operator: 88."
    assert "fault of the bot's own" in caplog.text
    ticket = await ground.submit()
    assert (await ground.until_delivered(ticket.job_id)).what == "pictures"


async def test_a_running_job_that_is_cancelled_is_interrupted_and_the_next_is_served(ground: Ground) -> None:
    ground.webui.hold()
    first, second = await ground.submit(), await ground.submit(seed=8)
    await ground.webui.until(lambda: ground.webui.running)
    assert await ground.studio.cancel(first.job_id, "42") is JobState.RUNNING
    await ground.webui.until(lambda: ground.webui.renders[0].state == "interrupted")
    ground.webui.release()
    assert (await ground.until_delivered(second.job_id)).what == "pictures"
    assert len(ground.webui.interrupts) == 1
    assert ground.delivery.of("pictures", first.job_id) == []
    assert (await ground.job(first.job_id)).state is JobState.CANCELLED


async def test_a_cancelled_job_s_pictures_are_thrown_away(still: Ground, tmp_path: Path) -> None:
    piece = await running(still)
    rendered = await still.pipeline.render(piece, {})
    await still.rows.mark_cancelled(piece.job_id, 2.0)
    assert await still.pipeline.keep(piece, rendered) == STOP
    assert list((tmp_path / "spool").iterdir()) == []
    assert list((tmp_path / "pictures").rglob("*.png")) == []


async def test_the_first_render_is_sent_under_the_task_that_it_was_given_out_with(still: Ground) -> None:
    piece = await running(still)
    task_id = (await still.part(piece.job_id)).task_id
    assert task_id is not None
    still.pipeline.expect(piece, task_id)
    await still.pipeline.render(piece, {})
    assert [render.task_id for render in still.webui.renders] == [task_id]
    assert still.webui.interrupts == []
    assert (await still.part(piece.job_id)).task_id == task_id


async def test_a_render_that_an_earlier_process_may_have_sent_is_sent_under_a_new_one(still: Ground) -> None:
    piece = await running(still)
    given = (await still.part(piece.job_id)).task_id
    await still.pipeline.render(piece, {})
    (render,) = still.webui.renders
    assert render.task_id == (await still.part(piece.job_id)).task_id != given


async def test_a_job_cancelled_just_before_its_payload_is_sent_is_not_sent(still: Ground) -> None:
    piece = await running(still)

    class Cancelling(PartRows):
        async def note_task(self, piece: Piece, task_id: str) -> None:
            await super().note_task(piece, task_id)
            await still.studio.cancel(piece.job_id, "42")

    still.pipeline._renderer._parts = Cancelling(still.rows._engine)
    assert await still.pipeline.render(piece, {}) == STOP
    assert still.webui.renders == []
    assert still.webui.count("/sdapi/v1/txt2img") == 0


async def test_a_job_cancelled_while_its_spool_is_cleared_is_not_sent(still: Ground) -> None:
    piece = await running(still)

    class Cancelling(PictureStore):
        async def discard_spool(self, name: str) -> None:
            await super().discard_spool(name)
            await still.studio.cancel(piece.job_id, "42")

    still.pipeline._renderer._pictures = Cancelling(still.pictures._root)
    assert await still.pipeline.render(piece, {}) == STOP
    assert still.webui.count("/sdapi/v1/txt2img") == 0


async def test_what_a_webui_has_loaded_is_known_before_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        seen: list[tuple[bool, str | None]] = []
        ring = ground.queue.ring

        def watch() -> None:
            (view,) = ground.pool.views()
            seen.append((view.idle, None if view.catalog is None else view.catalog.loaded_checkpoint))
            ring()

        monkeypatch.setattr(ground.queue, "ring", watch)
        other = webui.catalog.checkpoints[1].title
        ticket = await ground.submit(checkpoint=other)
        await ground.until_delivered(ticket.job_id)
    taken = next(number for number, (idle, _) in enumerate(seen) if not idle)
    assert next(loaded for idle, loaded in seen[taken:] if idle) == other


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.CANCELLED, JobState.DONE])
async def test_a_step_does_nothing_that_the_row_does_not_allow(still: Ground, state: JobState) -> None:
    piece = await running(still)
    if state is JobState.QUEUED:
        await still.parts.requeue(piece)
    elif state is JobState.CANCELLED:
        await still.rows.mark_cancelled(piece.job_id, 2.0)
    else:
        await still.parts.mark_drawn(piece, drawing_of(0))
        await still.rows.mark_done(piece.job_id, Delivered("reply", "555"), 3.0)
    before = await still.job(piece.job_id)
    assert await still.pipeline.render(piece, {}) == STOP
    assert await still.pipeline.keep(piece, {"rendered": {}}) == STOP
    await still.pipeline.deliver(piece, {})
    assert await still.job(piece.job_id) == before
    assert still.webui.renders == []
    assert still.delivery.shown == []


async def test_an_older_attempt_does_nothing(still: Ground) -> None:
    piece = await running(still)
    await still.parts.requeue(piece)
    await still.given_out(piece.job_id)
    assert await still.pipeline.render(piece, {}) == STOP
    assert await still.pipeline.keep(piece, {"rendered": {}}) == STOP
    await still.pipeline.deliver(piece, {"failed": "No."})
    assert still.delivery.shown == []
    assert (await still.job(piece.job_id)).state is JobState.RUNNING


async def test_a_job_that_nobody_knows_is_nothing_to_do(still: Ground) -> None:
    assert await still.pipeline.render(Piece("1", 0, 1), {}) == STOP
    assert await still.pipeline.keep(Piece("1", 0, 1), {"rendered": {}}) == STOP
    await still.pipeline.deliver(Piece("1", 0, 1), {})
    assert still.delivery.shown == []


async def test_a_step_that_is_run_twice_does_its_work_once(still: Ground) -> None:
    piece = await running(still)
    rendered = await still.pipeline.render(piece, {})
    kept = await still.pipeline.keep(piece, rendered)
    assert await still.pipeline.keep(piece, rendered) == rendered  # its record was lost, the row was not
    assert await still.pipeline.render(piece, {}) == {}
    assert kept == {}
    await still.pipeline.deliver(piece, kept)
    await still.pipeline.deliver(piece, kept)
    assert len(still.webui.renders) == 1
    assert len(still.delivery.of("pictures")) == 1


async def test_raw_pictures_that_were_lost_are_drawn_again_from_the_same_seed(still: Ground) -> None:
    piece = await running(still)
    rendered = await still.pipeline.render(piece, {})
    await still.pictures.discard_spool(piece.spool)
    assert await still.pipeline.keep(piece, rendered) == STOP
    job = await still.job(piece.job_id)
    assert (job.state, job.request.seed) == (JobState.QUEUED, 7)
    assert (await still.part(piece.job_id)).breaks == 1
    async with asyncio.timeout(5):
        while still.queue.get(piece.job_id) is None:
            await still.queue.wait()
    assert len(still.delivery.of("waiting")) == 1


async def test_what_an_earlier_process_left_running_there_is_stopped_first(still: Ground) -> None:
    still.webui.hold()
    piece = await running(still)
    lost = asyncio.create_task(still.pipeline.render(piece, {}))
    await still.webui.until(lambda: still.webui.running)
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    again = asyncio.create_task(still.pipeline.render(piece, {}))
    await still.webui.until(lambda: still.webui.interrupts, what="the abandoned task's end")
    still.webui.release()
    assert "rendered" in await again
    first, second = still.webui.renders
    assert first.task_id != second.task_id
    assert first.seed == second.seed == 7
    assert len(still.webui.interrupts) == 1


@pytest.mark.parametrize("why", ["cancelled", "ended", "another attempt", "drawn"])
async def test_a_webui_that_was_reserved_in_vain_is_free_again(still: Ground, why: str) -> None:
    piece = await running(still)
    still.pool.reserve(still.webui.url, piece.id)
    if why == "cancelled":
        await still.studio.cancel(piece.job_id, "42")
    elif why == "ended":
        await still.rows.mark_failed(piece.job_id, "No.", Delivered("kept", None), 2.0)
    elif why == "another attempt":
        await still.parts.requeue(piece)
    else:
        await still.parts.mark_drawn(piece, drawing_of(0))
    await still.pipeline.render(piece, {})
    assert [view.idle for view in still.pool.views()] == [True]
    assert still.webui.renders == []


async def test_an_attempt_that_ends_late_does_not_free_the_next_one_s_webui(
    still: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord may take seconds to say that it waits; by then it may be drawn again."""
    told, go_on = asyncio.Event(), asyncio.Event()

    async def show_waiting(*_: object) -> None:
        told.set()
        await go_on.wait()

    monkeypatch.setattr(still.delivery, "show_waiting", show_waiting)
    still.webui.fault(Fault.CLOSE_UNREAD)
    piece = await running(still)
    still.pool.reserve(still.webui.url, piece.id)
    first = asyncio.create_task(still.pipeline.render(piece, {}))
    await asyncio.wait_for(told.wait(), 5)
    again = await still.given_out(piece.job_id)
    assert still.pool.reserve(still.webui.url, again.id)
    go_on.set()
    assert await first == STOP
    assert [view.job_id for view in still.pool.views()] == [again.id]


async def test_a_render_is_not_begun_at_a_webui_that_was_taken_out_of_the_settings(still: Ground) -> None:
    ticket = await still.submit()
    piece = await still.given_out(ticket.job_id, "http://gone:7860")
    assert await still.pipeline.render(piece, {}) == STOP
    assert (await still.job(ticket.job_id)).state is JobState.QUEUED


async def test_a_database_that_is_away_costs_time_and_no_job(still: Ground) -> None:
    piece = await running(still)
    engine = still.rows._engine

    async def rename(old: str, new: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))

    retried = asyncio.Event()
    stamina.instrumentation.set_on_retry_hooks([lambda _details: retried.set()])
    try:
        await rename("jobs", "away")
        step = asyncio.create_task(still.pipeline.render(piece, {}))
        await asyncio.wait_for(retried.wait(), 5)
        await rename("away", "jobs")
        assert "rendered" in await step
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)


async def test_records_are_small_and_hold_no_pictures(still: Ground) -> None:
    piece = await running(still, count=4)
    record: Record = await still.pipeline.render(piece, {})
    assert len(repr(record)) < 4000
    assert [picture["file"] for picture in record["rendered"]["pictures"]] == ["0.raw"]
