"""What can be told of a picture without decoding it: kind, size, infotext. It changes nothing and keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UnreadableAnswer
from core.images import exif, png, sizes
from core.images.kinds import AVIF, HEAD_BYTES, JPEG, PNG, WEBP, Kind, sniff

_KINDS_WITH_EXIF = (JPEG, WEBP, AVIF)


@dataclass(frozen=True, slots=True)
class Facts:
    """`width` and `height` in pixels; `infotext` is the text that the file itself carries, None where it has none."""

    kind: Kind
    width: int
    height: int
    infotext: str | None


def recognise(data: bytes) -> Kind:
    """The kind of `data`; UnreadableAnswer where it is no picture that we know."""
    kind = sniff(data[:HEAD_BYTES])
    if kind is None:
        raise UnreadableAnswer(f"not a picture: {len(data)} bytes that begin with {data[:12].hex(' ')}")
    return kind


def read_facts(data: bytes) -> Facts:
    """Look at a picture's header; a PNG is also checked to be whole. UnreadableAnswer where it is none or is broken."""
    kind = recognise(data)
    width, height = sizes.read_size(data, kind)
    return Facts(kind, width, height, _read_infotext(data, kind))


def _read_infotext(data: bytes, kind: Kind) -> str | None:
    if kind == PNG:
        png.check_whole(data)
        return png.read_text(data)
    if kind in _KINDS_WITH_EXIF:
        return exif.read_user_comment(data, kind)
    return None
