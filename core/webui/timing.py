"""How long one webui is left alone between two probes. Pure, but for the jitter that keeps many webuis apart."""

from __future__ import annotations

from dataclasses import dataclass
from random import SystemRandom

_jitter = SystemRandom()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds between probes.

    A webui that is down is asked again after a twentieth of the time it has been down, within the two bounds: one that
    comes back within a minute is noticed within a second or two, one that was away for the night within half a minute.
    """

    idle: float = 60.0
    unsure: float = 5.0  # before another look at one that did not say in time what it is
    shortest: float = 0.5
    longest: float = 30.0
    share: float = 0.05
    whole: float = 600.0  # between two looks at the long lists

    def retry(self, down_for: float) -> float:
        """How long to wait before the next probe of a webui that has been down for so long."""
        return min(max(down_for * self.share, self.shortest), self.longest) * _jitter.uniform(0.8, 1.2)

    def after_failure(self, openings: int) -> float:
        """How long a circuit stays open that opened so many times in a row."""
        return min(self.shortest * 2.0 ** min(openings - 1, 16), self.longest) * _jitter.uniform(0.8, 1.2)
