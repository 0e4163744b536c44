"""A process that stops finishes what it has in hand, or hands it back so that another can go on with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.jobs import drain as module
from core.jobs.drain import drain
from core.jobs.model import JobState, PartState
from tests.core.ground import Ground, fast_webui, opened_ground

NEVER = 60.0


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        yield ground


async def at_work(ground: Ground) -> str:
    """A job whose first picture is being drawn, and does not get on."""
    ground.webui.hold()
    ticket = await ground.submit(count=2)
    await ground.webui.until(lambda: ground.webui.running)
    return ticket.job_id


async def test_where_nothing_is_in_hand_there_is_nothing_to_wait_for(ground: Ground) -> None:
    await ground.fleet.close()
    async with asyncio.timeout(1):
        await drain(ground.pipeline, NEVER, asyncio.Event())


async def test_what_is_in_hand_is_finished_and_nothing_else_begun(ground: Ground) -> None:
    job_id = await at_work(ground)
    await ground.fleet.close()
    draining = asyncio.create_task(drain(ground.pipeline, NEVER, asyncio.Event()))
    await ground.until(lambda: bool(ground.delivery.of("progress", job_id)))
    assert not draining.done()
    ground.webui.release()
    await asyncio.wait_for(draining, 5)
    (shown,) = ground.delivery.of("pictures", job_id)
    assert (set(shown.fresh), shown.final) == ({0}, False)
    assert ground.pipeline.in_hand == 0
    assert len(ground.webui.renders) == 1
    assert ground.webui.interrupts == []
    assert (await ground.job(job_id)).state is JobState.RUNNING  # the second picture goes on elsewhere


@pytest.mark.parametrize("how", ["too long", "hurried"])
async def test_what_takes_too_long_or_is_hurried_is_handed_back_and_its_webui_stops(ground: Ground, how: str) -> None:
    job_id = await at_work(ground)
    await ground.fleet.close()
    at_once = asyncio.Event()
    draining = asyncio.create_task(drain(ground.pipeline, 0.01 if how == "too long" else NEVER, at_once))
    if how == "hurried":
        await ground.until(lambda: bool(ground.delivery.of("progress", job_id)))
        assert not draining.done()
        at_once.set()  # a second signal
    await asyncio.wait_for(draining, 5)
    assert len(ground.webui.interrupts) == 1  # before the process goes: nobody would stop it after that
    assert ground.webui.renders[0].state == "interrupted"
    assert ground.pipeline.in_hand == 0
    assert (await ground.part(job_id)).state is PartState.WAITING
    assert (await ground.job(job_id)).state is JobState.QUEUED
    (waiting,) = ground.delivery.of("waiting", job_id)
    assert waiting.sentence == "The bot is being restarted. Your job is in the queue again."
    assert ground.delivery.of("pictures", job_id) == []
    again = await ground.given_out(job_id)
    assert (again.number, again.attempt) == (0, 2)


async def test_a_webui_that_does_not_notice_is_not_waited_for_long(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GIVE_BACK_SECONDS", 0.05)
    ground.webui.hold()
    job_id = await at_work(ground)

    async def ignore(_task_id: str) -> bool:
        return False

    monkeypatch.setattr(ground.pool.client(ground.webui.url), "interrupt_task", ignore)
    await ground.fleet.close()
    await asyncio.wait_for(drain(ground.pipeline, 0.01, asyncio.Event()), 5)
    assert ground.pipeline.in_hand == 1
    assert (await ground.part(job_id)).state is PartState.WAITING


async def test_a_job_that_was_cancelled_meanwhile_is_not_handed_back(ground: Ground) -> None:
    job_id = await at_work(ground)
    await ground.fleet.close()
    await ground.studio.cancel(job_id, "42")
    await asyncio.wait_for(drain(ground.pipeline, 5, asyncio.Event()), 6)
    assert (await ground.job(job_id)).state is JobState.CANCELLED
    assert ground.delivery.of("waiting", job_id) == []


async def test_a_cancellation_that_nobody_rang_for_stops_the_webui_once_the_rows_are_looked_at(ground: Ground) -> None:
    job_id = await at_work(ground)
    await ground.pipeline.stop_what_ended()
    assert ground.webui.interrupts == []
    await ground.rows.mark_cancelled(job_id, 1.0)
    await ground.pipeline.stop_what_ended()
    await ground.webui.until(lambda: ground.webui.interrupts)
    await ground.pipeline.until_empty()
