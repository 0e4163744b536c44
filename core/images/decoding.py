"""The only place where Pillow opens what came from outside. It caps the pixels and turns Pillow's errors into ours."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from core.errors import UnreadableAnswer
from core.images.kinds import AVIF, GIF, JP2, JPEG, PNG, TIFF, WEBP, Kind

MAX_PIXELS = 1 << 26
"""8192 x 8192: more is never asked for, and decoding it would take a quarter of a gigabyte."""

OPAQUE = 254
"""Alpha from here on counts as opaque: Forge hides its infotext in values of 254 and 255, which nobody sees."""

PILLOW_FORMATS = {
    PNG: "PNG",
    JPEG: "JPEG",
    WEBP: "WEBP",
    GIF: "GIF",
    AVIF: "AVIF",
    TIFF: "TIFF",
    JP2: "JPEG2000",
}
"""The kinds that Pillow decodes; only the one that was sniffed is tried."""

PILLOW_ERRORS = (
    OSError,  # unknown or truncated
    SyntaxError,  # broken PNG
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    RuntimeError,  # damaged AVIF
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for bytes that aren't the picture they claim to be."""


def open_header(data: bytes, kind: Kind) -> Image.Image:
    """A picture whose pixels aren't decoded yet; UnreadableAnswer where Pillow can't or there are over MAX_PIXELS."""
    name = PILLOW_FORMATS.get(kind)
    if name is None:
        raise UnreadableAnswer(f"{kind.name} can't be decoded here")
    try:
        image = Image.open(io.BytesIO(data), formats=[name])
    except PILLOW_ERRORS as error:
        raise UnreadableAnswer(f"{kind.name} header: {error}") from error
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableAnswer(f"{kind.name} claims to be {image.width}x{image.height}")
    return image


def decode(data: bytes, kind: Kind) -> Image.Image:
    """The picture (the first frame of a moving one) with its pixels; UnreadableAnswer where it is damaged."""
    image = open_header(data, kind)
    try:
        image.load()
    except PILLOW_ERRORS as error:
        raise UnreadableAnswer(f"{kind.name} pixels: {error}") from error
    return image


def read_alpha_range(image: Image.Image) -> tuple[int, int] | None:
    """The lowest and the highest alpha, 0 to 255; None for a picture without transparency."""
    if not image.has_transparency_data:
        return None
    values = [value for value, count in enumerate(image.convert("RGBA").getchannel("A").histogram()) if count]
    return values[0], values[-1]
