"""A webui's half-done picture, made small for a message. It knows base64 and Pillow, and blocks: use a thread."""

from __future__ import annotations

import binascii
import io

import pybase64
from PIL import Image

from core.errors import UnreadableAnswer
from core.images import decoding
from core.images.kinds import HEAD_BYTES, JPEG, PNG, WEBP, sniff

SIDE = 512
"""Pixels of the longer side, at most."""
QUALITY = 70
MAX_CHARACTERS = 24 * 2**20
"""Of base64: a PNG of some 6 million pixels, which nobody's preview has."""
MAX_PIXELS = 1 << 24

_TAKEN = (PNG, JPEG, WEBP)


def glance(uri: str) -> bytes:
    """The picture of a data URI, or of plain base64, as a small JPEG without metadata.

    UnreadableAnswer where it is none, damaged, or far too large: then nothing of it is decoded.
    """
    text = uri.partition(",")[2] if uri.startswith("data:") else uri
    if len(text) > MAX_CHARACTERS:
        raise UnreadableAnswer(f"a live preview has {len(text)} characters")
    try:
        data = pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableAnswer(f"a live preview is not base64: {error}") from None
    kind = sniff(data[:HEAD_BYTES])
    if kind is None or kind not in _TAKEN:
        raise UnreadableAnswer("a live preview is no picture that is known")
    width, height = decoding.open_header(data, kind).size
    if width * height > MAX_PIXELS:
        raise UnreadableAnswer(f"a live preview claims to be {width}x{height}")
    image = decoding.decode(data, kind).convert("RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    out = io.BytesIO()
    image.info.clear()  # a colour profile or a comment would go along
    image.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
