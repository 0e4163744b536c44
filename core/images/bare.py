"""A picture without what it says of how it was made. It blocks: use a thread.

Whole chunks are left out. What is known to be needed to show the picture stays, all else goes: text, EXIF, XMP,
comments, provenance (C2PA), dates, and whatever stands behind the picture's end. No pixel is changed, but for one case:
an opaque picture whose alpha is not the same everywhere, where Forge hides its infotext, is written anew without alpha.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Mapping

from core.errors import UnreadableAnswer, UserError
from core.images import decoding, png
from core.images.kinds import JPEG, PNG, WEBP, Kind

_PNG_SHOWN = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)
_WEBP_SHOWN = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_SAYS = 0x0C  # VP8X: there is EXIF, there is XMP
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # what else follows FF within a scan belongs to it
_SOS, _EOI, _COMMENT = 0xDA, 0xD9, 0xFE
_JPEG_APPLICATION = range(0xE0, 0xF0)
_JPEG_SHOWN = ((0xE0, b"JFIF\0"), (0xE2, b"ICC_PROFILE\0"), (0xEE, b"Adobe"))


def strip(data: bytes, kind: Kind) -> bytes:
    """The same picture, saying nothing.

    UnreadableAnswer where it is damaged, UserError where it is of a kind that can't be taken apart here.
    """
    found = _STRIPPERS.get(kind)
    if found is None:
        raise UserError(f"{kind.name} can't be freed from what it may say of how it was made, as you wish with /my.")
    bare = found(data)
    return bare if kind == JPEG else _without_hidden(bare, kind)


def _without_hidden(data: bytes, kind: Kind) -> bytes:
    if decoding.open_header(data, kind).mode not in ("RGBA", "LA"):
        return data
    image = decoding.decode(data, kind)
    lowest, highest = decoding.read_alpha_range(image) or (0, 0)
    if lowest == highest or lowest < decoding.OPAQUE or getattr(image, "n_frames", 1) > 1:
        return data
    out = io.BytesIO()
    options = {"lossless": True, "exact": True} if kind == WEBP else {}
    profile = image.info.get("icc_profile")
    plain = image.convert(image.mode.removesuffix("A"))
    plain.save(out, decoding.PILLOW_FORMATS[kind], icc_profile=profile, **options)
    return out.getvalue()


def _strip_png(data: bytes) -> bytes:
    chunks = [chunk for chunk in png.walk(io.BytesIO(data)) if chunk.kind in _PNG_SHOWN]
    return b"".join((png.SIGNATURE, *(data[chunk.offset : chunk.end] for chunk in chunks)))


def _strip_jpeg(data: bytes) -> bytes:
    if data[:2] != b"\xff\xd8":
        raise UnreadableAnswer("not a JPEG: its first marker is missing")
    kept, place = [data[:2]], 2
    while True:
        marker = _marker(data, place)
        if marker == _EOI:
            return b"".join((*kept, b"\xff\xd9"))
        if place + 4 > len(data):
            raise UnreadableAnswer("JPEG ends within a segment")
        end = place + 2 + int(struct.unpack_from(">H", data, place + 2)[0])
        if end > len(data) or end < place + 4:
            raise UnreadableAnswer(f"JPEG segment {marker:02x} claims to end at {end} of {len(data)}")
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, end)
            end = len(data) if following is None else following.start()
        if _is_shown(marker, data[place + 4 : end]):
            kept.append(data[place:end])
        place = end


def _marker(data: bytes, place: int) -> int:
    found = data[place : place + 2]
    if len(found) < 2 or found[0] != 0xFF:
        raise UnreadableAnswer(f"JPEG has no marker at {place}")
    return found[1]


def _is_shown(marker: int, body: bytes) -> bool:
    if marker in _JPEG_APPLICATION:
        return any(marker == shown and body.startswith(start) for shown, start in _JPEG_SHOWN)
    return marker != _COMMENT


def _strip_webp(data: bytes) -> bytes:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise UnreadableAnswer("not a WebP: its header is missing")
    size = int(struct.unpack_from("<I", data, 4)[0])
    last = size + 8
    if last > len(data):
        raise UnreadableAnswer(f"WebP claims {last} bytes and has {len(data)}")
    kept, place = [], 12
    while place + 8 <= last:
        kind, length = struct.unpack_from("<4sI", data, place)
        end = place + 8 + length + length % 2
        if end > last:
            raise UnreadableAnswer(f"WebP chunk {kind!r} claims to end at {end} of {last}")
        if kind in _WEBP_SHOWN:
            kept.append(_without_flags(data[place:end]) if kind == b"VP8X" else data[place:end])
        place = end
    body = b"".join(kept)
    return b"".join((b"RIFF", struct.pack("<I", len(body) + 4), b"WEBP", body))


def _without_flags(chunk: bytes) -> bytes:
    return b"".join((chunk[:8], bytes([chunk[8] & ~_WEBP_SAYS]), chunk[9:])) if len(chunk) > 8 else chunk


_STRIPPERS: Mapping[Kind, Callable[[bytes], bytes]] = {PNG: _strip_png, JPEG: _strip_jpeg, WEBP: _strip_webp}
