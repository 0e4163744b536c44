"""Waits out our own neighbours: a database that restarts or a full disk costs time, never a job. No policy of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa
import stamina

from core.errors import UserError

T = TypeVar("T")

PERSON_SECONDS = 1.5
"""How long somebody is kept waiting for the database: Discord gives every answer three seconds."""
AWAY = "The bot can't reach its database at the moment. Try again in a minute."

_forever = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0)
on_database = _forever.on(sa.exc.SQLAlchemyError)
on_disk = _forever.on((sa.exc.SQLAlchemyError, OSError))
"""Such a call is repeated until it works."""
_briefly = stamina.AsyncRetryingCaller(attempts=None, timeout=PERSON_SECONDS, wait_initial=0.05, wait_max=0.3)


async def for_a_person(ask: Callable[[], Awaitable[T]]) -> T:
    """What the database answers to somebody who waits for it; UserError where it doesn't before long.

    `ask` is called again where it is not known whether it was done.
    """
    try:
        return await _briefly((sa.exc.OperationalError, sa.exc.InterfaceError), ask)
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        raise UserError(AWAY) from error
