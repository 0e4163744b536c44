"""A job's message grows while its pictures are done: each appears once, whoever sends it and whatever goes wrong."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.jobs.model import Delivered, Drawing, Glimpse, JobState
from playground.discord import ORDINARY, File, Message, Permission
from tests.buttons import cancels
from tests.cogs.scene import Scene, opened_scene

REPLY = r"^/webhooks/\d+/[^/]+/messages/@original$"
POST = r"^/channels/\d+/messages$"
ONE = r"^/channels/\d+/messages/\d+$"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


def files_of(message: Message) -> dict[str, int]:
    """The names and ids of what a message shows."""
    return {attachment.filename: attachment.id for attachment in message.attachments}


# The reply, while its token lives


async def test_the_only_picture_of_a_job_takes_one_request(scene: Scene) -> None:
    job = await scene.ask(count=1)
    before = len(scene.discord.requests)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True)
    (request,) = scene.discord.requests[before:]
    assert request.method == "PATCH"
    assert (job.delivered_to, job.message_id) == ("reply", str(scene.reply(job).id))
    assert "seed 7 " in scene.reply(job).content
    assert not cancels(scene.reply(job))
    scene.arrived_once(job, 0)


async def test_pictures_appear_as_they_are_done_and_those_that_are_there_stay(scene: Scene) -> None:
    job = await scene.ask(count=4)
    job = await scene.deliver(job, await scene.drawn(2), [2])
    first = files_of(scene.reply(job))
    assert scene.reply(job).content.startswith("**Drawing** 1 of 4 done\n")
    assert scene.reply(job).buttons()
    job = await scene.deliver(job, await scene.drawn(2, 0), [0])
    assert scene.reply(job).content.startswith("**Drawing** 2 of 4 done\n")
    job = await scene.deliver(job, await scene.drawn(2, 0, 3, 1), [1, 3], final=True)
    assert scene.shown(job) == [0, 1, 2, 3]
    assert first.items() <= files_of(scene.reply(job)).items()
    assert "seed 7–10" in scene.reply(job).content
    assert "Drawing" not in scene.reply(job).content
    assert not cancels(scene.reply(job))
    scene.arrived_once(job, 0, 1, 2, 3)


@pytest.mark.parametrize("spoiler", [False, True])
async def test_what_an_earlier_process_has_sent_is_not_sent_again(scene: Scene, spoiler: bool) -> None:
    job = await scene.ask(count=2, spoiler=spoiler)
    await scene.deliver(job, await scene.drawn(0), [0])
    before = len(scene.discord.requests)
    await scene.deliver(job, await scene.drawn(0, 1), [0, 1], final=True, perhaps_done=True, by=scene.process())
    assert [len(one.files) for one in scene.discord.requests[before:]] == [0, 1]
    scene.arrived_once(job, 0, 1)


async def test_the_only_picture_is_looked_for_after_a_crash(scene: Scene) -> None:
    job = await scene.ask(count=1)
    await scene.deliver(job, await scene.drawn(0), [0], final=True)
    before = len(scene.discord.requests)
    delivered = await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True)
    assert not any(one.files for one in scene.discord.requests[before:])
    assert delivered.delivered_to == "reply"
    scene.arrived_once(job, 0)


async def test_pictures_too_large_for_one_request_come_in_several_to_one_message(scene: Scene) -> None:
    job = await scene.ask(count=3)
    job = await scene.deliver(job, await scene.drawn(0, 1, 2, large=True), [0, 1, 2], final=True)
    assert [len(one.files) for one in scene.discord.requests if one.files] == [2, 1]
    assert all(one.filename.endswith(".png") for one in scene.reply(job).attachments)
    assert all(one.status == 200 for one in scene.discord.requests if one.method == "PATCH")
    scene.arrived_once(job, 0, 1, 2)


async def test_large_private_pictures_are_sent_as_they_are_too(scene: Scene) -> None:
    job = await scene.ask(count=3, private=True)
    job = await scene.deliver(job, await scene.drawn(0, 1, 2, large=True), [0, 1, 2], final=True)
    assert all(one.filename.endswith(".png") for one in scene.reply(job).attachments)
    assert len(scene.reply(job).attachments) == 3


async def test_the_map_comes_with_the_first_picture_and_stands_behind_the_last(scene: Scene) -> None:
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(1), [1])
    both = replace(await scene.drawn(0, 1), maps=(await scene.kept(5),))
    job = await scene.deliver(job, both, [0], final=True)
    assert scene.shown(job) == [0, 1, 2]
    assert "seed 7–8" in scene.reply(job).content
    again = await scene.deliver(job, both, [0], final=True, perhaps_done=True, by=scene.process())
    assert again.delivered_to == "reply"
    scene.arrived_once(job, 0, 1, 2)


async def test_a_map_that_can_not_be_sent_costs_nobody_the_picture(scene: Scene) -> None:
    job = await scene.ask(count=1)
    lost = await scene.kept(5)
    scene.pictures.path(lost.name).unlink()
    job = await scene.deliver(job, replace(await scene.drawn(0), maps=(lost,)), [0], final=True)
    assert scene.shown(job) == [0]
    assert "picture 2: The picture's file is missing" in scene.reply(job).content


async def test_the_end_without_a_fresh_picture_finishes_the_words_alone(scene: Scene) -> None:
    job = await scene.ask(count=2)
    drawing = await scene.drawn(0)
    job = await scene.deliver(job, drawing, [0])
    before = files_of(scene.reply(job))
    job = await scene.deliver(job, replace(drawing, warnings=("Picture 2 failed.",)), [], final=True)
    assert files_of(scene.reply(job)) == before
    assert "Picture 2 failed." in scene.reply(job).content
    assert not cancels(scene.reply(job))
    assert job.delivered_to == "reply"


# Several processes


async def test_processes_that_deliver_at_once_lose_no_picture_of_each_other(scene: Scene) -> None:
    job = await scene.ask(count=4)
    drawing = await scene.drawn(0, 1, 2, 3)
    scene.discord.fail("PATCH", REPLY, delay=0.05, times=4)
    await asyncio.gather(*(scene.deliver(job, drawing, [number], by=scene.process()) for number in range(4)))
    scene.arrived_once(job, 0, 1, 2, 3)
    assert scene.carriers(job) == [scene.reply(job)]


async def test_a_picture_waits_until_the_other_process_has_given_the_reply(scene: Scene) -> None:
    job = await scene.ask(count=1, answer=False)
    delivering = asyncio.create_task(scene.deliver(job, await scene.drawn(0), [0], final=True, by=scene.process()))
    _, pending = await asyncio.wait([delivering], timeout=0.3)
    assert pending
    assert scene.asked("PATCH") == []
    await scene.answer(job)
    assert (await delivering).delivered_to == "reply"
    scene.arrived_once(job, 0)


async def test_a_sentence_waits_for_the_reply_too(scene: Scene) -> None:
    job = await scene.ask(count=1, answer=False)
    explaining = asyncio.create_task(scene.process().explain(job, "No memory.", perhaps_done=False))
    _, pending = await asyncio.wait([explaining], timeout=0.3)
    assert pending
    await scene.answer(job)
    assert (await explaining).where == "reply"
    assert "No memory." in scene.reply(job).content


async def test_a_reply_that_is_never_given_is_not_awaited_for_long(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.delivery.REPLY_SECONDS", 0.2)
    job = await scene.ask(count=1, answer=False)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, by=scene.process())
    assert job.delivered_to == "channel"
    scene.arrived_once(job, 0)


async def test_a_message_that_another_process_has_begun_is_found_through_the_row(scene: Scene) -> None:
    stale = await scene.ask(count=2)
    scene.expire(stale)
    await scene.deliver(stale, await scene.drawn(0), [0])
    scene.discord.rules = dataclasses.replace(scene.discord.rules, nonce_seconds=0.0)
    job = await scene.deliver(stale, await scene.drawn(0, 1), [1], final=True, by=scene.process())
    assert len(scene.carriers(job)) == 1
    scene.arrived_once(job, 0, 1)


async def test_a_late_message_of_another_process_that_no_row_names_yet_grows(scene: Scene) -> None:
    """Discord answers a nonce that it knows with the earlier message: what that lacks is added to it."""
    stale = await scene.ask(count=2)
    scene.expire(stale)
    first = await scene.deliver(stale, await scene.drawn(0), [0])
    second = await scene.deliver(stale, await scene.drawn(0, 1), [1], final=True)
    assert first.message_id == second.message_id
    assert "seed 7–8" in scene.carriers(stale)[0].content
    scene.arrived_once(stale, 0, 1)


# Once the token is over


async def test_a_late_first_picture_is_a_message_that_calls_its_owner_and_grows(scene: Scene) -> None:
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(1), [1])
    (message,) = scene.carriers(job)
    assert (job.delivered_to, job.message_id) == ("channel", str(message.id))
    assert message is not scene.reply(job)
    assert message.nonce == job.id
    assert message.pinged == {scene.ada.id}
    assert message.buttons()
    assert (scene.reply(job).content, scene.reply(job).buttons()) == ("The picture is below.", [])
    before = files_of(message)
    job = await scene.deliver(job, await scene.drawn(1, 0), [0], final=True)
    assert job.message_id == str(message.id)
    assert before.items() <= files_of(message).items()
    assert message.content.startswith(f"<@{scene.ada.id}>\n```\na red fox")
    assert not cancels(message)
    scene.arrived_once(job, 0, 1)


async def test_a_reply_that_shows_some_pictures_goes_on_growing_without_its_token(scene: Scene) -> None:
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    before = files_of(scene.reply(job))
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert (job.delivered_to, job.message_id) == ("reply", str(scene.reply(job).id))
    assert before.items() <= files_of(scene.reply(job)).items()
    assert not cancels(scene.reply(job))
    scene.arrived_once(job, 0, 1)


async def test_the_same_where_the_row_does_not_say_so_yet(scene: Scene) -> None:
    stale = await scene.ask(count=2)
    await scene.deliver(stale, await scene.drawn(0), [0])
    scene.expire(stale)
    job = await scene.deliver(stale, await scene.drawn(0, 1), [1], final=True)
    assert job.delivered_to == "reply"
    scene.arrived_once(job, 0, 1)


async def test_a_late_private_answer_grows_in_direct_messages(scene: Scene) -> None:
    job = await scene.ask(count=2, private=True)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    (message,) = scene.carriers(job)
    assert message.channel is scene.ada.dm
    assert (job.delivered_to, job.message_id) == ("dm", str(message.id))
    assert not cancels(message)
    scene.arrived_once(job, 0, 1)


async def test_the_rest_of_a_private_answer_comes_by_direct_message(scene: Scene) -> None:
    job = await scene.ask(count=3, private=True)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1])
    job = await scene.deliver(job, await scene.drawn(0, 1, 2), [2], final=True)
    reply, message = scene.carriers(job)
    assert (reply, message.channel) == (scene.reply(job), scene.ada.dm)
    assert job.delivered_to == "dm"
    scene.arrived_once(job, 0, 1, 2)


async def test_the_end_of_a_private_answer_that_is_past_sends_no_empty_message(scene: Scene) -> None:
    job = await scene.ask(count=2, private=True)
    drawing = await scene.drawn(0)
    job = await scene.deliver(job, drawing, [0])
    scene.expire(job)
    ended = await scene.deliver(job, drawing, [], final=True)
    assert (ended.delivered_to, ended.message_id) == ("reply", job.message_id)
    assert scene.discord.messages(scene.ada.dm) == []


async def test_where_the_channel_does_not_let_a_message_grow_the_rest_goes_to_the_person(scene: Scene) -> None:
    job = await scene.ask(count=3)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.ATTACH_FILES)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1])
    job = await scene.deliver(job, await scene.drawn(0, 1, 2), [2], final=True)
    first, second = scene.carriers(job)
    assert (first.channel, second.channel) == (scene.discord.channel, scene.ada.dm)
    assert job.delivered_to == "dm"
    scene.arrived_once(job, 0, 1, 2)


async def test_a_reply_that_may_not_grow_says_where_the_rest_is(scene: Scene) -> None:
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.expire(job)
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.ATTACH_FILES)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert job.delivered_to == "dm"
    assert scene.reply(job).content == "The other pictures are in your direct messages."
    assert not cancels(scene.reply(job))
    scene.arrived_once(job, 0, 1)


async def test_a_late_message_grows_where_the_bot_may_not_read(scene: Scene) -> None:
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.READ_MESSAGE_HISTORY)
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert job.delivered_to == "channel"
    assert "seed 7–8" in scene.carriers(job)[0].content
    scene.arrived_once(job, 0, 1)


# Crashes and lost answers


@pytest.mark.parametrize("private", [False, True])
async def test_a_late_message_of_an_earlier_process_is_found_and_grows(scene: Scene, private: bool) -> None:
    stale = await scene.ask(count=2, private=private)
    scene.expire(stale)
    await scene.deliver(stale, await scene.drawn(0), [0])
    scene.discord.rules = dataclasses.replace(scene.discord.rules, nonce_seconds=0.0)
    job = await scene.deliver(stale, await scene.drawn(0, 1), [0, 1], final=True, perhaps_done=True)
    assert job.delivered_to == ("dm" if private else "channel")
    assert len(scene.carriers(job)) == 1
    scene.arrived_once(job, 0, 1)


async def test_a_file_of_somebody_else_is_no_delivery_whatever_its_name(scene: Scene) -> None:
    job = await scene.ask(count=1)
    scene.expire(job)
    scene.discord.say(scene.ada, "mine", files=[File(filename=f"easel-{job.id}-1.png", data=b"no picture")])
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True, perhaps_done=True)
    assert len(scene.carriers(job)) == 2


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_to_an_edit_loses_and_repeats_nothing(scene: Scene, after: bool) -> None:
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.discord.fail("PATCH", REPLY, drop=True, after=after)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    scene.arrived_once(job, 0, 1)


@pytest.mark.parametrize(("method", "path"), [("POST", POST), ("PATCH", ONE)])
async def test_a_lost_answer_to_a_late_message_loses_and_repeats_nothing(scene: Scene, method: str, path: str) -> None:
    job = await scene.ask(count=2)
    scene.expire(job)
    scene.discord.fail(method, path, drop=True, after=True)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert len(scene.carriers(job)) == 1
    scene.arrived_once(job, 0, 1)


async def test_a_process_that_dies_between_two_requests_leaves_the_rest_to_the_next(scene: Scene) -> None:
    job = await scene.ask(count=3)
    drawing = await scene.drawn(0, 1, 2, large=True)
    scene.discord.fail("PATCH", REPLY, delay=0.0)  # the first request passes
    scene.discord.fail("PATCH", REPLY, delay=60.0)  # the second never arrives
    dying = asyncio.create_task(scene.deliver(job, drawing, [0, 1, 2], final=True))
    await scene.discord.until(lambda: len(scene.shown(job)) == 2, what="two pictures")
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    scene.discord.heal()
    await scene.deliver(job, drawing, [0, 1, 2], final=True, perhaps_done=True, by=scene.process())
    scene.arrived_once(job, 0, 1, 2)


async def test_a_token_that_ends_between_two_requests_costs_no_picture_and_repeats_none(scene: Scene) -> None:
    job = await scene.ask(count=3, private=True)
    scene.discord.fail("PATCH", REPLY, delay=0.0)  # the first request passes
    scene.discord.fail("PATCH", REPLY, status=401, code=50027)
    job = await scene.deliver(job, await scene.drawn(0, 1, 2, large=True), [0, 1, 2], final=True)
    reply, message = scene.carriers(job)
    assert (len(reply.attachments), len(message.attachments)) == (2, 1)
    assert job.delivered_to == "dm"
    scene.arrived_once(job, 0, 1, 2)


async def test_pictures_that_are_all_there_stay_there_though_the_words_can_not_be_finished(scene: Scene) -> None:
    job = await scene.ask(count=2, private=True)
    drawing = await scene.drawn(0, 1)
    await scene.deliver(job, drawing, [0, 1])
    scene.discord.fail("PATCH", REPLY, status=403, code=50013)
    job = await scene.deliver(job, drawing, [0, 1], final=True, perhaps_done=True)
    assert (job.delivered_to, job.message_id) == ("reply", str(scene.reply(job).id))
    assert scene.discord.messages(scene.ada.dm) == []


# What Discord does not take


async def test_a_picture_that_no_place_takes_yet_leaves_the_message_as_it_is(scene: Scene) -> None:
    scene.ada.dms_open = False
    scene.discord.set_permissions(scene.discord.channel, ORDINARY & ~Permission.SEND_MESSAGES)
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    assert job.delivered_to == "kept"
    assert scene.reply(job).buttons()
    job = scene.note(job, Delivered("kept", str(scene.reply(job).id)), delivered_to=None)
    await scene.deliver(job, await scene.drawn(0, 1), [0, 1], final=True)
    assert scene.reply(job).content == "The picture is drawn and kept; it could not be posted here."
    assert not cancels(scene.reply(job))


async def test_files_that_are_too_large_are_no_fault_of_the_words(scene: Scene) -> None:
    job = await scene.ask(count=1)
    scene.discord.fail("PATCH", REPLY, status=400, code=50045)
    kept = await scene.kept(0, side=700)
    job = await scene.deliver(job, Drawing(pictures=(kept,), seeds=(7,)), [0], final=True)
    assert "a red fox" in scene.reply(job).content
    assert "re-encoded as" in scene.reply(job).content
    scene.arrived_once(job, 0)


@pytest.mark.parametrize("late", [False, True])
async def test_a_message_that_somebody_deleted_is_not_sent_again(scene: Scene, late: bool) -> None:
    job = await scene.ask(count=2)
    if late:
        scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.discord.delete_message(scene.carriers(job)[0])
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert job.delivered_to == "kept"
    assert scene.carriers(job) == []


async def test_what_was_given_up_is_not_begun_again(scene: Scene) -> None:
    job = replace(await scene.ask(count=2), delivered_to="kept")
    before = len(scene.discord.requests)
    job = await scene.deliver(job, await scene.drawn(0), [0], final=True)
    assert job.delivered_to == "kept"
    assert len(scene.discord.requests) == before


async def test_words_that_a_server_forbids_do_not_keep_a_message_from_growing(scene: Scene) -> None:
    job = await scene.ask(count=2)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.discord.fail("PATCH", REPLY, status=400, code=200000)
    job = await scene.deliver(job, await scene.drawn(0, 1), [1], final=True)
    assert "a red fox" not in scene.reply(job).content
    scene.arrived_once(job, 0, 1)


async def test_a_limit_that_was_promised_too_high_is_heeded_by_what_is_still_to_come(scene: Scene) -> None:
    job = await scene.ask(count=2)
    kept = [await scene.kept(0), await scene.kept(1, side=700)]
    drawing = Drawing(pictures=tuple(kept), seeds=(7, 8))
    job = await scene.deliver(job, replace(drawing, pictures=drawing.pictures[:1], seeds=(7,)), [0])
    scene.discord.rules = dataclasses.replace(scene.discord.rules, file_bytes=2**20)
    job = await scene.deliver(job, drawing, [1], final=True)
    small, large = scene.reply(job).attachments
    assert small.filename.endswith("-1.png")
    assert large.size <= 2**20
    assert "picture 2: re-encoded as" in scene.reply(job).content
    scene.arrived_once(job, 0, 1)


async def test_a_remark_on_a_picture_is_there_at_the_end_too(scene: Scene) -> None:
    job = await scene.ask(count=2)
    scene.discord.rules = dataclasses.replace(scene.discord.rules, file_bytes=2**20)
    large, small = await scene.kept(0, side=700), await scene.kept(1)
    job = await scene.deliver(job, Drawing(pictures=(large,), seeds=(7,)), [0])
    assert "picture 1: re-encoded as" in scene.reply(job).content
    job = await scene.deliver(job, Drawing(pictures=(large, small), seeds=(7, 8)), [1], final=True)
    assert "picture 1: re-encoded as" in scene.reply(job).content
    scene.arrived_once(job, 0, 1)


async def test_a_missing_file_costs_its_picture_alone_and_is_said_at_the_end_too(scene: Scene) -> None:
    job = await scene.ask(count=2)
    drawing = await scene.drawn(0, 1)
    scene.pictures.path(drawing.pictures[0].name).unlink()
    job = await scene.deliver(job, replace(drawing, pictures=drawing.pictures[:1], seeds=(7,), numbers=(0,)), [0])
    assert "picture 1: The picture's file is missing" in scene.reply(job).content
    job = await scene.deliver(job, drawing, [1], final=True)
    assert "picture 1: The picture's file is missing" in scene.reply(job).content
    scene.arrived_once(job, 1)


async def test_pictures_whose_files_are_all_missing_are_explained(scene: Scene) -> None:
    job = await scene.ask(count=2)
    drawing = await scene.drawn(0, 1)
    for kept in drawing.pictures:
        scene.pictures.path(kept.name).unlink()
    job = await scene.deliver(job, drawing, [0, 1], final=True)
    assert scene.reply(job).content.startswith("**No picture** · The picture's file is missing")
    assert not cancels(scene.reply(job))


# Words alone


@pytest.mark.parametrize("where", ["reply", "channel", "dm"])
async def test_news_of_a_job_leave_its_pictures_where_they_are(scene: Scene, where: str) -> None:
    job = await scene.ask(count=3, private=where == "dm")
    if where != "reply":
        scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    (message,) = scene.carriers(job)
    before = files_of(message)
    await scene.delivery.show_progress(job, Glimpse(0.5))
    assert message.content.startswith("**Drawing** `████████")
    await scene.delivery.show_waiting(job, "The webui is away.")
    assert message.content.startswith("**Waiting** · The webui is away.")
    assert await scene.delivery.show_queued(job, 3, 1_700_000_000.0, None)
    assert message.content.startswith("**3rd in the queue** · starts <t:1700000000:R>\n")
    assert await scene.delivery.show_queued(job, 3, None, "It is down.")
    assert message.content.startswith("**Waiting** · It is down.\n")
    assert files_of(message) == before
    assert message.buttons()
    assert job.delivered_to == where


async def test_it_is_known_whether_a_place_in_the_queue_could_be_shown(scene: Scene) -> None:
    job = await scene.ask()
    scene.discord.delete_message(scene.reply(job))
    assert not await scene.delivery.show_queued(job, 2, None, None)
    assert not await scene.delivery.show_queued(job, 2, None, None)


async def test_the_same_news_are_shown_once(scene: Scene) -> None:
    job = await scene.ask()
    before = len(scene.discord.requests)
    assert await scene.delivery.show_queued(job, 2, None, None)
    assert await scene.delivery.show_queued(job, 2, None, None)
    assert len(scene.discord.requests) == before + 1


async def test_news_that_come_after_the_end_are_not_shown(scene: Scene) -> None:
    job = await scene.ask(count=1)
    before = scene.reply(job).content
    scene.rows[job.id] = replace(job, state=JobState.CANCELLED)
    await scene.process().show_progress(job, Glimpse(0.5))
    assert scene.reply(job).content == before


async def test_a_failure_after_some_pictures_leaves_them_and_says_why_there_are_no_more(scene: Scene) -> None:
    job = await scene.ask(count=2)
    drawing = await scene.drawn(0)
    job = await scene.deliver(job, drawing, [0])
    before = files_of(scene.reply(job))
    delivered = await scene.delivery.explain(job, "The webui ran out of memory.", perhaps_done=False)
    assert delivered.where == "reply"
    assert scene.reply(job).content.startswith("**No further picture** · The webui ran out of memory.\n")
    assert files_of(scene.reply(job)) == before
    assert not cancels(scene.reply(job))


@pytest.mark.parametrize("private", [False, True])
async def test_the_same_after_the_token_is_told_where_it_can_be(scene: Scene, private: bool) -> None:
    job = await scene.ask(count=2, private=private)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    scene.expire(job)
    delivered = await scene.delivery.explain(job, "No memory.", perhaps_done=False)
    assert delivered.where == ("dm" if private else "reply")
    message = scene.discord.messages(scene.ada.dm)[-1] if private else scene.reply(job)
    assert message.content.startswith("**No further picture** · No memory.\n")
    scene.arrived_once(job, 0)


async def test_a_failure_after_a_late_picture_is_said_beside_it(scene: Scene) -> None:
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    delivered = await scene.delivery.explain(job, "No memory.", perhaps_done=False)
    assert (delivered.where, delivered.message_id) == ("channel", job.message_id)
    (message,) = scene.carriers(job)
    assert "**No further picture** · No memory." in message.content
    assert not cancels(message)


async def test_a_late_failure_is_a_message_of_its_own(scene: Scene) -> None:
    job = await scene.ask(count=1)
    scene.expire(job)
    delivered = await scene.delivery.explain(job, "No memory.", perhaps_done=False)
    assert delivered.where == "channel"
    assert scene.discord.messages()[-1].pinged == {scene.ada.id}
    assert scene.reply(job).content == "**No picture** · The reason is below."
    assert not cancels(scene.reply(job))


async def test_a_rewritten_message_keeps_its_pictures_and_loses_its_cancel_button(scene: Scene) -> None:
    job = await scene.ask(count=2)
    scene.expire(job)
    job = await scene.deliver(job, await scene.drawn(0), [0])
    (message,) = scene.carriers(job)
    await scene.delivery.rewrite(job, message.id, "Cancelled.")
    assert (message.content, cancels(message), scene.shown(job)) == ("Cancelled.", [], [0])
