"""Comparisons: what is to be compared, from text to the requests of the single pictures, and back to one request. Pure.

`checkpoint=a,b cfg=5,7` are two axes: every checkpoint with every CFG scale, all with one seed.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from msgspec import UNSET

from core.defaults import SEED_MAX
from core.errors import UserError
from core.extra import COMPARE, listed
from core.limits import NUMBERS, Limits, Range
from core.prompt import tidy
from core.request import VARIED, Axis, Comparison, GenerationRequest, Variant
from core.several import parse_loras, read_number, split_parts
from core.size import parse_size
from core.webui.names import fold, nearest, shorten

MOST_AXES: Final = 2
EXAMPLE: Final = f"For example {COMPARE}"

_AXIS = re.compile(r"(?:\A|(?<=\s))([A-Za-z_-]+)\s*=")
"""Where the next axis begins; few names hold a word with that sign."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One thing that can be compared: the fields of a request that a value sets."""

    fields: tuple[str, ...]
    read: Callable[[str], Any]
    says: str = ""
    """What a value has to be, where it can't be read."""
    weighted: bool = False
    """A value has a weight, and its own quotes: these are left to `read`."""
    slow: bool = False
    """A webui needs long to change it: such an axis is the rows', so that it changes as seldom as possible."""

    def values(self, text: str) -> dict[str, Any]:
        """What the value sets; ValueError or UserError where it can't be read."""
        read = self.read(text)
        return dict(zip(self.fields, read if len(self.fields) > 1 else (read,), strict=True))


def _size(text: str) -> tuple[int, int]:
    size = parse_size(text)
    return size.width, size.height


def _whole(field: str) -> _Kind:
    return _Kind((field,), int, "a whole number")


def _fraction(field: str) -> _Kind:
    return _Kind((field,), read_number, "a number")


KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "checkpoint": _Kind(("checkpoint",), str, slow=True),
        "vae": _Kind(("vae",), str, slow=True),
        "sampler": _Kind(("sampler",), str),
        "scheduler": _Kind(("scheduler",), str),
        "steps": _whole("steps"),
        "cfg_scale": _fraction("cfg_scale"),
        "distilled_cfg": _fraction("distilled_cfg"),
        "clip_skip": _whole("clip_skip"),
        "seed": _whole("seed"),
        "size": _Kind(("width", "height"), _size),
        "loras": _Kind(("loras",), parse_loras, weighted=True),
        "denoising_strength": _fraction("denoising_strength"),
        "hires": _fraction("hires_scale"),
        "hires_upscaler": _Kind(("hires_upscaler",), str),
        "hires_steps": _whole("hires_steps"),
        "hires_denoise": _fraction("hires_denoising_strength"),
    }
)
"""Everything that can be compared, under the names of the options of `/draw`."""
ALIASES: Final[Mapping[str, str]] = MappingProxyType({"cfg": "cfg_scale", "lora": "loras"})


@dataclass(frozen=True, slots=True)
class _Line:
    """One axis as it was read: what each of its values sets."""

    axis: Axis
    steps: tuple[dict[str, Any], ...]
    slow: bool


def compare(asked: GenerationRequest, text: str, limits: Limits) -> GenerationRequest:
    """The request with a picture for every combination of the values in `text`.

    UserError with every mistake in it, as far as they fit, or where these are more pictures than an answer holds.
    """
    if asked.count is not UNSET:
        raise UserError("A comparison has one picture for each combination: leave the count out.")
    lines, mistakes = _read(asked, text, limits)
    if mistakes:
        raise UserError(f"In compare: {listed(mistakes)}.")
    if not lines:
        raise UserError(f"Say what is to be compared. {EXAMPLE}.")
    number, most = math.prod(len(line.steps) for line in lines), int(limits.count.high)
    if number > most:
        raise UserError(f"This comparison has {number} pictures; at most {most} fit into one answer.")
    columns_first = sorted(lines, key=lambda line: line.slow)
    combinations = itertools.product(*(line.steps for line in reversed(columns_first)))
    variants = tuple(Variant(**_together(steps)) for steps in combinations)
    return replace(
        asked, count=number, sheet=True, comparison=Comparison(tuple(line.axis for line in columns_first), variants)
    )


def compared_fields(text: str) -> frozenset[str]:
    """The fields of a request in which the pictures are to differ, as far as the text can be read."""
    kinds = (KINDS.get(_key_of(begin)) for begin in _AXIS.finditer(text))
    return frozenset(field for kind in kinds if kind is not None for field in kind.fields)


def join(whole: GenerationRequest, read: Sequence[GenerationRequest]) -> GenerationRequest:
    """The comparison again, once each of its pictures was read by itself: what is the same for all is the whole job's.

    UserError where two of them turned out to be the same picture: something that is compared has no effect then.
    """
    if whole.comparison is UNSET:
        raise ValueError("no comparison")
    pictures = [one.of(0) for one in read]
    if len(set(pictures)) < len(pictures):
        raise UserError(
            "Some of these pictures would be the same: two values mean one thing here, or what is compared has no "
            "effect on this picture."
        )
    own = [name for name in VARIED if len({getattr(one, name) for one in pictures}) > 1]
    variants = tuple(Variant(**{name: getattr(one, name) for name in own}) for one in pictures)
    fields: dict[str, Any] = dict.fromkeys(own, UNSET)
    negative = whole.negative_prompt if whole.negative_prompt is UNSET else tidy(whole.negative_prompt) or UNSET
    for name, typed in (("prompt", tidy(whole.prompt)), ("negative_prompt", negative)):
        texts = [getattr(picture, name) for picture in pictures]
        fields[name] = typed
        fields[f"{name}s"] = UNSET if set(texts) == {typed} else tuple(text or "" for text in texts)
    return replace(
        read[0],
        **fields,
        count=len(pictures),
        sheet=whole.sheet,
        comparison=replace(whole.comparison, variants=variants),
    )


def _read(asked: GenerationRequest, text: str, limits: Limits) -> tuple[list[_Line], list[str]]:
    """The axes, and everything that is wrong with them."""
    begins = [*_AXIS.finditer(text)]
    ends = [*(one.start() for one in begins[1:]), len(text)]
    before = text[: begins[0].start()].strip() if begins else text.strip()
    mistakes = [f'"{shorten(before, 40)}" is no key=value'] if before else []
    lines: dict[str, _Line] = {}
    for begin, end in zip(begins, ends, strict=False):
        key = _key_of(begin)
        if key not in KINDS:
            near = nearest([*KINDS, *ALIASES], key, limit=1)[0]
            mistakes.append(f'"{shorten(key, 40)}" can\'t be compared (did you mean {near}?)')
        elif key in lines:
            mistakes.append(f"{key} is there twice")
        else:
            lines[key] = _read_line(key, text[begin.end() : end], limits, mistakes)
            if any(getattr(asked, field) is not UNSET for field in KINDS[key].fields):
                mistakes.append(f"{key} is compared, so leave its option out")
    if len(begins) > MOST_AXES:
        mistakes.append(f"these are {len(begins)} things, and a sheet has two sides")
    return list(lines.values()), mistakes


def _key_of(begin: re.Match[str]) -> str:
    typed = begin[1].casefold().replace("-", "_")
    return ALIASES.get(typed, typed)


def _read_line(key: str, text: str, limits: Limits, mistakes: list[str]) -> _Line:
    kind = KINDS[key]
    values = [(part.text if kind.weighted else part.name).strip() for part in split_parts(text)]
    values = [value for value in values if value]
    steps: dict[str, dict[str, Any]] = {}  # names that differ in their case alone are one for webuis
    for value in values:
        step = _read_value(key, value, limits)
        if isinstance(step, str):
            mistakes.append(f'{key} can\'t be "{shorten(value, 40)}" ({step})')
        elif steps.setdefault(fold(str(step)), step) is not step:
            mistakes.append(f'{key} has "{shorten(value, 40)}" twice')
    if len(values) < 2:
        mistakes.append(f"{key} needs two values or more, with commas between them")
    return _Line(Axis(key, tuple(values)), tuple(steps.values()), kind.slow)


def _read_value(key: str, value: str, limits: Limits) -> dict[str, Any] | str:
    """What the value sets, or why it can't be had."""
    kind = KINDS[key]
    try:
        step = kind.values(value)
    except UserError as error:
        return str(error).rstrip(".")
    except ValueError:
        return kind.says
    for field, number in step.items():
        allowed = _range(field, limits)
        if allowed is not None and number not in allowed:
            return f"{allowed.low:g} to {allowed.high:.10g} are allowed here"
    return step


def _range(field: str, limits: Limits) -> Range | None:
    if field == "seed":
        return Range(0, SEED_MAX)
    limit = next((limit for name, _, limit in NUMBERS if name == field), None)
    found: Range | None = None if limit is None else getattr(limits, limit)
    return found


def _together(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What one value of each axis sets."""
    return {name: value for step in steps for name, value in step.items()}
