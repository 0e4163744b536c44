"""Rings across processes: what one has changed in the database, others hear of within milliseconds.

PostgreSQL's NOTIFY carries them, as part of the transaction that made the change. A ring is never the truth, only a
reason to look: those sent while a connection was away are lost, and `on_resync` says so. On SQLite nobody else listens.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Self

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from core.store.database import SOON_NOTICED, on_one_machine, unless_said
from core.store.liveness import hold

log = logging.getLogger(__name__)

CHANNEL = "easel"
LONGEST_PAYLOAD = 7999
"""Bytes; PostgreSQL refuses more (documentation of NOTIFY)."""
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds between two attempts to connect."""

_LASTING = {
    "tcp_keepalives_idle": SOON_NOTICED["keepalives_idle"],
    "tcp_keepalives_interval": SOON_NOTICED["keepalives_interval"],
    "tcp_keepalives_count": SOON_NOTICED["keepalives_count"],
    "tcp_user_timeout": SOON_NOTICED["tcp_user_timeout"],
    "idle_session_timeout": 0,
}
"""The server's words: it soon notices a machine that is gone, and never takes one that only listens for idle."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something happened to `subject`, an id that may be empty; `kind` is one word."""

    kind: str
    subject: str = ""

    def __str__(self) -> str:
        """As it travels; ValueError where it couldn't be read again, or is too long for PostgreSQL."""
        text = f"{self.kind} {self.subject}"
        if not self.kind or " " in self.kind or len(text.encode()) > LONGEST_PAYLOAD:
            raise ValueError(f"not a signal: {text[:100]}")
        return text

    @classmethod
    def parse(cls, text: str) -> Signal:
        """The other way round."""
        kind, _, subject = text.partition(" ")
        return cls(kind, subject)


OnSignal = Callable[[Signal], None]
OnResync = Callable[[], None]


async def notify(connection: AsyncConnection, kind: str, subject: str = "") -> None:
    """Ring when the caller's transaction commits; on SQLite nothing is done."""
    await notify_all(connection, [Signal(kind, subject)])


async def notify_all(connection: AsyncConnection, signals: Iterable[Signal]) -> None:
    """Several at once, in one statement."""
    texts = [str(signal) for signal in signals]
    if not texts or on_one_machine(connection.engine.url):
        return
    each = sa.func.unnest(sa.bindparam("texts", texts, ARRAY(sa.Text)))
    await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, each)))


class Silence:
    """The listener on SQLite: there is nobody to hear."""

    is_connected = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing was opened."""


class Listener:
    """Hears every process' rings, its own included, on one connection of its own, and is a worker's sign of life there.

    Entering waits for the database, and where `worker_id` is given, until no other process is that worker. `on_signal`
    is called for each ring, `on_resync` after each connecting, the first included, when the worker's lock is held and
    rings are heard. Both are called on the loop and must be quick.
    """

    def __init__(self, url: sa.URL, *, on_signal: OnSignal, on_resync: OnResync, worker_id: str | None = None) -> None:
        self._url = url
        self._on_signal = on_signal
        self._on_resync = on_resync
        self._worker_id = worker_id
        self._running: asyncio.Task[None] | None = None
        self.is_connected = False

    async def __aenter__(self) -> Self:
        connected = asyncio.Event()
        self._running = asyncio.create_task(self._run(connected), name="listen for signals")
        waiting = asyncio.create_task(connected.wait())
        try:
            await asyncio.wait([self._running, waiting], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.__aexit__()
            raise
        finally:
            waiting.cancel()
        if self._running.done():
            self._running.result()
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self, connected: asyncio.Event) -> None:
        """Listen; where the connection ends, make another, for ever."""
        while True:
            connection = await self._connect()
            try:
                self.is_connected = True
                self._call(self._on_resync)
                connected.set()
                async for notification in connection.notifies():
                    self._call(self._on_signal, Signal.parse(notification.payload))
            except psycopg.Error as error:
                log.warning("the connection for signals was lost, connecting again: %s", type(error).__name__)
            finally:
                self.is_connected = False
                await connection.close()

    @staticmethod
    def _call(callback: Callable[..., None], *arguments: Signal) -> None:
        try:
            callback(*arguments)
        except Exception:  # boundary: it must not take the worker's sign of life with it
            log.exception("a signal could not be acted upon")

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        """Patiently; one line in the log for as long as it lasts."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                return await self._open()
            except psycopg.Error as error:
                if pause == SHORTEST_PAUSE:
                    log.warning("the database can't be reached for signals, trying again: %s", type(error).__name__)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # spreads the processes, no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        """Connected, known as the worker, and listening; in this order."""
        text = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        async with AsyncExitStack() as stack:
            address = make_conninfo(text, **unless_said(self._url))
            connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
            stack.push_async_callback(connection.close)
            for name, value in _LASTING.items():
                # Older servers lack some; one that it has not is not set.
                setting = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s"
                await connection.execute(setting, (str(value), name))
            if self._worker_id is not None:
                await hold(connection, self._worker_id)
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            stack.pop_all()
            return connection


def open_listener(
    url: sa.URL, *, on_signal: OnSignal, on_resync: OnResync, worker_id: str | None = None
) -> Listener | Silence:
    """What fits the database; for `async with`."""
    if on_one_machine(url):
        return Silence()
    return Listener(url, on_signal=on_signal, on_resync=on_resync, worker_id=worker_id)
