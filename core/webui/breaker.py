"""The circuit breaker of one webui: whether it may have jobs, by how its last ones ended. Pure: `now` is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from core.errors import (
    AuthenticationFailed,
    Busy,
    NoPicture,
    NotReady,
    OutcomeUnknown,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)

AWAY = (NotReady, AuthenticationFailed, Busy)
"""The webui takes no jobs at all: the next one would fail as quickly."""

FAULTS = (ServerFault, OutcomeUnknown, UnreadableAnswer, NoPicture)
"""The webui's own fault, which one request may bring about by chance, and several in a row hardly do.

Not among them is what says something of the request: refused settings, too little memory for that size, NaNs, and a
model that is missing, without which the others are drawn as before. Such an answer neither counts nor forgives.
"""

MOST_FAULTS = 3
"""So many faults in a row open the circuit."""


class Circuit(Enum):
    """Closed: jobs flow. Open: none. Half open: one, which shows whether the webui works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """One state; each method gives the next one. `now` and `due` are seconds of one clock that never goes back.

    `faults` in a row were counted while it was closed; it opened `openings` times without a success in between, and
    `due` is when its lists may half open it again. `probing`: the one job of a half open circuit is under way.
    """

    circuit: Circuit = Circuit.CLOSED
    faults: int = 0
    openings: int = 0
    due: float = 0.0
    probing: bool = False

    def taken(self) -> Breaker:
        """A job goes there; on a half open circuit it is the probe."""
        return replace(self, probing=True) if self.circuit is Circuit.HALF_OPEN else self

    def let_go(self, now: float) -> Breaker:
        """A job has left. A probe that ended without telling anything makes room for another, by way of the lists."""
        return replace(self, circuit=Circuit.OPEN, due=now, probing=False) if self.probing else self

    def listed(self, now: float) -> Breaker:
        """The webui answered with its lists."""
        if self.circuit is Circuit.OPEN and now >= self.due:
            return replace(self, circuit=Circuit.HALF_OPEN)
        return self

    def succeeded(self) -> Breaker:
        """A job was drawn."""
        return Breaker()

    def failed(self, error: WebuiError, now: float, wait: Callable[[int], float]) -> Breaker:
        """A job failed. `wait` says for how many seconds a circuit stays open that opened so many times in a row."""
        if not isinstance(error, AWAY + FAULTS):
            return self
        faults = self.faults + 1
        if self.circuit is Circuit.CLOSED and isinstance(error, FAULTS) and faults < MOST_FAULTS:
            return replace(self, faults=faults)
        return Breaker(Circuit.OPEN, faults, self.openings + 1, now + wait(self.openings + 1))
