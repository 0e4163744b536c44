"""A request as the options of `/draw` that would ask for it: for a command to copy, and for settings to edit. Pure.

Image, mask and control images are no text, and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import UNSET

from core.extra import KEYS, NO_FIELDS, quote_value
from core.request import GenerationRequest
from core.several import quote_name

PLAIN = (
    ("checkpoint", "checkpoint"),
    ("steps", "steps"),
    ("cfg_scale", "cfg_scale"),
    ("sampler", "sampler"),
    ("scheduler", "scheduler"),
    ("seed", "seed"),
    ("count", "count"),
    ("clip_skip", "clip_skip"),
    ("vae", "vae"),
    ("hires", "hires_scale"),
    ("hires_upscaler", "hires_upscaler"),
    ("distilled_cfg", "distilled_cfg"),
    ("denoising_strength", "denoising_strength"),
    ("face_fix", "face_fix"),
)
"""An option, and the field that it is the text of."""


def as_options(request: GenerationRequest) -> dict[str, str]:
    """Every option but the two prompts that has something to say, with its text, the size first."""
    options: dict[str, str] = {}
    if request.width is not UNSET and request.height is not UNSET:
        options["size"] = f"{request.width}x{request.height}"
    for option, field in PLAIN:
        value = getattr(request, field)
        if value is not UNSET and (option, value) != ("count", 1):
            options[option] = _text(value)
    if request.styles:
        options["styles"] = ", ".join(map(quote_name, request.styles))
    if request.loras:
        options["loras"] = ", ".join(f"{_lora(use.name)}:{use.weight:g}" for use in request.loras)
    return options | as_extra(request)


def as_extra(request: GenerationRequest) -> dict[str, str]:
    """The rarer settings under the keys of the option `extra`."""
    said = {key: getattr(request, one.field) for key, one in KEYS.items() if key not in NO_FIELDS}
    return {key: _text(value) for key, value in said.items() if value is not UNSET}


def as_command(request: GenerationRequest) -> str:
    """The command as one line of text, as Discord reads it when it is pasted."""
    options = as_options(request)
    extra = {key: options.pop(key) for key in as_extra(request)}
    said: Mapping[str, str] = {"prompt": request.prompt, "negative_prompt": request.negative_prompt or "", **options}
    if extra:
        said = {**said, "extra": " ".join(f"{key}:{quote_value(value)}" for key, value in extra.items())}
    return "/draw " + " ".join(_pairs(said.items()))


def _pairs(said: Iterable[tuple[str, str]]) -> Iterable[str]:
    return (f"{name}:{' '.join(text.split())}" for name, text in said if text.strip())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)


def _lora(name: str) -> str:
    """Its name alone: where quoting adds a weight, one is written in any case."""
    quoted = quote_name(name, weighted=True)
    return quoted.removesuffix(":1") if quoted.startswith('"') else quoted
