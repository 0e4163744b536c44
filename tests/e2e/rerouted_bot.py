"""The bot, but the Internet's host pictures.example is this machine's server at the port PICTURES_PORT.

Everything that checks addresses is the bot's own, and sees a public one; only the socket ends elsewhere.
"""

import functools
import os
import socket
from collections.abc import Iterable
from typing import Any

import bot
from core import assembly, fetch

HOST = "pictures.example"
PUBLIC = "93.184.215.14"


class Rerouted(socket.socket):
    """Connects to the test's server, whatever it is told to connect to."""

    def connect(self, _address: object) -> None:
        super().connect(("127.0.0.1", int(os.environ["PICTURES_PORT"])))


def look_up(host: str, port: int) -> Iterable[fetch.AddressInfo]:
    """What a name server would say; of other names nothing, of addresses what they are."""
    address = PUBLIC if host == HOST else host
    return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)


if __name__ == "__main__":
    parts: Any = assembly
    parts.open_fetcher = functools.partial(
        fetch.open_fetcher, lookup=look_up, make_socket=lambda info: Rerouted(info[0], info[1], info[2])
    )
    raise SystemExit(bot.main())
