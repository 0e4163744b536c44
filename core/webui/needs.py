"""What a request needs of a webui, and what of that a webui lacks: for choosing one, and for a sentence. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from msgspec import UNSET

from core.request import GenerationRequest
from core.several import split_names
from core.tags import lora_tags, take_lora_tags
from core.webui.assets import find
from core.webui.catalog import Catalog, find_checkpoint, find_name
from core.webui.control_types import find_control_type, fits


class Need(NamedTuple):
    """One thing: `kind` is checkpoint, sampler, scheduler, lora, style, vae, upscaler, enlarger, control (each of that
    `name`), option: then `name` is the request's field that has to be sayable; or task: one of TASKS.

    An enlarger is an upscaler that works on finished pictures, which latent ones can't. A control has to have a model
    for the checkpoint's `base`, where that is known.
    """

    kind: str
    name: str
    base: str | None = None


OPTIONS = (
    "scheduler",
    "vae",
    "distilled_cfg",
    "hires_scale",
    "hires_upscaler",
    "hires_steps",
    "hires_denoising_strength",
    "hires_sampler",
    "hires_scheduler",
    "image",
    "resize_mode",
    "mask",
    "mask_blur",
    "mask_invert",
    "masked_content",
    "inpaint_area",
    "inpaint_padding",
    "refiner_checkpoint",
    "refiner_switch_at",
    "tiling",
    "subseed",
    "subseed_strength",
    "eta",
    "styles",
    "control",
)
"""Fields that not every webui can be told. CLIP skip is none: where it can't be said, it is left out."""

FACE_FIX = Need("option", "face_fix")
TAGS_ALONE = Need("option", "tags_alone")
"""To draw from a prompt that is nothing but tags of LoRAs: where these are taken out of it, an empty one is refused."""
TASKS = frozenset({"upscale", "describe", "clip", "deepdanbooru", "caption"})
"""What some webuis do besides drawing: upscale, describe with whatever they have, and describe with one of these."""
UPSCALE_OPTIONS = ("upscaler_2", "upscaler_2_visibility", "gfpgan", "codeformer", "codeformer_weight")
"""Fields of an upscale that not every webui can be told."""
NAMED = {
    "checkpoint": "checkpoint",
    "refiner_checkpoint": "checkpoint",
    "sampler": "sampler",
    "hires_sampler": "sampler",
    "scheduler": "scheduler",
    "hires_scheduler": "scheduler",
    "hires_upscaler": "upscaler",
}
"""Fields that hold a name, and of what."""


def needs_of(request: GenerationRequest) -> tuple[Need, ...]:
    """Everything that it needs, in the order in which a person would want to hear of it.

    What can't be said at all comes first: of a webui without styles none is "not there".
    """
    if request.task != "draw":
        return _needs_of_task(request)
    if request.comparison is not UNSET:  # one webui may have to draw all of its pictures
        each = [request.of(number) for number in range(request.pictures)]
        return tuple(dict.fromkeys(need for one in each for need in needs_of(one)))
    request = request.as_said
    prompts = (request.prompt,) if request.prompts is UNSET else request.prompts
    tags = [name for prompt in prompts for name in lora_tags(prompt)]
    loras = [*(() if request.loras is UNSET else (use.name for use in request.loras)), *tags]
    vaes = vae_names(request)
    found = [Need("option", field) for field in OPTIONS if getattr(request, field) is not UNSET]
    found += [Need("option", "loras")] if loras else []
    found += [TAGS_ALONE] if any(lora_tags(prompt) and not take_lora_tags(prompt)[0] for prompt in prompts) else []
    found += [Need("option", "resize_latent")] if request.resize_mode == "latent" else []
    found += [Need("option", "modules")] if len(vaes) > 1 else []
    found += [FACE_FIX] if request.face_fix is True else []
    found += [Need(kind, value) for field, kind in NAMED.items() if (value := getattr(request, field)) is not UNSET]
    found += [Need("lora", name) for name in loras]
    found += [Need("style", name) for name in (() if request.styles is UNSET else request.styles)]
    found += [Need("vae", name) for name in vaes]
    for use in () if request.control is UNSET else request.control:
        found.append(Need("control", use.type, None if use.base is UNSET else use.base))
    return tuple(dict.fromkeys(found))


def _needs_of_task(request: GenerationRequest) -> tuple[Need, ...]:
    if request.task == "describe":
        return (Need("task", "describe" if request.describe_with is UNSET else request.describe_with),)
    options = [field for field in UPSCALE_OPTIONS if getattr(request, field) is not UNSET]
    if request.upscale_factor is UNSET:
        options.insert(0, "upscale_width")
    names = [name for name in (request.upscaler, request.upscaler_2) if name is not UNSET]
    found = [Need("task", "upscale"), *(Need("option", field) for field in options)]
    return tuple(dict.fromkeys([*found, *(Need("enlarger", name) for name in names)]))


def vae_names(request: GenerationRequest) -> tuple[str, ...]:
    """The VAE, or the modules, one by one."""
    return () if request.vae is UNSET else split_names(request.vae)


def lacks(catalog: Catalog, need: Need) -> bool:
    """Whether this webui can't do that."""
    assets = catalog.assets
    match need.kind:
        case "checkpoint":
            return find_checkpoint(catalog, need.name) is None
        case "sampler":
            return find_name(catalog.samplers, need.name) is None
        case "scheduler":
            return find_name(catalog.schedulers, need.name) is None
        case "lora":
            return assets.find_lora(need.name) is None
        case "control":
            control = find_control_type(assets.control_types, need.name)
            return control is None or (need.base is not None and not fits(control, need.base))
        case "style" | "vae" | "upscaler" | "enlarger":
            return find(_listed(catalog, need.kind), need.name) is None
        case _:
            return need.name not in catalog.capabilities.fields


def _listed(catalog: Catalog, kind: str) -> tuple[str, ...]:
    assets = catalog.assets
    if kind == "vae":
        return vaes_of(catalog)
    if kind == "enlarger":
        return assets.upscalers
    return assets.styles if kind == "style" else (*assets.upscalers, *assets.latent_upscalers)


def first_lack(catalog: Catalog, needs: tuple[Need, ...]) -> Need | None:
    """The first thing that this webui lacks; None where it can do all."""
    return next((need for need in needs if lacks(catalog, need)), None)


def all_lacks(catalog: Catalog, request: GenerationRequest) -> tuple[Need, ...]:
    """Everything of it that this webui lacks; of what can't be said or done at all, not what was named for it."""
    found = [need for need in needs_of(request) if lacks(catalog, need)]
    if any(need == Need("task", request.task) for need in found):
        return tuple(found[:1])
    unsayable = {need.name for need in found if need.kind == "option"}
    fields: dict[str, Any] = {name: UNSET for name in (*OPTIONS, *UPSCALE_OPTIONS) if name in unsayable}
    sayable = {*needs_of(replace(request, **fields))}
    kinds = {"lora"} if "loras" in unsayable else set()
    return tuple(need for need in found if need.kind == "option" or (need in sayable and need.kind not in kinds))


def vaes_of(catalog: Catalog) -> tuple[str, ...]:
    """What can be said as `vae`: VAEs, or Forge's modules, with the two words that A1111 has for its own choice."""
    assets = catalog.assets
    return (*assets.vaes, *assets.modules, *(("Automatic", "None") if assets.vaes else ()))
