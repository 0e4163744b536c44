"""Another program holds the database's files for a while, as a backup does: nobody is left without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import NoDatabase
from tests.e2e.alone import Alone, open_alone
from tests.e2e.conftest import cheap_webui

SENTENCE = str(NoDatabase())
ANSWERED = 2.9
"""Seconds: Discord listens no longer."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Alone]:
    async with open_alone(tmp_path, [cheap_webui()]) as stage:
        await stage.start()
        yield stage
        stage.check()


async def test_a_command_gets_a_sentence_in_time_and_is_not_drawn_behind_its_owners_back(stage: Alone) -> None:
    async with stage.database_held():
        interaction = await stage.draw()
        looked = await stage.discord.slash(stage.ada, "queue")
        answer, page = await asyncio.gather(stage.answered(interaction, ANSWERED), stage.answered(looked, ANSWERED))
    assert SENTENCE in answer.content
    assert answer.ephemeral
    assert page.ephemeral
    later = await stage.draw("a red fox", size="64x64", steps=3)
    await stage.delivered(later)
    stage.arrived_once(later)
    assert stage.row(interaction).get("state") in (None, "cancelled")
    assert not stage.uploads(interaction)


async def test_what_is_being_drawn_arrives_once(stage: Alone) -> None:
    stage.webui.hold(2)
    interaction = await stage.draw("a red fox", size="64x64", steps=5, count=2)
    await stage.webui.until(lambda: stage.webui.running, what="a picture to be begun")
    async with stage.database_held():
        stage.webui.release()
        await stage.webui.until(lambda: not stage.webui.running, what="the picture to be drawn")
    await stage.delivered(interaction, 2)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 2)
