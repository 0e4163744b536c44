"""How fast one webui draws, learned from what its jobs took. Pure.

Work is counted in megapixel-steps: width × height / 1,000,000 × steps × pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import median_low

SAMPLES = 9
"""So many of the last jobs count: what a webui does after a change of its settings is learned within five."""

_TRUST = 3
"""What was restored counts as so many jobs, so that one odd job does not outweigh what many have taught."""


@dataclass(frozen=True, slots=True)
class Speed:
    """The last samples of one webui; their median is the estimate.

    A median is never moved far by one absurd sample, and of an even number the smaller of the middle two is taken:
    what disturbs a job, such as other people's work on the same webui, makes it longer.
    """

    draws: tuple[float, ...] = ()
    """Seconds for each megapixel-step."""
    loads: tuple[float, ...] = ()
    """Seconds that a change of the checkpoint added."""

    @classmethod
    def restored(cls, speed: float | None, load_seconds: float | None) -> Speed:
        """From estimates that were kept; one that can't be true is left out."""
        draws = (speed,) * _TRUST if speed is not None and _is_positive(speed) else ()
        loads = (load_seconds,) * _TRUST if load_seconds is not None and 0 <= load_seconds < math.inf else ()
        return cls(draws, loads)

    @property
    def per_work(self) -> float | None:
        """Seconds for each megapixel-step; None until a job has told."""
        return median_low(self.draws) if self.draws else None

    @property
    def load_seconds(self) -> float | None:
        """Seconds that a change of the checkpoint adds; None until a job has told."""
        return median_low(self.loads) if self.loads else None

    def learn(self, seconds: float, work: float, *, changed: bool) -> Speed:
        """One job took `seconds` for `work` megapixel-steps; `changed`: its checkpoint was loaded first.

        A change teaches only what it added, so it teaches nothing before the speed is known.
        """
        if not (_is_positive(seconds) and _is_positive(work) and _is_positive(seconds / work)):
            return self
        if not changed:
            return replace(self, draws=(*self.draws, seconds / work)[-SAMPLES:])
        if self.per_work is None:
            return self
        return replace(self, loads=(*self.loads, max(seconds - work * self.per_work, 0.0))[-SAMPLES:])


def _is_positive(number: float) -> bool:
    return 0 < number < math.inf
