"""The arithmetic of the benchmarks and the table they print. It measures nothing."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table. `bar` is the largest value that is good enough; None where there is none to meet.

    With `at_least` it is the smallest.
    """

    what: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    detail: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `missed`, or nothing where there is no bar."""
        if self.bar is None:
            return ""
        good = self.value >= self.bar if self.at_least else self.value <= self.bar
        return "met" if good else "missed"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` per cent of them don't exceed (nearest rank).

    With fewer than a hundred values the 99th is the largest. ValueError where there are no values.
    """
    if not values:
        raise ValueError("no values")
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]


def ratio_spread(ours: Sequence[float], theirs: Sequence[float], blocks: int) -> tuple[float, float]:
    """The smallest and the largest ratio of medians over `blocks` equal, consecutive parts of one run.

    ValueError where there are fewer values than blocks, or not as many of both.
    """
    if len(ours) != len(theirs) or not 1 <= blocks <= len(ours):
        raise ValueError("two series of one length, and at least one value in each block")
    edges = [len(ours) * number // blocks for number in range(blocks + 1)]
    ratios = [
        statistics.median(ours[start:end]) / statistics.median(theirs[start:end])
        for start, end in itertools.pairwise(edges)
    ]
    return min(ratios), max(ratios)


def summary(values: Sequence[float], unit: str, digits: int = 1) -> str:
    """`p50 3.1 p99 9.0 max 9.0 ms (n=40)`."""
    parts = [f"p{percent} {percentile(values, percent):.{digits}f}" for percent in (50, 99)]
    return f"{' '.join(parts)} max {max(values):.{digits}f} {unit} (n={len(values)})"


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """Seconds as milliseconds."""
    return [1000 * value for value in seconds]


def table(figures: Sequence[Figure]) -> str:
    """All figures under one another, one line each, with a heading."""
    rows = [("", "value", "bar", "", "")]
    rows += [
        (
            figure.what,
            f"{_number(figure.value)} {figure.unit}".rstrip(),
            "" if figure.bar is None else f"{'≥' if figure.at_least else '≤'} {_number(figure.bar)}",
            figure.verdict,
            figure.detail,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    """Three digits that count, no exponent, no trailing noise."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{digits}f}"
