"""SIGKILL at every named point after a half-done picture was shown: the result arrives once, and nothing else stays."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage
from tests.e2e.test_crash_points import AFTER_DRAWING, CRASHING, give_order, survive
from tests.e2e.test_preview import previewed, previews, wish

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot that dies where a test wants it to, in a channel where previews are on."""
    folder = tmp_path_factory.mktemp("crashing")
    webui = cheap_webui(options={"show_progress_every_n_steps": 1})
    async with open_stage(folder, webui, entry=CRASHING, CRASH_AT=str(folder / "point")) as stage:
        wish(stage, stage.discord.channel, "on")
        yield stage


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("point", AFTER_DRAWING)
async def test_a_previewed_picture_arrives_once_though_the_bot_dies_at(stage: Stage, point: str, count: int) -> None:
    interaction, message = await previewed(stage, size="64x64", count=count)
    await crash_at_release(stage, point)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, count)
    assert stage.carriers(interaction) == [message]
    assert not previews(message)


async def crash_at_release(stage: Stage, point: str) -> None:
    give_order(stage, point)
    stage.webui.release()
    await survive(stage)
