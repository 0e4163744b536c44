"""Trouble that is nobody's fault but the machine's: a locked database, a full disk, a delivery that raises."""

import logging
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.jobs.model import Delivered, Drawing, Job, JobState
from core.jobs.rows import JobRows
from core.store.schema import jobs
from tests.core.ground import Ground, fast_webui, opened_ground


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        yield ground


async def test_a_database_that_fails_after_the_delivery_sends_nothing_twice(ground: Ground) -> None:
    class Locked(JobRows):
        refusals = 2

        async def mark_done(self, job_id: str, delivered: Delivered, now: float, shown: Collection[int] = ()) -> bool:
            if self.refusals:
                self.refusals -= 1
                raise sa.exc.OperationalError("UPDATE", {}, Exception("database is locked"))
            return await super().mark_done(job_id, delivered, now, shown)

    ground.pipeline.shower._rows = Locked(ground.rows._engine)
    ticket = await ground.submit()
    await ground.until_state(ticket.job_id, JobState.DONE)
    assert len(ground.delivery.of("pictures", ticket.job_id)) == 1


async def test_a_delivery_that_raises_ends_its_job_with_a_reference(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(job: Job, drawing: Drawing, **_: object) -> Delivered:
        raise ZeroDivisionError(f"{job.id} {drawing.seconds:.0f}")

    monkeypatch.setattr(ground.delivery, "deliver", fail)
    ticket = await ground.submit()
    job = await ground.until_state(ticket.job_id, JobState.FAILED)
    assert job.sentence == f"Something in the bot itself went wrong. Reference for its operator: {ticket.job_id}."
    assert [shown.sentence for shown in ground.delivery.of("sentence", ticket.job_id)] == [job.sentence]
    assert (await ground.part(ticket.job_id)).drawing is not None
    assert "fault of the bot's own" in caplog.text


async def test_an_explanation_that_raises_ends_its_job_all_the_same(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(job: Job, *_: object, **__: object) -> Delivered:
        raise ZeroDivisionError(job.id)

    monkeypatch.setattr(ground.delivery, "deliver", fail)
    monkeypatch.setattr(ground.delivery, "explain", fail)
    ticket = await ground.submit()
    await ground.until_state(ticket.job_id, JobState.FAILED)


async def test_a_spool_that_can_not_be_written_keeps_the_webui_for_one_job(
    ground: Ground, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    spool = tmp_path / "spool"
    spool.write_text("in the way")
    first, second = await ground.submit(), await ground.submit(seed=8)
    await ground.until(lambda: bool(ground.delivery.of("waiting", first.job_id)))
    assert ground.delivery.of("waiting", first.job_id)[0].sentence.startswith("The bot can't write to its disk")
    assert (await ground.job(second.job_id)).state is JobState.QUEUED
    spool.unlink()
    for ticket in (first, second):
        await ground.until_state(ticket.job_id, JobState.DONE)
    assert [render.state for render in ground.webui.renders] == ["done", "done"]


async def test_a_row_that_can_not_be_read_does_not_keep_the_others_from_going_on(
    ground: Ground, caplog: pytest.LogCaptureFixture
) -> None:
    ground.webui.hold()
    await ground.submit()
    broken, whole = await ground.submit(seed=8), await ground.submit(seed=9)
    async with ground.rows._engine.begin() as connection:
        await connection.execute(sa.update(jobs).where(jobs.c.id == broken.job_id).values(request="{"))
    await ground.mirror.load()
    assert "can't be read" in caplog.text
    assert ground.queue.get(broken.job_id) is None
    ground.webui.release()
    await ground.until_delivered(whole.job_id)
