"""How a pattern is found in a checkpoint's name. Pure text: it knows no family.

People write names in every way: `sd_xl_turbo`, `SDXL-Turbo`, `juggernautXLv9`. Both sides are put together without
what stands between words, and a pattern has to begin and end where a word does: `pony` is in `ponyDiffusionV6XL`.
Only a folder's end stays, so that nothing is read across it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# The v of a version is a word of its own, even where nothing stands before it: XLv9, realvisxlV40.
_WORD = re.compile(
    r"[A-Z]+(?=[vV]\d)|[A-Z]?[a-z]+?(?=v\d)|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+|/"
)


class Name:
    """A name's letters and digits in lower case, and where its words begin and end."""

    __slots__ = ("edges", "text")

    def __init__(self, name: str) -> None:
        words = [word.lower() for word in _WORD.findall(name.replace("\\", "/"))]
        self.text = "".join(words)
        self.edges = {0}
        end = 0
        for word in words:
            end += len(word)
            self.edges.add(end)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words that are looked for; with an open end, any letters may go on there."""

    text: str
    open_start: bool
    open_end: bool

    def is_in(self, name: Name) -> bool:
        """Whether the words stand somewhere in `name`."""
        start = name.text.find(self.text)
        while start >= 0:
            begins = self.open_start or start in name.edges
            if begins and (self.open_end or start + len(self.text) in name.edges):
                return True
            start = name.text.find(self.text, start + 1)
        return False


def parse_pattern(written: str) -> Pattern | None:
    """`sd3.5`, `pony*`, `*xl`; None where it has fewer than two letters or digits, or a `*` inside."""
    inner = written.strip().removeprefix("*").removesuffix("*")
    text = Name(inner).text
    if len(text) < 2 or "*" in inner:
        return None
    return Pattern(text, open_start=written.strip().startswith("*"), open_end=written.strip().endswith("*"))


def any_in(patterns: Iterable[Pattern], name: Name) -> bool:
    """Whether one of them is found."""
    return any(pattern.is_in(name) for pattern in patterns)
