"""Every permutation of a prompt: asked first, then drawn, each once."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import Interaction, Message
from tests.core.images.pictures import as_png, noise
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 1}
PROMPT = "a {red|blue} {fox|owl}"
EACH = ["a red fox", "a red owl", "a blue fox", "a blue owl"]


async def asked(stage: Stage, **options: Any) -> Message:
    """The question."""
    message = await stage.says(await stage.draw(PROMPT, permutations=True, **SMALL, **options), "Draw 4 pictures")
    assert message.ephemeral
    return message


async def confirm(stage: Stage, question: Message) -> Interaction:
    (button,) = question.buttons()
    assert button["label"] == "Draw 4 pictures"
    return await stage.discord.press(stage.ada, question, button["custom_id"])


async def test_the_number_is_shown_and_nothing_is_drawn_before_it_is_confirmed(stage: Stage) -> None:
    jobs, renders = len(stage.rows()), len(stage.webui.renders)
    question = await asked(stage, seed=5)
    for prompt in EACH:
        assert prompt in question.content
    assert len(stage.rows()) == jobs
    press = await confirm(stage, question)
    message = await stage.delivered(press, 4)
    assert not message.ephemeral
    drawn = [render.payload for render in stage.webui.renders[renders:]]
    assert sorted((one["seed"], one["prompt"]) for one in drawn) == list(enumerate(EACH, 5))
    assert len(stage.rows()) == jobs + 1
    await stage.discord.until(lambda: not question.buttons(), what="the question to be closed")


async def test_a_second_press_draws_nothing(stage: Stage) -> None:
    question = await asked(stage)
    (button,) = question.buttons()
    stage.webui.hold()
    try:
        press = await confirm(stage, question)
        again = await stage.discord.press(stage.ada, question, button["custom_id"])
        sentence = await stage.answered(again)
        assert "asked for already" in sentence.content
        assert sentence.ephemeral
    finally:
        stage.webui.release()
    await stage.delivered(press, 4)


async def test_a_question_from_before_a_restart_is_answered_with_a_sentence(stage: Stage) -> None:
    question = await asked(stage)
    await stage.restart()
    sentence = await stage.answered(await confirm(stage, question))
    assert "send /draw again" in sentence.content


async def test_too_many_and_what_can_not_be_drawn_are_refused_before_the_question(stage: Stage) -> None:
    said = await stage.refused("{1|2|3|4} {1|2|3}", permutations=True, **SMALL)
    assert "12 pictures; at most 10" in said
    said = await stage.refused(PROMPT, permutations=True, sampler="nonsense", **SMALL)
    assert "no sampler called" in said


async def test_an_image_and_privacy_are_kept_over_the_question(stage: Stage) -> None:
    renders = len(stage.webui.renders)
    question = await asked(stage, image=as_png(noise(64, 64)), private=True)
    press = await confirm(stage, question)
    await stage.says(press, "seed")
    message = await stage.delivered(press, 4)
    assert message.ephemeral
    assert all("init_images" in render.payload for render in stage.webui.renders[renders:])
