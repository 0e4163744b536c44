"""The benchmarks' arithmetic and their table."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Figure, percentile, ratio_spread, summary, table

TIMES = st.lists(st.floats(min_value=0.001, max_value=1000), min_size=1, max_size=200)


@given(TIMES)
def test_a_percentile_is_a_value_that_was_measured_and_enough_values_do_not_exceed_it(times: list[float]) -> None:
    for percent in (1, 50, 99, 100):
        found = percentile(times, percent)
        assert found in times
        assert sum(time <= found for time in times) >= percent / 100 * len(times)


def test_the_99th_of_fewer_than_a_hundred_values_is_the_largest() -> None:
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0
    assert percentile([float(number) for number in range(1, 201)], 99) == 198.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_the_spread_of_a_ratio_comes_from_the_medians_of_the_parts() -> None:
    ours = [1.0, 1.0, 100.0, 3.0, 3.0, 3.0]
    theirs = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    assert ratio_spread(ours, theirs, 2) == (0.5, 1.5)


@given(TIMES)
def test_the_spread_of_one_part_is_the_ratio_itself(times: list[float]) -> None:
    halves = [time / 2 for time in times]
    expected = statistics.median(halves) / statistics.median(times)
    assert ratio_spread(halves, times, 1) == (expected, expected)


@pytest.mark.parametrize(("ours", "blocks"), [([1.0], 1), ([1.0, 2.0], 3), ([1.0, 2.0], 0)])
def test_a_spread_needs_as_many_values_of_both_and_one_for_each_part(ours: list[float], blocks: int) -> None:
    with pytest.raises(ValueError, match="two series"):
        ratio_spread(ours, [1.0, 2.0], blocks)


@pytest.mark.parametrize(
    ("value", "bar", "verdict"), [(0.99, 1.0, "met"), (1.0, 1.0, "met"), (1.01, 1.0, "missed"), (5.0, None, "")]
)
def test_a_bar_is_met_up_to_and_including_itself(value: float, bar: float | None, verdict: str) -> None:
    assert Figure(what="ratio", value=value, unit="×", bar=bar).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(2.99, "missed"), (3.0, "met"), (3.01, "met")])
def test_a_bar_can_be_the_smallest_value_that_is_good_enough(value: float, verdict: str) -> None:
    figure = Figure(what="speed", value=value, unit="×", bar=3.0, at_least=True)
    assert figure.verdict == verdict
    assert "≥ 3.00" in table([figure])


def test_a_summary_says_the_middle_the_tail_and_how_many() -> None:
    assert summary([1.0, 2.0, 30.0], "ms") == "p50 2.0 p99 30.0 max 30.0 ms (n=3)"


def test_the_table_has_one_line_for_each_figure_in_columns() -> None:
    figures = [
        Figure(what="bot path", value=0.8567, unit="×", bar=1.0, detail="60 pairs"),
        Figure(what="memory", value=12345.6, unit="MiB"),
        Figure(what="lost", value=0, unit="", bar=0),
    ]
    assert table(figures).splitlines() == [
        "               value     bar",
        "bot path     0.857 ×  ≤ 1.00  met  60 pairs",
        "memory    12,346 MiB",
        "lost               0     ≤ 0  met",
    ]
