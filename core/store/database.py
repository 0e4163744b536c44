"""Opens the database: SQLite in DATA_DIR, or the one that DATABASE_URL names. It knows no table's meaning."""

from __future__ import annotations

import asyncio
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


def database_url(configured: str | None, data_dir: Path) -> sa.URL:
    """The SQLAlchemy URL with the driver that Easel uses: aiosqlite or psycopg."""
    if configured is None:
        return sa.URL.create("sqlite+aiosqlite", database=str(data_dir / "easel.db"))
    url = sa.make_url(configured)
    driver = "sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    return url.set(drivername=driver)


@asynccontextmanager
async def open_database(url: sa.URL) -> AsyncIterator[AsyncEngine]:
    """A connected engine whose tables are up to date; ConfigurationError where it can't be reached."""
    engine = create_async_engine(url, **_options(url))
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
    try:
        try:
            async with engine.connect() as connection:
                await connection.execute(sa.text("SELECT 1"))
        except (sa.exc.OperationalError, sa.exc.DBAPIError) as error:
            raise ConfigurationError(f"The database can't be opened: {type(error.orig).__name__}.") from error
        await asyncio.to_thread(migrate, url)
        yield engine
    finally:
        await engine.dispose()


def migrate(url: sa.URL) -> None:
    """Bring the tables up to date, in one transaction with the record of it. Blocks: for a thread or a command."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    driver = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(url.set(drivername=driver))
    if driver == "sqlite":
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _options(url: sa.URL) -> dict[str, Any]:
    """One SQLite connection (one writer, no lock fights); a small pool that notices a restarted PostgreSQL."""
    if url.get_backend_name() == "sqlite":
        return {"pool_size": 1, "max_overflow": 0, "poolclass": sa.pool.AsyncAdaptedQueuePool}
    return {"pool_size": 5, "pool_pre_ping": True}


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Python's driver opens no transaction before CREATE TABLE: a crash would leave half of the tables behind."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
