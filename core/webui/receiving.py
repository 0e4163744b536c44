"""Answers of webuis as they arrive: in pieces, within limits, with a broken connection named. It sends nothing."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import aiohttp

from core.errors import UnreadableAnswer, WebuiError
from core.webui.address import Login
from core.webui.faults import NETWORK_ERRORS, from_exception

ANSWER_LIMIT = 512 * 1024 * 1024
"""Bytes of one txt2img answer; ten pictures of 2048x2048 are about 100 MB."""
ERROR_LIMIT = 64 * 1024


async def read_chunks(
    response: aiohttp.ClientResponse, login: Login | None, *, limit: int, effect: bool
) -> AsyncGenerator[bytes]:
    """The body as it comes, at most `limit` bytes; WebuiError where it breaks off. `effect` as in core.webui.faults."""
    size = 0
    stream = response.content.iter_any()
    while True:
        try:
            chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except NETWORK_ERRORS as error:
            raise from_exception(error, effect=effect, login=login) from error
        size += len(chunk)
        if size > limit:
            raise UnreadableAnswer(f"the answer is longer than {limit} bytes")
        yield chunk


async def read_error(response: aiohttp.ClientResponse, login: Login | None) -> bytes:
    """The first 64 KiB of an error's body: a 422 can echo a whole request."""
    body = b""
    with contextlib.suppress(WebuiError):  # it broke off: what came is enough
        async with contextlib.aclosing(read_chunks(response, login, limit=ANSWER_LIMIT, effect=False)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= ERROR_LIMIT:
                    break
    return body[:ERROR_LIMIT]


async def telling(chunks: AsyncIterator[bytes], heard: Callable[[], None]) -> AsyncIterator[bytes]:
    """The same, with a call for each piece."""
    async for chunk in chunks:
        heard()
        yield chunk
