"""Finds names in a list: for autocomplete, and the nearest ones for a sentence. Pure; knows nothing of webuis."""

from __future__ import annotations

import heapq
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz import fuzz

CHOICE_LENGTH = 100
"""Discord's limit for the name and the value of a choice, in UTF-16 units."""

CHOICE_COUNT = 25
"""Discord's limit for the choices of one autocomplete answer."""

_SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of an autocomplete answer: what is shown, and what comes back when it is chosen."""

    name: str
    value: str


class NameIndex:
    """A list of names prepared for substring search: one folded text, searched by `str.find`.

    10,000 names are searched in a fraction of a millisecond, because no Python code runs per name that doesn't match.
    `key(n)` gives the value for name n, at most CHOICE_LENGTH units, or None where there is none.
    """

    def __init__(self, names: Sequence[str], value: Callable[[int], str | None]) -> None:
        self.names = tuple(names)
        self._value = value
        folded = [_one_line(fold(name)) for name in self.names]
        self._text = _SEPARATOR + _SEPARATOR.join(folded) + _SEPARATOR
        # Where each name begins, counting the separator before it.
        self._starts = list(accumulate((len(name) + 1 for name in folded), initial=0))

    def search(self, typed: str, limit: int) -> list[int]:
        """Positions of the names that contain `typed`, any case; those that begin with it come first."""
        wanted = _one_line(fold(typed.strip()))
        found = self._matches(_SEPARATOR + wanted, limit)
        if wanted and len(found) < limit:
            known = set(found)
            found += [number for number in self._matches(wanted, limit + len(found)) if number not in known]
        return found[:limit]

    def choices(self, typed: str, limit: int = CHOICE_COUNT) -> list[Choice]:
        """What autocomplete offers for `typed`; a name without a usable value is left out."""
        found = (self.choice(number) for number in self.search(typed, limit))
        return [choice for choice in found if choice is not None]

    def choice(self, number: int) -> Choice | None:
        """The name at this position; None where it has no usable value."""
        value = self._value(number)
        return None if value is None else Choice(name=shorten(self.names[number]), value=value)

    def _matches(self, wanted: str, limit: int) -> list[int]:
        found: list[int] = []
        position = self._text.find(wanted)
        while position >= 0 and len(found) < limit:
            number = bisect_right(self._starts, position) - 1
            if number >= len(self.names):
                break
            found.append(number)
            # On from the separator that ends this name, which begins the next one.
            position = self._text.find(wanted, self._starts[number + 1])
        return found


def fold(name: str) -> str:
    """What two spellings of a name have in common: case, and whether accents stand apart, as in a Mac's file names."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def nearest(names: Sequence[str], wanted: str, limit: int = 3) -> list[str]:
    """The names most like `wanted`, best first. 10,000 names take some milliseconds: for an error, not for each key."""
    typed = fold(wanted)

    def likeness(name: str) -> float:
        folded = fold(name)
        # partial_ratio finds "anime" in a long name, ratio keeps "Euler" before "Euler a CFG++".
        return fuzz.ratio(typed, folded) + fuzz.partial_ratio(typed, folded)

    return heapq.nlargest(limit, names, key=likeness)


def utf16_length(text: str) -> int:
    """The length as Discord's clients count it: a character outside the basic plane is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def shorten(text: str, limit: int = CHOICE_LENGTH) -> str:
    """The text in at most `limit` UTF-16 units, with an ellipsis where something is missing."""
    text = _one_line(text)
    if utf16_length(text) <= limit:
        return text
    while utf16_length(text) > limit - 1:
        text = text[: min(len(text) - 1, limit - 1)]
    return text + "…"


def _one_line(text: str) -> str:
    return text.replace(_SEPARATOR, " ") if _SEPARATOR in text else text
