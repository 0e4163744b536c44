"""From what a picture says of itself to the request that would draw it again. Pure; it believes nothing.

The keys are A1111's (core.images.infotext), and SD.Next's where it has its own; what can't be read as what it should be
is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from core.images.generation import Metadata
from core.prompts.syntax import literal
from core.request import GenerationRequest
from core.several import quote_name

_SIZE = re.compile(r"([0-9]{1,5})x([0-9]{1,5})")
_SCHEDULES = ("Karras", "Exponential", "Polyexponential", "SGM Uniform", "Simple", "Beta", "Align Your Steps")
"""Which A1111 wrote behind the sampler's name before it had a field of its own for them."""
_BOTH_IN_ONE = ("stable-diffusion.cpp", "KoboldCpp")
"""Who writes a sampler, a blank and a scheduler; their names hold no blanks."""
_NOTHING = ("none", "default", "undefined", "use same sampler", "use same scheduler")
"""What stands for no name."""
_OWN_VAE = ("automatic", "default (model)")
_MOST = 2**32
_MODULES = 9


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


def _name(text: str) -> str:
    if text.casefold() in _NOTHING:
        raise ValueError(text)
    return text


def _vae(text: str) -> str:
    if text.casefold() in _OWN_VAE:
        raise ValueError(text)
    return quote_name(_name(text))


def _yes(text: str) -> bool:
    if text.casefold() != "true":
        raise ValueError(text)
    return True


def _face(text: str) -> bool:
    """A model that restores faces, or finds them."""
    return bool(_name(text))


def _face_finder(text: str) -> bool:
    if not text.startswith("face"):
        raise ValueError(text)
    return True


_FIELDS: Sequence[tuple[str, str, Callable[[str], Any]]] = (
    ("Steps", "steps", _whole),
    ("Sampler", "sampler", _name),
    ("Schedule type", "scheduler", _name),
    ("CFG scale", "cfg_scale", _decimal),
    ("Distilled CFG Scale", "distilled_cfg", _decimal),
    ("Seed", "seed", _whole),
    ("Model", "checkpoint", str),
    ("VAE", "vae", _vae),
    ("Clip skip", "clip_skip", _whole),
    ("CLiP-skip", "clip_skip", _whole),
    ("Variation seed", "subseed", _whole),
    ("Variation seed strength", "subseed_strength", _decimal),
    ("Variation strength", "subseed_strength", _decimal),
    ("Hires upscale", "hires_scale", _decimal),
    ("Hires scale", "hires_scale", _decimal),
    ("Hires steps", "hires_steps", _whole),
    ("Hires upscaler", "hires_upscaler", str),
    ("Hires strength", "hires_denoising_strength", _decimal),
    ("Hires sampler", "hires_sampler", _name),
    ("Hires schedule type", "hires_scheduler", _name),
    ("Refiner", "refiner_checkpoint", _name),
    ("Refiner switch at", "refiner_switch_at", _decimal),
    ("Denoising strength", "denoising_strength", _decimal),
    ("Tiling", "tiling", _yes),
    ("Eta", "eta", _decimal),
    ("Face restoration", "face_fix", _face),
    ("ADetailer model", "face_fix", _face_finder),
)
"""A key, the field that it is, and how it is read; of two keys for one field the first counts."""


def remember(found: Metadata) -> Remembered | None:
    """What is said of how the picture was made; None where there is no prompt and nothing of use.

    An image that it was drawn over is not there any more: of that its strength is left, which is then said to count for
    nothing.
    """
    fields: dict[str, Any] = {}
    for key, name, read in _FIELDS:
        if (said := found.fields.get(key, "").strip()) and name not in fields:
            try:
                fields[name] = read(said)
            except ValueError:
                continue
    size = _SIZE.fullmatch(found.fields.get("Size", ""))
    if size is not None:
        fields["width"], fields["height"] = int(size[1]), int(size[2])
    fields |= _modules(found) | _scale(found, fields)
    if "hires_scale" in fields and "denoising_strength" in fields:
        fields.setdefault("hires_denoising_strength", fields.pop("denoising_strength"))
    fields |= _split_sampler(found, fields)
    if not found.prompt.strip() and not fields:
        return None
    negative = literal(found.negative_prompt.strip()) or UNSET
    request = GenerationRequest(prompt=literal(found.prompt), negative_prompt=negative, **fields)
    return Remembered(request, fields.get("seed"), fields.get("checkpoint"))


def _modules(found: Metadata) -> dict[str, str]:
    """Forge's VAE and text encoders, `Module 1`, `Module 2` and so on."""
    numbered = (found.fields.get(f"Module {number}", "").strip() for number in range(1, _MODULES + 1))
    names = [quote_name(name) for name in numbered if name]
    return {"vae": ", ".join(names)} if names else {}


def _scale(found: Metadata, fields: Mapping[str, Any]) -> dict[str, float]:
    """The second pass's where it is said as a size."""
    size = _SIZE.fullmatch(found.fields.get("Hires resize", ""))
    if size is None or "hires_scale" in fields or not fields.get("width") or not fields.get("height"):
        return {}
    scale = max(int(size[1]) / fields["width"], int(size[2]) / fields["height"])
    return {"hires_scale": round(scale, 3)} if scale else {}


def _split_sampler(found: Metadata, fields: Mapping[str, Any]) -> dict[str, str]:
    sampler = fields.get("sampler", "")
    if "scheduler" in fields:
        return {}
    if found.fields.get("Version") in _BOTH_IN_ONE:
        method, _, schedule = sampler.partition(" ")
        return {"sampler": method, "scheduler": schedule} if schedule else {}
    for schedule in _SCHEDULES:
        if sampler.endswith(f" {schedule}"):
            return {"sampler": sampler.removesuffix(f" {schedule}"), "scheduler": schedule}
    return {}
