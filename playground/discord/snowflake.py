"""Discord's ids: increasing numbers with the time inside. Knows nothing else."""

import time
from datetime import UTC, datetime
from typing import Final

EPOCH_MS: Final = 1_420_070_400_000
"""The first millisecond of 2015, from which Discord counts (documentation, "Snowflakes")."""
_TIME_SHIFT: Final = 22


class Snowflakes:
    """Gives out ids; each is greater than the one before, whatever the clock does."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        now = (time.time_ns() // 1_000_000 - EPOCH_MS) << _TIME_SHIFT
        self._last = max(self._last + 1, now)
        return self._last


def time_of(snowflake: int) -> datetime:
    """The moment in an id, in UTC, exact to the millisecond."""
    return datetime.fromtimestamp(((snowflake >> _TIME_SHIFT) + EPOCH_MS) / 1000, tz=UTC)
