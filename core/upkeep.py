"""Keeps this machine's pictures within their limits, for ever. What goes from the disk stays on Discord."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

import sqlalchemy as sa

from core.images.store import PictureStore
from core.images.trimming import DiskLimits, plan_trim
from core.jobs.gallery import GalleryRows

log = logging.getLogger(__name__)

EVERY_SECONDS = 600.0


class Upkeep:
    """Trims the store; nothing is done where there is no limit."""

    def __init__(self, pictures: PictureStore, gallery: GalleryRows, limits: DiskLimits) -> None:
        self._pictures = pictures
        self._gallery = gallery
        self._limits = limits

    async def run(self) -> None:
        """Now and then; the caller cancels it."""
        while True:
            try:
                await self.trim()
            except (sa.exc.SQLAlchemyError, OSError) as error:
                log.warning("pictures could not be cleared away: %s", type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)

    async def trim(self) -> int:
        """Delete what has to go; how many pictures that were."""
        if self._limits == DiskLimits():
            return 0
        files = await self._pictures.list_files()
        dear, undelivered = await self._gallery.dear_files(), await self._gallery.undelivered_files()
        plan = partial(plan_trim, files, dear, self._limits, time.time(), undelivered=undelivered)
        names = await asyncio.to_thread(plan)
        gone = await self._pictures.discard(names)
        if gone:
            log.info("%d pictures were cleared away to keep within the limits", gone)
        return gone
