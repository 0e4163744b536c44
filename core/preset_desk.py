"""Presets as they are asked for: kept, found, shared and taken away by somebody in some place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from core.errors import UserError
from core.jobs.patience import for_a_person
from core.presets import MOST, Preset, Shelf, check_name, pick
from core.request import GenerationRequest
from core.store.preferences import PERSON, SERVER
from core.store.presets import NoRoom, PresetRows
from core.webui.names import fold

FULL = {
    PERSON: "You have {most} presets, as many as one person may have; delete one first.",
    SERVER: "This server has {most} presets, as many as it may have; delete one first.",
}


class PresetDesk:
    """The presets in the database. NoDatabase from every method where it doesn't answer in time."""

    def __init__(self, rows: PresetRows, clock: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._clock = clock

    async def shelf(self, person_id: str, guild_id: str | None) -> Shelf:
        """What this person can use there."""
        scopes = [(PERSON, person_id)] if guild_id is None else [(PERSON, person_id), (SERVER, guild_id)]
        found = await for_a_person(lambda: self._rows.fetch(*scopes))
        return Shelf(
            mine=tuple(one for one in found if not one.is_server_s),
            servers=tuple(one for one in found if one.is_server_s),
        )

    async def find(self, wanted: str, person_id: str, guild_id: str | None) -> Preset:
        """The preset of that name; UserError where there is none."""
        return pick(await self.shelf(person_id, guild_id), wanted)

    async def save(self, name: str, request: GenerationRequest, person_id: str) -> tuple[Preset, bool]:
        """Keep it as this person's; and whether it took the place of another. UserError where it can't be kept."""
        preset = Preset(
            scope=PERSON,
            scope_id=person_id,
            name=check_name(name),
            request=request,
            maker_id=person_id,
            made_at=self._clock(),
        )
        return preset, await self._put(preset)

    async def share(self, name: str, person_id: str, guild_id: str) -> tuple[Preset, bool]:
        """A copy of one of this person's for the server; and whether an earlier copy of theirs gave way to it."""
        shelf = await self.shelf(person_id, guild_id)
        mine = pick(Shelf(mine=shelf.mine), name)
        held = next((one for one in shelf.servers if fold(one.name) == fold(mine.name)), None)
        if held is not None and held.maker_id != person_id:
            raise UserError("This server has a preset of that name already, shared by somebody else; delete it first.")
        copy = replace(mine, scope=SERVER, scope_id=guild_id, maker_id=person_id, made_at=self._clock())
        return copy, await self._put(copy)

    async def delete(self, preset: Preset, person_id: str, *, is_admin: bool) -> None:
        """Take it away; UserError where this person may not. `is_admin`: of the server that it is of."""
        if preset.is_server_s and preset.maker_id != person_id and not is_admin:
            raise UserError(
                "Only the person who shared this preset, and members who may manage this server, can delete it."
            )
        await for_a_person(lambda: self._rows.delete(preset))

    async def _put(self, preset: Preset) -> bool:
        most = MOST[preset.scope]
        try:
            return await for_a_person(lambda: self._rows.put(preset, most))
        except NoRoom:
            raise UserError(FULL[preset.scope].format(most=most)) from None
