"""One WebSocket's way out: a queue, a writer and zlib-stream. Knows no opcode."""

from __future__ import annotations

import asyncio
import zlib
from typing import Final

from aiohttp import web

from playground.discord.messages import Json
from playground.discord.wire import dumps

_LEVEL: Final = 6


class Connection:
    """Keeps the order of events whoever sends them: `send` never waits."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, *, compressed: bool) -> None:
        self._socket = socket
        self._transport = transport
        self._deflate = zlib.compressobj(_LEVEL) if compressed else None
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self.closed_here = False

    def start(self) -> None:
        self._writer = asyncio.create_task(self._write(), name="gateway writer")

    def send(self, payload: Json) -> None:
        self._queue.put_nowait(payload)

    async def _write(self) -> None:
        while (payload := await self._queue.get()) is not None:
            text = dumps(payload)
            try:
                if self._deflate is None:
                    await self._socket.send_str(text)
                else:
                    await self._socket.send_bytes(
                        self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
                    )
            except ConnectionError:
                return

    async def finish(self) -> None:
        """Sends what is queued, then ends the writer."""
        self._queue.put_nowait(None)
        if self._writer is not None:
            await self._writer

    async def close(self, code: int, reason: str) -> None:
        self.closed_here = True
        await self._socket.close(code=code, message=reason.encode())

    def abort(self) -> None:
        self.closed_here = True
        if self._transport is not None:
            self._transport.abort()
