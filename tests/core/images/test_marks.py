"""Words that the font of a sheet can't show have marks there, and each mark has its words."""

from __future__ import annotations

import pytest

from core.images.marks import with_marks
from core.images.sheet import Cell, Plan


def plan(*labels: str, **words: object) -> Plan:
    cells = tuple(Cell(path=None, width=64, height=64, label=label) for label in labels)
    return Plan(cells=cells, **words)  # type: ignore[arg-type]  # as the test names them


def test_what_can_be_read_stays() -> None:
    said = plan("1 · café", "2 · żółw – “ßø”", "", columns=("cfg 5", "–"), rows=("a, b",), title="a fox …")
    assert with_marks(said) == (said, {})


@pytest.mark.parametrize(
    ("label", "shown", "words"),
    [
        ("1 · красная лиса", "1 · (A)", "красная лиса"),
        ("checkpoint 赤い狐_v2.1", "checkpoint (A)", "赤い狐_v2.1"),
        ("a 🦊 red 🦉 owl", "a (A) owl", "🦊 red 🦉"),
    ],
)
def test_what_can_t_has_a_mark_and_no_more_than_that(label: str, shown: str, words: str) -> None:
    marked, legend = with_marks(plan(label))
    assert marked.cells[0].label == shown
    assert legend == {"(A)": words}


def test_the_same_words_have_the_same_mark_wherever_they_are() -> None:
    marked, legend = with_marks(plan("", "", "", "", columns=("sampler 狐", "sampler 犬"), rows=("vae 狐", "vae x")))
    assert (marked.columns, marked.rows) == (("sampler (A)", "sampler (B)"), ("vae (A)", "vae x"))
    assert legend == {"(A)": "狐", "(B)": "犬"}


def test_a_title_is_left_out_where_nothing_of_it_can_be_read() -> None:
    assert with_marks(plan("x", title="赤い 狐"))[0].title == ""
    assert with_marks(plan("x", title="a 狐"))[0].title == "a 狐"


def test_there_are_marks_for_every_picture_of_the_largest_sheet() -> None:
    marked, legend = with_marks(plan(*(chr(ord("一") + number) for number in range(50))))
    assert [cell.label for cell in marked.cells] == [*legend]
    assert [*legend][25:28] == ["(Z)", "(AA)", "(AB)"]
    assert all(mark[1:-1].isalpha() and mark.isascii() for mark in legend)
