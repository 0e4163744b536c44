"""Rows of presets: a request under a name, of a person or of a server. It knows no policy but how many there may be."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.presets import Preset
from core.request import GenerationRequest
from core.store.locks import lock
from core.store.schema import presets
from core.webui.names import fold

KEY = ("scope", "scope_id", "folded_name")


class NoRoom(Exception):
    """There are as many as there may be."""


class PresetRows:
    """The table of the presets."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, *scopes: tuple[str, str]) -> list[Preset]:
        """Every preset of these scopes (which scope, whose), in the order of their names."""
        wanted = [sa.and_(presets.c.scope == scope, presets.c.scope_id == whose) for scope, whose in scopes]
        query = sa.select(presets).where(sa.or_(sa.false(), *wanted)).order_by(presets.c.folded_name)
        async with self._engine.connect() as connection:
            return [_as_preset(row) for row in await connection.execute(query)]

    async def put(self, preset: Preset, most: int) -> bool:
        """Write it, over one of its name; whether there was one. NoRoom where that makes more than `most`."""
        said = {
            "name": preset.name,
            "request": preset.request.to_json(),
            "maker_id": preset.maker_id,
            "made_at": preset.made_at,
        }
        key = dict(zip(KEY, (preset.scope, preset.scope_id, fold(preset.name)), strict=True))
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(presets)
        async with self._engine.begin() as connection:
            await lock(connection, f"presets {preset.scope} {preset.scope_id}")
            names = await _names(connection, preset)
            was_there = key["folded_name"] in names
            if not was_there and len(names) >= most:
                raise NoRoom
            row = insert.values(**key, **said)
            await connection.execute(row.on_conflict_do_update(index_elements=KEY, set_=said))
        return was_there

    async def delete(self, preset: Preset) -> bool:
        """Take it away; whether it was there."""
        mine = sa.and_(_of(preset), presets.c.folded_name == fold(preset.name))
        async with self._engine.begin() as connection:
            return bool((await connection.execute(sa.delete(presets).where(mine))).rowcount)


async def _names(connection: AsyncConnection, preset: Preset) -> set[str]:
    return set((await connection.execute(sa.select(presets.c.folded_name).where(_of(preset)))).scalars())


def _of(preset: Preset) -> sa.ColumnElement[bool]:
    return sa.and_(presets.c.scope == preset.scope, presets.c.scope_id == preset.scope_id)


def _as_preset(row: sa.Row[tuple[object, ...]]) -> Preset:
    return Preset(
        scope=row.scope,
        scope_id=row.scope_id,
        name=row.name,
        request=GenerationRequest.from_json(row.request),
        maker_id=row.maker_id,
        made_at=row.made_at,
    )
