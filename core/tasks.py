"""How the tasks of a process live and end: all of them together, on a signal or with the first that ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

T = TypeVar("T")


async def until_one_ends(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Whatever ends first ends the process; its exception, if it has one, is raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def cancel_all(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Until all have ended: a shard that is reconnecting takes the first cancellation for its own and goes on."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


async def enter_unless(
    stopping: asyncio.Event, stack: AsyncExitStack, context: AbstractAsyncContextManager[T]
) -> T | None:
    """Enter `context` on `stack`, however long it waits; None where `stopping` came first, and it is left again."""
    task, waiting, is_over = asyncio.current_task(), asyncio.create_task(stopping.wait()), False

    def give_up(done: asyncio.Task[Any]) -> None:
        if task is not None and not done.cancelled() and not is_over:
            task.cancel()

    waiting.add_done_callback(give_up)
    try:
        return await stack.enter_async_context(context)
    except asyncio.CancelledError:
        if task is None or not stopping.is_set():
            raise
        task.uncancel()
        return None
    finally:
        is_over = True
        waiting.cancel()


def stop_on_signals(stopping: asyncio.Event, at_once: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT asks to stop; the second, to wait for nothing."""

    def stop() -> None:
        (at_once if stopping.is_set() else stopping).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
            loop.add_signal_handler(number, stop)
