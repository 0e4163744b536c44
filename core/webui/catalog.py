"""What a webui has: checkpoints, samplers, schedulers, and what it can do. Data and look-ups; no I/O."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from core.webui.assets import Assets, merge_assets
from core.webui.dialects import DIALECTS, Speech
from core.webui.names import CHOICE_LENGTH, NameIndex, fold, utf16_length

_BLANKS = re.compile(r"[\s_-]+")
_HASH_SUFFIX = re.compile(r"\s*\[([0-9a-f]{6,64})\]\s*$")
_TABLES = frozenset({"checkpoint_lookup", "checkpoint_names", "sampler_names", "scheduler_names"})
# What sd.cpp and KoboldCpp give for every model.
_PLACEHOLDER_HASH = re.compile(r"^(.)\1*$")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One model file. The title and both hashes change when the webui hashes the file on its first load."""

    title: str
    model_name: str
    hash: str | None = None
    sha256: str | None = None
    stem: str = ""
    file_name: str = ""

    @property
    def plain_title(self) -> str:
        """The title without " [hash]": this part stays the same for the life of the file."""
        return _HASH_SUFFIX.sub("", self.title)

    @property
    def names(self) -> tuple[str, ...]:
        """Every way to name it but its hashes, the most telling first."""
        every = (self.title, self.plain_title, self.model_name, self.file_name, self.stem)
        return tuple(dict.fromkeys(name for name in every if name))

    @property
    def hashes(self) -> tuple[str, ...]:
        """The short and the long hash, as far as they are real."""
        return tuple(value for value in (self.hash, self.sha256) if value and not _PLACEHOLDER_HASH.match(value))


@dataclass(frozen=True, slots=True)
class Named:
    """A sampler or a scheduler: `name` is shown and sent, `aliases` are understood as well."""

    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this webui can do, as its routes said: the code asks these and never a product's name.

    `clip_skip`, `vae` and `modules` are the webui's own `CLIP_stop_at_last_layers`, `sd_vae` and
    `forge_additional_modules`, None where it has no such option. Without `n_iter`, several pictures come only as one
    batch. `speech` is how to speak to it, `fields` what of a request can be said; not `recognised`: that is a guess,
    since it did not say what it is in time.
    """

    speech: Speech = Speech.A1111
    recognised: bool = True
    fields: frozenset[str] = DIALECTS[Speech.A1111].fields

    task_progress: bool = False
    progress: bool = False
    interrupt: bool = False
    png_info: bool = False
    override_settings: bool = False
    clip_skip: int | None = None
    vae: str | None = None
    modules: tuple[str, ...] | None = None
    n_iter: bool = True

    @property
    def sets_clip_skip(self) -> bool:
        """Whether a request can say it."""
        says_it_itself = not DIALECTS[self.speech].keys.get("clip_skip", "@").startswith("@")
        return says_it_itself or (self.override_settings and self.clip_skip is not None)


# Not slotted: the look-up tables are built once, when they are first needed, and kept with the catalog.
@dataclass(frozen=True)
class Catalog:
    """The lists of one webui, or of several merged. A list that could not be read is empty, and named in `unread`."""

    checkpoints: tuple[Checkpoint, ...] = ()
    samplers: tuple[Named, ...] = ()
    schedulers: tuple[Named, ...] = ()
    capabilities: Capabilities = field(default_factory=Capabilities)
    assets: Assets = field(default_factory=Assets)
    loaded_checkpoint: str | None = None
    unread: frozenset[str] = frozenset()

    def keeping(self, known: Catalog) -> Catalog:
        """The same, with the lists that could not be read this time as they were `known` before."""
        kept: dict[str, Any] = {name: getattr(known, name) for name in self.unread - known.unread}
        return replace(self, **kept, unread=self.unread & known.unread) if kept else self

    def prepare(self) -> Catalog:
        """Build the look-up tables now: 10,000 checkpoints take some 100 ms, better spent in a thread."""
        _ = self.checkpoint_names, self.sampler_names, self.scheduler_names
        self.assets.prepare()
        return self

    def with_loaded(self, checkpoint: str | None) -> Catalog:
        """The same with another loaded checkpoint, the look-up tables included."""
        catalog = replace(self, loaded_checkpoint=checkpoint)
        catalog.__dict__.update({name: value for name, value in self.__dict__.items() if name in _TABLES})
        return catalog

    @cached_property
    def checkpoint_lookup(self) -> CheckpointLookup:
        return CheckpointLookup(self.checkpoints)

    @cached_property
    def checkpoint_names(self) -> NameIndex:
        lookup = self.checkpoint_lookup
        titles = [checkpoint.title for checkpoint in self.checkpoints]
        return NameIndex(titles, lambda number: lookup.choice_value(self.checkpoints[number]))

    @cached_property
    def sampler_names(self) -> NameIndex:
        return _index(self.samplers)

    @cached_property
    def scheduler_names(self) -> NameIndex:
        return _index(self.schedulers)


class CheckpointLookup:
    """Finds a checkpoint by any of its names or hashes, any case, either slash; else by a unique beginning."""

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self._by_title = {_fold(checkpoint.title): checkpoint for checkpoint in reversed(checkpoints)}
        self._by_plain_title = {_fold(checkpoint.plain_title): checkpoint for checkpoint in reversed(checkpoints)}
        self._by_alias: dict[str, Checkpoint | None] = {}
        self._prefixes: list[tuple[str, int]] = []
        self._checkpoints = tuple(checkpoints)
        for number, checkpoint in enumerate(checkpoints):
            names = {_fold(name) for name in checkpoint.names}
            self._prefixes += ((name, number) for name in names)
            for alias in names.union(map(_fold, checkpoint.hashes)):
                # A stem that two folders share names neither of them.
                self._by_alias[alias] = None if alias in self._by_alias else checkpoint
        self._prefixes.sort()

    def find(self, wanted: str) -> Checkpoint | None:
        """The one checkpoint that `wanted` means, or None where there is none or more than one."""
        folded = _fold(wanted)
        if not folded:
            return None
        return self.find_named(folded) or self._by_prefix(folded)

    def find_named(self, name: str) -> Checkpoint | None:
        """The same without beginnings: the one checkpoint of which `name` is a whole name, or the hash."""
        folded = _fold(name)
        return self._exact(folded) or self._without_hash(folded)

    def find_title(self, plain_title: str) -> Checkpoint | None:
        """The checkpoint of this title, the file's ending included, and no other."""
        return self._by_plain_title.get(_fold(plain_title))

    def short_name(self, checkpoint: Checkpoint) -> str:
        """What people read: the stem; where others have that, too, the file with its ending and the folder it is in."""
        if checkpoint.stem and self._by_alias.get(_fold(checkpoint.stem)) == checkpoint:
            return checkpoint.stem
        return "/".join(PurePosixPath(checkpoint.plain_title.replace("\\", "/")).parts[-2:])

    def choice_value(self, checkpoint: Checkpoint) -> str | None:
        """A name of at most CHOICE_LENGTH units that find() leads back to this checkpoint; None where there is none."""
        for name in (*checkpoint.names, *checkpoint.hashes, *_beginnings(checkpoint)):
            if utf16_length(name) <= CHOICE_LENGTH and self.find(name) == checkpoint:
                return name
        return None

    def _exact(self, folded: str) -> Checkpoint | None:
        return self._by_title.get(folded) or self._by_alias.get(folded)

    def _without_hash(self, folded: str) -> Checkpoint | None:
        """A title from a time (or a webui) in which the file was hashed, or was not yet."""
        suffix = _HASH_SUFFIX.search(folded)
        if suffix is None:
            return None
        found = self._exact(folded[: suffix.start()])
        if found is None or not found.hashes or any(known.startswith(suffix[1]) for known in found.hashes):
            return found
        return None

    def _by_prefix(self, folded: str) -> Checkpoint | None:
        found: int | None = None
        for position in range(bisect_left(self._prefixes, (folded, -1)), len(self._prefixes)):
            name, number = self._prefixes[position]
            if not name.startswith(folded):
                break
            if found is not None and number != found:
                return None
            found = number
        return None if found is None else self._checkpoints[found]


def find_checkpoint(catalog: Catalog, wanted: str) -> Checkpoint | None:
    """The checkpoint by title (with or without its hash), model name, file name, stem, hash, or unique beginning."""
    return catalog.checkpoint_lookup.find(wanted)


def find_name(names: Iterable[Named], wanted: str) -> Named | None:
    """The sampler or scheduler called `wanted`, by name or alias, any case; else by its letters, as others write it."""
    names = tuple(names)
    folded = fold(wanted.strip())
    by_alias = None
    for named in names:
        if fold(named.name) == folded:
            return named
        if by_alias is None and any(fold(alias) == folded for alias in named.aliases):
            by_alias = named
    return by_alias or _by_letters(names, folded)


def _by_letters(names: Sequence[Named], folded: str) -> Named | None:
    """The only one that is `folded` but for blanks: KoboldCpp lists `Euler a`, and calls it `euler_a` in infotexts."""
    letters = _BLANKS.sub("", folded)
    found = [named for named in names if letters and _BLANKS.sub("", fold(named.name)) == letters]
    return found[0] if len(found) == 1 else None


def merge(catalogs: Iterable[Catalog]) -> Catalog:
    """The union of several webuis' lists for autocomplete. A capability holds where any of them has it."""
    every = list(catalogs)
    if len(every) == 1:
        return every[0]
    checkpoints: dict[str, Checkpoint] = {}
    for checkpoint in (one for catalog in every for one in catalog.checkpoints):
        key = _fold(checkpoint.plain_title)
        known = checkpoints.get(key)
        if known is None or (checkpoint.hashes and not known.hashes):
            checkpoints[key] = checkpoint
    capabilities = [catalog.capabilities for catalog in every]
    return Catalog(
        checkpoints=tuple(checkpoints.values()),
        samplers=_union(catalog.samplers for catalog in every),
        schedulers=_union(catalog.schedulers for catalog in every),
        capabilities=Capabilities(
            task_progress=any(one.task_progress for one in capabilities),
            progress=any(one.progress for one in capabilities),
            interrupt=any(one.interrupt for one in capabilities),
            png_info=any(one.png_info for one in capabilities),
            override_settings=any(one.override_settings for one in capabilities),
            clip_skip=next((one.clip_skip for one in capabilities if one.clip_skip is not None), None),
            n_iter=any(one.n_iter for one in capabilities),
            fields=frozenset[str]().union(*(one.fields for one in capabilities)),
        ),
        assets=merge_assets([catalog.assets for catalog in every]),
    )


def _union(lists: Iterable[tuple[Named, ...]]) -> tuple[Named, ...]:
    union: dict[str, Named] = {}
    for named in (one for names in lists for one in names):
        union.setdefault(fold(named.name), named)
    return tuple(union.values())


def _index(names: Sequence[Named]) -> NameIndex:
    def value(number: int) -> str | None:
        named = names[number]
        spellings = (named.name, *named.aliases)
        return next((one for one in spellings if utf16_length(one) <= CHOICE_LENGTH), None)

    return NameIndex([named.name for named in names], value)


def _beginnings(checkpoint: Checkpoint) -> Iterable[str]:
    for name in checkpoint.names:
        beginning = name[:CHOICE_LENGTH]
        while utf16_length(beginning) > CHOICE_LENGTH:
            beginning = beginning[:-1]
        yield beginning


def _fold(name: str) -> str:
    return fold(name.strip().replace("\\", "/"))
