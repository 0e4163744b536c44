"""What a server's notes mean for what the webuis list: whose note is whose, what people type and read. Pure.

A note is kept under a checkpoint's whole title. One under a title without the file's ending (SD.Next writes them so)
is of the only file that it may mean, and of none where `x.ckpt` and `x.safetensors` lie side by side.

One name never means two checkpoints: a checkpoint's own name comes before friendly ones, so that what autocomplete
sends and what was understood once go on meaning the same; a server's friendly name before that for every server; and of
two equals the one whose title comes first. Whoever loses has no friendly name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from core.families.detect import correction_key, title_key
from core.store.notes import Note
from core.webui.catalog import Catalog, Checkpoint, CheckpointLookup
from core.webui.names import CHOICE_COUNT, Choice, fold

_ENDINGS = (".safetensors", ".ckpt", ".gguf", ".sft", ".pt", ".pth")


@dataclass(frozen=True, slots=True)
class _Held:
    """What holds of one checkpoint; `source` is the note that names it, in the order in which they count."""

    checkpoint: Checkpoint
    note: Note
    source: tuple[bool, str]


class Naming:
    """The notes of one server, its `own` over the `general` ones, laid over one list of checkpoints."""

    def __init__(self, lookup: CheckpointLookup, general: Iterable[Note] = (), own: Iterable[Note] = ()) -> None:
        self._lookup = lookup
        self._held = _laid(noted_in(lookup, general), noted_in(lookup, own))
        self._by_friendly: dict[str, Checkpoint] = {}
        for one in sorted(self._held.values(), key=lambda one: one.source):
            if one.note.friendly_name and not self._claim(one):
                self._held[one.checkpoint.title] = replace(one, note=replace(one.note, friendly_name=""))
        self.corrections: Mapping[str, str] = {
            title_key(one.checkpoint.plain_title): one.note.family for one in self._held.values() if one.note.family
        }
        """Families by title, for `family_of`."""

    def of(self, checkpoint: Checkpoint) -> Note | None:
        """What holds of it; None where nobody said anything."""
        held = self._held.get(checkpoint.title)
        return None if held is None else held.note

    def find(self, friendly_name: str) -> Checkpoint | None:
        """The checkpoint of that friendly name, however it is typed."""
        return self._by_friendly.get(folded(friendly_name))

    def name_of(self, checkpoint: Checkpoint) -> str:
        """What people read: the friendly name, else the shortest that is its own alone."""
        note = self.of(checkpoint)
        return (note and note.friendly_name) or self._lookup.short_name(checkpoint)

    def is_hidden(self, checkpoint: Checkpoint) -> bool:
        """Whether members are not told of it."""
        note = self.of(checkpoint)
        return note is not None and bool(note.hidden)

    def shown(self, catalog: Catalog, *, with_hidden: bool = False) -> list[str]:
        """Every name that a sentence may say: friendly ones and checkpoints' own."""
        every = [one for one in catalog.checkpoints if with_hidden or not self.is_hidden(one)]
        return list(dict.fromkeys(name(one) for one in every for name in (self.name_of, self._lookup.short_name)))

    def offers(self, catalog: Catalog, typed: str, *, with_hidden: bool) -> list[Choice]:
        """What autocomplete offers: friendly names first, those that begin with what was typed before the others."""
        if not self._held:
            return catalog.checkpoint_names.choices(typed)
        wanted = folded(typed)
        fitting = sorted((not name.startswith(wanted), name) for name in self._by_friendly if wanted in name)
        found = (self._by_friendly[name] for _, name in fitting)
        named = [one for one in found if with_hidden or not self.is_hidden(one)]
        choices = [choice for one in named[:CHOICE_COUNT] if (choice := self._choice(one)) is not None]
        taken = {one.title for one in named}
        index, limit = catalog.checkpoint_names, CHOICE_COUNT + len(self._held)
        for number in index.search(typed, limit):
            if len(choices) >= CHOICE_COUNT:
                break
            one = catalog.checkpoints[number]
            if one.title not in taken and (with_hidden or not self.is_hidden(one)) and (other := index.choice(number)):
                choices.append(other)
        return choices[:CHOICE_COUNT]

    def _choice(self, one: Checkpoint) -> Choice | None:
        value = self._lookup.choice_value(one)
        return None if value is None else Choice(f"{self.name_of(one)} · {self._lookup.short_name(one)}", value)

    def _claim(self, one: _Held) -> bool:
        """Whether it may have its friendly name. Two titles of one note's are one checkpoint, on two kinds of webui."""
        name = folded(one.note.friendly_name)
        holder = self._by_friendly.setdefault(name, one.checkpoint) if self._is_free(name, one) else None
        return holder is not None and self._held[holder.title].source == one.source

    def _is_free(self, name: str, one: _Held) -> bool:
        real = self._lookup.find_named(name)
        held = None if real is None else self._held.get(real.title)
        return real is None or real == one.checkpoint or (held is not None and held.source == one.source)


def noted_in(lookup: CheckpointLookup, notes: Iterable[Note]) -> dict[str, tuple[Checkpoint, Note]]:
    """The checkpoints of notes of one server, by their titles. Whoever has a note of its own title has that one."""
    found: dict[str, tuple[Checkpoint, Note]] = {}
    rest: list[tuple[Checkpoint, Note]] = []
    for note in notes:
        exact = lookup.find_title(note.plain_title)
        if exact is not None:
            found[exact.title] = exact, note
        rest += ((one, note) for one in _same_file(lookup, note.plain_title))
    for one, note in rest:
        found.setdefault(one.title, (one, note))
    return found


def folded(name: str) -> str:
    """A friendly name as it is compared."""
    return fold(" ".join(name.split()))


def _same_file(lookup: CheckpointLookup, key: str) -> Iterator[Checkpoint]:
    """What else is surely the file of a note: the same title without its ending, or with the only one there is."""
    stem = correction_key(key)
    with_ending = [one for ending in _ENDINGS if (one := lookup.find_title(stem + ending)) is not None]
    if key == stem:
        yield from with_ending if len(with_ending) == 1 else ()
    elif all(title_key(one.plain_title) == key for one in with_ending) and (bare := lookup.find_title(stem)):
        yield bare


def _laid(
    general: Mapping[str, tuple[Checkpoint, Note]], own: Mapping[str, tuple[Checkpoint, Note]]
) -> dict[str, _Held]:
    held: dict[str, _Held] = {}
    for title, (checkpoint, note) in general.items():
        held[title] = _Held(checkpoint, note, (True, note.plain_title))
    for title, (checkpoint, note) in own.items():
        over = _over(general[title][1], note) if title in general else note
        source = held[title].source if title in held and not note.friendly_name else (False, note.plain_title)
        held[title] = _Held(checkpoint, over, source)
    return held


def _over(general: Note, own: Note) -> Note:
    return replace(
        own,
        family=own.family or general.family,
        friendly_name=own.friendly_name or general.friendly_name,
        trigger_words=own.trigger_words or general.trigger_words,
        hidden=general.hidden if own.hidden is None else own.hidden,
    )
