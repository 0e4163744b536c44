"""Every permutation of a prompt: asked first, then drawn, each once."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import Interaction, Message
from tests.buttons import cancels
from tests.core.images.pictures import as_png, noise
from tests.e2e.conftest import OpenStage
from tests.e2e.harness import Stage, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 1}
PROMPT = "a {red|blue} {fox|owl}"
EACH = ["a red fox", "a red owl", "a blue fox", "a blue owl"]


async def asked(stage: Stage, **options: Any) -> Message:
    """The question."""
    message = await stage.says(
        await stage.draw(PROMPT, extra="permutations:yes", **SMALL, **options), "Draw 4 pictures"
    )
    assert message.ephemeral
    return message


async def confirm(stage: Stage, question: Message, pictures: int = 4) -> Interaction:
    (button,) = question.buttons()
    assert button["label"] == f"Draw {pictures} pictures"
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
    said = await stage.refused("{1|2|3|4|5|6|7|8} {1|2|3|4|5|6|7}", extra="permutations:yes", **SMALL)
    assert "56 pictures; at most 50" in said
    said = await stage.refused(PROMPT, extra="permutations:yes", sampler="nonsense", **SMALL)
    assert "no sampler called" in said


async def test_an_image_and_privacy_are_kept_over_the_question(stage: Stage) -> None:
    renders = len(stage.webui.renders)
    question = await asked(stage, image=as_png(noise(64, 64)), private=True)
    press = await confirm(stage, question)
    await stage.says(press, "seed")
    message = await stage.delivered(press, 4)
    assert message.ephemeral
    assert all("init_images" in render.payload for render in stage.webui.renders[renders:])


MANY = "{1|2|3|4|5|6} {a|b|c|d}"
EACH_OF_MANY = [f"{digit} {letter}" for digit in "123456" for letter in "abcd"]


def answers(stage: Stage, press: Interaction) -> list[Message]:
    """The messages of a press that show pictures, in their order; the sheets of ten are below them."""
    messages = [one for one in stage.discord.messages(press.channel) if int(one.id) > int(press.id)]
    return [one for one in messages if any("-sheet." not in file.filename for file in one.attachments)]


def sheets(stage: Stage, press: Interaction) -> int:
    """How many messages of a press are nothing but a contact sheet."""
    messages = [one for one in stage.discord.messages(press.channel) if int(one.id) > int(press.id)]
    return sum(["-sheet." in file.filename for file in one.attachments] == [True] for one in messages)


def saying(stage: Stage, press: Interaction, words: str) -> list[Message]:
    return [one for one in stage.discord.messages(press.channel) if words in one.content]


async def until_shown(stage: Stage, press: Interaction, numbers: list[int]) -> list[Message]:
    def shown() -> list[Message] | None:
        found = answers(stage, press)
        return found if [len(one.attachments) for one in found] == numbers else None

    return await stage.discord.until(shown, 60, f"answers of {numbers} pictures")


@pytest.mark.parametrize("dies", [False, True], ids=["", "the bot dies meanwhile"])
async def test_more_than_ten_come_in_several_answers_each_once(stage: Stage, dies: bool) -> None:
    jobs, renders = len(stage.rows()), len(stage.webui.renders)
    stage.webui.hold()
    try:
        question = await stage.says(
            await stage.draw(MANY, extra="permutations:yes", seed=5, **SMALL), "Draw 24 pictures"
        )
        assert "They come in 3 answers" in question.content
        press = await confirm(stage, question, 24)
        await stage.discord.until(lambda: not question.buttons(), what="the question to be closed")
        assert "**Draw 24 pictures**: asked for." in question.content
        if dies:
            await stage.kill()
    finally:
        stage.webui.release()
    if dies:
        await stage.start()
    every = await until_shown(stage, press, [10, 10, 4])
    names = [attachment.filename for message in every for attachment in message.attachments]
    assert len(set(names)) == 24
    assert not any(cancels(message) for message in every)
    drawn = {(one.payload["seed"], one.payload["prompt"]) for one in stage.webui.renders[renders:]}
    assert drawn == set(enumerate(EACH_OF_MANY, 5))
    assert len(stage.rows()) == jobs + 3
    await until(lambda: {row["state"] for row in stage.rows()[jobs:]} == {"done"}, what="the ends")
    assert sheets(stage, press) == 2


@pytest.mark.asyncio(loop_scope="function")
async def test_what_finds_no_place_stays_in_the_question(new_stage: OpenStage) -> None:
    stage = await new_stage(QUEUE_PLACES_PER_PERSON="2")
    stage.webui.hold()
    question = await stage.says(await stage.draw(MANY, extra="permutations:yes", **SMALL), "Draw 24 pictures")
    press = await confirm(stage, question, 24)
    await stage.discord.until(lambda: "The others are not" in question.content, what="the question to say so")
    assert len(stage.rows()) == 2
    full = "2 jobs in the queue, as many as one person"
    (refusal,) = await stage.discord.until(lambda: saying(stage, press, full), what="the refusal")
    assert refusal.ephemeral
    assert not saying(stage, press, "One moment")
    stage.webui.release()
    await until_shown(stage, press, [10, 10])
    rest = await confirm(stage, question, 4)
    await until_shown(stage, press, [10, 10, 4])
    await stage.discord.until(lambda: not question.buttons(), what="the question to be closed")
    stage.arrived_once(rest, 4)


async def test_the_word_is_offered_by_draw_and_by_no_other_command(stage: Stage) -> None:
    offers = await stage.discord.autocomplete(stage.ada, "draw", "extra", "tiling:yes permutations:")
    assert [offer.value for offer in offers] == ["tiling:yes permutations:yes", "tiling:yes permutations:no"]
    assert await stage.discord.autocomplete(stage.ada, "control", "extra", "permut") == []
