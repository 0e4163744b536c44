"""Discord's markup as lines for a terminal: code blocks, small print, bold, code, escapes. Pure; sets no colours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "bold", "code", "small", "block"]

_BLOCK = re.compile(r"```(?:[a-z]*\n)?(.*?)\n?```\n?", re.DOTALL)
_INLINE = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|\\([^a-zA-Z0-9\s])")
_ESCAPE = re.compile(r"\\([^a-zA-Z0-9\s])")
_SMALL = "-# "
_TIME = re.compile(r"<t:(-?\d{1,12}):R>")
_PAST, _SOON = -10, 2
"""Seconds that count as now: the beginning of a picture is a forecast, and the next news of it comes a while later."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line in one style."""

    text: str
    style: Style = "plain"


Line = tuple[Span, ...]


def render(content: str, width: int) -> list[Line]:
    """A message's content in lines of at most `width` columns."""
    lines: list[Line] = []
    for number, part in enumerate(_BLOCK.split(content)):
        if number % 2:
            lines += [(Span(text, "block"),) for text in wrap(part, width - 2)]
        else:
            for paragraph in part.splitlines():
                lines += wrap_spans(_spans(paragraph), width)
    return lines


def with_times(content: str, now: float) -> str:
    """Discord's relative times (`<t:…:R>`, unix seconds) in words, as a client shows them at `now`."""
    return _TIME.sub(lambda found: _in_words(int(found[1]) - now), content)


def _in_words(seconds: float) -> str:
    if _PAST <= seconds <= _SOON:
        return "now"
    size = abs(seconds)
    amount = f"{size:.0f} seconds" if size < 1.5 * _MINUTE else f"{size / _MINUTE:.0f} minutes"
    return f"in {amount}" if seconds > 0 else f"{amount} ago"


def first_line(content: str) -> Line:
    """The head of a message, on one line."""
    head = content.partition("\n")[0]
    return tuple(_spans(head))


def plain(line: Iterable[Span]) -> str:
    """A line without its styles."""
    return "".join(span.text for span in line)


def wrap(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` columns, broken at blanks where there are any."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += [plain(line) for line in wrap_spans([Span(paragraph)], width)] or [""]
    return lines


def wrap_spans(spans: Sequence[Span], width: int) -> list[Line]:
    """The spans in lines of at most `width` columns; a word that is too long for a line is cut."""
    lines: list[list[Span]] = [[]]
    used = 0
    for word in (piece for span in spans for piece in _words(span, max(width, 1))):
        size = columns(word.text)
        if used + size > width and used:
            lines.append([])
            used = 0
            word = Span(word.text.lstrip(), word.style)  # noqa: PLW2901  # the blank stays behind at the line's end
            size = columns(word.text)
        lines[-1].append(word)
        used += size
    return [tuple(line) for line in lines if line]


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: two for wide characters, none for combining ones."""
    return sum(_width(character) for character in text)


def clean(text: str) -> str:
    """`text` without control characters: nothing that was typed or received may steer the terminal."""
    return "".join(one for one in text if one == "\n" or unicodedata.category(one) not in {"Cc", "Cf", "Cs"})


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _words(span: Span, width: int) -> Iterable[Span]:
    for word in re.findall(r"\s*\S+|\s+", span.text):
        while columns(word) > width:
            yield Span(word[: max(width // 2, 1)], span.style)
            word = word[max(width // 2, 1) :]  # noqa: PLW2901  # what is left of it
        if word:
            yield Span(word, span.style)


def _spans(paragraph: str) -> list[Span]:
    small = paragraph.startswith(_SMALL)
    base: Style = "small" if small else "plain"
    paragraph = paragraph.removeprefix(_SMALL)
    spans: list[Span] = []
    position = 0
    for found in _INLINE.finditer(paragraph):
        spans.append(Span(paragraph[position : found.start()], base))
        bold, code, escaped = found.groups()
        if bold is not None:
            spans.append(Span(_ESCAPE.sub(r"\1", bold), "bold"))
        elif code is not None:
            spans.append(Span(code, base if small else "code"))
        else:
            spans.append(Span(escaped, base))
        position = found.end()
    spans.append(Span(paragraph[position:], base))
    return [span for span in spans if span.text]
