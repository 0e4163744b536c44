"""Locks that last as long as a transaction, for what two processes must not decide at once. SQLite has one writer."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.store.database import lock_key

ADMISSION = "admission"
"""Held while places in the queue are counted and given."""
GIVING_OUT = "giving out"
"""Held while it is decided whose picture comes next."""


async def lock(connection: AsyncConnection, name: str) -> None:
    """Wait for the lock and hold it until the transaction of `connection` ends. On SQLite the file is the lock."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(name)})
