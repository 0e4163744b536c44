"""Opens the database: SQLite in DATA_DIR, or the one that DATABASE_URL names. It knows no table's meaning."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from core.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"

PATIENCE = 10.0
"""Seconds to wait for another connection's write to SQLite."""
POOL_SIZE = 10
"""Connections to PostgreSQL that one process holds at most for its queries."""
SOON_NOTICED: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 11_000,
}
"""libpq's words, seconds and milliseconds: a server that went away without a word is noticed within 11 seconds."""
SOON_LET_GO = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=11000"
)
"""The same in the server's words: what a machine held that is gone without a word is free within 11 seconds."""
NEVER_IDLE = "-c idle_in_transaction_session_timeout=15000"
"""For queries, which hold nothing for longer than a moment: a process that stands still in one gives it up."""


def database_url(configured: str | None, data_dir: Path) -> sa.URL:
    """The SQLAlchemy URL with the driver that Easel uses: aiosqlite or psycopg."""
    if configured is None:
        return sa.URL.create("sqlite+aiosqlite", database=str(data_dir / "easel.db"))
    url = sa.make_url(configured)
    driver = "sqlite+aiosqlite" if on_one_machine(url) else "postgresql+psycopg"
    return url.set(drivername=driver)


def engine_url(url: sa.URL, data_dir: Path) -> sa.URL:
    """Where the engine keeps its own tables: a file beside ours, or the same PostgreSQL under its own schema."""
    if on_one_machine(url):
        return sa.URL.create("sqlite", database=str(data_dir / "engine.db"))
    return url.set(drivername="postgresql+psycopg")


@asynccontextmanager
async def open_database(url: sa.URL) -> AsyncIterator[AsyncEngine]:
    """A connected engine whose tables are up to date; ConfigurationError where it can't be opened.

    What can be wrong with it is found out before, with the driver that does not wait: aiosqlite leaves a thread behind
    where a file turns out to be no database.
    """
    await asyncio.to_thread(_greet, url)
    try:
        await asyncio.to_thread(migrate, url)
    except sa.exc.DBAPIError as error:
        if (reason := _known_reason(error, url)) is None:
            raise
        raise ConfigurationError(f"The database can't be opened: {reason}.") from error
    engine = create_async_engine(url, **_options(url))
    if on_one_machine(url):
        sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
    else:
        sa.event.listen(engine.sync_engine, "handle_error", _hide_rows)
    try:
        yield engine
    finally:
        await engine.dispose()


async def try_database(url: sa.URL) -> None:
    """Whether it answers, without a change to it; ConfigurationError where it can't be opened."""
    await asyncio.to_thread(_greet, url)


def migrate(url: sa.URL) -> None:
    """Bring the tables up to date, in one transaction with the record of it. Blocks: for a thread or a command.

    Of several processes that start at once on PostgreSQL one does it; the others wait, and find nothing left to do.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = _blocking_engine(url)
    if on_one_machine(url):
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            if not on_one_machine(url):
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_key("migrations"))))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def on_one_machine(url: sa.URL) -> bool:
    """Whether it is SQLite, which no other process uses."""
    return url.get_backend_name() == "sqlite"


def lock_key(name: str) -> int:
    """The number of PostgreSQL's advisory lock of this name: 64 bits of SHA-256, so that no two names share one."""
    return int.from_bytes(hashlib.sha256(f"easel:{name}".encode()).digest()[:8], signed=True)


def unless_said(url: sa.URL, *more: str) -> dict[str, Any]:
    """SOON_NOTICED and SOON_LET_GO (and `more` of the server's words), but for what the operator's URL says itself."""
    known: dict[str, Any] = {**SOON_NOTICED, "options": " ".join((SOON_LET_GO, *more))}
    return {name: value for name, value in known.items() if name not in url.query}


def _greet(url: sa.URL) -> None:
    """Read something that makes SQLite look into the file, which it otherwise opens only when it is needed. Blocks."""
    question = "PRAGMA schema_version" if on_one_machine(url) else "SELECT 1"
    engine = _blocking_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(question))
    except sa.exc.DBAPIError as error:
        reason = _known_reason(error, url) or type(error.orig).__name__
        raise ConfigurationError(f"The database can't be opened: {reason}.") from error
    finally:
        engine.dispose()


def _blocking_engine(url: sa.URL) -> sa.Engine:
    driver = "sqlite" if on_one_machine(url) else "postgresql+psycopg"
    return sa.create_engine(url.set(drivername=driver), **_shared_options(url))


def _known_reason(error: sa.exc.DBAPIError, url: sa.URL) -> str | None:
    """What the operator can mend, in words; the server's own words may hold more than a log should."""
    if not on_one_machine(url):
        unreachable = "the server of DATABASE_URL can't be reached, or refuses the login or the database's name"
        return unreachable if isinstance(error, sa.exc.OperationalError) else None
    # The lowest byte is the kind; the others say where it happened.
    match getattr(error.orig, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return f"{url.database} is not a database or is damaged"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{url.database} is used by another program"
        case sqlite3.SQLITE_CANTOPEN:
            return f"{url.database}: the folder is missing, or may not be read and written"
        case sqlite3.SQLITE_READONLY:
            return f"{url.database} may not be written"
        case sqlite3.SQLITE_FULL:
            return f"{url.database}: the disk is full"
    return None


def _options(url: sa.URL) -> dict[str, Any]:
    """One SQLite connection (one writer, no lock fights); a small pool that notices a restarted PostgreSQL."""
    if on_one_machine(url):
        return {"pool_size": 1, "max_overflow": 0, "poolclass": sa.pool.AsyncAdaptedQueuePool, **_shared_options(url)}
    options = {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_pre_ping": True, **_shared_options(url)}
    return options | {"connect_args": unless_said(url, NEVER_IDLE)}


def _shared_options(url: sa.URL) -> dict[str, Any]:
    """No error may repeat a statement's parameters: prompts and interaction tokens are among them."""
    patience = {"timeout": PATIENCE} if on_one_machine(url) else unless_said(url)
    return {"hide_parameters": True, "connect_args": patience}


def _hide_rows(context: sa.engine.ExceptionContext) -> None:
    """PostgreSQL's DETAIL quotes whole rows, whatever hide_parameters says: leave the line that names the fault."""
    first = getattr(getattr(context.original_exception, "diag", None), "message_primary", None)
    if first is not None and context.sqlalchemy_exception is not None:
        context.original_exception.args = (first,)
        context.sqlalchemy_exception.args = (f"({type(context.original_exception).__name__}) {first}",)


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Python's driver opens no transaction before CREATE TABLE: a crash would leave half of the tables behind."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
