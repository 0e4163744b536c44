"""Thumbnails for a page of pictures: of the files on this machine, and of what Discord shows of those that are not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from cogs.history_pages import Thumbs, key_of
from cogs.originals import Originals
from core.errors import UserError
from core.images.thumbnails import Thumbnails
from core.jobs.gallery import Entry
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows

FETCHING_SECONDS = 8.0
"""How long a page waits for files from Discord."""
AT_ONCE = 3
"""So many of them are in memory."""


class SmallPictures:
    """A page's thumbnails. What was cleared from the disk, or lies on a worker's, is read from the jobs' messages."""

    def __init__(self, thumbnails: Thumbnails, originals: Originals, rows: JobRows) -> None:
        self._thumbnails = thumbnails
        self._originals = originals
        self._rows = rows
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def of(self, entries: Sequence[Entry]) -> Thumbs:
        """By job and number; those of what is nowhere, or does not come in time, are missing."""
        made = await self._thumbnails.of({entry.file for entry in entries})
        fetched = await asyncio.gather(*(self._fetch(entry) for entry in entries if entry.file not in made))
        here = {key_of(entry): made[entry.file] for entry in entries if entry.file in made}
        return here | {key: data for key, data in fetched if data is not None}

    async def _fetch(self, entry: Entry) -> tuple[tuple[str, int], bytes | None]:
        data = None
        with contextlib.suppress(UserError, TimeoutError):
            async with asyncio.timeout(FETCHING_SECONDS), self._turn:
                job = await for_a_person(lambda: self._rows.fetch(entry.job_id))
                file = await self._originals.read(entry.job_id, entry.number, kept=None, job=job)
                data = await self._thumbnails.of_bytes(file)
        return key_of(entry), data
