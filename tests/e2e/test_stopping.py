"""SIGTERM: what is in hand is finished or handed back, nothing new is begun, and all goes on at the next start."""

from __future__ import annotations

import signal
from typing import Any

from playground.webui import Fault
from tests.e2e.conftest import OpenStage
from tests.e2e.harness import Stage, until

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4, "seed": 5}


async def stops(stage: Stage) -> None:
    """Ask the bot to stop, until it has heard that."""
    stage.bot.send(signal.SIGTERM)
    await until(lambda: "stopping" in stage.bot.log(), what="the bot to hear it")


async def held(stage: Stage, **options: Any) -> Any:
    stage.webui.hold(2)
    interaction = await stage.draw(**(OPTIONS | options))
    await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.step == 2)
    return interaction


async def test_what_is_being_drawn_is_finished_and_nothing_new_is_begun(new_stage: OpenStage) -> None:
    stage = await new_stage(DRAIN_SECONDS="30")
    interaction = await held(stage, count=2)
    other = await stage.draw(**OPTIONS)
    await stage.answered(other)
    await stops(stage)
    late = await stage.asked("a late one", **OPTIONS)
    sentence = "The bot is being restarted; pictures wait until it is back."
    assert late.content.startswith(f"**Waiting** · {sentence}")
    await stage.says(other, sentence)
    stage.webui.release()
    assert await stage.bot.ended() == 0
    stage.arrived_once(interaction)
    assert [render.state for render in stage.webui.renders] == ["done"]
    assert stage.webui.interrupts == []
    await stage.start()
    await stage.delivered(interaction, 2)
    await stage.delivered(other)
    await stage.discord.until(lambda: late.attachments, 20, "the late one")
    stage.arrived_once(interaction, 2)
    assert len(stage.webui.renders) == 4


async def test_without_a_drain_it_is_handed_back_and_goes_on_after_the_start(new_stage: OpenStage) -> None:
    stage = await new_stage(DRAIN_SECONDS="0")
    interaction = await held(stage)
    stage.webui.fault(Fault.SLOW, times=None, route="/internal/progress", amount=0.5)
    await stops(stage)
    assert await stage.bot.ended() == 0
    stage.webui.clear_faults()
    assert len(stage.webui.interrupts) == 1
    await stage.says(interaction, "**Waiting**")
    assert stage.row(interaction)["state"] == "queued"
    assert [part["state"] for part in stage.parts(interaction)] == ["waiting"]
    stage.webui.release()
    await stage.start()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)
    assert [render.seed for render in stage.webui.renders] == [5, 5]


async def test_a_second_signal_waits_for_nothing(new_stage: OpenStage) -> None:
    stage = await new_stage(DRAIN_SECONDS="60")
    interaction = await held(stage)
    await stops(stage)
    assert stage.bot.running
    stage.bot.send(signal.SIGTERM)
    assert await stage.bot.ended(10) == 0
    assert len(stage.webui.interrupts) == 1
    assert [part["state"] for part in stage.parts(interaction)] == ["waiting"]


async def test_an_idle_bot_stops_at_once(new_stage: OpenStage) -> None:
    stage = await new_stage(DRAIN_SECONDS="60")
    await stage.drawn(**OPTIONS)
    stage.bot.send(signal.SIGTERM)
    assert await stage.bot.ended(5) == 0
