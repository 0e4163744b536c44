"""A worker dies at every named point: the others finish its job, whether it comes back or not, and nothing is twice."""

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
from tests.e2e.harness import until
from tests.e2e.machine import Machine
from tests.e2e.scale import Cluster, open_cluster
from tests.postgres import LocalPostgres

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRASHING = ROOT / "tests" / "e2e" / "crashing_bot.py"
AT_THE_GATEWAY = ("submitted", "replied")
AT_A_WORKER = tuple(point for point in POINTS if point not in AT_THE_GATEWAY)
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 3, "seed": 5}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> AsyncIterator[Cluster]:
    """Two workers, of which the first that comes to the point dies."""
    folder = tmp_path_factory.mktemp("points")
    workers = {name: [cheap_webui(name=name)] for name in ("one", "two")}
    async with open_cluster(folder, postgres, workers, entry=CRASHING, CRASH_AT=str(folder / "point")) as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared_stage: Cluster) -> AsyncIterator[Cluster]:
    """The module's machines, all at work."""
    await shared_stage.start()
    shared_stage.begin()
    yield shared_stage
    shared_stage.heal()
    shared_stage.check()


def crash_at(stage: Cluster, point: str) -> None:
    Path(stage.bot.settings["CRASH_AT"]).write_text(point)


async def dead(stage: Cluster) -> Machine:
    """The machine that has died of it."""
    found = await until(lambda: next((one for one in stage.machines if not one.running), None), 20, "a death")
    assert found is not None
    assert await found.ended() == -signal.SIGKILL
    return found


async def ends_once(stage: Cluster, interaction: Interaction, pictures: int = 1) -> dict[str, Any]:
    await stage.delivered(interaction, pictures)
    row = await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, pictures)
    assert not cancels(stage.carriers(interaction)[0])
    return row


@pytest.mark.parametrize("point", AT_A_WORKER)
async def test_a_job_ends_once_though_its_worker_dies_for_good_at(stage: Cluster, point: str) -> None:
    crash_at(stage, point)
    interaction = await stage.draw("a red fox", count=2, **OPTIONS)
    machine = await dead(stage)
    # Another machine comes in its place, with a name and a disk of its own.
    machine.data_dir = machine.data_dir.with_name(f"after {point}")
    _, row = await asyncio.gather(machine.spawn(), ends_once(stage, interaction, 2))
    assert row["delivered_to"] == "reply"
    assert "seed 5–6" in stage.carriers(interaction)[0].content


@pytest.mark.parametrize("point", AT_A_WORKER)
async def test_a_job_ends_once_though_its_worker_dies_and_comes_back_at(stage: Cluster, point: str) -> None:
    crash_at(stage, point)
    interaction = await stage.draw("a red fox", count=2, **OPTIONS)
    machine = await dead(stage)
    await machine.spawn()
    assert (await ends_once(stage, interaction, 2))["delivered_to"] == "reply"


@pytest.mark.parametrize("point", AT_THE_GATEWAY)
async def test_a_job_ends_once_though_the_gateway_dies_at(stage: Cluster, point: str) -> None:
    crash_at(stage, point)
    interaction = await stage.draw(count=2, **OPTIONS)
    assert await dead(stage) is stage.bot
    row = await ends_once(stage, interaction, 2)
    # Without an answer in time there is no reply to edit, so the picture comes as a message of its own.
    assert row["delivered_to"] == ("channel" if point == "submitted" else "reply")


@pytest.mark.parametrize("point", ["delivering", "delivered"])
async def test_a_failure_is_told_once_though_its_worker_dies_for_good_at(stage: Cluster, point: str) -> None:
    crash_at(stage, point)
    for webui in stage.webuis:
        webui.fault(Fault.OUT_OF_MEMORY, times=2)
    messages = len(stage.discord.messages())
    interaction = await stage.draw(**OPTIONS)
    machine = await dead(stage)
    machine.data_dir = machine.data_dir.with_name(f"after failing, {point}")
    await stage.says(interaction, "ran out of memory")
    await stage.reaches(interaction, "failed")
    assert len(stage.discord.messages()) == messages + 1


async def test_a_worker_that_wakes_after_its_picture_was_shown_by_another_shows_nothing(stage: Cluster) -> None:
    """It stands still when it is about to deliver; then the database crashes, and with it goes its sign of life."""
    crash_at(stage, "delivering SIGSTOP")
    interaction = await stage.draw(**OPTIONS)
    await until(lambda: not Path(stage.bot.settings["CRASH_AT"]).exists(), what="a worker to stand still")
    (part,) = stage.parts(interaction)
    sleeper = next(worker for worker in stage.workers if worker.worker_id == part["worker"])
    await stage.disturb_database()
    await ends_once(stage, interaction)
    sleeper.send(signal.SIGCONT)
    await stage.drawn(**OPTIONS)
    await until(lambda: sleeper.log().count("connecting again"), what="the sleeper to have noticed")
    await asyncio.sleep(1)  # what it would do it does by then
    stage.arrived_once(interaction)
    assert sum(f"easel-{interaction.id}-1.png" in request.files for request in stage.discord.requests) == 1
