"""Small JPEGs of kept pictures: made when they are first asked for, which takes long, and kept beside them."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from core.errors import UnreadableAnswer
from core.images.decoding import PILLOW_ERRORS, decode
from core.images.kinds import HEAD_BYTES, sniff
from core.images.store import PictureStore

log = logging.getLogger(__name__)

SIDE = 256
QUALITY = 80
MOST_BYTES = 64 * 2**20
"""A file larger than this is not decoded for the sake of a thumbnail."""


class Thumbnails:
    """Those of the store's pictures."""

    def __init__(self, pictures: PictureStore) -> None:
        self._pictures = pictures
        self._turn = asyncio.Semaphore(1)  # a large picture takes much memory while it is made small

    async def of(self, names: Collection[str]) -> dict[str, bytes]:
        """By the pictures' names; of what is not on this machine, damaged or too large there is none."""
        found = await asyncio.to_thread(self._read, names)
        missing = [name for name, data in found.items() if data is None]
        if missing:
            async with self._turn:
                found |= await asyncio.to_thread(lambda: {name: self._make(name) for name in missing})
        return {name: data for name, data in found.items() if data is not None}

    async def of_bytes(self, data: bytes) -> bytes | None:
        """That of a file which is not in the store; it is kept nowhere."""
        async with self._turn:
            return await asyncio.to_thread(thumbnail_of, data)

    def _read(self, names: Collection[str]) -> dict[str, bytes | None]:
        """What is kept, and None for what can be made."""
        return {name: self._pictures.read_thumbnail(name) for name in names if self._pictures.path(name).is_file()}

    def _make(self, name: str) -> bytes | None:
        """Unless it was made while this one waited for its turn."""
        data = self._pictures.read_thumbnail(name) or thumbnail(self._pictures.path(name))
        if data is not None:
            try:
                self._pictures.keep_thumbnail(name, data)
            except OSError as error:
                log.info("a thumbnail could not be kept: %s", type(error).__name__, extra={"file": name})
        return data


def thumbnail(path: Path) -> bytes | None:
    """The picture in SIDE x SIDE pixels at most; None where the file is gone, damaged or too large for that.

    It blocks: use a thread.
    """
    try:
        return thumbnail_of(path.read_bytes()) if path.stat().st_size <= MOST_BYTES else None
    except OSError:
        return None


def thumbnail_of(data: bytes) -> bytes | None:
    """The same of a file's bytes."""
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        return None
    try:
        image = decode(data, kind)
        image.thumbnail((SIDE, SIDE), reducing_gap=2.0)
        flat = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
        if flat.mode == "RGBA":
            behind = Image.new("RGBA", flat.size, "white")
            flat = Image.alpha_composite(behind, flat).convert("RGB")
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=QUALITY, comment=b"")
    except (UnreadableAnswer, *PILLOW_ERRORS):
        return None
    return out.getvalue()
