"""How a request's body goes out: in pieces, its images as base64 that is made on the way. It knows no route."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

_PIECE: Final = 1 << 16
_RAW_PIECE: Final = 3 << 14
"""Bytes of an image that become base64 at once; a multiple of three, so that the pieces fit together."""


class Base64:
    """An image in a payload. No text is made of the whole: for 20 MB that would hold everything up for 20 ms.

    `len` is that of its base64. No dataclass, which msgspec would write as an object.
    """

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return (len(self.data) + 2) // 3 * 4

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Base64) and self.data == other.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"Base64({len(self.data)} bytes)"


def parts_of(body: Mapping[str, Any]) -> list[bytes | Base64]:
    """The body's JSON, with its images between: they are many megabytes, and nothing in base64 is escaped."""
    images: list[Base64] = []
    mark = secrets.token_hex(16)  # what no prompt holds

    def put_off(value: Any) -> str:
        if not isinstance(value, Base64):
            raise TypeError(f"a payload can't hold a {type(value).__name__}")
        images.append(value)
        return mark

    first, *others = msgspec.json.encode(body, enc_hook=put_off).split(mark.encode())
    parts: list[bytes | Base64] = [first]
    for image, text in zip(images, others, strict=True):
        parts += [image, text]
    return parts


async def in_pieces(parts: Iterable[bytes | Base64]) -> AsyncIterator[bytes]:
    """The parts as they are to be written, with room for others in between."""
    for part in parts:
        for piece in _pieces(part):
            yield piece
            await asyncio.sleep(0)  # else a webui that reads quickly would get all of it at once


def _pieces(part: bytes | Base64) -> Iterator[bytes]:
    if isinstance(part, Base64):
        image = memoryview(part.data)
        return (base64.b64encode(image[at : at + _RAW_PIECE]) for at in range(0, len(image), _RAW_PIECE))
    return (part[at : at + _PIECE] for at in range(0, len(part), _PIECE))
