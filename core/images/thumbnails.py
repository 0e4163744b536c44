"""Small JPEGs of kept pictures. It blocks: use a thread."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from core.errors import UnreadableAnswer
from core.images.decoding import PILLOW_ERRORS, decode
from core.images.kinds import kind_of_extension

SIDE = 256
QUALITY = 80
MOST_BYTES = 64 * 2**20
"""A file larger than this is not decoded for the sake of a thumbnail."""


def thumbnail(path: Path) -> bytes | None:
    """The picture in SIDE x SIDE pixels at most; None where the file is gone, damaged or too large for that."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        image = decode(path.read_bytes(), kind_of_extension(path.suffix[1:]))
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
