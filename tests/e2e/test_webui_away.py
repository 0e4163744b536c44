"""A webui that is not there yet, goes away, hangs or comes back: jobs wait, and the person is told why."""

from __future__ import annotations

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
