"""How long the pool waits between probes."""

from hypothesis import given
from hypothesis import strategies as st

from core.webui.pool import Timing


@given(st.floats(0, 10_000))
def test_a_return_within_a_minute_is_noticed_within_seconds_and_any_within_half_a_minute(down_for: float) -> None:
    wait = Timing().retry(down_for)
    assert 0.4 <= wait <= 36
    if down_for <= 30:
        assert wait <= 2
    if down_for <= 60:
        assert wait <= 4


def test_repeated_failures_double_the_wait_up_to_a_bound() -> None:
    timing = Timing()
    waits = [timing.after_failure(strikes) for strikes in (1, 2, 3, 4, 5, 6, 7, 50, 5000)]
    for wait, plain in zip(waits, (0.5, 1, 2, 4, 8, 16, 30, 30, 30), strict=True):
        assert plain * 0.8 <= wait <= plain * 1.2
