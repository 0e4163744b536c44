"""SQLite on a thread of its own, with one way there and back for a statement where aiosqlite alone takes four.

A cursor, its statement, its rows and its end are four questions to the thread; each wakes the loop once, and for small
statements that costs more than SQLite does. Here all of a statement is done at once. For SQLAlchemy, which calls it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiosqlite

CHUNK = 64
"""Rows of a piece where somebody iterates over aiosqlite's own cursor; nobody does."""


class QuickConnection(aiosqlite.Connection):
    """One connection. What SQLAlchemy doesn't call is as aiosqlite has it."""

    _is_quiet = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._is_quiet = False  # for as long as the thread may be at it: also after a cancellation
        result = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # it has no types
        self._is_quiet = True
        return result

    def cursor(self) -> QuickCursor:  # type: ignore[override]  # aiosqlite's has to be waited for
        """One statement."""
        return QuickCursor(self._conn, self._execute)

    async def rollback(self) -> None:
        """Roll back; the thread is not asked where it has nothing to do, which is so after every reading."""
        if not self._is_quiet or self.in_transaction:
            await super().rollback()


class QuickCursor:
    """What of a cursor SQLAlchemy uses: executed once, then read from memory."""

    def __init__(self, connection: sqlite3.Connection, run: Callable[..., Any]) -> None:
        self._connection = connection
        self._run = run
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run it and fetch all of its rows."""
        await self._run(self._do, sqlite3.Cursor.execute, sql, parameters)
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Run it for each."""
        await self._run(self._do, sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """The rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """It was closed as soon as its rows were there."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _do(self, execute: Callable[..., sqlite3.Cursor], sql: str, parameters: Any) -> None:
        """On the thread. Of a statement with RETURNING the count is there once its rows are fetched."""
        cursor = self._connection.cursor()
        try:
            execute(cursor, sql, parameters)
            self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


def connect_quickly(database: str, **options: Any) -> QuickConnection:
    """To be waited for; `options` are sqlite3's. SQLAlchemy's argument `async_creator_fn` takes this."""
    connection = QuickConnection(partial(sqlite3.connect, database, **options), CHUNK)
    connection._thread.daemon = True  # noqa: SLF001  # as SQLAlchemy does with those that it makes itself
    return connection
