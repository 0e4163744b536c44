"""Questions that wait for a yes, and what they say."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec import UNSET

from cogs.facts import asked_facts, drawn_facts
from cogs.questions import MOST_QUESTIONS, Question, Questions, answered, comparison, label, permutations
from cogs.say import code, units
from core.comparing import compare
from core.errors import UserError
from core.images.store import Kept
from core.jobs.model import Drawing
from core.limits import Limits
from core.request import GenerationRequest

NOBODY: Any = cast(Any, None)


def unfolded(*prompts: str, negatives: tuple[str, ...] = ()) -> GenerationRequest:
    return GenerationRequest(prompt="{…}", prompts=prompts, count=len(prompts), negative_prompts=negatives or UNSET)


def permutations_of(*requests: GenerationRequest) -> str:
    return permutations(requests)


def test_a_question_is_answered_once() -> None:
    questions = Questions()
    question = Question((unfolded("a", "b"),), NOBODY)
    questions.put("7", question)
    assert questions.take("7") is question
    for unknown in ("7", "8"):
        with pytest.raises(UserError, match="send /draw again"):
            questions.take(unknown)


def test_the_oldest_are_forgotten_first() -> None:
    questions = Questions()
    for number in range(MOST_QUESTIONS + 1):
        questions.put(str(number), Question((unfolded(str(number)),), NOBODY))
    with pytest.raises(UserError):
        questions.take("0")
    assert questions.take("1").requests[0].prompts == ("1",)
    assert questions.take(str(MOST_QUESTIONS)).requests[0].prompts == (str(MOST_QUESTIONS),)


def test_it_says_how_many_pictures_and_which() -> None:
    assert permutations_of(unfolded("a red\nfox", "a blue fox")) == (
        "**Draw 2 pictures?** Your prompt stands for 2, with seeds that count up.\n"
        "```\n1. a red fox\n2. a blue fox\n```\n"
        "-# or dismiss this message"
    )


def test_negative_prompts_are_said_where_they_differ() -> None:
    assert "1. a fox – without fog\n2. a fox – without snow" in permutations_of(
        unfolded("a fox", "a fox", negatives=("fog", "snow"))
    )
    assert "without" not in permutations_of(unfolded("a fox", "an owl", negatives=("fog", "fog")))


def test_long_and_nasty_prompts_fit_in_one_block_and_each_is_seen() -> None:
    text = permutations_of(unfolded(*(f"{number} ``` <@1> @everyone {'x' * 900}" for number in range(10))))
    assert units(text) <= 2000
    assert text.count("```") == 2
    assert "@everyone" not in text
    for number in range(10):
        assert f"{number + 1}. {number} " in text


def test_more_than_ten_are_not_all_shown_and_come_in_several_answers() -> None:
    text = permutations_of(*(unfolded(*(f"fox {ten}{one}" for one in range(10))) for ten in range(3)))
    assert text.startswith(
        "**Draw 30 pictures?** Your prompt stands for 30, with seeds that count up. They come in 3 an"
    )
    assert "10. fox 09\n… and 20 more\n" in text
    assert units(permutations_of(*(unfolded(*["x" * 5000] * 10) for _ in range(5)))) <= 2000


def test_what_the_question_becomes_says_what_is_left() -> None:
    ten = unfolded(*"abcdefghij")
    assert answered([ten, ten], []) == "**Draw 20 pictures**: asked for."
    assert "The others are not: press again" in answered([ten], [ten])


def test_one_picture_is_one() -> None:
    assert label([unfolded("a")]) == "Draw 1 picture"


def test_a_comparison_is_asked_for_with_its_axes() -> None:
    asked = compare(GenerationRequest(prompt="a fox", seed=7), "cfg=5,7 checkpoint=a,b", Limits())
    assert comparison(asked) == (
        "**Draw 4 pictures?** One for each combination, all with the seed 7, and a sheet of them.\n"
        "```\ncfg_scale: 5, 7\ncheckpoint: a, b\n```\n-# or dismiss this message"
    )
    seeds = compare(GenerationRequest(prompt="a fox"), "seed=5,7", Limits())
    assert "all with the seed" not in comparison(seeds)
    assert seeds.seeds == (5, 7)


def test_a_question_about_a_comparison_fits_whatever_its_names_are() -> None:
    names = ",".join(f"@everyone ``` {number}{'x' * 900}" for number in range(5))
    text = comparison(compare(GenerationRequest(prompt="a fox", seed=7), f"checkpoint={names} cfg=5,7", Limits()))
    assert units(text) <= 2000
    assert text.count("```") == 2


def test_the_facts_of_a_comparison_say_what_differs_and_not_the_first_picture_s() -> None:
    asked = compare(GenerationRequest(prompt="a fox", seed=7), "cfg=5,7 checkpoint=a,b", Limits())
    kept = Kept("x", "png", 64, 64, 1, None)
    drawn = Drawing(pictures=(kept,) * 4, seeds=(7,) * 4, checkpoint="a", sampler="Euler", steps=20, cfg_scale=5.0)
    shown = drawn_facts(asked, drawn, code)
    assert shown == [
        "64×64", "20 steps", "`Euler`", "seed 7", "cfg scale `5 / 7`", "checkpoint `a / b`", "0.0 s",
    ]  # fmt: skip
    assert asked_facts(asked, code) == ["seed 7", "4 pictures", "cfg scale `5 / 7`", "checkpoint `a / b`"]
