"""What servers call their checkpoints, in memory: asked for every key that somebody types. The rows are the truth."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa
from msgspec import UNSET

from core.bell import Bell
from core.errors import UserError
from core.families.detect import title_key
from core.jobs.patience import for_a_person
from core.naming import Naming, folded, noted_in
from core.request import GenerationRequest
from core.store.notes import EVERYWHERE, Note, NoteRows
from core.webui.catalog import Catalog, Checkpoint, CheckpointLookup
from core.webui.names import Choice

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""How often the rows are read where no bell rang."""
FRIENDLY_LENGTH = 60
TRIGGER_LENGTH = 300
JOINERS = "\u200c\u200d"
"""Signs without a shape of their own that some scripts and many emoji are written with."""


@dataclass(slots=True)
class _Known:
    """What one server says, and what is said for every server."""

    general: tuple[Note, ...] = ()
    own: tuple[Note, ...] = ()
    laid: tuple[CheckpointLookup, Naming] | None = field(default=None, compare=False)

    def over(self, catalog: Catalog) -> Naming:
        """Laid over what the webuis list: once for each list, since this is asked for every key that is typed."""
        lookup = catalog.checkpoint_lookup
        if self.laid is None or self.laid[0] is not lookup:
            self.laid = lookup, Naming(lookup, self.general, self.own)
        return self.laid[1]

    def title_of(self, friendly_name: str) -> str | None:
        """The title of a checkpoint of this name as its note says it, where nobody knows what the webuis list."""
        wanted = folded(friendly_name)
        titles = (
            note.plain_title
            for notes in (self.own, self.general)
            for note in sorted(notes, key=lambda note: note.plain_title)
            if note.friendly_name and folded(note.friendly_name) == wanted
        )
        return next(titles, None)


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

    def of(self, guild_id: str | None, checkpoint: Checkpoint, catalog: Catalog) -> Note:
        """What this server knows of a checkpoint."""
        found = self.naming(guild_id, catalog).of(checkpoint)
        return found or Note(plain_title=title_key(checkpoint.plain_title), guild_id=guild_id or EVERYWHERE)

    def corrections(self, guild_id: str | None, catalog: Catalog | None) -> Mapping[str, str]:
        """Families by title, for `family_of`."""
        return {} if catalog is None else self.naming(guild_id, catalog).corrections

    def apply(self, asked: GenerationRequest, guild_id: str | None, catalog: Catalog | None) -> GenerationRequest:
        """The request with checkpoints' own names in place of this server's names for them."""
        checkpoint, refiner = (
            name if name is UNSET else self.resolve(guild_id, name, catalog)
            for name in (asked.checkpoint, asked.refiner_checkpoint)
        )
        return replace(asked, checkpoint=checkpoint, refiner_checkpoint=refiner)

    def resolve(self, guild_id: str | None, wanted: str, catalog: Catalog | None) -> str:
        """A friendly name as the webuis write the checkpoint; what is none stays as it is.

        Without a catalog it becomes what the note says, since nobody looks the request over again once there is one.
        """
        if catalog is None:
            return self._known(guild_id).title_of(wanted) or wanted
        checkpoint = self.naming(guild_id, catalog).find(wanted)
        return wanted if checkpoint is None else checkpoint.title

    def offers(self, guild_id: str | None, catalog: Catalog, typed: str, *, with_hidden: bool = False) -> list[Choice]:
        """What autocomplete offers: friendly names first, and nothing that is hidden unless `with_hidden`."""
        return self.naming(guild_id, catalog).offers(catalog, typed, with_hidden=with_hidden)

    def naming(self, guild_id: str | None, catalog: Catalog) -> Naming:
        """What this server's notes mean for what the webuis list."""
        return self._known(guild_id).over(catalog)

    async def write(self, note: Note, catalog: Catalog, *, clear: bool = False) -> Note:
        """Write what is said in `note` over what its server said before, all of it anew with `clear`; what holds then.

        UserError for a name that another checkpoint has there, NoDatabase.
        """
        check(note)
        lookup, rows = catalog.checkpoint_lookup, await self._fetch()
        mine = noted_in(lookup, [note]).keys()
        before = [one for one in rows if one.guild_id == note.guild_id and _is_of(one, note, lookup)]
        before.sort(key=lambda one: one.plain_title != note.plain_title)
        known = _arranged(one for one in rows if one not in before)
        if note.friendly_name:
            others = (known.get(note.guild_id) or known[EVERYWHERE]).over(catalog)
            _check_free(note.friendly_name, mine, others, lookup)
        if before and not clear:
            note = _added(note, before[0])
        replacing = [one.plain_title for one in before if one.plain_title != note.plain_title]
        await for_a_person(lambda: self._rows.put(note, replacing=replacing))
        self._by_guild = _arranged(await self._fetch())
        return note

    async def _fetch(self) -> list[Note]:
        return await for_a_person(self._rows.fetch_all)

    def _known(self, guild_id: str | None) -> _Known:
        return self._by_guild.get(guild_id or EVERYWHERE) or self._by_guild[EVERYWHERE]


def check(note: Note) -> None:
    """UserError where a text is too long, or a part of it can't be seen."""
    for what, text, longest in (
        ("friendly name", note.friendly_name, FRIENDLY_LENGTH),
        ("list of trigger words", note.trigger_words, TRIGGER_LENGTH),
    ):
        if len(text) > longest:
            raise UserError(f"The {what} may have {longest} characters.")
        if text and (not text.strip(JOINERS) or not all(sign.isprintable() or sign in JOINERS for sign in text)):
            raise UserError(f"The {what} has signs in it that nobody can see; leave them out.")


def _check_free(friendly_name: str, mine: Collection[str], others: Naming, lookup: CheckpointLookup) -> None:
    """UserError where the name is that of a checkpoint whose title is not among `mine`."""
    holder, real = others.find(friendly_name), lookup.find_named(friendly_name)
    if holder is not None and holder.title not in mine:
        raise UserError("Another checkpoint has that name here; choose a different one.")
    if real is not None and real.title not in mine:
        raise UserError("That is the webui's own name for another checkpoint; choose a different one.")


def _is_of(one: Note, note: Note, lookup: CheckpointLookup) -> bool:
    """Whether it was of the same checkpoint, perhaps under a title without the file's ending."""
    checkpoint = lookup.find_title(note.plain_title)
    noted = noted_in(lookup, [one])
    return one.plain_title == note.plain_title or (checkpoint is not None and checkpoint.title in noted)


def _added(note: Note, before: Note) -> Note:
    return replace(
        note,
        family=note.family or before.family,
        friendly_name=note.friendly_name or before.friendly_name,
        trigger_words=note.trigger_words or before.trigger_words,
        hidden=before.hidden if note.hidden is None else note.hidden,
    )


def _arranged(notes: Iterable[Note]) -> dict[str, _Known]:
    by_guild: dict[str, list[Note]] = {EVERYWHERE: []}
    for note in notes:
        by_guild.setdefault(note.guild_id, []).append(note)
    general = tuple(by_guild[EVERYWHERE])
    return {
        guild_id: _Known(general, () if guild_id == EVERYWHERE else tuple(own)) for guild_id, own in by_guild.items()
    }
