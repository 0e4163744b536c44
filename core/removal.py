"""Takes finished pictures out of the world: their rows, what can be found of them again, and their files.

It asks no Discord.
"""

from __future__ import annotations

from core.images.store import PictureStore
from core.jobs.gallery import GalleryRows
from core.jobs.parts import PartRows
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows


class Removal:
    """Forgets jobs and pictures. Files that other pictures share stay; those on another machine go if its worker hears
    of it now.

    Twice is once; NoDatabase where it can't be done in time.
    """

    def __init__(self, rows: JobRows, parts: PartRows, gallery: GalleryRows, pictures: PictureStore) -> None:
        self._rows = rows
        self._parts = parts
        self._gallery = gallery
        self._pictures = pictures

    async def forget(self, job_id: str) -> None:
        """All of it."""
        files = await for_a_person(lambda: self._gallery.delete(job_id))
        await for_a_person(lambda: self._rows.delete_ended(job_id))
        await self._pictures.discard(files)

    async def forget_one(self, job_id: str, number: int) -> None:
        """One of its pictures, from 0; the others stay what they are, under their numbers."""
        files = await for_a_person(lambda: self._gallery.delete(job_id, {number}))
        await for_a_person(lambda: self._parts.forget(job_id, number))
        await self._pictures.discard(files)
