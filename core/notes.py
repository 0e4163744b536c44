"""What servers call their checkpoints, in memory: asked for every key that somebody types. The rows are the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from msgspec import UNSET

from core.bell import Bell
from core.errors import UserError
from core.families.detect import correction_key
from core.jobs.patience import for_a_person
from core.request import GenerationRequest
from core.store.notes import EVERYWHERE, Note, NoteRows
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint
from core.webui.names import CHOICE_COUNT, Choice

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often the rows are read where no bell rang."""
FRIENDLY_LENGTH = 60
TRIGGER_LENGTH = 300
_SUFFIXES = (".safetensors", "", ".ckpt", ".gguf", ".sft", ".pt", ".pth")


@dataclass(slots=True)
class _Known:
    """What holds in one server: its own notes over those for every server."""

    notes: dict[str, Note] = field(default_factory=dict)
    by_friendly: dict[str, Note] = field(default_factory=dict)
    corrections: dict[str, str] = field(default_factory=dict)


class CheckpointNotes:
    """All notes. Until they are read for the first time there are none."""

    def __init__(self, rows: NoteRows, bell: Bell) -> None:
        self._rows = rows
        self._bell = bell
        self._by_guild: dict[str, _Known] = {EVERYWHERE: _Known()}

    async def run(self) -> None:
        """Read them whenever one was written; the caller cancels it."""
        while True:
            heard = self._bell.listen()
            try:
                await self.load()
            except sa.exc.SQLAlchemyError as error:
                log.warning("what checkpoints are called could not be read: %s", type(error).__name__)
            await self._bell.wait(heard, LOOK_SECONDS)

    async def load(self) -> None:
        """Read all of them."""
        self._by_guild = _arranged(await self._rows.fetch_all())

    def of(self, guild_id: str | None, checkpoint: Checkpoint) -> Note:
        """What this server knows of a checkpoint."""
        key = correction_key(checkpoint.plain_title)
        found = self._known(guild_id).notes.get(key)
        return found or Note(plain_title=key, guild_id=guild_id or EVERYWHERE)

    def corrections(self, guild_id: str | None) -> Mapping[str, str]:
        """Families by correction key, for `family_of`."""
        return self._known(guild_id).corrections

    def apply(self, asked: GenerationRequest, guild_id: str | None, catalog: Catalog | None) -> GenerationRequest:
        """The request with checkpoints' own names in place of this server's names for them."""
        if catalog is None:
            return asked
        checkpoint, refiner = (
            name if name is UNSET else self.resolve(guild_id, name, catalog)
            for name in (asked.checkpoint, asked.refiner_checkpoint)
        )
        return replace(asked, checkpoint=checkpoint, refiner_checkpoint=refiner)

    def resolve(self, guild_id: str | None, wanted: str, catalog: Catalog) -> str:
        """A friendly name as the webuis write the checkpoint; what is none stays as it is."""
        note = self._known(guild_id).by_friendly.get(_folded(wanted))
        checkpoint = None if note is None else _find(catalog, note.plain_title)
        return wanted if checkpoint is None else checkpoint.title

    def offers(self, guild_id: str | None, catalog: Catalog, typed: str, *, with_hidden: bool = False) -> list[Choice]:
        """What autocomplete offers: friendly names first, and nothing that is hidden unless `with_hidden`."""
        known = self._known(guild_id)
        if not known.notes:
            return catalog.checkpoint_names.choices(typed)
        named = self._named(known, catalog, _folded(typed), with_hidden=with_hidden)
        taken = {choice.value for choice in named}
        others = catalog.checkpoint_names.choices(typed, CHOICE_COUNT + len(known.notes))
        shown = (
            one
            for one in others
            if one.value not in taken and (with_hidden or not _is_hidden(known, catalog, one.value))
        )
        return [*named, *shown][:CHOICE_COUNT]

    async def write(self, note: Note, *, clear: bool = False) -> Note:
        """Write what is said in `note` over what its server said before, all of it anew with `clear`; what holds then.

        UserError for a friendly name that another checkpoint has there, NoDatabase.
        """
        check(note)
        before = next((one for one in await self._fetch() if _key(one) == _key(note)), None)
        if before is not None and not clear:
            note = replace(
                note,
                family=note.family or before.family,
                friendly_name=note.friendly_name or before.friendly_name,
                trigger_words=note.trigger_words or before.trigger_words,
                hidden=before.hidden if note.hidden is None else note.hidden,
            )
        other = self._known(note.guild_id).by_friendly.get(_folded(note.friendly_name))
        if other is not None and other.plain_title != note.plain_title:
            raise UserError("Another checkpoint has that name here; choose a different one.")
        await for_a_person(lambda: self._rows.put(note))
        self._by_guild = _arranged(await self._fetch())
        return note

    async def _fetch(self) -> list[Note]:
        return await for_a_person(self._rows.fetch_all)

    def _known(self, guild_id: str | None) -> _Known:
        return self._by_guild.get(guild_id or EVERYWHERE) or self._by_guild[EVERYWHERE]

    def _named(self, known: _Known, catalog: Catalog, typed: str, *, with_hidden: bool) -> list[Choice]:
        """Checkpoints whose friendly name has what was typed in it; those that begin with it come first."""
        fitting = [
            (not name.startswith(typed), name, note) for name, note in known.by_friendly.items() if typed in name
        ]
        choices: list[Choice] = []
        for _, _, note in sorted(fitting, key=lambda one: one[:2]):
            checkpoint = _find(catalog, note.plain_title) if with_hidden or not note.hidden else None
            value = None if checkpoint is None else catalog.checkpoint_lookup.choice_value(checkpoint)
            if checkpoint is not None and value is not None:
                choices.append(Choice(f"{note.friendly_name} · {checkpoint.stem or checkpoint.plain_title}", value))
        return choices[:CHOICE_COUNT]


def check(note: Note) -> None:
    """UserError where a text is too long."""
    for what, text, longest in (
        ("friendly name", note.friendly_name, FRIENDLY_LENGTH),
        ("list of trigger words", note.trigger_words, TRIGGER_LENGTH),
    ):
        if len(text) > longest:
            raise UserError(f"The {what} may have {longest} characters.")


def _arranged(notes: Iterable[Note]) -> dict[str, _Known]:
    by_guild: dict[str, dict[str, Note]] = {EVERYWHERE: {}}
    for note in notes:
        by_guild.setdefault(note.guild_id, {})[note.plain_title] = note
    general = by_guild[EVERYWHERE]
    return {guild_id: _known_of(general, own) for guild_id, own in by_guild.items()}


def _known_of(general: Mapping[str, Note], own: Mapping[str, Note]) -> _Known:
    known = _Known()
    for key in general.keys() | own.keys():
        note = _over(general.get(key), own.get(key))
        known.notes[key] = note
        if note.friendly_name:
            known.by_friendly[_folded(note.friendly_name)] = note
        if note.family:
            known.corrections[key] = note.family
    return known


def _over(general: Note | None, own: Note | None) -> Note:
    if general is None or own is None:
        found = own or general
        if found is None:
            raise ValueError("neither is there")
        return found
    return replace(
        own,
        family=own.family or general.family,
        friendly_name=own.friendly_name or general.friendly_name,
        trigger_words=own.trigger_words or general.trigger_words,
        hidden=general.hidden if own.hidden is None else own.hidden,
    )


def _is_hidden(known: _Known, catalog: Catalog, value: str) -> bool:
    checkpoint = find_checkpoint(catalog, value)
    note = None if checkpoint is None else known.notes.get(correction_key(checkpoint.plain_title))
    return note is not None and bool(note.hidden)


def _find(catalog: Catalog, key: str) -> Checkpoint | None:
    """The checkpoint of a note: its key lacks the file's suffix."""
    found = (find_checkpoint(catalog, key + suffix) for suffix in _SUFFIXES)
    return next((one for one in found if one is not None and correction_key(one.plain_title) == key), None)


def _key(note: Note) -> tuple[str, str]:
    return note.plain_title, note.guild_id


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
