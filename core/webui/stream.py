"""Reads an answer with images while it arrives: images go to files, only the rest is kept. It knows no HTTP.

A whole-body read of a 10 MB image costs 47 MB and blocks the loop for 200 ms; this costs one chunk.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

from core.errors import UnreadableAnswer
from core.webui.answer import Answer, decode_answer
from core.webui.images import Base64File

REST_LIMIT = 64 * 1024 * 1024
"""Bytes that an answer may hold besides its images."""

_STRUCTURE = re.compile(rb'["{}\[\],:]')
_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_OPEN_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")


ImageKey = Literal["images", "image"]
"""Under which key images come: an array of them, or one alone (extra-single-image)."""


async def read_answer(chunks: AsyncIterator[bytes], spool: Path, key: ImageKey = "images") -> Answer:
    """Write each string of the top-level array `images`, or the one string `image`, to `spool/<n>.raw`.

    What is left is decoded.

    The folder must exist. Raises UnreadableAnswer for anything but one JSON object with base64 images, and OSError
    where the folder can't be written; no `.part` file stays behind.
    """
    scanner = AnswerScanner(spool, key)
    try:
        async for chunk in chunks:
            scanner.feed(chunk)
        rest = scanner.finish()
    finally:
        scanner.discard()
    return decode_answer(rest, scanner.files, key)


class AnswerScanner:
    """A push parser that follows JSON just far enough to know which strings are the images.

    `files` names, for each string of `images` (or for `image`), the file it became (None for an empty string). In what
    finish() returns these strings are empty and everything else is as it came, so that the JSON decoder still judges
    the whole.
    """

    def __init__(self, spool: Path, key: ImageKey = "images") -> None:
        self._wanted = key
        self.files: list[str | None] = []
        self._spool = spool
        self._rest = bytearray()
        self._state = self._between
        self._held = b""  # an escape sequence cut in two by the chunk's end
        self._depth = 0
        self._key_next = False
        self._key_start = 0
        self._is_images_value = False
        self._in_images = False
        self._image: Base64File | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, cut anywhere."""
        if self._held:
            chunk, self._held = self._held + chunk, b""
        if not self._rest and chunk.lstrip()[:1] not in (b"", b"{"):
            raise UnreadableAnswer(f"not a JSON object: {chunk[:60]!r}")
        position = 0
        while position < len(chunk):
            position = self._state(chunk, position)
        if len(self._rest) > REST_LIMIT:
            raise UnreadableAnswer("the answer is too long")

    def finish(self) -> bytes:
        """The JSON without its images. UnreadableAnswer where the answer ended half-way."""
        if self._held or self._depth != 0 or self._state != self._between or not self._rest:
            raise UnreadableAnswer("the answer ended half-way")
        return bytes(self._rest)

    def discard(self) -> None:
        """Remove the file of an image that was not finished."""
        if self._image is not None:
            self._image.discard()
            self._image = None

    def _between(self, chunk: bytes, position: int) -> int:
        found = _STRUCTURE.search(chunk, position)
        if found is None:
            self._rest += chunk[position:]
            return len(chunk)
        self._rest += chunk[position : found.end()]
        match found.group():
            case b'"':
                self._open_string()
            case b"{" | b"[" as bracket:
                self._open(bracket)
            case b"}" | b"]":
                self._depth -= 1
                self._in_images = self._in_images and self._depth >= 2
            case b":" if self._depth == 1:
                self._is_images_value = self._key_next and self._key() == self._wanted
                self._key_next = False
            case b"," if self._depth == 1:
                self._key_next, self._is_images_value = True, False
            case _:
                pass
        return found.end()

    def _open(self, bracket: bytes) -> None:
        self._depth += 1
        if self._depth == 1:
            self._key_next = True
        elif self._depth == 2 and self._is_images_value and bracket == b"[" and self._wanted == "images":
            self._in_images = True
            self.files.clear()  # of two keys with one name the last counts, as in every JSON decoder

    def _open_string(self) -> None:
        is_alone = self._wanted == "image" and self._is_images_value and self._depth == 1
        if is_alone:
            self.files.clear()
        if is_alone or (self._in_images and self._depth == 2):
            self._image = Base64File(self._spool, len(self.files))
            self._state = self._in_image
        else:
            self._key_start = len(self._rest)
            self._state = self._in_text

    def _key(self) -> str:
        """The string that was read last, without its quotes."""
        raw = bytes(self._rest[self._key_start :]).rpartition(b'"')[0]
        if len(raw) > 64:
            return ""
        try:
            return str(json.loads(b'"' + raw + b'"'))
        except ValueError:
            return ""

    def _in_text(self, chunk: bytes, position: int) -> int:
        found = _TEXT.match(chunk, position)
        end = position if found is None else found.end()
        self._rest += chunk[position:end]
        if end == len(chunk):
            return end
        if chunk[end] == ord('"'):
            self._rest += b'"'
            self._state = self._between
            return end + 1
        self._held = chunk[end:]
        return len(chunk)

    def _in_image(self, chunk: bytes, position: int) -> int:
        image = self._image
        if image is None:
            raise UnreadableAnswer("an image was not opened")
        end = chunk.find(b'"', position)
        stop = len(chunk) if end < 0 else end
        if chunk.find(b"\\", position, stop) >= 0:
            return self._in_escaped_image(image, chunk, position)
        image.feed(chunk[position:stop])
        return stop if end < 0 else self._close_image(image, stop)

    def _in_escaped_image(self, image: Base64File, chunk: bytes, position: int) -> int:
        """As _in_image where the webui escapes characters (`\\/`), which few do: slower, and right at any cut."""
        found = _TEXT.match(chunk, position)
        end = position if found is None else found.end()
        closed = end < len(chunk) and chunk[end] == ord('"')
        if not closed:
            cut = _OPEN_ESCAPE.search(chunk, position)
            end = len(chunk) if cut is None else cut.start()
            self._held = chunk[end:]
        try:
            piece = json.loads(b'"' + chunk[position:end] + b'"').encode("ascii")
        except ValueError:
            raise UnreadableAnswer("an image is not base64") from None
        image.feed(piece)
        return self._close_image(image, end) if closed else len(chunk)

    def _close_image(self, image: Base64File, quote: int) -> int:
        self.files.append(image.finish())
        self._image = None
        self._rest += b'"'
        self._state = self._between
        return quote + 1
