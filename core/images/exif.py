"""The texts in EXIF, the infotext of a JPEG or WebP in its UserComment above all: read and built. It touches no pixel.

The first eight bytes name the encoding. Webuis write `UNICODE\\0` and UTF-16, big endian; with their metadata switched
off they write those eight bytes and nothing else.
"""

from __future__ import annotations

import contextlib
import struct

from PIL import Image

from core.errors import UnreadableAnswer
from core.images import decoding, png
from core.images.kinds import PNG, Kind
from core.images.png import clean_text

JPEG_EXIF_BYTES = 65_533
"""A JPEG's marker holds so many bytes of EXIF at most: its length field has 16 bits and counts itself."""

_EXIF_IFD = 0x8769
_USER_COMMENT = 0x9286
_TEXT_TAGS = {"ImageDescription": 0x010E, "Make": 0x010F, "Model": 0x0110, "Software": 0x0131}
_LONG, _UNDEFINED = 4, 7
_UNICODE = b"UNICODE\0"
_ASCII = b"ASCII\0\0\0"
_JIS = b"JIS\0\0\0\0\0"
_ESCAPE = b"\x1b"  # with which JIS switches to Japanese
_NO_ENCODING = b"\0" * 8
_ENTRIES = struct.Struct(">HHHIII")  # number of entries, then tag, type, count, value; then the next directory
_TIFF_HEADER = b"Exif\0\0MM\0*\0\0\0\x08"
_COMMENT_OFFSET = 8 + 2 * _ENTRIES.size
_OVERHEAD = len(_TIFF_HEADER) + 2 * _ENTRIES.size + len(_UNICODE)


def read_user_comment(data: bytes, kind: Kind) -> str | None:
    """The UserComment of a JPEG, WebP or AVIF; None where there is none or it is empty.

    UnreadableAnswer where not even the picture's header can be read; broken EXIF counts as none.
    """
    return read_texts(data, kind).get("UserComment")


def read_texts(data: bytes, kind: Kind) -> dict[str, str]:
    """The UserComment and what other text EXIF has, by the names of their tags; empty texts are left out.

    UnreadableAnswer where not even the picture's header can be read; broken EXIF counts as none.
    """
    chunk = png.read_exif(data) if kind == PNG else None
    image = None if kind == PNG else decoding.open_header(data, kind)
    try:
        exif = _load(chunk or b"") if image is None else image.getexif()
        values = {name: exif.get(tag) for name, tag in _TEXT_TAGS.items()}
        comment = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT)
        values["UserComment"] = comment or exif.get(_USER_COMMENT)  # Fooocus puts it among the tags above it
    except (*decoding.PILLOW_ERRORS, UnreadableAnswer):
        return {}
    texts = {name: _decode(name, value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if text}


def _load(data: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(data)
    return exif


def _decode(name: str, value: object) -> str | None:
    if isinstance(value, bytes):
        return decode_user_comment(value) if name == "UserComment" else value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return None
    try:  # Pillow reads Latin-1, as the standard wants it, and people write UTF-8
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def decode_user_comment(comment: bytes) -> str | None:
    """The text of a raw UserComment with its 8-byte header; None where nothing follows the header."""
    header, body = comment[:8].upper(), comment[8:]
    if header == _UNICODE:
        text = _decode_utf16(body)
    elif header == _JIS and _ESCAPE in body:
        text = body.decode("iso2022_jp", "replace")
    elif header in (_ASCII, _JIS, _NO_ENCODING):
        text = _decode_bytes(body)
    else:
        text = _decode_bytes(comment)
    return text.rstrip("\0") or None


def _decode_bytes(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _decode_utf16(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    if 0 not in body:  # some programs write UTF-8 all the same
        with contextlib.suppress(UnicodeDecodeError):
            return body.decode("utf-8")
    # Every infotext has Latin letters, and half of each is a zero byte: where the zeros are says which end comes first.
    little = body[1::2].count(0) > body[0::2].count(0)
    return body.decode("utf-16-le" if little else "utf-16-be", "replace")


def build_user_comment_exif(text: str, *, max_bytes: int | None = None) -> bytes:
    """EXIF with the one tag UserComment, as webuis write it, to be given to Pillow's `save(exif=...)`.

    The text goes through `clean_text`, and is cut only where the whole would be longer than `max_bytes`.
    """
    body = clean_text(text).encode("utf-16-be")
    if max_bytes is not None and _OVERHEAD + len(body) > max_bytes:
        room = max(0, max_bytes - _OVERHEAD)
        body = body[:room].decode("utf-16-be", "ignore").encode("utf-16-be")  # half a character goes too
    comment = _UNICODE + body
    first = _ENTRIES.pack(1, _EXIF_IFD, _LONG, 1, 8 + _ENTRIES.size, 0)
    second = _ENTRIES.pack(1, _USER_COMMENT, _UNDEFINED, len(comment), _COMMENT_OFFSET, 0)
    return _TIFF_HEADER + first + second + comment


def exif_length(text: str) -> int:
    """How many bytes `build_user_comment_exif(text)` has."""
    return _OVERHEAD + len(clean_text(text).encode("utf-16-be"))
