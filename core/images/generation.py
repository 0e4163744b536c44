"""What is told of how a picture was made, and how JSON of strangers is read for it. It knows no program's manner.

Numbers of such JSON stay the digits that were written: nothing is rounded, and none is too long.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MAX_JSON = 1 << 20
"""Characters: the standard library's reader lets no other thread run meanwhile, a tenth of a second at worst."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A picture's generation data. `source` is the program in whose manner they are written, empty if that
    is nobody's.

    `fields` are named as in an infotext and in their order; `raw` is the whole text that they were read from.
    """

    source: str
    prompt: str = ""
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    raw: str = ""


class Number(str):
    """A number of JSON as it was written, NaN and Infinity among them."""

    __slots__ = ()


def read_object(text: str) -> dict[str, object] | None:
    """The JSON object that `text` is; None where it is none, is longer than MAX_JSON or nested too deep for Python."""
    if len(text) > MAX_JSON or not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text, strict=False, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def as_text(value: object) -> str:
    """A text or a number without the space around it; empty for anything else."""
    return value.strip() if isinstance(value, str) else ""


def as_object(value: object) -> dict[str, object]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """A JSON array; an empty one for anything else."""
    return value if isinstance(value, list) else []


def pick(values: Mapping[str, object], names: Mapping[str, str]) -> dict[str, str]:
    """The fields that `names` lists (a field's name by its key), in the order of that list; empty ones are left out."""
    return keep_said((field_name, as_text(values.get(key))) for key, field_name in names.items())


def keep_said(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields that have a value; of a repeated name the first."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if value:
            fields.setdefault(name, value)
    return fields


def size_of(values: Mapping[str, object]) -> str:
    """`width` and `height` as an infotext has them, `512x768`; empty where one is missing."""
    width, height = as_text(values.get("width")), as_text(values.get("height"))
    return f"{width}x{height}" if width and height else ""
