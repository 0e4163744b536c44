"""What stands on a sheet: every picture with its words, tables for what is compared and for two choices."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.comparing import compare
from core.images.sheet import Plan
from core.images.store import Kept
from core.jobs.model import Drawing
from core.limits import Limits
from core.request import GenerationRequest
from core.sheets import as_table, plan_sheet


def drawing(*numbers: int) -> Drawing:
    kept = tuple(Kept(f"{number}", "png", 64, 96, 1, None) for number in numbers)
    return Drawing(pictures=kept, seeds=tuple(100 + number for number in numbers), numbers=numbers)


def plan(drawn: Drawing, **fields: Any) -> Plan:
    said: dict[str, Any] = {"prompt": "a  red\nfox", "sheet": True} | fields
    made = plan_sheet(GenerationRequest(**said), drawn, Path)
    assert made is not None
    return made


def names(made: Plan) -> list[str | None]:
    return [None if cell.path is None else str(cell.path) for cell in made.cells]


def test_each_picture_has_its_number_and_seed() -> None:
    made = plan(drawing(2, 0, 1), count=3)
    assert made.title == "a red fox"
    assert names(made) == ["0", "1", "2"]
    assert [cell.label for cell in made.cells] == ["1 · seed 100", "2 · seed 101", "3 · seed 102"]


def test_a_picture_that_failed_leaves_no_gap() -> None:
    made = plan(drawing(0, 3), count=4)
    assert names(made) == ["0", "3"]
    assert [cell.label for cell in made.cells] == ["1 · seed 100", "4 · seed 103"]


@pytest.mark.parametrize("fields", [{"sheet": False}, {}])
def test_there_is_none_unless_it_is_wanted(fields: dict[str, Any]) -> None:
    assert plan_sheet(GenerationRequest(prompt="x", count=3, **fields), drawing(0, 1, 2), Path) is None


def test_of_one_picture_there_is_none() -> None:
    assert plan_sheet(GenerationRequest(prompt="x", sheet=True), drawing(0), Path) is None


def test_a_comparison_of_two_things_is_a_table_and_keeps_the_places_of_what_failed() -> None:
    asked = compare(GenerationRequest(prompt="a fox"), "cfg=5,7 steps=10,20", Limits())
    made = plan_sheet(asked, drawing(0, 1, 3), Path)
    assert made is not None
    assert (made.columns, made.rows) == (("cfg scale 5", "cfg scale 7"), ("steps 10", "steps 20"))
    assert names(made) == ["0", "1", None, "3"]


def test_a_comparison_of_one_thing_has_labels() -> None:
    asked = compare(GenerationRequest(prompt="a fox"), "sampler=Euler,DPM++ 2M,Heun", Limits())
    made = plan_sheet(asked, drawing(0, 1, 2), Path)
    assert made is not None
    assert [cell.label for cell in made.cells] == ["sampler Euler", "sampler DPM++ 2M", "sampler Heun"]
    assert made.columns == ()


def test_permutations_of_two_choices_are_a_table() -> None:
    prompts = tuple(f"a {colour} {animal}, at night" for colour in ("red", "light blue") for animal in ("fox", "owl"))
    made = plan(drawing(0, 1, 2, 3), count=4, prompts=prompts)
    assert (made.columns, made.rows) == (("fox", "owl"), ("red", "light blue"))
    made = plan(drawing(0, 1, 3), count=4, prompts=prompts)  # with a gap it is none
    assert made.columns == ()
    assert [cell.label for cell in made.cells] == ["1 · red fox", "2 · red owl", "4 · light blue owl"]


def test_a_choice_of_nothing_has_a_dash() -> None:
    assert as_table(["fox", "fox at night", "red fox", "red fox at night"]) == (("–", "at night"), ("–", "red"))


@pytest.mark.parametrize(
    "prompts",
    [
        ["a fox"], ["a fox", "a cat"], ["a fox", "a cat", "a dog", "an owl"], ["x", "x", "x", "x"], ["", "", "", ""],
        ["a fox by day", "a cat by day", "a cat by night", "a fox by night"],
    ],
)  # fmt: skip
def test_other_prompts_are_no_table(prompts: list[str]) -> None:
    assert as_table(prompts) is None


WORD = st.sampled_from(["red", "blue", "fox", "owl", "by", "night", "big red"])


@given(
    st.lists(WORD, min_size=2, max_size=3, unique=True), st.lists(WORD, min_size=2, max_size=3, unique=True),
    WORD, WORD, WORD,
)  # fmt: skip
def test_a_table_says_what_its_pictures_are(rows: list[str], columns: list[str], a: str, b: str, c: str) -> None:
    prompts = [f"{a} {row} {b} {column} {c}" for row, column in itertools.product(rows, columns)]
    table = as_table(prompts)
    if table is not None:
        assert len(table[0]) * len(table[1]) == len(prompts)
        for prompt, (row, column) in zip(prompts, itertools.product(table[1], table[0]), strict=True):
            assert row.strip("–") in prompt
            assert column.strip("–") in prompt
