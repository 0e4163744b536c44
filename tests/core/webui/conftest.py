"""What these tests share: a session, and a server that sends exactly the bytes it is told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest

from core.webui.address import parse_addresses
from core.webui.client import WebuiClient, open_session

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


def client_for(url: str, session: aiohttp.ClientSession) -> WebuiClient:
    (address,) = parse_addresses(url)
    return WebuiClient(address, session)


def http(status: str, body: bytes, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole HTTP answer, after which the connection is closed."""
    fields = {"Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class RawServer:
    """Answers each path with fixed bytes, or with a coroutine that writes; unknown paths get `otherwise`."""

    answers: dict[str, bytes | Handler] = field(default_factory=dict)
    otherwise: bytes = field(default_factory=lambda: http("404 Not Found", b'{"detail":"Not Found"}'))
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            self.bodies.append(await reader.readexactly(int(fields.get("content-length", "0"))))
            answer = self.answers.get(head.split()[1].partition("?")[0], self.otherwise)
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    server = RawServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()
    for task in server.tasks:
        task.cancel()
    await asyncio.gather(*server.tasks, return_exceptions=True)
    await listener.wait_closed()
