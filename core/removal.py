"""Takes a finished job out of the world: its rows, what can be found of it again, and its files. It asks no Discord."""

from __future__ import annotations

from core.images.store import PictureStore
from core.jobs.gallery import GalleryRows
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows


class Removal:
    """Forgets jobs. Files that other pictures share, or that lie on another machine, stay where they are."""

    def __init__(self, rows: JobRows, gallery: GalleryRows, pictures: PictureStore) -> None:
        self._rows = rows
        self._gallery = gallery
        self._pictures = pictures

    async def forget(self, job_id: str) -> None:
        """Twice is once; NoDatabase where it can't be done in time."""
        files = await for_a_person(lambda: self._gallery.delete(job_id))
        await for_a_person(lambda: self._rows.delete_ended(job_id))
        await self._pictures.discard(files)
