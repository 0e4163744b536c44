"""A table's text into entries, with every mistake in it. It knows TOML and the form of a table; it opens no file.

Names of families and variants are checked here to be harmless, since people read and choose them on Discord.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from core.families.bases import BASES
from core.families.family import SETTINGS, UNKNOWN
from core.families.names import Pattern, parse_pattern
from core.limits import Limits, Range

WEBUI = "webui"
"""The value that takes a setting out again, whatever its type."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
_HASH = re.compile(r"[0-9a-f]{10,64}")
HASH_LENGTH = 10
"""How many characters of a hash are looked at; AUTOMATIC1111 shows as many."""
_LONGEST = 100
_LIMITS = Limits()
_WHOLE = {
    "width": _LIMITS.side,
    "height": _LIMITS.side,
    "steps": _LIMITS.steps,
    "clip_skip": _LIMITS.clip_skip,
    "multiple": Range(8, 128),
}
# 0 to 30 is Forge's own slider of the distilled CFG scale.
_NUMBERS = {**_WHOLE, "cfg_scale": _LIMITS.cfg_scale, "distilled_cfg": Range(0, 30)}
_EIGHTS = frozenset({"width", "height", "multiple"})
_FIELDS = frozenset({*SETTINGS, "multiple"})
_VARIANT_KEYS = frozenset({*_FIELDS, "title", "match", "unless", "distilled"})
_FAMILY_KEYS = frozenset({*_VARIANT_KEYS, "like", "base", "hashes", "variant"})
_TOP_KEYS = frozenset({"built_in", "family", "variant"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A family or a variant as it is written; what is not said is None or empty.

    `settings` holds what is said of SETTINGS, `multiple` and `base`, None for "webui"; `variants` the same for each
    variant, but for `base`.
    """

    name: str
    title: str | None = None
    like: str | None = None
    distilled: bool | None = None
    match: tuple[Pattern, ...] = ()
    unless: tuple[Pattern, ...] = ()
    hashes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What one file says, in its order, and the sentences about what is wrong in it."""

    families: Mapping[str, Entry]
    variants: Mapping[str, Entry]
    built_in: bool
    problems: tuple[str, ...]


def read(text: str, source: str) -> Written:
    """Every entry of `text` that is right, and a sentence for each mistake, which begins with `source` and its line."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Written({}, {}, True, (f"{source} is not TOML: {error}.",))
    return _Reader(text, source).read(document)


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._source = source
        self._problems: list[str] = []

    def read(self, document: dict[str, Any]) -> Written:
        self._look_at_keys("", document, _TOP_KEYS)
        built_in = self._flag("", document, "built_in")
        families = {name: self._entry("family", name, body) for name, body in self._tables("", document, "family")}
        variants = {name: self._entry("variant", name, body) for name, body in self._tables("", document, "variant")}
        return Written(families, variants, built_in is not False, tuple(self._problems))

    def _entry(self, kind: str, name: str, body: dict[str, Any]) -> Entry:
        section = f"{kind}.{name}"
        if not _NAME.fullmatch(name) or name == UNKNOWN.name:
            self._say(section, None, f"{name!r} can't be a name: use up to 32 of a-z, 0-9 and _, and not 'unknown'")
        self._look_at_keys(section, body, _FAMILY_KEYS if kind == "family" else _VARIANT_KEYS)
        variants = {}
        for variant, settings in self._tables(section, body, "variant") if kind == "family" else ():
            inner = f"{section}.variant.{variant}"
            self._look_at_keys(inner, settings, _FIELDS)
            variants[variant] = self._settings(inner, settings)
        return Entry(
            name=name,
            title=self._word(section, body, "title"),
            like=self._word(section, body, "like") if kind == "family" else None,
            distilled=self._flag(section, body, "distilled"),
            match=self._patterns(section, body, "match"),
            unless=self._patterns(section, body, "unless"),
            hashes=self._hashes(section, body),
            settings=self._settings(section, body) | (self._base(section, body) if kind == "family" else {}),
            variants=variants,
        )

    def _settings(self, section: str, body: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {}
        for name in (name for name in body if name in _FIELDS):
            if body[name] == WEBUI and name != "multiple":
                said[name] = None
            elif name not in _NUMBERS:
                said[name] = self._word(section, body, name)
            elif self._is_number(section, name, body[name]):
                said[name] = body[name] if name in _WHOLE else float(body[name])
        return said

    def _base(self, section: str, body: dict[str, Any]) -> dict[str, Any]:
        value = body.get("base", WEBUI)
        if value in (*BASES, WEBUI):
            return {"base": None if value == WEBUI else value} if "base" in body else {}
        self._say(section, "base", f"base must be one of {', '.join(BASES)}")
        return {}

    def _is_number(self, section: str, name: str, value: Any) -> bool:
        whole, allowed = name in _WHOLE, _NUMBERS[name]
        kinds = int if whole else (int, float)
        right = isinstance(value, kinds) and not isinstance(value, bool) and value in allowed
        if right and name in _EIGHTS:
            right = value % 8 == 0
        if not right:
            of_eight = " that 8 divides" if name in _EIGHTS else ""
            kind = f"whole number{of_eight}" if whole else "number"
            self._say(section, name, f"{name} must be a {kind} from {allowed.low:g} to {allowed.high:g}")
        return right

    def _word(self, section: str, body: dict[str, Any], name: str) -> str | None:
        if name not in body:
            return None
        value = body[name]
        if isinstance(value, str) and value.strip() and len(value) <= _LONGEST and value.isprintable():
            return value.strip()
        self._say(section, name, f"{name} must be text in quotes, of 1 to {_LONGEST} characters on one line")
        return None

    def _flag(self, section: str, body: dict[str, Any], name: str) -> bool | None:
        value = body.get(name)
        if value is None or isinstance(value, bool):
            return value
        self._say(section, name, f"{name} must be true or false")
        return None

    def _patterns(self, section: str, body: dict[str, Any], name: str) -> tuple[Pattern, ...]:
        found = []
        for written in self._words(section, body, name):
            pattern = parse_pattern(written)
            if pattern is None:
                self._say(section, name, f"{written!r} in {name} needs two letters or digits, and a * only at its ends")
            else:
                found.append(pattern)
        return tuple(found)

    def _hashes(self, section: str, body: dict[str, Any]) -> tuple[str, ...]:
        found = []
        for written in self._words(section, body, "hashes"):
            if _HASH.fullmatch(written.lower()):
                found.append(written.lower()[:HASH_LENGTH])
            else:
                self._say(
                    section, "hashes", f"{written!r} in hashes is not the beginning of a sha256 (10 to 64 of 0-9a-f)"
                )
        return tuple(found)

    def _words(self, section: str, body: dict[str, Any], name: str) -> list[str]:
        value = body.get(name, [])
        if isinstance(value, list) and all(isinstance(one, str) and len(one) <= _LONGEST for one in value):
            return value
        self._say(section, name, f'{name} must be a list of texts such as ["pony*", "pdxl"]')
        return []

    def _tables(self, section: str, body: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        value = body.get(name, {})
        if not isinstance(value, dict):
            self._say(section, name, f"{name} must be tables such as [{name}.NAME]")
            return
        for key, inner in value.items():
            if isinstance(inner, dict):
                yield key, inner
            else:
                self._say(".".join(filter(None, (section, name))), key, f"{key} must be a table")

    def _look_at_keys(self, section: str, body: dict[str, Any], known: frozenset[str]) -> None:
        for key in body:
            if key not in known:
                near = get_close_matches(key, sorted(known), n=1)
                guess = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}."
                self._say(section, key, f"{key!r} is not known here: {guess}")

    def _say(self, section: str, key: str | None, what: str) -> None:
        line = self._line(section, key)
        place = f", line {line}" if line else ""
        inside = f" [{section}]" if section else ""
        self._problems.append(f"{self._source}{place}{inside}: {what}{'' if what[-1] in '.?' else '.'}")

    def _line(self, section: str, key: str | None) -> int | None:
        """Where `key` of `section` is, else where that begins; None where neither is seen. tomllib doesn't tell."""
        section, wanted = (_header(text) for text in (section, f"{section}.{key}".lstrip(".")))
        inside = ""
        begins = None
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line):
                inside = _header(header[1])
                if inside in {section, wanted}:
                    begins = begins or number
            elif inside == section and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
                return number
        return begins


def _header(text: str) -> str:
    """The name of a section, however it is spaced and quoted."""
    return re.sub(r"[\s\"']", "", text)
