"""What has no effect on the picture that is asked for. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec import UNSET

from core.request import GenerationRequest

SECOND_PASS_NAMES = ("hires_upscaler", "hires_sampler", "hires_scheduler")
NEEDED = (
    ("image", "image to draw over", ("resize_mode",)),
    ("mask", "mask", ("mask_blur", "mask_invert", "masked_content", "inpaint_area", "inpaint_padding")),
    ("hires_scale", "second pass (hires)", ("hires_steps", "hires_denoising_strength", *SECOND_PASS_NAMES)),
    ("refiner_checkpoint", "refiner", ("refiner_switch_at",)),
)
"""A field, what it is called, and what has no effect without it."""


def leave_out(request: GenerationRequest, notes: list[str]) -> GenerationRequest:
    """What has no effect is not drawn with, and said: nobody is to look for it in the picture.

    A second pass without a denoising strength of its own takes that of the request: see core.webui.payload.
    """
    if request.image is not UNSET:
        second_pass = ("hires_scale", *SECOND_PASS_NAMES, "hires_steps", "hires_denoising_strength")
        request = _without(request, second_pass, "an image that is drawn over has no second pass", notes)
    for needed, called, fields in NEEDED:
        if getattr(request, needed) is UNSET:
            request = _without(request, fields, f"there is no {called}", notes)
    if request.image is UNSET and (request.hires_scale is UNSET or request.hires_denoising_strength is not UNSET):
        why = "there is no image to draw over" if request.hires_scale is UNSET else "the second pass has its own"
        request = _without(request, ("denoising_strength",), why, notes)
    if not request.is_variation:
        request = _without(request, ("subseed",), "there is no subseed strength", notes)
    return request


def _without(request: GenerationRequest, fields: tuple[str, ...], since: str, notes: list[str]) -> GenerationRequest:
    said = [field for field in fields if getattr(request, field) is not UNSET]
    if not said:
        return request
    notes.append(f"Left out, since {since}: {', '.join(field.replace('_', ' ') for field in said)}.")
    nothing: dict[str, Any] = dict.fromkeys(said, UNSET)
    return replace(request, **nothing)
