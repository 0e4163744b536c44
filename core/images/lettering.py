"""Words on a picture: wrapped, cut where there is no room, in the font that comes with Pillow."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]
LINE: Final = 1.3
"""The distance of lines, in letter sizes."""
ELLIPSIS: Final = "…"
_PLAIN: Final = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"–": "-", "—": "-", "×": "x", "•": "-", "„": '"'}
)
"""Signs that have none of their own, and are no others with an accent."""
_NOWHERE: Final = "\U0010fffd"
"""No font has a picture of it: what looks the same has none either."""


class Lettering:
    """Letters of one size, in pixels."""

    def __init__(self, size: int) -> None:
        self._font = ImageFont.load_default(size)
        self._step = round(size * LINE)
        self._nothing = self._picture(_NOWHERE)
        self._legible: dict[str, bool] = {}

    def height(self, lines: int) -> int:
        """Of so many lines."""
        return lines * self._step

    def width(self, lines: Iterable[str]) -> int:
        """Of the longest of these lines."""
        return max((round(self._font.getlength(line) + 0.5) for line in lines), default=0)

    def wrap(self, text: str, room: int, *, lines: int) -> list[str]:
        """The words in at most so many lines of `room` pixels; an ellipsis stands for what is left out."""
        words = self.legible(text).split()
        wrapped: list[str] = []
        while words and len(wrapped) < lines:
            wrapped.append(self._line(words, room))
        if words and wrapped:
            wrapped[-1] = self._cut(f"{wrapped[-1]} {words[0]}", room, more=True)
        return wrapped

    def legible(self, text: str) -> str:
        """With letters bare of accents and an ellipsis in the place of what the font can't show: it knows English."""
        kept: list[str] = []
        for sign in _bare(text):
            if sign.isspace() or self._is_legible(sign):
                kept.append(sign)
            elif not kept or kept[-1] != ELLIPSIS:
                kept.append(ELLIPSIS)
        return "".join(kept)

    def is_legible(self, text: str) -> bool:
        """Whether nothing of it but accents is lost."""
        return all(sign.isspace() or self._is_legible(sign) for sign in _bare(text))

    def write(self, pen: ImageDraw.ImageDraw, at: tuple[int, int], lines: Sequence[str], ink: Colour) -> None:
        """The lines below each other, from this corner on."""
        for number, line in enumerate(lines):
            pen.text((at[0], at[1] + number * self._step), line, font=self._font, fill=ink)

    def write_centred(
        self, pen: ImageDraw.ImageDraw, at: tuple[int, int], room: int, lines: Sequence[str], ink: Colour
    ) -> None:
        """The same, each in the middle of `room` pixels."""
        for number, line in enumerate(lines):
            inset = max(0, (room - self.width([line])) // 2)
            self.write(pen, (at[0] + inset, at[1] + number * self._step), [line], ink)

    def _line(self, words: list[str], room: int) -> str:
        """As many of the words as one line holds; these are taken away. A single word that is too long is broken."""
        line = words.pop(0)
        if self._font.getlength(line) > room:
            fitting = self._cut(line, room, more=False)
            words.insert(0, line[len(fitting) :])
            return fitting
        while words and self._font.getlength(f"{line} {words[0]}") <= room:
            line = f"{line} {words.pop(0)}"
        return line

    def _cut(self, text: str, room: int, *, more: bool) -> str:
        """The beginning of the text that fits, and at least one sign of it; with `more` an ellipsis behind it."""
        end = ELLIPSIS if more else ""
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self._font.getlength(text[:middle].rstrip() + end) <= room:
                low = middle
            else:
                high = middle - 1
        return text[:low].rstrip() + end if more else text[:low]

    def _is_legible(self, sign: str) -> bool:
        if sign not in self._legible:
            self._legible[sign] = sign.isprintable() and self._picture(sign) != self._nothing
        return self._legible[sign]

    def _picture(self, sign: str) -> tuple[tuple[int, int], bytes]:
        mask = self._font.getmask(sign)
        return mask.size, bytes(mask)


def _bare(text: str) -> list[str]:
    """Its signs without accents."""
    plain = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return [sign for sign in plain if not unicodedata.combining(sign)]
