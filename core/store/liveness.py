"""Who is alive, and whose turn it is: PostgreSQL's advisory locks, which end with the connection of who holds them.

No clock is compared and no lease runs out: a killed process loses its locks at once, a frozen one keeps them. On SQLite
nobody else exists. Only direct connections will do: a pooler that shares sessions between clients mixes up their locks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
import stamina
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from core.store.database import lock_key, on_one_machine, unless_said

log = logging.getLogger(__name__)

_patiently = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=2.0).on(sa.exc.DBAPIError)

TURNS_AT_ONCE = 8
"""Turns that one process holds or waits for at once; more wait in the process."""
ASK_EVERY = 0.1
"""Seconds between two attempts to become a worker whose name is held."""
SAID_AFTER = 3.0
"""Seconds after which it is no passing question of another worker's that holds the name."""


async def hold(connection: psycopg.AsyncConnection[Any], worker_id: str) -> None:
    """Be this worker for as long as the connection lives; waits for whoever holds the name.

    For a moment that can be somebody who asks whether the worker is dead, or its earlier process' last connection.
    """
    attempts = 0
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_worker_key(worker_id),))
        if await cursor.fetchone() == (True,):
            return
        attempts += 1
        if attempts == int(SAID_AFTER / ASK_EVERY):
            log.warning("another process is the worker %s; waiting until it ends", worker_id)
        await asyncio.sleep(ASK_EVERY)


async def is_dead(engine: AsyncEngine, worker_id: str) -> bool:
    """Whether no process is this worker: none ever was, or its connection to the database has ended.

    A worker that has lost its connection counts as dead until it has made another. On SQLite nobody is dead.
    """
    if on_one_machine(engine.url):
        return False
    # Shared, so that two who ask at the same time don't take each other for the worker.
    free = sa.func.pg_try_advisory_xact_lock_shared(_worker_key(worker_id))
    async with engine.connect() as connection:
        return bool(await connection.scalar(sa.select(free)))


@asynccontextmanager
async def open_locks(url: sa.URL) -> AsyncIterator[AsyncEngine]:
    """Connections for `turn` alone: were they the queries' own, then blocks that ask the database could wait for ever.

    They would hold every connection, and each need one more.
    """
    options: dict[str, Any] = {"hide_parameters": True}
    if not on_one_machine(url):
        # Without pool_timeout: who waits for a turn waits for as long as it takes.
        options |= {"pool_size": TURNS_AT_ONCE, "max_overflow": 0, "pool_timeout": None, "pool_pre_ping": True}
        options |= {"connect_args": unless_said(url)}
    engine = create_async_engine(url, **options)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def turn(locks: AsyncEngine, name: str) -> AsyncIterator[None]:
    """Wait until nobody else, here or in another process, is in a block of this name; on SQLite nothing is done.

    While the database is away, this waits too. `locks` is from `open_locks`. A block of the same name inside the block
    waits for itself for ever.
    """
    if on_one_machine(locks.url):
        yield
        return
    async with AsyncExitStack() as stack:
        await _patiently(_lock, stack, locks, sa.func.pg_advisory_xact_lock, f"turn:{name}")
        yield


@asynccontextmanager
async def once_in_the_cluster(engine: AsyncEngine, name: str) -> AsyncIterator[bool]:
    """Whether this process is the one to do the chore of this name now: while the block runs, all others get False.

    It takes one of the engine's connections for that time.
    """
    if on_one_machine(engine.url):
        yield True
        return
    async with AsyncExitStack() as stack:
        yield bool(await _lock(stack, engine, sa.func.pg_try_advisory_xact_lock, f"once:{name}"))


async def _lock(stack: AsyncExitStack, engine: AsyncEngine, function: Any, name: str) -> Any:
    """The lock of this name in a transaction that ends with `stack`; what the function answered.

    The second statement lets the transaction be idle for as long as the lock is held. It comes last because it needs no
    snapshot: the one before it would keep its own to the end, and as long as one is kept VACUUM removes nothing.
    """
    async with AsyncExitStack() as trying:
        connection = await trying.enter_async_context(_transaction(engine))
        answer = (await connection.execute(sa.select(function(lock_key(name))))).scalar_one()
        await connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        stack.push_async_exit(trying.pop_all())
    return answer


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction that holds locks and nothing else: however it ends, the server lets go of them with it."""
    async with engine.connect() as connection:
        try:
            yield connection
        finally:
            try:
                await connection.rollback()
            except sa.exc.DBAPIError as error:
                # The block is done, and the lock went with the connection.
                log.warning("a lock's connection broke while it was held: %s", type(error.orig).__name__)
                await connection.invalidate()


def _worker_key(worker_id: str) -> int:
    return lock_key(f"worker:{worker_id}")
