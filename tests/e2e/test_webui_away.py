"""A webui that is not there yet, goes away, hangs or comes back: jobs wait, and the person is told why."""

from __future__ import annotations

import re
from typing import Any

from playground.webui import Fault
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import OpenStage, cheap_webui

IMPATIENT = ROOT / "tests" / "e2e" / "impatient_bot.py"
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4, "seed": 1}


async def test_commands_are_accepted_before_the_webui_is_there(new_stage: OpenStage) -> None:
    stage = await new_stage(listening=False)
    interactions = [await stage.draw(f"picture {number}", **OPTIONS) for number in range(3)]
    for interaction in interactions:
        reply = await stage.answered(interaction)
        assert reply.content.startswith("**Waiting** · The webui")
        assert "pictures wait until" in reply.content
    await stage.webui.accept_connections()
    for interaction in interactions:
        await stage.delivered(interaction)
        stage.arrived_once(interaction)


async def test_what_may_come_after_the_last_moment_to_answer_is_said_early(new_stage: OpenStage) -> None:
    stage = await new_stage(listening=False)
    elsewhere = stage.discord.add_foreign_guild("Elsewhere")
    late = "Here I can answer for 15 minutes only. If this takes longer, the answer comes as a direct message"
    brought = await stage.draw("a red fox", channel=elsewhere, **OPTIONS)
    private = await stage.draw("a blue fox", private=True, **OPTIONS)
    public = await stage.draw("a green fox", **OPTIONS)
    assert late in (await stage.answered(brought)).content
    assert late in (await stage.answered(private)).content
    assert late not in (await stage.answered(public)).content
    await stage.webui.accept_connections()
    for interaction in (brought, private, public):
        assert late not in (await stage.delivered(interaction)).content


async def test_a_webui_that_starts_slowly_is_waited_for(new_stage: OpenStage) -> None:
    stage = await new_stage(listening=False)
    stage.webui.routes_missing = True
    await stage.webui.accept_connections()
    await stage.webui.until(lambda: stage.webui.requests, what="the bot to find the webui")
    interaction = await stage.draw(**OPTIONS)
    assert "**Waiting**" in (await stage.answered(interaction)).content
    stage.webui.lists_empty = True
    stage.webui.routes_missing = False
    stage.webui.lists_empty = False
    await stage.delivered(interaction)


async def test_a_webui_that_goes_away_in_the_middle_only_delays_the_picture(new_stage: OpenStage) -> None:
    stage = await new_stage()
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.step == 2)
    stage.webui.refuse_connections()
    await stage.says(interaction, "**Waiting**")
    waiting = await stage.asked(**OPTIONS)
    assert "**Waiting** · The webui can't be reached" in waiting.content
    stage.webui.release()
    await stage.webui.accept_connections()
    await stage.delivered(interaction)
    await stage.discord.until(lambda: waiting.attachments, 20, "the second picture")
    stage.arrived_once(interaction)


async def test_a_webui_that_restarts_in_the_middle_only_delays_the_picture(new_stage: OpenStage) -> None:
    stage = await new_stage()
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.step == 2)
    stage.webui.release()
    await stage.webui.restart(refused=0.3, routes_missing=0.3, lists_empty=0.3)
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


async def test_a_webui_that_loses_a_job_is_asked_again(new_stage: OpenStage) -> None:
    stage = await new_stage(entry=IMPATIENT, FORGOTTEN="0.5")
    stage.webui.fault(Fault.HANG)
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.hanging)
    await stage.delivered(interaction)
    assert stage.webui.count("/sdapi/v1/txt2img") == 2
    stage.arrived_once(interaction)


async def test_a_webui_that_always_hangs_ends_the_job_and_not_the_bot(new_stage: OpenStage) -> None:
    stage = await new_stage(entry=IMPATIENT, FORGOTTEN="0.3")
    stage.webui.fault(Fault.HANG, times=3)
    interaction = await stage.draw(**OPTIONS)
    await stage.says(interaction, "broke 3 times")
    await stage.drawn(**OPTIONS)


async def test_another_webui_takes_over_from_one_that_went_away(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(name="one"), cheap_webui(name="two"))
    one, two = stage.webuis
    one.hold(2)
    interaction = await stage.draw(**OPTIONS)
    await one.until(lambda: one.step == 2)
    one.refuse_connections()
    await stage.delivered(interaction)
    assert [render.seed for render in two.renders] == [1]
    stage.arrived_once(interaction)


async def test_people_are_told_when_every_webui_is_gone_and_when_one_is_back(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(name="one"), cheap_webui(name="two"))
    one, two = stage.webuis
    for webui in stage.webuis:
        webui.hold(1)
    drawn = await stage.draw(count=2, **OPTIONS)
    for webui in (one, two):
        await webui.until(lambda webui=webui: webui.running is not None)  # type: ignore[misc]  # mypy can't infer it
    waiting = [await stage.draw(**OPTIONS) for _ in range(2)]
    for interaction in waiting:
        await stage.says(interaction, "starts <t:")
    for webui in (one, two):
        webui.refuse_connections()
    for interaction in waiting:
        await stage.says(interaction, "**Waiting** · The webui can't be reached at the moment")
    await two.accept_connections()
    await two.until(lambda: two.running is not None and two.renders[-1].state == "running", 20)
    told = await stage.discord.until(
        lambda: [one for one in waiting if one.response and "starts <t:" in one.response.content], 20, "a new place"
    )
    assert all(re.search(r"^\*\*(Next|2nd|3rd)", one.response.content) for one in told if one.response is not None)
    two.release()
    await stage.delivered(drawn, 2)
    for interaction in waiting:
        await stage.delivered(interaction)
        stage.arrived_once(interaction)
    stage.arrived_once(drawn, 2)


async def test_a_webui_that_fails_at_once_does_not_attract_the_jobs(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(name="bad"), cheap_webui(name="good", seconds_per_step=0.02))
    bad, good = stage.webuis
    bad.fault(Fault.LEAKY_ERROR, times=None)
    interactions = [await stage.draw(f"picture {number}", size="64x64", steps=2) for number in range(10)]
    for interaction in interactions:
        await stage.delivered(interaction)
        await stage.reaches(interaction, "done")
        stage.arrived_once(interaction)
    assert sorted(render.payload["prompt"] for render in good.renders) == [f"picture {n}" for n in range(10)]
    assert bad.count("/sdapi/v1/txt2img") <= 6
    told = [edit.content for one in interactions if one.response is not None for edit in one.response.edits]
    assert any(content.startswith("**Waiting**") and "Another webui tries it." in content for content in told)
    assert not any("**No picture**" in content for content in told)


async def test_a_webui_that_can_not_tell_its_tasks_apart_is_never_interrupted(new_stage: OpenStage) -> None:
    """What it is at work on may be somebody else's by then."""
    stage = await new_stage(cheap_webui(internal=False))
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    reply = await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.step == 2)
    await stage.presses_cancel(reply)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    stage.webui.release()
    await stage.drawn(**OPTIONS)
    assert stage.webui.interrupts == []
    assert stage.uploads(interaction) == []
    assert [render.state for render in stage.webui.renders] == ["done", "done"]


async def test_a_webui_without_its_own_routes_shows_the_global_progress(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(internal=False))
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    await stage.says(interaction, "step 2/4")
    stage.webui.release()
    await stage.delivered(interaction)
    request = next(one for one in stage.webui.requests if one.path.endswith("txt2img"))
    assert "force_task_id" not in request.body


async def test_a_login_that_is_wrong_is_told_to_people_and_mended_without_a_restart(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(auth=("studio", "a password: of/sorts")))
    await stage.drawn(**OPTIONS)
    stage.webui.fault(Fault.UNAUTHORIZED, times=None, route="*")
    interaction = await stage.draw(**OPTIONS)
    await stage.says(interaction, "refuses the bot's login")
    stage.webui.clear_faults()
    await stage.delivered(interaction)
