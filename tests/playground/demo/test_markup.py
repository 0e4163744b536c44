"""Discord's markup on a terminal: nothing is lost, nothing is too wide, nothing steers the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.demo.markup import Span, clean, columns, first_line, plain, render, with_times, wrap


def test_a_message_is_its_blocks_and_lines_in_their_styles() -> None:
    content = "**No picture** · it is `down`\n```\na fox\nand a hen\n```\n-# 512×512 · `model_v1`"
    assert render(content, 80) == [
        (
            Span("No", "bold"),
            Span(" picture", "bold"),
            Span(" ·"),
            Span(" it"),
            Span(" is"),
            Span(" "),
            Span("down", "code"),
        ),
        (Span("a fox", "block"),),
        (Span("and a hen", "block"),),
        (Span("512×512", "small"), Span(" ·", "small"), Span(" ", "small"), Span("model_v1", "small")),
    ]


def test_escapes_are_taken_away_and_words_stay_words() -> None:
    assert plain(first_line(r"\*not bold\* snake\_case C:\dir **a\_b**")) == r"*not bold* snake_case C:\dir a_b"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (1000, "now"),
        (1002, "now"),
        (990, "now"),
        (980, "20 seconds ago"),
        (1030, "in 30 seconds"),
        (1200, "in 3 minutes"),
        (940, "60 seconds ago"),
    ],
)
def test_relative_times_are_said_in_words(at: int, words: str) -> None:
    assert with_times(f"**Next in line** · starts <t:{at}:R>", 1000.0) == f"**Next in line** · starts {words}"


@pytest.mark.parametrize("text", ["a" * 100, "two words " * 20, "全角文字" * 20, "e\u0301" * 60, "", "one\n\ntwo"])
def test_lines_are_never_wider_than_asked(text: str) -> None:
    lines = wrap(text, 20)
    assert all(columns(line) <= 20 for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(), st.integers(min_value=10, max_value=60))
def test_any_message_fits_and_holds_no_control_character(content: str, width: int) -> None:
    lines = render(clean(content), width)
    assert all(columns(plain(line)) <= width for line in lines)
    assert "\x1b" not in "".join(plain(line) for line in lines)
