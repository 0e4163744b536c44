"""What people, channels and servers wish: small texts by name. It knows no wish's meaning."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.schema import preferences

PERSON, CHANNEL, SERVER = "person", "channel", "server"
"""The scopes, the narrowest first."""

_WISHED = sa.select(preferences).where(
    sa.tuple_(preferences.c.scope, preferences.c.scope_id).in_(sa.bindparam("scopes", expanding=True))
)
"""Executed for every picture that is shown, and made once."""


class PreferenceRows:
    """The table of the preferences."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, *scopes: tuple[str, str]) -> dict[tuple[str, str], dict[str, str]]:
        """Everything that is wished in these scopes (which scope, whose), by scope; those without a wish are there."""
        found: dict[tuple[str, str], dict[str, str]] = {scope: {} for scope in scopes}
        async with self._engine.connect() as connection:
            for row in await connection.execute(_WISHED, {"scopes": scopes}):
                found[row.scope, row.scope_id][row.name] = row.value
        return found

    async def put(self, scope: str, whose: str, wishes: Mapping[str, str | None]) -> None:
        """Write these over what was wished before; None: it is wished no more."""
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(preferences)
        mine = sa.and_(preferences.c.scope == scope, preferences.c.scope_id == whose)
        async with self._engine.begin() as connection:
            for name, value in wishes.items():
                if value is None:
                    await connection.execute(sa.delete(preferences).where(mine, preferences.c.name == name))
                    continue
                row = insert.values(scope=scope, scope_id=whose, name=name, value=value)
                key = ["scope", "scope_id", "name"]
                await connection.execute(row.on_conflict_do_update(index_elements=key, set_={"value": value}))
