"""Which kind of picture some bytes are, by their first bytes alone. It never trusts a name or a header of HTTP.

Webuis answer with PNG, JPEG or WebP; SD.Next's option also knows TIFF, JPEG 2000 and JPEG XL; KoboldCpp sends GIF or
AVI for video models.
"""

from __future__ import annotations

from dataclasses import dataclass

HEAD_BYTES = 32
"""So many first bytes are enough for `sniff`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One file format: its name for people and the extension of its files."""

    name: str
    extension: str


PNG = Kind("PNG", "png")
JPEG = Kind("JPEG", "jpg")
WEBP = Kind("WebP", "webp")
GIF = Kind("GIF", "gif")
AVI = Kind("AVI", "avi")
JXL = Kind("JPEG XL", "jxl")
AVIF = Kind("AVIF", "avif")
TIFF = Kind("TIFF", "tiff")
JP2 = Kind("JPEG 2000", "jp2")

KINDS = (PNG, JPEG, WEBP, GIF, AVI, JXL, AVIF, TIFF, JP2)

_BY_EXTENSION = {kind.extension: kind for kind in KINDS}

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\xff\x0a", JXL),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", JXL),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", JP2),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
)
_RIFF_FORMS = {b"WEBP": WEBP, b"AVI ": AVI}


def sniff(head: bytes) -> Kind | None:
    """Recognise a picture by its first `HEAD_BYTES` bytes (more do no harm); None where it is none that we know."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"RIFF"):
        return _RIFF_FORMS.get(head[8:12])
    brands = head[8:HEAD_BYTES]
    if head[4:8] == b"ftyp" and (b"avif" in brands or b"avis" in brands):
        return AVIF
    return None


def kind_of_extension(extension: str) -> Kind:
    """The kind whose files end in `extension` (no dot); ValueError where there is none."""
    try:
        return _BY_EXTENSION[extension]
    except KeyError:
        raise ValueError(f"no kind of picture has the extension {extension!r}") from None
