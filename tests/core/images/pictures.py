"""Pictures for the tests, written as webuis write them. Nothing here uses the code under test."""

from __future__ import annotations

import io
import random
import struct
import zlib

from PIL import Image
from PIL.PngImagePlugin import PngInfo

INFOTEXT = (
    "a lighthouse at dusk, oil painting\nNegative prompt: blurry, text\nSteps: 24, Sampler: Euler a, "
    "Schedule type: Automatic, CFG scale: 6.5, Seed: 1234567890, Size: 640x896, Model: demoMix_v3, Version: v1.10.1"
)


def noise(width: int, height: int, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """The same noise for the same arguments: nothing compresses it."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = random.Random(seed).randbytes(width * height * channels)  # noqa: S311 - pixels are no secret
    return Image.frombytes(mode, (width, height), pixels)


def smooth(width: int, height: int) -> Image.Image:
    """A gradient with a little noise, packed about as a drawn picture is."""
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, Image.blend(ramp, noise(width, height, "L"), 0.03), ramp.rotate(180)))


def as_png(image: Image.Image, infotext: str | None = None) -> bytes:
    """As A1111 and Forge do: Pillow chooses tEXt or iTXt."""
    info = PngInfo()
    if infotext is not None:
        info.add_text("parameters", infotext)
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def user_comment(comment: bytes) -> Image.Exif:
    """EXIF with this raw UserComment."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = comment
    return exif


def as_photo(image: Image.Image, name: str, infotext: str | None, quality: int = 80) -> bytes:
    """JPEG or WEBP as A1111 and SD.Next do: UserComment in UTF-16BE, or its header alone with metadata off."""
    out = io.BytesIO()
    comment = b"UNICODE\0" + (infotext or "").encode("utf-16-be")
    image.save(out, name, quality=quality, exif=user_comment(comment))
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its right CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, raw_chunk: bytes) -> bytes:
    """`png` with one more chunk after IHDR (which always ends at byte 33)."""
    return png[:33] + raw_chunk + png[33:]


def pillow_text(png: bytes) -> str | None:
    """What Pillow reads under `parameters`."""
    with Image.open(io.BytesIO(png)) as image:
        text = image.info.get("parameters")
    return None if text is None else str(text)


def same_pixels(one: bytes, other: bytes) -> bool:
    """Whether both decode to the same mode, size and bytes."""
    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        return (first.mode, first.size, first.tobytes()) == (second.mode, second.size, second.tobytes())
