"""What the bot has to remember about itself, by name: such as the hash of the commands it registered."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.schema import facts


class Facts:
    """A small table of names and texts."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, name: str) -> str | None:
        """The text under `name`, None where there is none."""
        async with self._engine.connect() as connection:
            value: str | None = await connection.scalar(sa.select(facts.c.value).where(facts.c.name == name))
            return value

    async def keep(self, name: str, value: str) -> None:
        """Write `value` under `name`, whatever was there."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(facts).where(facts.c.name == name))
            await connection.execute(sa.insert(facts).values(name=name, value=value))
