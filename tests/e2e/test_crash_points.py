"""SIGKILL at every named point of the pipeline, and SIGTERM in the middle: each picture still arrives, once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.jobs.points import POINTS
from playground.discord import Interaction
from playground.webui import Fault
from tests.buttons import cancels
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage, stops_well, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRASHING = ROOT / "tests" / "e2e" / "crashing_bot.py"
AFTER_DRAWING = ("rendered", "kept", "drawn", "delivering", "delivered", "done")
AT_DELIVERY = AFTER_DRAWING[-3:]
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 3, "seed": 5}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot that dies where a test wants it to."""
    folder = tmp_path_factory.mktemp("crashing")
    async with open_stage(folder, cheap_webui(), entry=CRASHING, CRASH_AT=str(folder / "point")) as stage:
        yield stage


async def crash_at(stage: Stage, point: str) -> None:
    """Let the next job die there, and none of an earlier test's: its spool is the last that is left of a picture."""
    await until(lambda: not list((stage.bot.data_dir / "spool").glob("*")), what="earlier jobs to be over")
    give_order(stage, point)


def give_order(stage: Stage, point: str) -> None:
    Path(stage.bot.settings["CRASH_AT"]).write_text(point)


async def survive(stage: Stage) -> None:
    """Wait for the crash, and start the bot again."""
    assert await stage.bot.ended() == -signal.SIGKILL
    await stage.restart()


@pytest.mark.parametrize("point", POINTS)
async def test_a_picture_arrives_once_though_the_bot_dies_at(stage: Stage, point: str) -> None:
    await crash_at(stage, point)
    interaction = await stage.draw("a red fox", count=2, **OPTIONS)
    await survive(stage)
    message = await stage.delivered(interaction, 2)
    row = await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 2)
    assert "seed 5–6" in message.content
    assert not cancels(message)
    # Without an answer in time there is no reply to edit, so the picture comes as a message of its own.
    assert row["delivered_to"] == ("channel" if point == "submitted" else "reply")
    await stage.drawn(size="64x64")


@pytest.mark.parametrize("point", AFTER_DRAWING)
async def test_the_rest_arrives_once_though_the_bot_dies_when_some_is_shown_at(stage: Stage, point: str) -> None:
    stage.webui.pace.seconds_per_step = 0.1  # time to give the order while the second one is drawn
    try:
        interaction = await stage.draw("a red fox", count=3, **OPTIONS)
        message = await stage.delivered(interaction, 1)
        give_order(stage, point)
        await survive(stage)
    finally:
        stage.webui.pace.seconds_per_step = 0.002
    await stage.delivered(interaction, 3)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 3)
    assert stage.carriers(interaction) == [message]
    assert "seed 5–7" in message.content
    assert len([render for render in stage.webui.renders if f"-{interaction.id}-0-" in render.task_id]) == 1


@pytest.mark.parametrize("point", AT_DELIVERY)
async def test_a_failure_is_told_once_though_the_bot_dies_at(stage: Stage, point: str) -> None:
    await crash_at(stage, point)
    stage.webui.fault(Fault.OUT_OF_MEMORY)
    renders, messages = len(stage.webui.renders), len(stage.discord.messages())
    interaction = await stage.draw(**OPTIONS)
    await survive(stage)
    await stage.says(interaction, "ran out of memory")
    await stage.reaches(interaction, "failed")
    assert len(stage.webui.renders) == renders + 1
    assert len(stage.discord.messages()) == messages + 1
    await stage.drawn(size="64x64")


@pytest.mark.parametrize("point", ["delivered", "done"])
@pytest.mark.parametrize(("private", "place"), [(False, "channel"), (True, "dm")])
async def test_a_late_picture_is_sent_once_though_the_bot_dies_at(
    stage: Stage, point: str, private: bool, place: str
) -> None:
    await crash_at(stage, point)
    interaction = await drawn_late(stage, private=private)
    await survive(stage)
    await stage.delivered(interaction)
    row = await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    assert row["delivered_to"] == place


@pytest.mark.parametrize("point", AT_DELIVERY)
async def test_a_wished_mention_comes_once_though_the_bot_dies_at(stage: Stage, point: str) -> None:
    await crash_at(stage, point)
    await stage.answered(await stage.discord.slash(stage.ada, "my", ping="5s"))
    before = len(stage.discord.messages())
    stage.webui.hold()
    interaction = await stage.draw(**OPTIONS)
    await stage.answered(interaction)
    await asyncio.sleep(5)
    stage.webui.release()
    await survive(stage)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    reply, mention = stage.discord.messages()[before:]
    assert not reply.pinged
    assert mention.pinged == {stage.ada.id}
    await stage.answered(await stage.discord.slash(stage.ada, "my", ping="off"))


async def drawn_late(stage: Stage, *, private: bool = False) -> Interaction:
    """A picture that is ready only after its interaction's token has ended."""
    stage.webui.hold()
    interaction = await stage.draw(private=private, **OPTIONS)
    await stage.answered(interaction)
    interaction.expire()
    stage.webui.release()
    return interaction


async def test_a_stop_in_the_middle_of_a_picture_only_delays_it(stage: Stage) -> None:
    stage.webui.hold(2)
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.step == 2)
    await stops_well(stage)
    await stage.start()
    # What the first process had asked for was nobody's any more.
    await stage.webui.until(lambda: stage.webui.renders[-1].state == "running", 15, "the second attempt")
    stage.webui.release()
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)


async def test_jobs_that_waited_wait_on_after_a_crash_in_their_order(stage: Stage) -> None:
    stage.webui.hold()
    interactions = [await stage.draw(seed=seed, size="64x64") for seed in (1, 2, 3)]
    for interaction in interactions:
        await stage.answered(interaction)
    await stage.restart()
    stage.webui.release()
    for interaction in interactions:
        await stage.delivered(interaction)
        stage.arrived_once(interaction)
    assert [render.seed for render in stage.webui.renders[-3:] if render.state == "done"] == [1, 2, 3]


async def test_what_was_done_is_not_done_again_after_a_restart(stage: Stage) -> None:
    interaction = await stage.draw(**OPTIONS)
    message = await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    edits, renders = len(message.edits), len(stage.webui.renders)
    await stage.restart()
    await stage.drawn(size="64x64")
    stage.arrived_once(interaction)
    assert len(message.edits) == edits
    assert len(stage.webui.renders) == renders + 1
