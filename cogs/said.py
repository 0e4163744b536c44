"""What a person asked for beyond the usual, in a few words for the small line of a message. Pure."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET, UnsetType

from core.request import GenerationRequest

MOST_NAMES = 2
DESCRIBERS = {"clip": "CLIP", "deepdanbooru": "DeepDanbooru", "caption": "captions"}
DOING = {"draw": "Drawing", "upscale": "Upscaling", "describe": "Describing"}
LACKING = {"draw": "picture", "upscale": "picture", "describe": "description"}
"""What a job of each kind is about, in the heads of its messages."""


def title(request: GenerationRequest) -> str:
    """What a job is called among others: its prompt, or what is done with an image."""
    match request.task:
        case "upscale":
            return f"Upscale your image {_target(request)}"
        case "describe":
            return "Describe your image"
        case _:
            return request.prompt


def about_image(request: GenerationRequest, code: Callable[[str], str]) -> list[str]:
    """Parts for the small line of what works on an image alone, as it was asked for."""
    sizes = [_size(request.width, request.height)]
    if request.task == "describe":
        return [f"your image {sizes[0]}", *([] if request.describe_with is UNSET else [_describer(request)])]
    if request.upscale_width is not UNSET:
        sizes.append(_size(request.upscale_width, request.upscale_height))
    return [" → ".join(sizes), *_upscalers(request, code, None)]


def enlarged(
    request: GenerationRequest, size: tuple[int, int], upscaler: str | None, code: Callable[[str], str]
) -> list[str]:
    """The same of an upscaled picture, whose size and upscaler are known."""
    return [f"{_size(request.width, request.height)} → {_size(*size)}", *_upscalers(request, code, upscaler)]


def _describer(request: GenerationRequest) -> str:
    return "" if request.describe_with is UNSET else f"with {DESCRIBERS[request.describe_with]}"


def _target(request: GenerationRequest) -> str:
    if request.upscale_factor is not UNSET:
        return f"×{request.upscale_factor:g}"
    return f"to {_size(request.upscale_width, request.upscale_height)}"


def _size(width: int | UnsetType, height: int | UnsetType) -> str:
    return "" if width is UNSET or height is UNSET else f"{width}×{height}"


def _upscalers(request: GenerationRequest, code: Callable[[str], str], used: str | None) -> list[str]:
    parts: list[str] = []
    if (name := used or (None if request.upscaler is UNSET else request.upscaler)) is not None:
        parts.append(code(name))
    if request.upscaler_2 is not UNSET:
        share = "" if request.upscaler_2_visibility is UNSET else f" at {request.upscaler_2_visibility:g}"
        parts.append(f"and {code(request.upscaler_2)}{share}")
    for name, visible in (("GFPGAN", request.gfpgan), ("CodeFormer", request.codeformer)):
        if visible is not UNSET:
            parts.append(f"{name} {visible:g}")
    return parts


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
