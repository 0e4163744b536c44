"""The cancel button: for its owner, at any moment, and never at the cost of somebody else's picture."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from playground.discord import Interaction, Message, NotSendable
from tests.buttons import cancels
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
CALLBACK = r"^/interactions/\d+/[^/]+/callback$"
ANY_EDIT = r"^/webhooks/|^/channels/\d+/messages/\d+$"


async def running(stage: Stage) -> tuple[Interaction, Message]:
    """A job that stands at its second step."""
    stage.webui.hold(2)
    interaction = await stage.draw("running", **OPTIONS)
    reply = await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.running is not None and stage.webui.step == 2)
    return interaction, reply


async def waiting(stage: Stage) -> tuple[Interaction, Message]:
    interaction = await stage.draw("waiting", **OPTIONS)
    return interaction, await stage.answered(interaction)


async def test_a_waiting_job_is_cancelled_by_its_owner(stage: Stage) -> None:
    first, _ = await running(stage)
    interaction, reply = await waiting(stage)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled before it was begun.")
    assert not reply.buttons()
    assert "waiting" in reply.content
    assert stage.row(interaction)["state"] == "cancelled"
    stage.webui.release()
    await stage.delivered(first)
    await stage.drawn(**OPTIONS)
    assert not any(str(interaction.id) in render.task_id for render in stage.webui.renders)
    assert stage.uploads(interaction) == []


async def test_a_stranger_is_refused_with_a_sentence_of_their_own(stage: Stage) -> None:
    interaction, reply = await running(stage)
    pressed = await stage.presses_cancel(reply, stage.discord.member("mallory"))
    answer = await stage.answered(pressed)
    assert answer.ephemeral
    assert "Only the person who asked" in answer.content
    stage.webui.release()
    await stage.delivered(interaction)


async def test_a_running_job_is_interrupted_once(stage: Stage) -> None:
    interaction, reply = await running(stage)
    interrupts = len(stage.webui.interrupts)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    await stage.webui.until(lambda: stage.webui.running is None)
    stage.webui.release()
    await stage.drawn(**OPTIONS)
    assert len(stage.webui.interrupts) == interrupts + 1
    assert stage.uploads(interaction) == []
    assert not reply.buttons()
    assert stage.row(interaction)["state"] == "cancelled"


async def test_a_second_press_is_answered_and_changes_nothing(stage: Stage) -> None:
    first, _ = await running(stage)
    interaction, reply = await waiting(stage)
    presses = [await stage.presses_cancel(reply), await stage.presses_cancel(reply)]
    await stage.discord.until(lambda: all(press.acknowledged for press in presses), what="both presses answered")
    private = [press.response for press in presses if press.response is not reply]
    assert [message.content for message in private if message] == ["This job was cancelled already."]
    stage.webui.release()
    await stage.delivered(first)
    assert stage.row(interaction)["state"] == "cancelled"


async def test_a_press_that_comes_too_late_says_so(stage: Stage) -> None:
    """The client shows the button for a moment after the picture has come, so the press can cross it."""
    interaction, reply = await running(stage)
    rules = "^/webhooks/.*@original$"
    stage.discord.fail("PATCH", rules, delay=1.0)
    stage.webui.release()
    await stage.reaches(interaction, "drawn")
    pressed = await stage.presses_cancel(reply)
    answer = await stage.answered(pressed)
    assert answer.ephemeral
    assert "Too late" in answer.content
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


async def test_a_finished_message_has_nothing_left_to_press(stage: Stage) -> None:
    message = await stage.drawn(**OPTIONS)
    with pytest.raises(NotSendable):
        await stage.discord.press(stage.ada, message, "easel:1:cancel:1")


async def test_somebody_elses_task_on_the_same_webui_is_never_interrupted(stage: Stage) -> None:
    stage.webui.hold(1)
    interrupts = len(stage.webui.interrupts)
    async with aiohttp.ClientSession() as session:
        theirs = asyncio.create_task(draw_there(session, stage))
        await stage.webui.until(lambda: stage.webui.running is not None)
        interaction, reply = await waiting(stage)
        await stage.webui.until(lambda: stage.webui.waiting, what="our task to wait behind theirs")
        await stage.presses_cancel(reply)
        await stage.says(interaction, "Cancelled")
        polls = stage.webui.count("/internal/progress")
        await stage.webui.until(lambda: stage.webui.count("/internal/progress") >= polls + 3, what="three polls")
        assert len(stage.webui.interrupts) == interrupts
        stage.webui.hold(2)
        await stage.webui.until(lambda: stage.webui.step == 2)
        stage.webui.release()
        assert (await theirs)["images"]
    await stage.drawn(**OPTIONS)
    assert stage.uploads(interaction) == []


async def draw_there(session: aiohttp.ClientSession, stage: Stage) -> dict[str, Any]:
    """A person at the webui's own page."""
    body = {"prompt": "theirs", "width": 64, "height": 64, "steps": 4}
    async with session.post(f"{stage.webui.url}/sdapi/v1/txt2img", json=body) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_private_job_is_cancelled_too(stage: Stage) -> None:
    first, _ = await running(stage)
    interaction = await stage.draw(private=True, **OPTIONS)
    reply = await stage.answered(interaction)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled before it was begun.")
    stage.webui.release()
    await stage.delivered(first)


async def test_a_button_from_before_a_restart_still_works(stage: Stage) -> None:
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    reply = await stage.answered(interaction)
    await stage.restart()
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled")
    stage.webui.release()
    await stage.drawn(**OPTIONS)
    assert stage.uploads(interaction) == []
    assert stage.row(interaction)["state"] == "cancelled"


@pytest.mark.parametrize(
    "trouble",
    [{"status": 404, "code": 10062}, {"drop": True}, {"status": 500, "times": 50}],
    ids=["late", "cut", "down"],
)
async def test_a_press_whose_answer_is_lost_still_rewrites_the_message(stage: Stage, trouble: dict[str, Any]) -> None:
    interaction, reply = await running(stage)
    stage.discord.fail("POST", CALLBACK, **trouble)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    assert not reply.buttons()
    assert stage.row(interaction)["state"] == "cancelled"


async def test_a_press_whose_answer_is_cut_is_acknowledged_all_the_same(stage: Stage) -> None:
    interaction, reply = await running(stage)
    stage.discord.fail("POST", CALLBACK, drop=True)
    pressed = await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled")
    assert pressed.acknowledged


async def test_an_answer_lost_after_the_token_is_made_up_for_with_the_bot_s_own(stage: Stage) -> None:
    interaction, reply = await running(stage)
    await stage.reaches(interaction, "running")
    interaction.expire()
    stage.discord.fail("POST", CALLBACK, status=404, code=10062)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    assert not reply.buttons()


async def test_a_button_that_a_cancelled_job_was_left_with_goes_at_the_next_press(stage: Stage) -> None:
    interaction, reply = await running(stage)
    stage.discord.fail("POST", CALLBACK, status=404, code=10062, times=2)
    stage.discord.fail("PATCH", ANY_EDIT, status=403, times=50)
    await stage.presses_cancel(reply)
    await stage.reaches(interaction, "cancelled")
    await stage.webui.until(lambda: stage.webui.running is None)
    await asyncio.sleep(1.0)  # what was tried has failed by then, and leaves no trace to wait for
    assert reply.buttons()
    stage.discord.heal()
    answer = await stage.answered(await stage.presses_cancel(reply))
    assert answer.content == "This job was cancelled already."
    await stage.says(interaction, "Cancelled.")
    assert not reply.buttons()


async def test_a_button_that_a_finished_job_was_left_with_goes_at_the_next_press(stage: Stage) -> None:
    interaction, reply = await running(stage)
    interaction.expire()
    stage.discord.fail("PATCH", ANY_EDIT, status=403, times=50)
    stage.webui.release()
    await stage.reaches(interaction, "done")
    said = reply.content
    stage.discord.heal()
    answer = await stage.answered(await stage.presses_cancel(reply))
    assert "Too late" in answer.content
    await stage.discord.until(lambda: not cancels(reply), what="the button to be gone")
    assert reply.content == said
    stage.arrived_once(interaction)
