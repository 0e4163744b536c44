"""The built-in table and the operator's as one. It reads these two files, and makes families of what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError
from core.families.family import UNKNOWN, Family
from core.families.names import Name, Pattern, any_in
from core.families.reading import Entry, Written, read

SOURCE = "FAMILIES_FILE"


@dataclass(frozen=True, slots=True)
class Rule:
    """Names in which one of `match` is found and none of `unless` are of the family, or the variant, `name`."""

    name: str
    match: tuple[Pattern, ...]
    unless: tuple[Pattern, ...]


# Not slotted: families are made once, when they are first asked for, and kept.
@dataclass(frozen=True)
class Table:
    """Every family and variant by its name, and the rules that tell them, in the order in which they are tried."""

    families: Mapping[str, Entry]
    variants: Mapping[str, Entry]
    family_rules: tuple[Rule, ...]
    variant_rules: tuple[Rule, ...]

    @cached_property
    def by_hash(self) -> Mapping[str, str]:
        """A family's name by the beginning of a file's sha256."""
        return {known: entry.name for entry in self.families.values() for known in entry.hashes}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What a correction may say: each family, then each with each variant; `unknown` leaves all to the webui."""
        combined = (
            f"{name}/{one}" for name, entry in self.families.items() if not entry.distilled for one in self.variants
        )
        return (*self.families, UNKNOWN.name, *combined)

    def family(self, key: str) -> Family | None:
        """The family of a key such as `pony` or `sdxl/lightning`; None where there is none of that name (any more)."""
        name, slash, variant = key.strip().lower().partition("/")
        if (name != UNKNOWN.name and name not in self.families) or (slash and variant not in self.variants):
            return None
        return self._made(name, variant)

    def told_family(self, name: Name) -> str | None:
        """The name of the first family whose rule fits."""
        return _first(self.family_rules, name)

    def told_variant(self, name: Name) -> str:
        """The name of the first variant whose rule fits; empty where none does."""
        return _first(self.variant_rules, name) or ""

    def _made(self, name: str, variant: str) -> Family:
        entry = self.families.get(name)
        family = UNKNOWN if entry is None else Family(name=name, title=entry.title or name)
        if entry is not None and entry.distilled:
            family, variant = replace(family, distilled=True), ""
        lineage = self._lineage(entry)
        settings: dict[str, Any] = {}
        for one in lineage:
            settings |= one.settings
        if variant:
            general = self.variants[variant]
            family = replace(family, variant=variant, variant_title=general.title or variant)
            family = replace(family, distilled=bool(general.distilled))
            settings |= general.settings
            for one in lineage:
                settings |= one.variants.get(variant, {})
        return replace(family, **settings)

    def _lineage(self, entry: Entry | None) -> list[Entry]:
        """The entry and what it is like, the farthest first."""
        lineage: list[Entry] = []
        while entry is not None:
            lineage.insert(0, entry)
            entry = self.families[entry.like] if entry.like else None
        return lineage


def load_table(path: Path | None) -> Table:
    """The built-in table with the operator's over it; ConfigurationError names every mistake in the operator's file."""
    built_in = read(resources.files("core.families").joinpath("families.toml").read_text("utf-8"), "families.toml")
    if path is None:
        return combine(built_in, Written({}, {}, True, ()))
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{SOURCE} can't be read: it has to be a text file in UTF-8.") from None
    return combine(built_in, read(text, SOURCE))


def combine(built_in: Written, own: Written) -> Table:
    """One table of both; ConfigurationError with all that is wrong in either, or in how they refer to each other."""
    base = built_in if own.built_in else Written({}, {}, True, ())
    families = _over(base.families, own.families)
    variants = _over(base.variants, own.variants)
    problems = [*base.problems, *own.problems, *_loose_ends(families, variants)]
    if problems:
        raise ConfigurationError(*problems)
    return Table(families, variants, _rules(base.families, own.families), _rules(base.variants, own.variants))


def _over(base: Mapping[str, Entry], own: Mapping[str, Entry]) -> dict[str, Entry]:
    return {**base, **{name: _merged(base[name], entry) if name in base else entry for name, entry in own.items()}}


def _merged(base: Entry, own: Entry) -> Entry:
    names = (*base.variants, *(name for name in own.variants if name not in base.variants))
    return Entry(
        name=base.name,
        title=base.title if own.title is None else own.title,
        like=base.like if own.like is None else own.like,
        distilled=base.distilled if own.distilled is None else own.distilled,
        match=own.match + base.match,
        unless=own.unless + base.unless,
        hashes=own.hashes + base.hashes,
        settings={**base.settings, **own.settings},
        variants={name: {**base.variants.get(name, {}), **own.variants.get(name, {})} for name in names},
    )


def _rules(base: Mapping[str, Entry], own: Mapping[str, Entry]) -> tuple[Rule, ...]:
    """The operator's patterns before all built-in ones; an `unless` of theirs holds for the built-in patterns, too."""
    mine = [Rule(entry.name, entry.match, entry.unless) for entry in own.values()]
    other = [
        Rule(entry.name, entry.match, entry.unless + (own[entry.name].unless if entry.name in own else ()))
        for entry in base.values()
    ]
    return tuple(rule for rule in (*mine, *other) if rule.match)


def _loose_ends(families: Mapping[str, Entry], variants: Mapping[str, Entry]) -> Iterable[str]:
    for entry in families.values():
        for name in entry.variants:
            if name not in variants:
                yield f"{SOURCE} [family.{entry.name}.variant.{name}]: there is no [variant.{name}]."
        seen = {entry.name}
        like = entry.like
        while like is not None:
            if like not in families:
                yield f"{SOURCE} [family.{entry.name}]: like names {like!r}, which is no family."
                break
            if like in seen:
                yield f"{SOURCE} [family.{entry.name}]: like leads back to {like!r}."
                break
            seen.add(like)
            like = families[like].like


def _first(rules: Iterable[Rule], name: Name) -> str | None:
    return next((rule.name for rule in rules if any_in(rule.match, name) and not any_in(rule.unless, name)), None)
