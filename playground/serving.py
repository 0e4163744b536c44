"""The beginning and the end of a server of the playground."""

from __future__ import annotations

import asyncio

from aiohttp import web

_PASSES_OF_ACCEPTING = 3
"""So often asyncio's loop comes round from a connection's arrival until the server knows of it."""


async def stop_listening(listener: asyncio.Server) -> None:
    """Let nobody else in, and those who are at the door all the way in: closed now, asyncio would never close these."""
    loop = asyncio.get_running_loop()
    for socket in listener.sockets:
        loop.remove_reader(socket.fileno())
    for _ in range(_PASSES_OF_ACCEPTING):
        await asyncio.sleep(0)
    listener.close()


async def stop_serving(runner: web.AppRunner, listener: asyncio.Server) -> None:
    """The same, and close every connection."""
    await stop_listening(listener)
    await runner.cleanup()


async def serve(runner: web.AppRunner, host: str, port: int, backlog: int) -> tuple[asyncio.Server, int]:
    """Listen, on a free port where `port` is 0; the listener and its port."""
    await runner.setup()
    if runner.server is None:
        raise RuntimeError("a runner that is set up has a server")
    listener = await asyncio.get_running_loop().create_server(runner.server, host, port, backlog=backlog)
    return listener, int(listener.sockets[0].getsockname()[1])
