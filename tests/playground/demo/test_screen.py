"""The demo's output on a terminal, in a pipe, and without colours."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from playground.demo.markup import Span
from playground.demo.preview import picture_rows
from playground.demo.screen import Screen


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


HALF_WAY = (Span("Drawing", "bold"), Span(" 50%"))
DONE = (Span("Drawing", "bold"), Span(" 100%"))


def test_a_pipe_gets_every_state_once_as_a_plain_line() -> None:
    stream = io.StringIO()
    screen = Screen(stream, {})
    for line in (HALF_WAY, HALF_WAY, DONE):
        screen.live(line, "a wheel")
    screen.line("end")
    assert stream.getvalue() == "  Drawing 50%\n  Drawing 100%\nend\n"


def test_a_terminal_has_one_line_redrawn_and_then_taken_away() -> None:
    stream = Terminal()
    screen = Screen(stream, {"NO_COLOR": "1"})
    screen.live(HALF_WAY, " 3 s")
    screen.live(DONE)
    screen.line("end")
    assert stream.getvalue() == "\r\x1b[K  Drawing 50% 3 s\r\x1b[K  Drawing 100%\r\x1b[Kend\n"


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    stream: io.StringIO, environment: dict[str, str], *, coloured: bool
) -> None:
    Screen(stream, environment).spans([HALF_WAY])
    assert ("\x1b[1m" in stream.getvalue()) is coloured


def test_nothing_that_was_received_steers_the_terminal() -> None:
    stream = io.StringIO()
    Screen(stream, {}).text("infotext", "a fox\x1b[2J\x07, red")
    assert stream.getvalue() == "  infotext  a fox[2J, red\n"


def test_what_a_terminal_cannot_write_is_replaced() -> None:
    raw = io.BytesIO()
    screen = Screen(io.TextIOWrapper(raw, encoding="ascii"), {})
    screen.line("✓ done")
    assert raw.getvalue() == b"? done\n"


@pytest.mark.parametrize(("all_colours", "code"), [(True, "38;2;255;0;0"), (False, "38;5;196")])
def test_a_picture_is_two_pixels_to_a_character(tmp_path: Path, *, all_colours: bool, code: str) -> None:
    path = tmp_path / "red.png"
    Image.new("RGB", (100, 50), (255, 0, 0)).save(path)
    rows = picture_rows(path, room=40, all_colours=all_colours)
    assert len(rows) == 10
    assert all(row.count("▀") == 40 and code in row for row in rows)
