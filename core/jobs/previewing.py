"""The half-done picture of one render: asked for where it is wanted, of that very task alone, and made small."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from core.errors import WebuiError
from core.images.glance import glance
from core.webui.client import WebuiClient
from core.webui.progress import NO_PREVIEW

log = logging.getLogger(__name__)


Wanted = Callable[[], Awaitable[bool]]


async def never() -> bool:
    """Nobody wants to see half-done pictures."""
    return False


class Previewer:
    """Remembers which preview was seen last. It takes no answer of a webui that can't tell whose picture it is."""

    def __init__(self, client: WebuiClient, task_id: str | None, wanted: Wanted = never, every: float = 3.0) -> None:
        self._client = client
        self._task_id = task_id
        self._wanted = wanted
        self._every = every
        self._known = NO_PREVIEW
        self._seen: bytes | None = None
        self._asked_at = -every

    async def look(self) -> bytes | None:
        """A small JPEG, if it is time, wanted, and another one than before; a webui's trouble counts as none.

        The caller asks afterwards whether the task is still at work: only then it was the task's all the time.
        """
        if self._task_id is None or time.monotonic() - self._asked_at < self._every or not await self._wanted():
            return None
        self._asked_at = time.monotonic()
        try:
            found = await self._client.fetch_live_preview(self._task_id, self._known)
            if found is None:
                return None
            self._known = found.number
            small = await asyncio.to_thread(glance, found.uri)
        except WebuiError as error:
            log.debug("there is no live preview: %s", error.detail)
            return None
        if small == self._seen:
            return None
        self._seen = small
        return small
