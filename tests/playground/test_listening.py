"""A server of the playground that goes away leaves nobody connected."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest

from playground.discord import LocalDiscord
from playground.webui import LocalWebui


@pytest.mark.parametrize("passes", range(5))
@pytest.mark.parametrize("kind", [LocalDiscord, LocalWebui])
async def test_who_comes_in_the_moment_in_which_a_server_stops_is_sent_away(
    kind: Callable[[], Any], passes: int
) -> None:
    async with kind() as server:
        address = server.api_url if isinstance(server, LocalDiscord) else server.url
        port = int(address.split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.setblocking(False)
            for _ in range(passes):  # how far the loop has come with accepting it
                await asyncio.sleep(0)
            await server.stop()
            try:
                async with asyncio.timeout(2):
                    assert await asyncio.get_running_loop().sock_recv(caller, 1) == b""
            except ConnectionResetError:
                pass
    del server
    gc.collect()
