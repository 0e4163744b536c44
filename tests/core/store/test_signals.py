"""Rings across processes, over a real PostgreSQL."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.liveness import is_dead
from core.store.signals import Listener, Signal, Silence, notify, notify_all, open_listener
from tests.core.store.conftest import WAIT, until
from tests.postgres import LocalPostgres


@dataclass
class Ears:
    """What was heard, and how often was looked at everything."""

    heard: list[Signal] = field(default_factory=list)
    resyncs: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def listener(self, url: sa.URL, worker_id: str | None = None) -> Listener:
        return Listener(url, worker_id=worker_id, on_signal=self.on_signal, on_resync=self.on_resync)

    def on_signal(self, signal: Signal) -> None:
        self.heard.append(signal)
        self._changed.set()

    def on_resync(self) -> None:
        self.resyncs += 1
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


async def test_a_ring_is_heard_when_the_transaction_commits_and_not_before(on_server: AsyncEngine) -> None:
    ears = Ears()
    async with ears.listener(on_server.url), on_server.connect() as slow:
        await notify(slow, "queued", "7")
        async with on_server.begin() as quick:
            await notify(quick, "claimed", "8")
        await ears.until(lambda: bool(ears.heard))
        await slow.commit()
        await ears.until(lambda: len(ears.heard) == 2)
    assert ears.heard == [Signal("claimed", "8"), Signal("queued", "7")]


async def test_what_is_rolled_back_never_rings(on_server: AsyncEngine) -> None:
    ears = Ears()
    async with ears.listener(on_server.url), on_server.connect() as connection:
        await notify(connection, "queued", "7")
        await connection.rollback()
        await notify(connection, "mode")
        await connection.commit()
        await ears.until(lambda: bool(ears.heard))
    assert ears.heard == [Signal("mode")]


async def test_several_ring_at_once_and_everybody_hears_them(on_server: AsyncEngine) -> None:
    one, other = Ears(), Ears()
    signals = [Signal("queued", str(number)) for number in range(50)]
    async with one.listener(on_server.url), other.listener(on_server.url):
        async with on_server.begin() as connection:
            await notify_all(connection, signals)
            await notify_all(connection, [])
        await one.until(lambda: len(one.heard) == 50)
        await other.until(lambda: len(other.heard) == 50)
    assert one.heard == other.heard == signals


async def test_entering_looks_at_everything_once(server_url: sa.URL) -> None:
    ears = Ears()
    async with ears.listener(server_url) as listener:
        assert ears.resyncs == 1
        assert listener.is_connected
    assert not listener.is_connected


async def test_a_restarted_server_is_heard_again_and_everything_is_looked_at(
    postgres: LocalPostgres, on_server: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    ears = Ears()

    async def is_said() -> bool:
        return "can't be reached" in caplog.text

    async with ears.listener(on_server.url, "w1") as listener:
        with caplog.at_level(logging.WARNING, "core.store.signals"):
            await asyncio.to_thread(postgres.stop_hard)
            try:
                await until(is_said)
                assert not listener.is_connected
            finally:
                await asyncio.to_thread(postgres.start)
            await ears.until(lambda: ears.resyncs == 2)
        assert not await is_dead(on_server, "w1")  # it was the worker again before it looked
        async with on_server.begin() as connection:
            await notify(connection, "queued", "7")
        await ears.until(lambda: ears.heard == [Signal("queued", "7")])
    messages = [record.getMessage() for record in caplog.records if record.name == "core.store.signals"]
    assert len(messages) == 2, messages


async def test_a_connection_that_the_operator_ends_is_made_again(on_server: AsyncEngine) -> None:
    ears = Ears()
    async with ears.listener(on_server.url):
        async with on_server.connect() as connection:
            others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            await connection.execute(sa.text(f"SELECT pg_terminate_backend(pid) {others}"))
        await ears.until(lambda: ears.resyncs == 2)


async def test_a_callback_that_fails_leaves_the_others_heard(
    on_server: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    ears = Ears()

    def on_signal(signal: Signal) -> None:
        if signal.subject == "1":
            raise KeyError(signal.subject)
        ears.on_signal(signal)

    async with Listener(on_server.url, on_signal=on_signal, on_resync=ears.on_resync):
        async with on_server.begin() as connection:
            await notify_all(connection, [Signal("queued", "1"), Signal("queued", "2")])
        await ears.until(lambda: bool(ears.heard))
    assert ears.heard == [Signal("queued", "2")]
    assert "a signal could not be acted upon" in caplog.text


async def test_entering_can_be_given_up_while_the_database_is_away(tmp_path: Path) -> None:
    ears = Ears()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), ears.listener(database_url("postgresql://127.0.0.1:1/easel", tmp_path)):
            pass
    assert ears.resyncs == 0
    assert {task.get_name() for task in asyncio.all_tasks()} & {"listen for signals"} == set()


async def test_a_listener_is_never_idle_to_the_server(on_server: AsyncEngine) -> None:
    ears = Ears()
    name = str(on_server.url.database)
    async with on_server.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text(f"ALTER DATABASE {name} SET idle_session_timeout = '200ms'"))
    async with ears.listener(on_server.url):
        await asyncio.sleep(0.5)
        assert ears.resyncs == 1


async def test_on_sqlite_nobody_is_rung_and_nobody_listens(tmp_path: Path) -> None:
    ears = Ears()
    url = database_url(None, tmp_path)
    async with open_database(url) as engine, engine.begin() as connection:
        async with open_listener(url, on_signal=ears.on_signal, on_resync=ears.on_resync) as listener:
            await notify(connection, "queued", "7")
        assert isinstance(listener, Silence)


async def test_on_postgresql_somebody_listens(server_url: sa.URL) -> None:
    ears = Ears()
    assert isinstance(open_listener(server_url, on_signal=ears.on_signal, on_resync=ears.on_resync), Listener)


@given(kind=st.text("abcdefgh", min_size=1), subject=st.text(st.characters(codec="utf-8")))
def test_a_signal_is_read_as_it_was_sent(kind: str, subject: str) -> None:
    signal = Signal(kind, subject)
    assert Signal.parse(str(signal)) == signal


@pytest.mark.parametrize("signal", [Signal("", "7"), Signal("two words", "7"), Signal("queued", "ö" * 4000)])
def test_what_could_not_travel_is_refused_before_it_spoils_a_transaction(signal: Signal) -> None:
    with pytest.raises(ValueError, match="not a signal"):
        str(signal)
