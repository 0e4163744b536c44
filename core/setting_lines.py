"""Settings of a picture as lines of `key:value`, for a form that people fill in. Pure; it knows no webui's names.

Keys and values are those of `/draw`'s options and of its `extra`. A value goes to the end of its line, so that names
need no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.comparing import ALIASES
from core.derive import HIRES_SCALE
from core.errors import UserError
from core.extra import ADDRESSES, KEYS, NO_FIELDS
from core.request import GenerationRequest
from core.several import parse_loras, parse_styles, read_number
from core.size import parse_size
from core.webui.names import nearest, shorten

_LINE = re.compile(r"\s*(?P<key>[^:=]*?)\s*[:=]\s*(?P<value>.*?)\s*")
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_BREAKS = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
"""All that str.splitlines takes for the end of a line."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Setting:
    """`read` gives fields of a request, ValueError or UserError where it can't; `examples` are for a mistake."""

    read: Callable[[str], dict[str, Any]]
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """What was read: fields of a request, and every mistake as a phrase."""

    fields: Mapping[str, Any]
    mistakes: tuple[str, ...]


def read_lines(text: str) -> Lines:
    """Every line with something in it is one setting."""
    fields: dict[str, Any] = {}
    mistakes: list[str] = []
    seen: set[str] = set()
    for line in filter(str.strip, text.splitlines()):
        found = _LINE.fullmatch(line)
        key = "" if found is None else "_".join(re.split(r"[\s_-]+", found["key"].casefold()))
        key = ALIASES.get(key, key)
        if found is None or not key:
            mistakes.append(f'"{shorten(line.strip(), _SHOWN)}" is no key:value')
        elif key in seen:
            mistakes.append(f"{shorten(key, _SHOWN)} is there twice")
        else:
            seen.add(key)
            try:
                fields |= _read(key, found["value"])
            except UserError as error:
                mistakes.append(str(error).removesuffix("."))
    if "hires_upscaler" in fields:
        fields.setdefault("hires_scale", HIRES_SCALE)
    return Lines(fields, tuple(mistakes))


def write_lines(options: Mapping[str, str]) -> str:
    """Options with their texts (core.command_text) as such lines."""
    return "\n".join(f"{key}:{_written(key, _BREAKS.sub(' ', text))}" for key, text in options.items())


def _written(key: str, text: str) -> str:
    is_taken_for_quotes = key in KEYS and _QUOTED.fullmatch(text.strip())
    return '"' + text.replace('"', '""') + '"' if is_taken_for_quotes else text


def _read(key: str, value: str) -> dict[str, Any]:
    if key in NO_FIELDS:
        why = "the images stay what they are" if key in ADDRESSES else "it is for /draw"
        raise UserError(f"{key} can't be said here: {why}.")
    setting = _SETTINGS.get(key)
    if setting is None:
        near = nearest(list(_SETTINGS), key, limit=1)[0]
        raise UserError(f'there is no "{shorten(key, _SHOWN)}" (did you mean {near}?).')
    if not value:
        raise UserError(f"{key} has no value{_expected(setting)}.")
    try:
        return setting.read(value)
    except ValueError:
        raise UserError(f'{key} can\'t be "{shorten(value, _SHOWN)}"{_expected(setting)}.') from None
    except UserError as error:
        raise UserError(f"{key}: {error}") from None


def _expected(setting: _Setting) -> str:
    return f" (for example {', '.join(setting.examples)})" if setting.examples else ""


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _unquoted(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """As in `extra`, where a value with blanks in it needs quotes."""

    def read_unquoted(text: str) -> Any:
        return read(text[1:-1].replace('""', '"') if _QUOTED.fullmatch(text) else text)

    return read_unquoted


def _one(field: str, read: Callable[[str], Any], *examples: str) -> _Setting:
    return _Setting(lambda text: {field: read(text)}, examples)


def _size(text: str) -> dict[str, Any]:
    size = parse_size(text)
    return {"width": size.width, "height": size.height}


_FIELDS = frozenset(GenerationRequest.__slots__)
_SETTINGS: Mapping[str, _Setting] = {
    "size": _Setting(_size),
    "checkpoint": _one("checkpoint", str),
    "steps": _one("steps", _whole, "20"),
    "cfg_scale": _one("cfg_scale", read_number, "7"),
    "sampler": _one("sampler", str),
    "scheduler": _one("scheduler", str),
    "seed": _one("seed", _whole, "7", "-1"),
    "count": _one("count", _whole, "4"),
    "clip_skip": _one("clip_skip", _whole, "1", "2"),
    "vae": _one("vae", str),
    "hires": _one("hires_scale", read_number, "1.5", "2"),
    "hires_upscaler": _one("hires_upscaler", str),
    "distilled_cfg": _one("distilled_cfg", read_number, "3.5"),
    "denoising_strength": _one("denoising_strength", read_number, "0.5"),
    "face_fix": _one("face_fix", KEYS["tiling"].read, "yes", "no"),
    "styles": _one("styles", parse_styles),
    "loras": _one("loras", parse_loras),
    **{key: _one(one.field, _unquoted(one.read), *one.values) for key, one in KEYS.items() if one.field in _FIELDS},
}
"""What can be said in a line; words of `extra` that are no field of a request have no place in one."""
