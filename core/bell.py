"""A bell: many may wait for it, and whoever listened before it rang has heard it. It carries nothing."""

from __future__ import annotations

import asyncio
import contextlib


class Bell:
    """Rung by rows that change here, and by other processes' rings."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who listens."""
        rung, self._next = self._next, asyncio.Event()
        rung.set()

    def listen(self) -> asyncio.Event:
        """To be called before one looks: what rings from then on is heard."""
        return self._next

    @staticmethod
    async def wait(heard: asyncio.Event, seconds: float) -> None:
        """Until it has rung since `listen`, or so many seconds are over."""
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await heard.wait()
