"""Many jobs and several webuis: the work is shared, and nothing is lost in the crowd."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from playground.webui import Fault
from tests.buttons import cancels
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import until

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 2}
CROWD = 200


async def test_idle_webuis_share_the_work(new_stage: OpenStage) -> None:
    stage = await new_stage(*(cheap_webui(name=name) for name in ("one", "two", "three")))
    for webui in stage.webuis:
        webui.hold()
    interactions = [await stage.draw(f"picture {number}", **OPTIONS) for number in range(3)]
    for webui in stage.webuis:
        await webui.until(lambda webui=webui: webui.running is not None)  # type: ignore[misc]  # mypy can't infer it
        webui.release()
    for interaction in interactions:
        await stage.delivered(interaction)
        stage.arrived_once(interaction)
    assert [len(webui.renders) for webui in stage.webuis] == [1, 1, 1]


async def test_a_job_goes_where_its_checkpoint_is_and_holds_up_nobody(new_stage: OpenStage) -> None:
    one = cheap_webui(name="one", checkpoints=["common.safetensors", "rare.safetensors"])
    two = cheap_webui(name="two", checkpoints=["common.safetensors"])
    stage = await new_stage(one, two)
    one.hold()
    busy = await stage.draw(checkpoint="rare", **OPTIONS)
    await one.until(lambda: one.running is not None)
    waiting = await stage.draw(checkpoint="rare", **OPTIONS)
    await stage.answered(waiting)
    await stage.drawn(checkpoint="common", **OPTIONS)
    assert len(two.renders) == 1
    one.release()
    for interaction in (busy, waiting):
        await stage.delivered(interaction)
    assert [render.checkpoint for render in one.renders] == ["rare", "rare"]


async def test_one_webui_never_gets_two_jobs_at_once(new_stage: OpenStage) -> None:
    stage = await new_stage()
    stage.webui.hold()
    interactions = [await stage.draw(**OPTIONS) for _ in range(4)]
    for interaction in interactions:
        await stage.answered(interaction)
    await stage.webui.until(lambda: stage.webui.running is not None)
    polls = stage.webui.count("/internal/progress")
    await stage.webui.until(lambda: stage.webui.count("/internal/progress") > polls + 1, what="two polls")
    assert stage.webui.count("/sdapi/v1/txt2img") == 1
    stage.webui.release()
    for interaction in interactions:
        await stage.delivered(interaction)
    spans = [(render.started, render.finished or 0.0) for render in stage.webui.renders]
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))


@pytest.mark.timeout(180)
async def test_two_hundred_commands_at_once_are_all_answered_and_all_drawn(new_stage: OpenStage) -> None:
    stage = await new_stage(*(cheap_webui(name=str(number), seconds_per_step=0) for number in range(4)))
    members = [stage.discord.member(f"member {number}") for number in range(20)]
    interactions = [
        await stage.draw(f"picture {number}", member=members[number % 20], size="64x64", steps=1, seed=number)
        for number in range(CROWD)
    ]
    await stage.discord.until(
        lambda: all(interaction.acknowledged for interaction in interactions), 60, "all to be answered"
    )
    await stage.discord.until(lambda: len(stage.discord.uploads) >= CROWD, 150, "all pictures")
    for interaction in interactions:
        stage.arrived_once(interaction)
    seeds = [render.seed for webui in stage.webuis for render in webui.renders]
    assert sorted(seeds) == list(range(CROWD))


async def test_a_job_that_gets_no_further_picture_ends_though_its_last_one_went_back(new_stage: OpenStage) -> None:
    one, two = cheap_webui(name="one"), cheap_webui(name="two")
    stage = await new_stage(one, two)
    for webui in (one, two):
        webui.hold(2)
    interaction = await stage.draw(count=2, size="64x64", steps=4)
    for webui in (one, two):
        await webui.until(lambda webui=webui: webui.running is not None)  # type: ignore[misc]  # bound now
    one.fault(Fault.VALIDATION_ECHO)  # for the first picture's next attempt
    await one.restart()
    await until(lambda: stage.row(interaction)["sentence"], 20, "the first picture to fail")
    await two.restart()
    message = await stage.says(interaction, "refused this combination of settings")
    await stage.reaches(interaction, "failed")
    assert not cancels(message)
