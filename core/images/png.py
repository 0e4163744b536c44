"""PNG as a row of chunks: size and text are read, text is spliced in. It never decodes a pixel and knows no Pillow.

A chunk is length (4 bytes, big endian), type (4 ASCII letters), data, CRC. Wrong CRCs are tolerated when reading, as
readers of pictures do; a length that points outside the data raises `UnreadableAnswer`.

Which text is where (PNG specification, third edition, 11.3.3): `tEXt` is Latin-1, `zTXt` the same compressed, `iTXt` is
UTF-8. stable-diffusion.cpp writes UTF-8 into `tEXt` all the same.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import UnreadableAnswer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INFOTEXT_KEY = "parameters"
MAX_TEXT_BYTES = 1 << 20
"""No infotext is longer than this; a chunk that unpacks to more is passed over (a "zip bomb")."""
MAX_TEXTS_BYTES = 1 << 22
"""All texts of one picture together; ComfyUI's graphs are the longest, and most are below a tenth of this."""

_MAX_CHUNKS = 65_536  # libpng writes 8 KiB per IDAT: half a gigabyte of picture
_MAX_PACKED = 16  # a picture has a handful of texts: so many bombs cost a tenth of a second
_HEADER = struct.Struct(">I4s")
_SIZE = struct.Struct(">II")
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where one chunk is: `offset` is that of its length field, `length` counts its data alone."""

    kind: bytes
    offset: int
    length: int

    @property
    def data_offset(self) -> int:
        """Where the data begin."""
        return self.offset + _HEADER.size

    @property
    def end(self) -> int:
        """The offset after the CRC."""
        return self.data_offset + self.length + 4


def walk(stream: BinaryIO) -> Iterator[Chunk]:
    """Yield every chunk up to and with IEND; UnreadableAnswer where the chain breaks or ends before IEND."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if stream.read(len(SIGNATURE)) != SIGNATURE:
        raise UnreadableAnswer("not a PNG: the signature is missing")
    offset = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        stream.seek(offset)
        header = stream.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise UnreadableAnswer(f"PNG ends after {size} bytes without IEND")
        length, kind = _HEADER.unpack(header)
        chunk = Chunk(kind, offset, length)
        if not kind.isalpha() or chunk.end > size:
            raise UnreadableAnswer(f"PNG chunk {kind!r} at {offset} claims {length} bytes of a file of {size}")
        yield chunk
        if kind == b"IEND":
            return
        offset = chunk.end
    raise UnreadableAnswer(f"PNG has more than {_MAX_CHUNKS} chunks")


def check_whole(data: bytes) -> None:
    """Raise UnreadableAnswer unless the chunks are a whole chain with pixels in it; CRCs and pixels aren't read."""
    kinds = {chunk.kind for chunk in walk(io.BytesIO(data))}
    if b"IDAT" not in kinds:
        raise UnreadableAnswer("PNG without pixels (no IDAT)")


def read_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as IHDR says; UnreadableAnswer where there is no proper IHDR."""
    start = len(SIGNATURE)
    if len(data) < start + 16 or data[:start] != SIGNATURE or data[start + 4 : start + 8] != b"IHDR":
        raise UnreadableAnswer("PNG without IHDR at its beginning")
    width, height = _SIZE.unpack_from(data, start + 8)
    if not (0 < width < 1 << 31 and 0 < height < 1 << 31):
        raise UnreadableAnswer(f"PNG claims to be {width}x{height}")
    return width, height


def read_text(data: bytes, key: str = INFOTEXT_KEY) -> str | None:
    """The first text that isn't empty under `key`, wherever it stands; None where there is none that can be read."""
    return _read_text(io.BytesIO(data), key)


def read_text_from_file(path: Path, key: str = INFOTEXT_KEY) -> str | None:
    """As `read_text`, reading only the chunks' headers and the texts; OSError where the file can't be read."""
    with path.open("rb") as stream:
        return _read_text(stream, key)


def read_texts(data: bytes) -> dict[str, str]:
    """Every text by its key, the first that isn't empty for each, up to MAX_TEXTS_BYTES in all.

    What can't be read or is too long is passed over, and the texts before a break in the chain count. UnreadableAnswer
    where the signature is missing.
    """
    stream = io.BytesIO(data)
    texts: dict[str, str] = {}
    left, packed = MAX_TEXTS_BYTES, 0
    for chunk in _walk_tolerant(stream):
        if chunk.kind not in _TEXT_CHUNKS or chunk.length > left:
            continue
        stream.seek(chunk.data_offset)
        keyword, _, body = stream.read(chunk.length).partition(b"\0")
        key = keyword.decode("latin-1")
        is_packed = _is_packed(chunk.kind, body)
        packed += is_packed
        if key in texts or (is_packed and packed > _MAX_PACKED):
            continue
        text = _decode_body(chunk.kind, body, left)
        if text:
            texts[key] = text
            left -= len(text.encode())
    return texts


def read_exif(data: bytes) -> bytes | None:
    """The data of the first eXIf chunk: EXIF as in a JPEG. UnreadableAnswer where the signature is missing."""
    for chunk in _walk_tolerant(io.BytesIO(data)):
        if chunk.kind == b"eXIf":
            return data[chunk.data_offset : chunk.data_offset + chunk.length]
    return None


def _walk_tolerant(stream: BinaryIO) -> Iterator[Chunk]:
    chunks = walk(stream)
    try:
        yield from chunks
    except UnreadableAnswer:
        stream.seek(0)
        if stream.read(len(SIGNATURE)) != SIGNATURE:
            raise


def _is_packed(kind: bytes, body: bytes) -> bool:
    return kind == b"zTXt" or (kind == b"iTXt" and body[:1] != b"\0")


def _read_text(stream: BinaryIO, key: str) -> str | None:
    start = key.encode("latin-1") + b"\0"
    for chunk in walk(stream):
        if chunk.kind not in _TEXT_CHUNKS or chunk.length > MAX_TEXT_BYTES:
            continue
        stream.seek(chunk.data_offset)
        body = stream.read(chunk.length)
        if body.startswith(start) and (text := _decode_body(chunk.kind, body[len(start) :], MAX_TEXT_BYTES)):
            return text
    return None


def _decode_body(kind: bytes, body: bytes, max_bytes: int) -> str | None:
    if kind == b"tEXt":
        return _decode_tolerant(body)
    if kind == b"zTXt":
        unpacked = _unpack(body[1:], max_bytes) if body[:1] == b"\0" else None
        return None if unpacked is None else _decode_tolerant(unpacked)
    flags, (_, found_language, rest) = body[:2], body[2:].partition(b"\0")
    _, found_keyword, text = rest.partition(b"\0")
    if len(flags) < 2 or not found_language or not found_keyword:
        return None
    plain = _unpack(text, max_bytes) if flags[0] else text
    return None if plain is None else plain.decode("utf-8", "replace")


def _unpack(packed: bytes, max_bytes: int) -> bytes | None:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, max_bytes)
    except zlib.error:
        return None
    return text if unpacker.eof else None


def _decode_tolerant(raw: bytes) -> str:
    # Latin-1 text that happens to be valid UTF-8 reads like "Ã©": nobody types that, stable-diffusion.cpp writes it.
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def clean_text(text: str) -> str:
    """`text` without NUL, which ends a text in PNG, and without lone surrogates, which no encoding can write."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def splice_text(data: bytes, key: str, text: str) -> bytes:
    """Insert one text chunk before the first IDAT; every other byte stays as it is.

    `tEXt` where the text is Latin-1 and reads back as itself, else `iTXt`, as Pillow and the webuis do. The text goes
    through `clean_text`. UnreadableAnswer where the PNG has no IDAT or a broken chunk before it.
    """
    place = next((chunk.offset for chunk in walk(io.BytesIO(data)) if chunk.kind == b"IDAT"), None)
    if place is None:
        raise UnreadableAnswer("PNG without pixels (no IDAT)")
    view = memoryview(data)
    return b"".join((view[:place], _build_text_chunk(key, clean_text(text)), view[place:]))


def _build_text_chunk(key: str, text: str) -> bytes:
    keyword = key.encode("latin-1") + b"\0"
    try:
        latin = text.encode("latin-1")
    except UnicodeEncodeError:
        latin = None
    if latin is not None and _decode_tolerant(latin) == text:
        return _build_chunk(b"tEXt", keyword + latin)
    return _build_chunk(b"iTXt", keyword + b"\0\0\0\0" + text.encode("utf-8"))


def _build_chunk(kind: bytes, body: bytes) -> bytes:
    return _HEADER.pack(len(body), kind) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
