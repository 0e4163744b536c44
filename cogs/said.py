"""What a person asked for beyond the usual, in a few words for the small line of a message. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from core.request import GenerationRequest

MOST_NAMES = 2


def rarer(request: GenerationRequest, code: Callable[[str], str]) -> list[str]:
    """Parts for the small line: styles, LoRAs, VAE, the second pass, the image that is drawn over, control images.

    `code` puts a name where nothing in it is markup.
    """
    parts: list[str] = []
    if request.loras is not UNSET:
        parts.append(_named("LoRA", code, [f"{use.name} {use.weight:g}" for use in request.loras]))
    if request.styles is not UNSET:
        parts.append(_named("style", code, list(request.styles)))
    if request.vae is not UNSET:
        parts.append(f"VAE {code(request.vae)}")
    if request.distilled_cfg is not UNSET:
        parts.append(f"distilled CFG {request.distilled_cfg:g}")
    if request.hires_scale is not UNSET:
        upscaler = "" if request.hires_upscaler is UNSET else f" {code(request.hires_upscaler)}"
        parts.append(f"hires ×{request.hires_scale:g}{upscaler}")
    if request.image is not UNSET:
        what = "a part of your image" if request.mask is not UNSET else "your image"
        strength = "" if request.denoising_strength is UNSET else f" at {request.denoising_strength:g}"
        parts.append(f"over {what}{strength}")
    for use in () if request.control is UNSET else request.control:
        span = "" if (use.start, use.end) == (0, 1) else f" from {use.start:g} to {use.end:g}"
        parts.append(f"control {code(use.type)} {use.weight:g}{span}")
    if request.face_fix is True:
        parts.append("faces fixed")
    return [part for part in parts if part]


def _named(what: str, code: Callable[[str], str], names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(code(name) for name in names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{what} {shown}{more}"
