"""Marks in the place of words that a sheet's font can't show, and what they stand for. It draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from string import ascii_uppercase

from core.images.lettering import Lettering
from core.images.sheet import Plan

_ANY_SIZE = 16


def with_marks(plan: Plan) -> tuple[Plan, Mapping[str, str]]:
    """The plan with marks in its labels and headings, and the words of each mark.

    They are `(A)` to `(Z)`, and then from `(AA)` on. A title of which nothing could be read is left out. It blocks: the
    font is read from the disk.
    """
    letters = Lettering(_ANY_SIZE)
    marks: dict[str, str] = {}

    def shown(text: str) -> str:
        words = text.split()
        lost = [number for number, word in enumerate(words) if not letters.is_legible(word)]
        if not lost:
            return text
        begin, end = lost[0], lost[-1] + 1
        mark = marks.setdefault(" ".join(words[begin:end]), _mark(len(marks)))
        return " ".join([*words[:begin], mark, *words[end:]])

    marked = replace(
        plan,
        columns=tuple(map(shown, plan.columns)),
        rows=tuple(map(shown, plan.rows)),
        cells=tuple(replace(cell, label=shown(cell.label)) for cell in plan.cells),
        title=plan.title if any(map(letters.is_legible, plan.title.split())) else "",
    )
    return marked, {mark: words for words, mark in marks.items()}


def _mark(number: int) -> str:
    round_, letter = divmod(number, len(ascii_uppercase))
    return f"({ascii_uppercase[round_ - 1] if round_ else ''}{ascii_uppercase[letter]})"
