"""From what a picture says of itself to the request that would draw it again. Pure; it believes nothing.

The keys are A1111's (core.images.infotext); what can't be read as what it should be is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from core.images.generation import Metadata
from core.request import GenerationRequest

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_SCHEDULES = ("Karras", "Exponential", "Polyexponential", "SGM Uniform", "Simple", "Beta", "Align Your Steps")
"""Which A1111 wrote behind the sampler's name before it had a field of its own for them."""
_MOST = 2**32


@dataclass(frozen=True, slots=True)
class Remembered:
    """The request, and the finished picture's seed and checkpoint where they are said."""

    request: GenerationRequest
    seed: int | None
    checkpoint: str | None


def _whole(text: str) -> int:
    number = int(text)
    if not 0 <= number < _MOST:
        raise ValueError(text)
    return number


def _decimal(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "Steps": ("steps", _whole),
    "Sampler": ("sampler", str),
    "Schedule type": ("scheduler", str),
    "CFG scale": ("cfg_scale", _decimal),
    "Distilled CFG Scale": ("distilled_cfg", _decimal),
    "Seed": ("seed", _whole),
    "Model": ("checkpoint", str),
    "Clip skip": ("clip_skip", _whole),
    "Variation seed": ("subseed", _whole),
    "Variation seed strength": ("subseed_strength", _decimal),
    "Hires upscale": ("hires_scale", _decimal),
    "Hires steps": ("hires_steps", _whole),
    "Hires upscaler": ("hires_upscaler", str),
}


def remember(found: Metadata) -> Remembered | None:
    """What is said of how the picture was made; None where there is no prompt and nothing of use."""
    fields: dict[str, Any] = {}
    for key, (name, read) in _FIELDS.items():
        if said := found.fields.get(key, "").strip():
            try:
                fields[name] = read(said)
            except ValueError:
                continue
    size = _SIZE.fullmatch(found.fields.get("Size", ""))
    if size is not None:
        fields["width"], fields["height"] = int(size[1]), int(size[2])
    if "hires_scale" in fields and "Denoising strength" in found.fields:
        try:
            fields["hires_denoising_strength"] = _decimal(found.fields["Denoising strength"])
        except ValueError:
            fields.pop("hires_denoising_strength", None)
    fields |= _split_sampler(fields)
    if not found.prompt.strip() and not fields:
        return None
    request = GenerationRequest(prompt=found.prompt, negative_prompt=found.negative_prompt.strip() or UNSET, **fields)
    return Remembered(request, fields.get("seed"), fields.get("checkpoint"))


def _split_sampler(fields: Mapping[str, Any]) -> dict[str, str]:
    sampler = fields.get("sampler", "")
    if "scheduler" in fields:
        return {}
    for schedule in _SCHEDULES:
        if sampler.endswith(f" {schedule}"):
            return {"sampler": sampler.removesuffix(f" {schedule}"), "scheduler": schedule}
    return {}
