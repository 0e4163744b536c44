"""Questions that wait for a yes, and what they say."""

from __future__ import annotations

from typing import Any, cast

import pytest

from cogs.questions import MOST_QUESTIONS, Question, Questions, label, permutations
from cogs.say import units
from core.errors import UserError
from core.request import GenerationRequest

NOBODY: Any = cast(Any, None)


def unfolded(*prompts: str, negatives: tuple[str, ...] = ()) -> GenerationRequest:
    request = GenerationRequest(prompt="{…}", prompts=prompts, count=len(prompts))
    return (
        request
        if not negatives
        else GenerationRequest(prompt="{…}", prompts=prompts, count=len(prompts), negative_prompts=negatives)
    )


def test_a_question_is_answered_once() -> None:
    questions = Questions()
    question = Question(unfolded("a", "b"), NOBODY)
    questions.put("7", question)
    assert questions.take("7") is question
    for unknown in ("7", "8"):
        with pytest.raises(UserError, match="send /draw again"):
            questions.take(unknown)


def test_the_oldest_are_forgotten_first() -> None:
    questions = Questions()
    for number in range(MOST_QUESTIONS + 1):
        questions.put(str(number), Question(unfolded(str(number)), NOBODY))
    with pytest.raises(UserError):
        questions.take("0")
    assert questions.take("1").request.prompts == ("1",)
    assert questions.take(str(MOST_QUESTIONS)).request.prompts == (str(MOST_QUESTIONS),)


def test_it_says_how_many_pictures_and_which() -> None:
    assert permutations(unfolded("a red\nfox", "a blue fox")) == (
        "**Draw 2 pictures?** Your prompt stands for 2, with seeds that count up.\n"
        "```\n1. a red fox\n2. a blue fox\n```\n"
        "-# or dismiss this message"
    )


def test_negative_prompts_are_said_where_they_differ() -> None:
    assert "1. a fox – without fog\n2. a fox – without snow" in permutations(
        unfolded("a fox", "a fox", negatives=("fog", "snow"))
    )
    assert "without" not in permutations(unfolded("a fox", "an owl", negatives=("fog", "fog")))


def test_long_and_nasty_prompts_fit_in_one_block_and_each_is_seen() -> None:
    text = permutations(unfolded(*(f"{number} ``` <@1> @everyone {'x' * 900}" for number in range(10))))
    assert units(text) <= 2000
    assert text.count("```") == 2
    assert "@everyone" not in text
    for number in range(10):
        assert f"{number + 1}. {number} " in text


def test_one_picture_is_one() -> None:
    assert label(unfolded("a")) == "Draw 1 picture"
