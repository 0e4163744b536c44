"""What stands on a job's contact sheet, and whether there is one. Pure: files are named, not read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from core.images.sheet import Cell, Plan
from core.images.store import Kept
from core.jobs.model import Drawing
from core.request import Comparison, GenerationRequest

FEWEST = 2
"""Of a single picture there is no sheet."""

PathOf = Callable[[str], Path]


def plan_sheet(request: GenerationRequest, drawing: Drawing, path_of: PathOf) -> Plan | None:
    """The sheet; None where none is wanted, or there are too few pictures. `path_of` a kept picture's name.

    A comparison keeps the places of pictures that could not be drawn.
    """
    drawn = dict(drawing.numbered())
    if request.sheet is not True or len(drawn) < FEWEST:
        return None
    title = " ".join(request.prompt.split())
    if request.comparison is not UNSET:
        return _of_comparison(request.comparison, title, drawn, path_of)
    whole = len(drawn) == request.pictures
    table = as_table(request.prompts) if request.prompts is not UNSET and whole else None
    if table is not None:
        return Plan(
            cells=tuple(_cell(kept, "", path_of) for kept in drawn.values()),
            title=title,
            columns=table[0],
            rows=table[1],
        )
    labels = _labels(request, drawing)
    cells = tuple(_cell(kept, labels[number], path_of) for number, kept in drawn.items())
    return Plan(cells=cells, title=title)


def as_table(prompts: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Columns and rows, where the prompts are all that two choices of words can make, the last one changing first."""
    texts = [prompt.split() for prompt in prompts]
    for across in range(2, len(texts) // 2 + 1):
        if len(texts) % across:
            continue
        columns, rows = _Choice.of(texts[:across]), _Choice.of(texts[::across])
        if len({*rows.words}) * len({*columns.words}) < len(texts):
            continue  # some are there twice
        if rows.end <= columns.begin and texts == [_put(texts[0], rows, columns, n) for n in range(len(texts))]:
            return columns.labels, rows.labels
    return None


@dataclass(frozen=True, slots=True)
class _Choice:
    """Where texts differ: from the word `begin` on, in the first of them up to `end`; and what each has there."""

    begin: int
    end: int
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> _Choice:
        shortest = min(map(len, texts))
        begin = _shared(texts, shortest)
        behind = _shared([text[::-1] for text in texts], shortest - begin)
        return cls(begin, len(texts[0]) - behind, tuple(tuple(text[begin : len(text) - behind]) for text in texts))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(" ".join(words).strip(" ,") or "–" for words in self.words)


def _shared(texts: Sequence[Sequence[str]], most: int) -> int:
    """How many first words all of them have."""
    return next((place for place in range(most) if len({text[place] for text in texts}) > 1), most)


def _put(first: Sequence[str], rows: _Choice, columns: _Choice, number: int) -> list[str]:
    """The text that it would be in a table."""
    row, column = divmod(number, len(columns.words))
    between = first[rows.end : columns.begin]
    return [*first[: rows.begin], *rows.words[row], *between, *columns.words[column], *first[columns.end :]]


def _of_comparison(comparison: Comparison, title: str, drawn: dict[int, Kept], path_of: PathOf) -> Plan:
    usual = next(iter(drawn.values()))
    named = [tuple(f"{axis.key.replace('_', ' ')} {value}" for value in axis.values) for axis in comparison.axes]
    is_table = len(named) > 1
    numbers = range(len(comparison.variants))
    labels = ("",) * len(numbers) if is_table else named[0]
    cells = tuple(
        _cell(drawn[number], labels[number], path_of)
        if number in drawn
        else Cell(path=None, width=usual.width, height=usual.height, label=labels[number])
        for number in numbers
    )
    return (
        Plan(cells=cells, title=title, columns=named[0], rows=named[1]) if is_table else Plan(cells=cells, title=title)
    )


def _labels(request: GenerationRequest, drawing: Drawing) -> dict[int, str]:
    """Each picture's number with its seed, or with the words in which its prompt differs from the others'."""
    numbers = [number for number, _ in drawing.numbered()]
    said: Sequence[str]
    if request.prompts is not UNSET and len(set(request.prompts)) > 1:
        said = _Choice.of([prompt.split() for prompt in request.prompts]).labels
    else:
        seeds = dict(zip(numbers, drawing.ordered_seeds(), strict=False))
        said = [f"seed {seeds[number]}" if number in seeds else "" for number in range(request.pictures)]
    return {number: f"{number + 1} · {said[number]}" if said[number] else str(number + 1) for number in numbers}


def _cell(kept: Kept, label: str, path_of: PathOf) -> Cell:
    return Cell(path=path_of(kept.name), width=kept.width, height=kept.height, label=label)
