"""What is offered while an option is being typed, with more checkpoints than Discord takes."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = f"{'aVeryLongName' * 12}.safetensors"
WEBUI = {
    "seconds_per_step": 0.002,
    "cheap_pictures": True,
    "checkpoints": (LONG, "Été_Doux.safetensors", *(f"model_{number:03}.safetensors" for number in range(60))),
}


async def test_there_are_never_more_than_25_choices_of_100_characters(stage: Stage) -> None:
    choices = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "")
    assert len(choices) == 25
    assert max(len(choice.name) for choice in choices) <= 100
    assert max(len(str(choice.value)) for choice in choices) <= 100


@pytest.mark.parametrize(
    ("option", "typed", "expected"),
    [
        ("checkpoint", "EL_042", "model_042"),
        ("checkpoint", "été", "Été_Doux"),
        ("checkpoint", "longname", "aVeryLongName"),
        ("sampler", "2m", "DPM++ 2M"),
        ("scheduler", "KARR", "Karras"),
        ("size", "wide", "wide"),
        ("size", "1216", "832x1216"),
    ],
)
async def test_a_part_of_a_name_in_any_case_finds_it(stage: Stage, option: str, typed: str, expected: str) -> None:
    choices = await stage.discord.autocomplete(stage.ada, "draw", option, typed)
    assert expected in choices[0].name


@pytest.mark.parametrize("typed", ["no such thing", "*", "%", "\\", "x" * 6000, "👩‍👩‍👧", "\n", "`", "%s{0}"])
@pytest.mark.parametrize("option", ["checkpoint", "sampler", "scheduler", "size"])
async def test_nothing_that_is_typed_breaks_it(stage: Stage, option: str, typed: str) -> None:
    await stage.discord.autocomplete(stage.ada, "draw", option, typed)


@pytest.mark.parametrize("typed", ["", "longname", "été"])
async def test_what_is_offered_can_be_drawn_with(stage: Stage, typed: str) -> None:
    (choice, *_) = await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", typed)
    message = await stage.drawn(checkpoint=choice.value, size="64x64", steps=1)
    assert "instead of" not in message.content


async def test_choices_come_while_the_webui_is_at_work(stage: Stage) -> None:
    stage.webui.hold()
    interaction = await stage.draw(size="64x64")
    await stage.webui.until(lambda: stage.webui.running is not None)
    assert await stage.discord.autocomplete(stage.ada, "draw", "checkpoint", "model")
    stage.webui.release()
    await stage.delivered(interaction)
