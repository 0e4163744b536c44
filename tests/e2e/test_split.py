"""One job on two webuis: its pictures are drawn side by side and shown in one message that grows."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from playground.discord import Interaction, Message
from playground.webui import LocalWebui
from tests.buttons import cancels
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4, "seed": 40, "count": 4}
SEEDS = [40, 41, 42, 43]
SLOWLY = 0.05


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """Two webuis: `two` is slow enough to be seen between two pictures."""
    webuis = cheap_webui(name="one"), cheap_webui(name="two", seconds_per_step=SLOWLY)
    async with open_stage(tmp_path_factory.mktemp("split"), *webuis) as stage:
        yield stage


def webuis_of(stage: Stage) -> tuple[LocalWebui, LocalWebui]:
    one, two = stage.webuis
    return one, two


def renders_of(stage: Stage, interaction: Interaction, state: str = "done") -> list[tuple[str, int]]:
    """What was drawn for this job: the webui's name and the seed."""
    return sorted(
        (webui.name, render.seed)
        for webui in stage.webuis
        for render in webui.renders
        if f"-{interaction.id}-" in render.task_id and render.state == state
    )


async def split(stage: Stage, shown: int, **options: Any) -> tuple[Interaction, Message]:
    """A job of four: one picture is held on `one`, and `two` has drawn so many others, which are shown."""
    one, two = webuis_of(stage)
    for webui in (one, two):
        webui.hold(1)
    interaction = await stage.draw("four foxes", **(OPTIONS | options))
    for webui in (one, two):
        await webui.until(lambda webui=webui: webui.running is not None and webui.step == 1)  # type: ignore[misc]  # mypy can't infer it
    two.release()
    message = await stage.delivered(interaction, shown)
    two.hold()
    return interaction, message


async def test_two_webuis_draw_one_job_and_its_message_grows(stage: Stage) -> None:
    interaction, message = await split(stage, 1)
    assert f"**Drawing** {len(message.attachments)} of 4 done" in message.content
    assert message.buttons()
    stage.webuis[1].release()
    await stage.delivered(interaction, 3)
    stage.webuis[0].release()
    await stage.delivered(interaction, 4)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 4)
    assert stage.carriers(interaction) == [interaction.response]
    assert [count for count in _counts(message) if count] == sorted(count for count in _counts(message) if count)
    assert set(_counts(message)) >= {1, 2, 3, 4}
    assert not cancels(message)


def _counts(message: Message) -> list[int]:
    return [len(edit.filenames) for edit in message.edits]


def _ups(stage: Stage) -> int:
    """How often the bot found a webui."""
    return stage.bot.log().count('"a webui is up"')


async def test_the_seeds_are_those_that_one_webui_would_have_used(stage: Stage) -> None:
    interaction, _ = await split(stage, 1)
    for webui in stage.webuis:
        webui.release()
    message = await stage.delivered(interaction, 4)
    await stage.reaches(interaction, "done")
    drawn = renders_of(stage, interaction)
    assert sorted(seed for _, seed in drawn) == SEEDS
    assert {name for name, _ in drawn} == {"one", "two"}
    infotexts = [Image.open(io.BytesIO(one.data)).info["parameters"] for one in message.attachments]
    assert [f"Seed: {seed}," in text for seed, text in zip(SEEDS, infotexts, strict=True)] == [True] * 4
    assert "seed 40–43" in message.content


async def test_what_was_shown_before_a_kill_is_neither_drawn_nor_sent_again(stage: Stage) -> None:
    interaction, message = await split(stage, 1)
    await until(lambda: [part["state"] for part in stage.parts(interaction)].count("shown") == len(message.attachments))
    before = {one.filename: one.data for one in message.attachments}
    drawn = renders_of(stage, interaction)
    await stage.restart()
    for webui in stage.webuis:
        webui.release()
    await stage.delivered(interaction, 4)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction, 4)
    assert len(message.attachments) == 4
    assert before.items() <= {one.filename: one.data for one in message.attachments}.items()
    assert sorted(seed for _, seed in renders_of(stage, interaction)) == SEEDS
    assert set(drawn) <= set(renders_of(stage, interaction))


async def test_a_job_cancelled_in_the_middle_keeps_what_is_shown(stage: Stage) -> None:
    interaction, message = await split(stage, 1)
    shown = len(message.attachments)
    await stage.presses_cancel(message)
    await stage.says(interaction, "Cancelled while it was being drawn.")
    for webui in stage.webuis:
        await webui.until(lambda webui=webui: webui.running is None)  # type: ignore[misc]  # as above
    await _ends_as_cancelled(stage, interaction, message, shown)


async def test_the_same_by_the_queue_s_command(stage: Stage) -> None:
    interaction, message = await split(stage, 2)
    shown = len(message.attachments)
    answer = await stage.answered(await stage.discord.slash(stage.ada, "queue", cancel=str(interaction.id)))
    await stage.discord.until(lambda: "Cancelled" in answer.content, what="the answer")
    await stage.says(interaction, "Cancelled while it was being drawn.")
    for webui in stage.webuis:
        await webui.until(lambda webui=webui: webui.running is None)  # type: ignore[misc]  # as above
    await _ends_as_cancelled(stage, interaction, message, shown)


async def _ends_as_cancelled(stage: Stage, interaction: Interaction, message: Message, pictures: int) -> None:
    for webui in stage.webuis:
        webui.release()
    await stage.drawn("the next one", size="64x64", steps=1)
    assert stage.row(interaction)["state"] == "cancelled"
    assert len(message.attachments) == pictures
    assert len(stage.uploads(interaction)) == pictures
    assert message.content.startswith("**Cancelled while it was being drawn.**")
    assert not cancels(message)


async def test_a_picture_of_a_webui_that_dies_is_drawn_by_the_other_with_its_seed(stage: Stage) -> None:
    one, two = webuis_of(stage)
    interaction, _ = await split(stage, 1)
    (held,) = (render.seed for render in one.renders if render.state == "running")
    one.refuse_connections()
    try:
        two.release()
        message = await stage.delivered(interaction, 4)
        await stage.reaches(interaction, "done")
    finally:
        one.release()
        ups = _ups(stage)
        await one.accept_connections()
        await until(lambda: _ups(stage) > ups, what="the bot to find it again")
    stage.arrived_once(interaction, 4)
    assert [(name, seed) for name, seed in renders_of(stage, interaction) if seed == held] == [("two", held)]
    assert "seed 40–43" in message.content
    await until(lambda: [part["attempt"] for part in stage.parts(interaction)].count(2) == 1, what="one second attempt")
