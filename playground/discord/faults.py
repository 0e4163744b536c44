"""Failures a test switches on, and the counting of rate limits. Knows no route by name."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from typing import Final

_UNLIMITED: Final = (1000, 1.0)
"""What the headers say where nothing is counted."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """One failure, used up after `times` requests. A `status` of 0 changes nothing but the delay."""

    method: str
    path: re.Pattern[str]
    status: int = 0
    code: int = 0
    times: int = 1
    delay: float = 0.0
    drop: bool = False
    after: bool = False
    retry_after: float | None = None
    scope: str = "user"

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in (method, "*") and self.path.search(path) is not None


class Faults:
    """The failures waiting for their request, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self._waiting:
            if fault.matches(method, path):
                fault.times -= 1
                return fault
        return None


@dataclass(slots=True)
class Window:
    """One bucket's count in its current window."""

    started: float
    used: int = 0


@dataclass(slots=True)
class Standing:
    """Where a request stands in its bucket; `headers` go with the answer."""

    exceeded: bool
    reset_after: float
    headers: dict[str, str] = field(default_factory=dict)


class RateLimits:
    """Fixed windows, one for each route and major parameter, as the documentation describes buckets."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}

    def count(self, route: str, major: str, limit: tuple[int, float] | None) -> Standing:
        """Counts one request. `route` is method and template, `major` the channel, guild or webhook."""
        now = time.monotonic()
        most, seconds = limit or _UNLIMITED
        window = self._windows.get((route, major))
        if window is None or now - window.started >= seconds:
            window = self._windows[(route, major)] = Window(now)
        window.used += 1 if limit else 0
        reset_after = max(window.started + seconds - now, 0.0)
        exceeded = window.used > most
        headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(most - window.used, 0)),
            "X-RateLimit-Reset": f"{time.time() + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        return Standing(exceeded, reset_after, headers)
