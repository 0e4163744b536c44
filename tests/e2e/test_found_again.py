"""After a crash around the delivery: what was sent is found before it is sent again, and what is lost is said."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from playground.discord import Interaction
from tests.buttons import cancels
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRASHING = ROOT / "tests" / "e2e" / "crashing_bot.py"
OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 3, "seed": 5}
REPLY = r"^/webhooks/\d+/[^/]+/messages/@original$"
CHANNEL = r"^/channels/\d+/messages"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot that dies where a test wants it to."""
    folder = tmp_path_factory.mktemp("crashing")
    async with open_stage(folder, cheap_webui(), entry=CRASHING, CRASH_AT=str(folder / "point")) as stage:
        yield stage


def order(stage: Stage, point: str) -> None:
    Path(stage.bot.settings["CRASH_AT"]).write_text(point)


async def dies_at(stage: Stage, point: str, *, late: bool = False, **options: Any) -> Interaction:
    """A job in the midst of which the bot dies; `late`: once its token is over."""
    order(stage, point)
    stage.webui.hold()
    interaction = await stage.draw("a red fox", **(OPTIONS | options))
    await stage.answered(interaction)
    if late:
        interaction.expire()
    stage.webui.release()
    assert await stage.bot.ended() == -signal.SIGKILL
    return interaction


def pictures(stage: Stage) -> list[Path]:
    return sorted((stage.bot.data_dir / "pictures").glob("*/*.png"))


@pytest.mark.parametrize("trouble", [{"status": 503}, {"drop": True}], ids=["503", "cut"])
@pytest.mark.parametrize(("late", "looked_at"), [(False, REPLY), (True, CHANNEL)], ids=["reply", "channel"])
async def test_a_picture_is_looked_for_until_discord_can_say_whether_it_is_there(
    stage: Stage, late: bool, looked_at: str, trouble: dict[str, Any]
) -> None:
    interaction = await dies_at(stage, "delivered", late=late)
    rules = stage.discord.rules
    stage.discord.rules = dataclasses.replace(rules, nonce_seconds=0.0)  # the crash outlasted Discord's memory of it
    stage.discord.fail("GET", looked_at, **trouble)
    try:
        await stage.restart()
        row = await stage.reaches(interaction, "done")
    finally:
        stage.discord.rules = rules
    stage.arrived_once(interaction)
    assert row["delivered_to"] == ("channel" if late else "reply")


async def test_a_picture_whose_file_is_gone_costs_itself_alone(stage: Stage) -> None:
    before = pictures(stage)
    interaction = await dies_at(stage, "delivering", count=2, seed=71)
    lost = next(path for path in pictures(stage) if path not in before)
    lost.unlink()
    await stage.restart()
    message = await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    assert len(stage.uploads(interaction)) == 1
    assert "picture 1: " in message.content
    assert "missing from the bot's disk" in message.content


async def test_pictures_that_are_all_gone_are_told_of_in_a_sentence(stage: Stage) -> None:
    before = pictures(stage)
    interaction = await dies_at(stage, "delivering", seed=81)
    for path in pictures(stage):
        if path not in before:
            path.unlink()
    await stage.restart()
    message = await stage.says(interaction, "missing from the bot's disk")
    assert not cancels(message)
    assert stage.uploads(interaction) == []
    await stage.drawn(size="64x64")
