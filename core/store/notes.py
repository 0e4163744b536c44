"""Rows of what servers call their checkpoints, and what they know of them. It knows no webui and no family."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.schema import checkpoint_notes
from core.store.signals import notify

NOTES_SIGNAL = "notes"
"""A note was written; it has no subject."""
EVERYWHERE = ""
"""The server of notes that hold for every server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One checkpoint as one server (or EVERYWHERE) knows it.

    `plain_title` is as `core.families.detect.title_key` writes it; older rows lack the file's ending.

    Empty is what nobody said. `hidden`: None is what nobody said, too.
    """

    plain_title: str
    guild_id: str
    family: str = ""
    friendly_name: str = ""
    trigger_words: str = ""
    hidden: bool | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether it is not worth a row."""
        return not (self.family or self.friendly_name or self.trigger_words) and self.hidden is None


NOTHING = Note(plain_title="", guild_id=EVERYWHERE)
"""What is known of a checkpoint of which nobody said anything."""


class NoteRows:
    """The table of the notes. `on_change` is called for each change that is made here; others ring (NOTES_SIGNAL)."""

    def __init__(self, engine: AsyncEngine, on_change: Callable[[], None]) -> None:
        self._engine = engine
        self._on_change = on_change

    async def fetch_all(self) -> list[Note]:
        """Every note of every server: there are as many as admins have typed."""
        async with self._engine.connect() as connection:
            query = sa.select(checkpoint_notes).order_by(checkpoint_notes.c.guild_id, checkpoint_notes.c.plain_title)
            return [Note(**row._asdict()) for row in await connection.execute(query)]

    async def put(self, note: Note, *, replacing: Iterable[str] = ()) -> None:
        """Write it over what was there; one that says nothing is removed. So are its server's `replacing`."""
        key = {"plain_title": note.plain_title, "guild_id": note.guild_id}
        said = {
            "family": note.family,
            "friendly_name": note.friendly_name,
            "trigger_words": note.trigger_words,
            "hidden": note.hidden,
        }
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(checkpoint_notes)
        mine = [checkpoint_notes.c[name] == value for name, value in key.items()]
        others = sa.and_(checkpoint_notes.c.guild_id == note.guild_id, checkpoint_notes.c.plain_title.in_([*replacing]))
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(checkpoint_notes).where(others))
            if note.says_nothing:
                await connection.execute(sa.delete(checkpoint_notes).where(*mine))
            else:
                row = insert.values(**key, **said)
                await connection.execute(row.on_conflict_do_update(index_elements=list(key), set_=said))
            await notify(connection, NOTES_SIGNAL)
        self._on_change()
