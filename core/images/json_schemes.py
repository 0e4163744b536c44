"""JSON that stands where others have an infotext: Fooocus's, SwarmUI's, Draw Things'. It reads texts, raises nothing.

Fooocus: `modules/meta_parser.py`, FooocusMetadataParser. SwarmUI: `sui_image_params`, with the names of its API. Draw
Things: `c` and `uc` are the prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from core.images.generation import Metadata, as_list, as_object, as_text, keep_said, pick, size_of

FOOOCUS = "Fooocus"
SWARM_UI = "SwarmUI"
DRAW_THINGS = "Draw Things"

_FOOOCUS_FIELDS = {
    "steps": "Steps",
    "sampler": "Sampler",
    "scheduler": "Schedule type",
    "guidance_scale": "CFG scale",
    "seed": "Seed",
}
_FOOOCUS_LATER = {
    "base_model": "Model",
    "base_model_hash": "Model hash",
    "vae": "VAE",
    "clip_skip": "Clip skip",
    "performance": "Performance",
    "styles": "Styles",
    "sharpness": "Sharpness",
    "adm_guidance": "ADM guidance",
    "version": "Version",
}
_REFINER = {"refiner_model": "Refiner", "refiner_switch": "Refiner switch at"}
_SWARM_FIELDS = {
    "steps": "Steps",
    "sampler": "Sampler",
    "scheduler": "Schedule type",
    "cfgscale": "CFG scale",
    "fluxguidancescale": "Distilled CFG Scale",
    "seed": "Seed",
}
_SWARM_LATER = {
    "model": "Model",
    "vae": "VAE",
    "clipstopatlayer": "Clip skip",
    "variationseed": "Variation seed",
    "variationseedstrength": "Variation seed strength",
    "initimagecreativity": "Denoising strength",
    "refinermodel": "Refiner",
    "refinerupscale": "Refiner upscale",
    "swarm_version": "Version",
}
_DRAW_THINGS_FIELDS = {
    "steps": "Steps",
    "sampler": "Sampler",
    "scale": "CFG scale",
    "seed": "Seed",
    "size": "Size",
    "model": "Model",
    "strength": "Denoising strength",
    "shift": "Shift",
}
_WHOLLY = ("1", "1.0")
"""Nothing was drawn over."""
_SIDES = re.compile(r"\D*(\d{1,6})\D+(\d{1,6})\D*")


def read(values: Mapping[str, object], raw: str) -> Metadata | None:
    """What the object `values`, written as `raw`, says; None where it is of none of these schemes."""
    if isinstance(values.get("sui_image_params"), dict):
        return _read_swarm(as_object(values["sui_image_params"]), raw)
    if {"c", "sampler", "seed"} <= values.keys():
        return _read_draw_things(values, raw)
    by_fooocus = as_text(values.get("version")).startswith(FOOOCUS) or {"base_model", "performance"} <= values.keys()
    return _read_fooocus(values, raw) if by_fooocus and "prompt" in values else None


def _read_fooocus(values: Mapping[str, object], raw: str) -> Metadata:
    sides = _SIDES.fullmatch(as_text(values.get("resolution")))
    refiner = pick(values, _REFINER)
    if refiner.get("Refiner", "None") == "None":
        refiner = {}
    fields = pick(values, _FOOOCUS_FIELDS) | ({"Size": f"{sides[1]}x{sides[2]}"} if sides else {})
    fields |= pick(values, _FOOOCUS_LATER) | refiner | keep_said([("LoRA", ", ".join(_fooocus_loras(values)))])
    prompt, negative = as_text(values.get("prompt")), as_text(values.get("negative_prompt"))
    return Metadata(FOOOCUS, prompt, negative, MappingProxyType(fields), raw)


def _fooocus_loras(values: Mapping[str, object]) -> Iterator[str]:
    """Each is a name, a weight and a hash."""
    for lora in map(as_list, as_list(values.get("loras"))):
        if name := as_text(lora[0] if lora else None):
            yield f"{name}: {as_text(lora[1] if len(lora) > 1 else None) or '1'}"


def _read_swarm(values: Mapping[str, object], raw: str) -> Metadata:
    fields = pick(values, _SWARM_FIELDS) | keep_said([("Size", size_of(values))])
    fields |= pick(values, _SWARM_LATER) | keep_said([("LoRA", ", ".join(_swarm_loras(values)))])
    prompt, negative = as_text(values.get("prompt")), as_text(values.get("negativeprompt"))
    return Metadata(SWARM_UI, prompt, negative, MappingProxyType(fields), raw)


def _swarm_loras(values: Mapping[str, object]) -> Iterator[str]:
    """Names and weights are two lists, or two texts with commas in them."""
    weights = _listed(values.get("loraweights"))
    for number, name in enumerate(_listed(values.get("loras"))):
        if name:
            yield f"{name}: {weights[number] if number < len(weights) else '1'}"


def _read_draw_things(values: Mapping[str, object], raw: str) -> Metadata:
    fields = pick(values, _DRAW_THINGS_FIELDS)
    if fields.get("Denoising strength") in _WHOLLY:
        del fields["Denoising strength"]
    loras = (as_object(lora) for lora in as_list(values.get("lora")))
    named = [f"{as_text(one.get('model'))}: {as_text(one.get('weight')) or '1'}" for one in loras if one.get("model")]
    fields |= keep_said([("LoRA", ", ".join(named))])
    return Metadata(DRAW_THINGS, as_text(values.get("c")), as_text(values.get("uc")), MappingProxyType(fields), raw)


def _listed(value: object) -> list[str]:
    return [as_text(one) for one in (value.split(",") if isinstance(value, str) else as_list(value))]
