"""How a request's body goes out: images as they are, in pieces. It knows no route and sends nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import msgspec

_IMAGES = ("init_images", "mask")
_PIECE = 1 << 16


def parts_of(body: Mapping[str, Any]) -> list[bytes | str]:
    """The body's JSON, its images as they are: they are many megabytes, and nothing in base64 is escaped."""
    rest = msgspec.json.encode({name: value for name, value in body.items() if name not in _IMAGES})
    parts: list[bytes | str] = []
    if "mask" in body:
        parts += [b'"mask":"', body["mask"], b'",']
    for image in body.get("init_images", ())[:1]:  # there is never another one
        parts += [b'"init_images":["', image, b'"],']
    return [b"{", *parts, rest[1:]] if parts else [rest]


async def in_pieces(parts: Iterable[bytes | str]) -> AsyncIterator[bytes]:
    """The parts as they are to be written, with room for others in between."""
    for part in parts:
        for start in range(0, len(part), _PIECE):
            piece = part[start : start + _PIECE]
            yield piece if isinstance(piece, bytes) else piece.encode("ascii")
            await asyncio.sleep(0)  # else a webui that reads quickly would get all of it at once
