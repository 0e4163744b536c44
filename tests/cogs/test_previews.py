"""A half-done picture in a job's message: put there, replaced, never beside or in place of a result, and gone after."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from cogs import previews
from cogs.files import number_in
from core.jobs.model import Delivered, Glimpse, Job, JobState
from playground.discord import ORDINARY, Message, Permission
from tests.cogs.scene import Scene, opened_scene
from tests.core.images.pictures import noise

EDIT = r"^/webhooks/\d+/[^/]+/messages/\d+$"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


def half_done(seed: int = 1) -> Glimpse:
    out = io.BytesIO()
    noise(32, 32, seed=seed).save(out, "JPEG")
    return Glimpse(0.5, 5, 10, preview=out.getvalue())


def names(message: Message) -> list[str]:
    return [attachment.filename for attachment in message.attachments]


async def previewed(scene: Scene, *, count: int = 1, private: bool = False, spoiler: bool = False) -> Job:
    """A job whose reply shows a preview."""
    job = await scene.ask(count=count, private=private, spoiler=spoiler)
    await scene.process().show_progress(job, half_done())
    assert names(scene.reply(job)) == [f"{'SPOILER_' if spoiler else ''}preview-{job.id}.jpg"]
    return job


@pytest.mark.parametrize("private", [False, True])
async def test_it_stands_in_the_reply_and_the_next_one_in_its_place(scene: Scene, private: bool) -> None:
    job = await previewed(scene, private=private)
    reply = scene.reply(job)
    assert reply.ephemeral is private
    assert "step 5/10" in reply.content
    assert reply.buttons()
    await scene.process().show_progress(job, half_done(seed=2))
    (attachment,) = reply.attachments
    assert attachment.data == half_done(seed=2).preview
    assert Image.open(io.BytesIO(attachment.data)).format == "JPEG"
    assert number_in(attachment.filename, job.id) is None


async def test_words_of_progress_let_it_stay(scene: Scene) -> None:
    job = await previewed(scene)
    await scene.process().show_progress(job, Glimpse(0.9, 9, 10))
    assert "step 9/10" in scene.reply(job).content
    assert len(names(scene.reply(job))) == 1


async def test_a_spoiler_s_preview_is_one(scene: Scene) -> None:
    await previewed(scene, spoiler=True)


async def test_the_result_takes_its_place_with_no_request_more(scene: Scene) -> None:
    job = await previewed(scene)
    before = len(scene.discord.requests)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True)
    assert names(scene.reply(job)) == [f"easel-{job.id}-1.png"]
    assert len(scene.discord.requests) == before + 1
    scene.arrived_once(job, 0)


async def test_the_first_of_several_results_takes_its_place_and_no_other_comes(scene: Scene) -> None:
    job = await previewed(scene, count=2)
    await scene.deliver(job, await scene.drawn(0), [0])
    await scene.process().show_progress(job, half_done())  # the job as it was before
    scene.rows[job.id] = replace(scene.rows[job.id], delivered_to=None)  # the row as it is for a moment
    await scene.process().show_progress(job, half_done())
    assert names(scene.reply(job)) == [f"easel-{job.id}-1.png"]
    assert "step 5/10" in scene.reply(job).content


@pytest.mark.parametrize("late", [False, True])
async def test_a_failure_takes_it_off(scene: Scene, late: bool) -> None:
    job = await previewed(scene)
    if late:
        scene.expire(job)
    await scene.process().explain(job, "It ran out of memory.", perhaps_done=False)
    assert names(scene.reply(job)) == []
    assert scene.reply(job).buttons() == []


async def test_the_queue_takes_it_off(scene: Scene) -> None:
    job = await previewed(scene)
    await scene.process().show_waiting(job, "Your job is in the queue again.")
    assert names(scene.reply(job)) == []
    assert "in the queue again" in scene.reply(job).content
    await scene.process().show_progress(job, half_done())
    assert await scene.process().show_queued(job, 1, None, None)
    assert names(scene.reply(job)) == []


async def test_a_cancellation_takes_it_off_and_no_other_comes(scene: Scene) -> None:
    job = await previewed(scene)
    scene.rows[job.id] = replace(job, state=JobState.CANCELLED)
    await scene.process().rewrite(job, scene.reply(job).id, "Cancelled.")
    await scene.process().show_progress(job, half_done())
    assert names(scene.reply(job)) == []
    assert scene.reply(job).content == "Cancelled."


async def test_a_result_that_comes_late_and_elsewhere_takes_it_off_the_reply(scene: Scene) -> None:
    job = await previewed(scene)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True)
    assert job.delivered_to == "channel"
    assert names(scene.reply(job)) == []
    scene.arrived_once(job, 0)


async def test_pictures_that_the_reply_shows_are_never_taken_for_a_preview(scene: Scene) -> None:
    """A place that stops to take pictures keeps those that it has when the rest goes elsewhere."""
    job = await previewed(scene, count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    await scene.process().explain(job, "It ran out of memory.", perhaps_done=True)
    assert names(scene.reply(job)) == [f"easel-{job.id}-1.png"]


async def test_one_that_a_dead_process_left_is_taken_off_by_the_next(scene: Scene) -> None:
    job = await previewed(scene)
    await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True, by=scene.process())
    assert names(scene.reply(job)) == [f"easel-{job.id}-1.png"]
    scene.arrived_once(job, 0)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.DRAWN, JobState.DONE])
async def test_a_job_that_is_not_at_work_gets_none(scene: Scene, state: JobState) -> None:
    job = await scene.ask(count=1)
    scene.rows[job.id] = replace(job, state=state)
    await scene.process().show_progress(job, half_done())
    assert names(scene.reply(job)) == []


async def test_a_job_that_is_shown_elsewhere_gets_none(scene: Scene) -> None:
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.note(job, Delivered("channel", job.message_id))
    await scene.process().show_progress(scene.rows[job.id], half_done())
    assert not any("preview" in one.filename for one in scene.discord.uploads)


@pytest.mark.parametrize("private", [False, True])
async def test_after_the_token_s_end_the_bot_s_own_goes_on_where_it_can(scene: Scene, private: bool) -> None:
    job = await scene.ask(count=1, private=private)
    scene.expire(job)
    over = msgspec.json.encode(msgspec.json.decode(job.reply) | {"expires_at": 0.0}).decode()
    job = scene.rows[job.id] = replace(job, reply=over)
    await scene.process().show_progress(job, half_done())
    assert len(names(scene.reply(job))) == (0 if private else 1)


async def test_a_token_that_ended_early_costs_the_picture_alone(scene: Scene) -> None:
    job = await scene.ask(count=1)
    scene.expire(job)
    await scene.process().show_progress(job, half_done())
    assert "step 5/10" in scene.reply(job).content
    assert names(scene.reply(job)) == []


async def test_where_files_are_refused_the_words_come_alone(scene: Scene) -> None:
    job = await scene.ask(count=1)
    scene.discord.fail("PATCH", EDIT, status=403)
    await scene.process().show_progress(job, half_done())
    assert "step 5/10" in scene.reply(job).content
    assert names(scene.reply(job)) == []


async def test_a_private_reply_shows_none_that_nobody_could_take_off(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await previewed(scene, private=True)
    monkeypatch.setattr(previews, "LAST_PRIVATE_SECONDS", 3600.0)
    await scene.process().show_progress(job, replace(half_done(), fraction=0.6))
    assert names(scene.reply(job)) == []
    assert "60%" in scene.reply(job).content


async def test_where_the_bot_may_not_read_the_reply_s_token_can(scene: Scene) -> None:
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.READ_MESSAGE_HISTORY)
    job = await previewed(scene)
    await scene.deliver(job, await scene.drawn(0), [0], final=True)
    scene.arrived_once(job, 0)
