"""ControlNet's units in a payload, and what an answer shows of them. Pure; only fixed fields are ever sent.

Contract, section 8: Mikubill's extension opens an image that names a file of its machine, and other fields run what
they are given; so an image is base64 of our own writing, and every name is one that the webui listed. A unit that
fails says nothing: what the webui wrote down of it is the only sign (trap 24).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from core.families.bases import BASES, told_base
from core.request import ControlUse, GenerationRequest
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.control_types import ControlType, find_control_type, fits, model_for
from core.webui.evidence import said_of
from core.webui.names import shorten
from core.webui.sending import Base64

LEFT_OUT: Final = "The webui left the control image out."
NO_MAP: Final = "The webui sent no map of the control image."
TITLE: Final = "ControlNet"
NO_MODEL: Final = "None"
_SAID = re.compile(r"ControlNet \d+")
_MOST_TYPES = 10
"""Types that a sentence names."""
_EMBEDDING = re.compile(r"adapter(?!_color)|reference|revision|instant|clip|insightface|photomaker", re.IGNORECASE)
"""Preprocessors from which no picture comes: without them the unit has nothing to go by."""


def build_units(request: GenerationRequest, catalog: Catalog, encode: Callable[[str], Base64]) -> list[dict[str, Any]]:
    """A unit for each control image; `encode` gives an image's base64 by its key. Every type has to be there."""
    units: list[dict[str, Any]] = []
    for use in () if request.control is UNSET else request.control:
        found = find_control_type(catalog.assets.control_types, use.type)
        if found is not None:
            units.append(_unit(use, found, _pick(use, found.models, request, catalog), encode(use.image)))
    return units


def _unit(use: ControlUse, found: ControlType, model: str, image: Base64) -> dict[str, Any]:
    """What Mikubill's extension, Forge's and reForge's read alike; -1 is the preprocessor's own setting."""
    takes_any = use.preprocess or _EMBEDDING.search(found.module)
    return {
        "enabled": True,
        "module": found.module if takes_any else found.unprocessed,
        "model": model,
        "image": image,
        "weight": float(use.weight),
        "resize_mode": "Crop and Resize",
        "control_mode": "Balanced",
        "guidance_start": float(use.start),
        "guidance_end": float(use.end),
        "pixel_perfect": True,
        "processor_res": -1,
        "threshold_a": -1,
        "threshold_b": -1,
        "hr_option": "Both",
        "save_detected_map": use.save_map,
    }


def _pick(use: ControlUse, models: Sequence[str], request: GenerationRequest, catalog: Catalog) -> str:
    """The model for the checkpoint's base, as its family or else its name tells it; else the webui's own choice."""
    if not models:
        return NO_MODEL
    base = _named_base(request, catalog) if use.base is UNSET else use.base
    return (None if base is None else model_for(models, base)) or models[0]


def _named_base(request: GenerationRequest, catalog: Catalog) -> str | None:
    wanted = request.checkpoint if request.checkpoint is not UNSET else catalog.loaded_checkpoint
    checkpoint = None if wanted is None else find_checkpoint(catalog, wanted)
    told = (told_base(name) for name in (() if checkpoint is None else checkpoint.names))
    return next((base for base in told if base is not None), None)


def explain_misfit(types: Sequence[ControlType], wanted: ControlType, base: str) -> str:
    """That no model of a type fits the checkpoint, and which types have one that does, for people."""
    title = BASES.get(base, base)
    fitting = [shorten(one.name, 60) for one in types if fits(one, base)][:_MOST_TYPES]
    others = f"Types that fit it: {', '.join(fitting)}." if fitting else "Choose another checkpoint."
    return (
        f'This server\'s webui has no ControlNet model for "{shorten(wanted.name, 60)}" that is made for {title}, '
        f"which this checkpoint is built on. {others}"
    )


def was_used(request: GenerationRequest, info: Mapping[str, Any], text: str | None) -> bool:
    """Whether every control image counted, as far as the answer tells; `text` is the infotext of a picture."""
    if request.control is UNSET:
        return True
    said = said_of(info, text)
    return said is None or sum(_SAID.fullmatch(key) is not None for key in said) >= len(request.control)


def maps_wanted(request: GenerationRequest) -> int:
    """How many maps of preprocessors are to be shown."""
    return 0 if request.control is UNSET else sum(use.save_map for use in request.control)
