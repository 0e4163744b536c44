"""The share of the ideal: only drawing counts, and only what lies within the time that is watched."""

from __future__ import annotations

import pytest

from benchmarks.throughput import share_of_ideal
from benchmarks.webui import Drawn


def drawn(*arrivals: float) -> list[Drawn]:
    """Pictures of one second each; how long their answers take does not count."""
    return [Drawn(at, at + 1.2, at + 1.3) for at in arrivals]


@pytest.mark.parametrize(
    ("arrivals", "webuis", "share"),
    [
        ((10.0, 11.0), 1, 1.0),
        ((10.0, 11.25), 1, 0.875),
        ((9.5, 10.5, 11.5), 1, 1.0),
        ((10.0, 11.0), 2, 0.5),
        ((8.0, 12.0), 1, 0.0),
    ],
)
def test_a_picture_counts_with_the_share_of_it_that_is_watched(
    arrivals: tuple[float, ...], webuis: int, share: float
) -> None:
    assert share_of_ideal(drawn(*arrivals), webuis, 1.0, 10.0, 12.0) == pytest.approx(share)
