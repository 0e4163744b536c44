"""Waiting for a change of state without polling. Knows nothing of what changes."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Wakes everyone who waits whenever something changed."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Say that the state changed. Must be called from the event loop's thread."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def next(self) -> None:
        """Wait for the next change."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def until(self, condition: Callable[[], T], timeout: float, what: str) -> T:
        """Return the condition's first true value, asked now and after every change.

        Raises TimeoutError naming `what` after `timeout` seconds.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (value := condition()):
                    await self.next()
        except TimeoutError:
            raise TimeoutError(f"waited {timeout} s in vain for {what or 'a condition'}") from None
        return value
