"""Deletes what is too old to be of use, now and then, for ever. It knows no table."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0


async def keep_forgetting(what: str, delete: Callable[[], Awaitable[int]]) -> None:
    """Call `delete`, which says how many rows went; `what` they are called in the log. The caller cancels it."""
    while True:
        try:
            deleted = await delete()
        except sa.exc.SQLAlchemyError as error:
            log.warning("%s could not be deleted: %s", what, type(error).__name__)
        else:
            log.debug("%d %s were deleted", deleted, what)
        await asyncio.sleep(EVERY_SECONDS)
