"""The gateway breaks, resumes, reconnects: commands are heard again, and none twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from playground.discord import Interaction
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True}
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 2}
RECONNECT_SECONDS = 20.0


async def hears_again(stage: Stage) -> Interaction:
    """Connected again, and one picture is drawn."""
    await stage.discord.until(lambda: stage.discord.connected, RECONNECT_SECONDS, "the bot to come back")
    interaction = await stage.draw(**OPTIONS)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    return interaction


async def test_a_command_sent_while_the_gateway_is_down_is_heard_on_resuming(stage: Stage) -> None:
    resumes = stage.discord.resumes
    await stage.discord.drop_gateways()
    await stage.discord.until(lambda: not stage.discord.connected, what="the gateway to be down")
    interaction = await stage.draw(**OPTIONS)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    assert stage.discord.resumes == resumes + 1
    stage.arrived_once(interaction)


async def test_the_bot_reconnects_when_it_is_told_to(stage: Stage) -> None:
    resumes = stage.discord.resumes
    await stage.discord.reconnect_clients()
    await stage.discord.until(lambda: stage.discord.resumes > resumes, RECONNECT_SECONDS, "a resume")
    await hears_again(stage)


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session_is_replaced_by_a_new_one(stage: Stage, resumable: bool) -> None:
    before = stage.discord.identifies + stage.discord.resumes
    await stage.discord.invalidate_sessions(resumable=resumable)
    await stage.discord.until(
        lambda: stage.discord.identifies + stage.discord.resumes > before, RECONNECT_SECONDS, "a new session"
    )
    await hears_again(stage)


async def test_pictures_arrive_while_the_gateway_is_down(stage: Stage) -> None:
    stage.webui.hold()
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.running is not None)
    await stage.discord.drop_gateways()
    stage.webui.release()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)
    await hears_again(stage)


async def test_discord_may_be_gone_for_a_while(stage: Stage) -> None:
    stage.expected_errors = ("Attempting a reconnect",)  # the library's own words for it
    stage.webui.hold()
    interaction = await stage.draw(**OPTIONS)
    await stage.webui.until(lambda: stage.webui.running is not None)
    await stage.discord.stop()
    stage.webui.release()
    await stage.webui.until(lambda: stage.webui.running is None)
    await stage.discord.start()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)
    await hears_again(stage)


async def test_many_breaks_in_a_row_lose_no_command(stage: Stage) -> None:
    interactions = []
    for _ in range(3):
        interactions.append(await stage.draw(**OPTIONS))
        await stage.discord.drop_gateways()
        await asyncio.sleep(0)  # the cut takes a turn of the loop; the next command is then sent into the gap
    for interaction in interactions:
        await stage.delivered(interaction)
        stage.arrived_once(interaction)
