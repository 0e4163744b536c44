"""From the options of `/draw` and `/control`, as Discord hands them over, to a request. Pure.

It knows which option means what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from msgspec import UNSET

from core.comparing import compared_fields
from core.errors import UserError
from core.extra import NO_FIELDS, parse_extra
from core.presets import lay_under
from core.request import ControlUse, GenerationRequest
from core.several import parse_loras, parse_styles
from core.size import parse_size

USUAL_HIRES = 2.0
"""The webui's own scale of a second pass, where only its upscaler was said."""


def _size(text: str) -> dict[str, Any]:
    size = parse_size(text)
    return {"width": size.width, "height": size.height}


READ: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "size": _size,
    "styles": lambda text: {"styles": parse_styles(text)},
    "loras": lambda text: {"loras": parse_loras(text)},
    "hires": lambda scale: {"hires_scale": scale},
    "extra": parse_extra,
}
"""Options that are no field of that name, or hold several things."""
CONTROL: Mapping[str, str] = {
    **{name: name for name in ("type", "weight", "start", "end", "preprocess")},
    "preview": "save_map",
}
"""Options of `/control` that say how its image counts, and the fields of ControlUse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where an image and a mask are to be had that somebody named in `extra`: their commands have no option left."""

    image: str | None = None
    mask: str | None = None


def read_options(
    said: Mapping[str, Any], preset: GenerationRequest | None = None, *, image: bool = False
) -> GenerationRequest:
    """The request; None and empty lists are what nobody said: there the preset speaks. UserError for what is no value.

    `image`: whether an image is drawn over. What is compared was said, and so was the number of pictures then.
    """
    fields: dict[str, Any] = {}
    for name, value in said.items():
        if value is not None:
            fields |= READ[name](value) if name in READ else {name: value}
    asked = GenerationRequest(**{name: one for name, one in fields.items() if one != () and name not in NO_FIELDS})
    compared = compared_fields(fields.get("compare", ""))
    has_scales = "hires_scale" in compared
    if preset is not None:
        counts = "compare" in fields or fields.get("permutations", False)
        typed: dict[str, Any] = dict.fromkeys([*compared, *(["count"] if counts else [])], UNSET)
        asked = lay_under(asked, replace(preset, **typed), whole=image or has_scales)
    if asked.hires_upscaler is not UNSET and asked.hires_scale is UNSET and not has_scales:
        return replace(asked, hires_scale=USUAL_HIRES)
    return asked


def read_addresses(extra: str | None) -> Addresses:
    """The addresses in `extra`, which no request holds; UserError where the text can't be read."""
    found = parse_extra(extra or "")
    return Addresses(image=found.get("image_url"), mask=found.get("mask_url"))


def wants_permutations(extra: str | None) -> bool:
    """Whether the words of `extra` ask for each permutation; UserError where the text can't be read."""
    return bool(parse_extra(extra or "").get("permutations", False))


def read_compare(extra: str | None) -> str | None:
    """What `extra` wants to have compared; UserError where the text can't be read."""
    found: str | None = parse_extra(extra or "").get("compare")
    return found


def read_control(said: Mapping[str, Any]) -> GenerationRequest:
    """The same for `/control`; its image is yet to come."""
    if read_addresses(said.get("extra")).mask is not None:
        raise UserError("A mask says where /draw draws over an image; /control has none.")
    if wants_permutations(said.get("extra")):
        raise UserError("In extra: permutations is a word of /draw alone.")
    if read_compare(said.get("extra")) is not None:
        raise UserError("Only /draw compares; /control draws with one setting at a time.")
    use = {CONTROL[name]: value for name, value in said.items() if name in CONTROL and value is not None}
    request = read_options({name: value for name, value in said.items() if name not in CONTROL})
    return replace(request, control=(ControlUse(**use),))
