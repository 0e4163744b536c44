"""The named points for those who watch the pipeline."""

from collections.abc import Iterator

import pytest

from core.jobs import points
from core.jobs.points import POINTS, Point, listen, reached


@pytest.fixture(autouse=True)
def _no_listener_stays() -> Iterator[None]:
    before = list(points._listeners)
    yield
    points._listeners[:] = before


def test_every_listener_hears_every_point_in_order() -> None:
    heard: list[tuple[str, Point, str]] = []
    listen(lambda point, job_id: heard.append(("one", point, job_id)))
    listen(lambda point, job_id: heard.append(("two", point, job_id)))
    reached("sending", "7")
    reached("done", "7")
    assert heard == [(who, point, "7") for point in ("sending", "done") for who in ("one", "two")]


def test_a_point_without_listeners_does_nothing() -> None:
    for point in POINTS:
        reached(point, "7")
