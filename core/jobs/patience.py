"""Waits out our own neighbours: a database that restarts or a full disk costs time, never a job. No policy of jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import sqlalchemy as sa
import stamina

from core.errors import NoDatabase

T = TypeVar("T")

PERSON_SECONDS = 1.5
"""How long somebody is kept waiting for the database: Discord gives every answer three seconds."""

_forever = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=5.0)
on_database = _forever.on(sa.exc.SQLAlchemyError)
on_disk = _forever.on((sa.exc.SQLAlchemyError, OSError))
"""Such a call is repeated until it works."""
_in_haste = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_initial=0.05, wait_max=0.3)
_briefly = _in_haste.on((sa.exc.OperationalError, sa.exc.InterfaceError))
_given_up: set[asyncio.Future[Any]] = set()
"""What nobody waits for any more, until it has ended."""


def until_given_up() -> float:
    """The moment (of the loop's clock) at which somebody who asks now has waited long enough, for all their answers."""
    return asyncio.get_running_loop().time() + PERSON_SECONDS


async def for_a_person(ask: Callable[[], Awaitable[T]], *, until: float | None = None) -> T:
    """What the database answers to somebody who waits for it; NoDatabase where it doesn't `until` then, or before long.

    `ask` is called again where it is not known whether it was done. One that hangs is cancelled and left to itself:
    ending it can take as long as the database is silent.
    """
    left = (until_given_up() if until is None else until) - asyncio.get_running_loop().time()
    asking = asyncio.ensure_future(_briefly(ask))
    try:
        done, _ = await asyncio.wait({asking}, timeout=max(left, 0.0))
    finally:
        if not asking.done():
            asking.cancel()
            _given_up.add(asking)
            asking.add_done_callback(_forget)
    if not done:
        raise NoDatabase
    return asking.result()


def _forget(asking: asyncio.Future[Any]) -> None:
    _given_up.discard(asking)
    if not asking.cancelled():
        asking.exception()  # nobody else looks at it
