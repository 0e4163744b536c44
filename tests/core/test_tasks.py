"""How a process begins and ends: a signal is heard at any moment of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from core.tasks import enter_unless


class Part:
    """Something that is opened and closed; it waits for its gate first."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.is_open = False
        self.has_begun = False
        self.begun = asyncio.Event()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        self.has_begun = True
        self.begun.set()
        try:
            await self.gate.wait()
            self.is_open = True
            yield "open"
        finally:
            self.is_open = self.has_begun = False


async def test_what_opens_is_entered_and_left_with_the_stack() -> None:
    part, stopping = Part(), asyncio.Event()
    part.gate.set()
    async with AsyncExitStack() as stack:
        assert await enter_unless(stopping, stack, part.opened()) == "open"
        stopping.set()
        await asyncio.sleep(0)  # nobody is told to stop by the one who watched over the opening
        assert part.is_open
    assert not part.is_open


async def test_a_signal_ends_an_opening_that_waits_and_nothing_is_left_of_it() -> None:
    part, stopping = Part(), asyncio.Event()
    asyncio.get_running_loop().call_soon(stopping.set)
    async with AsyncExitStack() as stack:
        assert await enter_unless(stopping, stack, part.opened()) is None
        assert not part.has_begun
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # a test runs in a task


async def test_a_cancellation_that_is_no_signal_passes() -> None:
    part = Part()

    async def open_it() -> None:
        async with AsyncExitStack() as stack:
            await enter_unless(asyncio.Event(), stack, part.opened())

    task = asyncio.create_task(open_it())
    await part.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
