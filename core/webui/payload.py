"""Builds the JSON of a txt2img or img2img request. Pure; it sends nothing.

Only what somebody said is in a payload; null and absent are different things to several webuis (contract 1.5). Which
key is which is in core.webui.dialects; here is what the values are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from core.errors import UserError
from core.request import GenerationRequest
from core.tags import respell_lora_tags, take_lora_tags
from core.webui import faces
from core.webui.assets import find
from core.webui.catalog import Catalog, find_checkpoint, find_name
from core.webui.control import TITLE, build_units
from core.webui.dialects import DIALECTS, OVERRIDE_KEYS, Dialect
from core.webui.lacking import check_needs
from core.webui.needs import vae_names, vaes_of
from core.webui.sending import Base64

PLAIN: Final = (
    *("prompt", "negative_prompt", "seed", "width", "height", "steps", "eta", "subseed", "subseed_strength", "tiling"),
    *("distilled_cfg", "hires_scale", "hires_steps", "mask_blur", "inpaint_padding", "refiner_switch_at"),
)
"""Fields whose value goes out as it is."""
NUMBERS: Final = frozenset(
    {"cfg_scale", "distilled_cfg", "hires_scale", "eta", "subseed_strength", "refiner_switch_at"}
)
"""Fields that are fractional: some webuis refuse a whole number there, and others the opposite."""
MASKED_CONTENTS: Final = {"fill": 0, "original": 1, "noise": 2, "nothing": 3}
API_CFG_SCALE: Final = 7.0
"""What a webui takes for a first pass where nobody said it; Forge would take 1 for the second."""
PAGE_REFINER_SWITCH: Final = 0.8
"""Where the page's slider stands; told none, the API begins with the refiner."""


def build_payload(
    request: GenerationRequest, catalog: Catalog, *, task_id: str | None, inputs: Mapping[str, bytes] | None = None
) -> dict[str, Any]:
    """The payload for this webui, with exact JSON types; `inputs` are the PNGs that the request's keys name.

    Raises UserError where the webui can't do it (see check_needs), ValueError where the seed is not drawn yet.
    """
    if request.seed is UNSET:
        raise ValueError("the seed is drawn before a payload is built, so that a repeat makes the same picture")
    check_needs(request, catalog)
    dialect = DIALECTS[catalog.capabilities.speech]
    said = _plain(request) | _named(request, catalog) | _passes(request) | _images(request, inputs or {}, dialect)
    if request.face_fix is True and not faces.is_told(request, catalog):
        said["restore_faces"] = True
    payload: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for field, value in said.items():
        key = dialect.keys.get(field)
        if key is not None and value is not UNSET:
            (overrides if key.startswith("@") else payload)[key.removeprefix("@")] = value
    payload = _extras(request, catalog, dialect) | payload
    if units := build_units(request, catalog, lambda key: encoded(inputs or {}, key)):
        payload.setdefault("alwayson_scripts", {})[TITLE] = {"args": units}
    _add_loras(payload, request, catalog, dialect)
    if overrides and catalog.capabilities.override_settings:
        allowed = {key: value for key, value in overrides.items() if key in OVERRIDE_KEYS}
        payload |= {"override_settings": allowed, "override_settings_restore_afterwards": True}
    if task_id is not None and catalog.capabilities.task_progress and "task_id" in dialect.keys:
        payload[dialect.keys["task_id"]] = task_id
    return payload


def _plain(request: GenerationRequest) -> dict[str, Any]:
    said = {field: getattr(request, field) for field in (*PLAIN, "cfg_scale")}
    return {name: float(value) if name in NUMBERS and value is not UNSET else value for name, value in said.items()}


def _named(request: GenerationRequest, catalog: Catalog) -> dict[str, Any]:
    """Names as the webui writes them, and never anything that it didn't list."""
    can, assets = catalog.capabilities, catalog.assets
    said: dict[str, Any] = {}
    for field in ("checkpoint", "refiner_checkpoint"):
        wanted = getattr(request, field)
        if wanted is not UNSET and (found := find_checkpoint(catalog, wanted)) is not None:
            said[field] = found.title
    for field, names in (
        ("sampler", catalog.samplers),
        ("scheduler", catalog.schedulers),
        ("hires_sampler", catalog.samplers),
        ("hires_scheduler", catalog.schedulers),
    ):
        wanted = getattr(request, field)
        if wanted is not UNSET and (named := find_name(names, wanted)) is not None:
            said[field] = named.name
    upscalers = (*assets.latent_upscalers, *assets.upscalers)
    if request.hires_upscaler is not UNSET:
        said["hires_upscaler"] = find(upscalers, request.hires_upscaler)
    elif request.hires_scale is not UNSET and upscalers:
        # The page's own choice, the first of the latent ones; without any SD.Next enlarges nothing.
        said["hires_upscaler"] = next((name for name in upscalers if "latent" in name.casefold()), upscalers[0])
    if request.styles is not UNSET:
        said["styles"] = [style for wanted in request.styles if (style := find(assets.styles, wanted)) is not None]
    # These are said in every request: see core.webui.own.
    said |= {"vae": UNSET if can.vae is None else can.vae, "modules": UNSET if can.modules is None else [*can.modules]}
    if vaes := [vae for wanted in vae_names(request) if (vae := find(vaes_of(catalog), wanted)) is not None]:
        said |= {"vae": vaes[0], "modules": vaes}
    if can.sets_clip_skip:
        own = UNSET if can.clip_skip is None else can.clip_skip
        said["clip_skip"] = own if request.clip_skip is UNSET else request.clip_skip
    return said


def _passes(request: GenerationRequest) -> dict[str, Any]:
    """How strongly what is there is drawn over: an image, or the first pass."""
    first, second = request.denoising_strength, request.hires_denoising_strength
    if request.image is not UNSET:
        return {"denoising_strength": UNSET if first is UNSET else float(first)}
    wanted = first if second is UNSET else second
    return {"hires_denoising_strength": UNSET if wanted is UNSET else float(wanted)}


def _images(request: GenerationRequest, inputs: Mapping[str, bytes], dialect: Dialect) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if request.image is UNSET:
        return said
    said["image"] = [encoded(inputs, request.image)]
    if request.resize_mode is not UNSET:
        said["resize_mode"] = dialect.resize_modes[request.resize_mode]
    if request.mask is not UNSET:
        said["mask"] = encoded(inputs, request.mask)
        if request.inpaint_area is not UNSET:
            said["inpaint_area"] = request.inpaint_area == "masked"
        if request.masked_content is not UNSET:
            said["masked_content"] = MASKED_CONTENTS[request.masked_content]
        if request.mask_invert is not UNSET:
            said["mask_invert"] = int(request.mask_invert)
    return said


def encoded(inputs: Mapping[str, bytes], key: str) -> Base64:
    """A stored image as webuis take it; UserError where it is gone."""
    if key not in inputs:
        raise UserError("The image that was sent for this picture is not there any more; send it again.")
    return Base64(inputs[key])


def _extras(request: GenerationRequest, catalog: Catalog, dialect: Dialect) -> dict[str, Any]:
    """What nobody said and the webui has to be told all the same."""
    extras = dict(dialect.always)
    if request.pictures > 1:
        one_by_one = {"n_iter": request.pictures, "batch_size": 1}
        extras |= one_by_one if catalog.capabilities.n_iter else {"batch_size": request.pictures}
    if request.hires_scale is not UNSET and request.image is UNSET:
        extras |= dialect.hires
        if "hr_additional_modules" in dialect.hires:
            extras["hr_cfg"] = API_CFG_SCALE if request.cfg_scale is UNSET else float(request.cfg_scale)
            if request.distilled_cfg is not UNSET and "distilled_cfg" in dialect.keys:
                extras["hr_distilled_cfg"] = float(request.distilled_cfg)
    if request.image is not UNSET:
        extras |= dialect.image
    if request.mask is not UNSET:
        extras |= dialect.inpaint
    if request.refiner_checkpoint is not UNSET:
        extras[dialect.keys["refiner_switch_at"]] = PAGE_REFINER_SWITCH
    if faces.is_told(request, catalog):
        extras["alwayson_scripts"] = faces.build_script(catalog)
    return extras


def _add_loras(payload: dict[str, Any], request: GenerationRequest, catalog: Catalog, dialect: Dialect) -> None:
    """As tags before the prompt; or as an array, into which the tags of the prompt go, too.

    Not behind it: webuis leave out what follows a `#` in the prompt's last line, and KoboldCpp what is too long.
    """
    uses = () if request.loras is UNSET else tuple((use.name, use.weight) for use in request.loras)
    if dialect.loras != "array":
        tags = [f"<lora:{found.name}:{weight:g}>" for name, weight in uses if (found := _lora(catalog, name))]
        said = respell_lora_tags(payload["prompt"], lambda name: getattr(_lora(catalog, name), "name", None))
        payload["prompt"] = " ".join((*tags, said)) if tags else said
        return
    payload["prompt"], tagged = take_lora_tags(payload["prompt"])
    every = [(found, weight) for name, weight in (*uses, *tagged) if (found := _lora(catalog, name)) is not None]
    if every:
        payload["lora"] = [{"path": lora.path or lora.name, "multiplier": weight} for lora, weight in every]


def _lora(catalog: Catalog, name: str) -> Any:
    return catalog.assets.find_lora(name)
