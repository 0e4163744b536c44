"""Who is alive and whose turn it is, with real processes that are killed and frozen, on a real PostgreSQL."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store import liveness
from core.store.database import database_url, lock_key, open_database
from core.store.liveness import is_dead, once_in_the_cluster, open_locks, turn
from core.store.signals import Listener, notify
from tests.core.store.conftest import WAIT, until
from tests.postgres import LocalPostgres

ROOT = Path(__file__).parents[3]
SOON = 1.0


@contextmanager
def worker_process(url: sa.URL, worker_id: str) -> Iterator[subprocess.Popen[str]]:
    address = url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.core.store.worker_process", address, worker_id]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def listener(url: sa.URL, worker_id: str) -> Listener:
    return Listener(url, worker_id=worker_id, on_signal=lambda _: None, on_resync=lambda: None)


@pytest.fixture
async def locks(server_url: sa.URL) -> AsyncIterator[AsyncEngine]:
    async with open_locks(server_url) as engine:
        yield engine


async def test_a_killed_worker_is_dead_within_a_second(on_server: AsyncEngine) -> None:
    with worker_process(on_server.url, "w1") as process:
        assert await asyncio.to_thread(next_line, process) == "alive"
        assert not await is_dead(on_server, "w1")
        assert await is_dead(on_server, "w2")
        process.kill()
        await until(lambda: is_dead(on_server, "w1"), SOON)


async def test_a_frozen_worker_is_alive_and_hears_later(on_server: AsyncEngine) -> None:
    with worker_process(on_server.url, "w1") as process:
        assert await asyncio.to_thread(next_line, process) == "alive"
        os.kill(process.pid, signal.SIGSTOP)
        until_then = time.monotonic() + SOON
        while time.monotonic() < until_then:
            assert not await is_dead(on_server, "w1")
            await asyncio.sleep(0.1)
        async with on_server.begin() as connection:
            await notify(connection, "queued", "7")
        os.kill(process.pid, signal.SIGCONT)
        assert await asyncio.to_thread(next_line, process) == "queued 7"


async def test_a_worker_that_ends_is_dead(on_server: AsyncEngine) -> None:
    async with listener(on_server.url, "w1"):
        assert not await is_dead(on_server, "w1")
    assert await is_dead(on_server, "w1")


async def test_asking_of_a_dead_worker_leaves_nothing_held(on_server: AsyncEngine) -> None:
    assert await asyncio.gather(*(is_dead(on_server, "w1") for _ in range(20))) == [True] * 20
    async with asyncio.timeout(SOON), listener(on_server.url, "w1"):
        pass


async def test_a_second_worker_of_the_same_name_waits_and_says_so(
    on_server: AsyncEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(liveness, "SAID_AFTER", 0.2)
    second = listener(on_server.url, "w1")

    async def is_said() -> bool:
        return "another process is the worker w1" in caplog.text

    with caplog.at_level(logging.WARNING, "core.store.liveness"):
        async with listener(on_server.url, "w1"):
            entering = asyncio.ensure_future(second.__aenter__())
            await until(is_said)
            assert not entering.done()
        async with asyncio.timeout(WAIT):
            await entering
    assert not await is_dead(on_server, "w1")
    await second.__aexit__()


async def test_one_turn_at_a_time_for_a_name_and_names_do_not_wait_for_each_other(locks: AsyncEngine) -> None:
    inside: list[str] = []
    entered, leave = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with turn(locks, "message:1"):
            entered.set()
            await leave.wait()
            inside.append("first")

    async def second() -> None:
        async with turn(locks, "message:1"):
            inside.append("second")

    async with asyncio.timeout(WAIT), asyncio.TaskGroup() as group:
        group.create_task(first())
        await entered.wait()
        group.create_task(second())
        async with turn(locks, "message:2"):
            await until(lambda: waiting_for_a_lock(locks))
        assert inside == []
        leave.set()
    assert inside == ["first", "second"]


async def waiting_for_a_lock(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "
        mine = "(SELECT oid FROM pg_database WHERE datname = current_database())"
        return bool(await connection.scalar(sa.text(waiting + mine)))


async def test_a_turn_is_over_when_its_block_fails(locks: AsyncEngine) -> None:
    with pytest.raises(KeyError):
        async with turn(locks, "message:1"):
            raise KeyError
    async with asyncio.timeout(SOON), turn(locks, "message:1"):
        pass


async def test_who_gives_up_waiting_for_a_turn_never_has_it(locks: AsyncEngine) -> None:
    async with turn(locks, "message:1"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), turn(locks, "message:1"):
                pass
    async with asyncio.timeout(SOON), turn(locks, "message:1"):
        pass


async def test_more_turns_than_connections_are_had_one_after_the_other(
    locks: AsyncEngine, on_server: AsyncEngine
) -> None:
    async def edit(number: int) -> None:
        async with turn(locks, f"message:{number % 3}"), on_server.connect() as connection:
            await connection.scalar(sa.text("SELECT pg_sleep(0.01)"))

    async with asyncio.timeout(WAIT):
        await asyncio.gather(*(edit(number) for number in range(60)))


async def test_a_block_whose_lock_went_with_the_server_still_ends_well(
    postgres: LocalPostgres, locks: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async with turn(locks, "message:1"):
        await asyncio.to_thread(postgres.stop_hard)
        await asyncio.to_thread(postgres.start)
    assert "broke while it was held" in caplog.text
    async with turn(locks, "message:1"):
        pass


async def test_the_server_ends_no_turn_for_being_idle(locks: AsyncEngine, on_server: AsyncEngine) -> None:
    async with on_server.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        timeout = "SET idle_in_transaction_session_timeout = '100ms'"
        await connection.execute(sa.text(f"ALTER DATABASE {on_server.url.database} {timeout}"))
    async with turn(locks, "message:1"):
        await asyncio.sleep(0.3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), turn(locks, "message:1"):
                pass


async def test_who_holds_a_lock_keeps_nobody_from_cleaning_up(locks: AsyncEngine, on_server: AsyncEngine) -> None:
    """A transaction with a snapshot would stop VACUUM, and CREATE INDEX CONCURRENTLY would wait for its end."""
    async with turn(locks, "message:1"), once_in_the_cluster(locks, "sweep"), on_server.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        async with asyncio.timeout(SOON):
            await connection.execute(sa.text("CREATE INDEX CONCURRENTLY slowly ON jobs (guild_id)"))


async def test_who_waits_for_a_turn_waits_for_a_database_that_is_away_too(
    postgres: LocalPostgres, locks: AsyncEngine
) -> None:
    inside = asyncio.Event()

    async def edit() -> None:
        async with turn(locks, "message:1"):
            inside.set()

    async with asyncio.timeout(WAIT), asyncio.TaskGroup() as group:
        async with turn(locks, "message:1"):
            group.create_task(edit())
            await until(lambda: waiting_for_a_lock(locks))
            await asyncio.to_thread(postgres.stop_hard)
            group.create_task(edit())
        await asyncio.to_thread(postgres.start)
    assert inside.is_set()


async def test_a_chore_is_done_by_one(on_server: AsyncEngine) -> None:
    async with (
        once_in_the_cluster(on_server, "sweep") as mine,
        once_in_the_cluster(on_server, "sweep") as another,
        once_in_the_cluster(on_server, "count") as other,
    ):
        assert (mine, another, other) == (True, False, True)
    async with once_in_the_cluster(on_server, "sweep") as mine:
        assert mine


async def test_on_sqlite_there_is_nobody_else(tmp_path: Path) -> None:
    url = database_url(None, tmp_path)
    async with open_database(url) as engine, open_locks(url) as locks:
        assert not await is_dead(engine, "w1")
        async with (
            turn(locks, "message:1"),
            turn(locks, "message:1"),
            once_in_the_cluster(engine, "sweep") as mine,
        ):
            assert mine


def test_every_name_has_a_lock_of_its_own() -> None:
    keys = {lock_key(f"{kind}:{number}") for kind in ("worker", "turn") for number in range(1000)}
    assert len(keys) == 2000
    assert all(-(2**63) <= key < 2**63 for key in keys)
