"""How large an upscale becomes: a factor, a size or a shape, within limits, and never smaller than its image. Pure."""

from __future__ import annotations

import math
from dataclasses import replace

from msgspec import UNSET

from core.errors import UserError
from core.limits import Checked, Limits, clamp_numbers
from core.request import GenerationRequest


def check_upscale(request: GenerationRequest, limits: Limits) -> Checked:
    """Bring an upscale within `limits` and work out its finished size; UserError where that is too large or too small.

    A shape becomes the smallest size of that shape in which the whole image has room. ValueError where the image's
    size is not known yet.
    """
    notes: list[str] = []
    request = clamp_numbers(request, limits, notes)
    if request.width is UNSET or request.height is UNSET:
        raise ValueError("an image is taken in before its finished size can be known")
    image = (request.width, request.height)
    width, height = _finished(request, image)
    if width * height > limits.upscale_pixels or max(width, height) > limits.upscale_side:
        raise UserError(
            f"The picture would be {width}x{height}; at most {limits.upscale_side} pixels a side and "
            f"{limits.upscale_pixels / 1e6:.1f} million in all are made here."
            + ("" if request.upscale_factor is UNSET else f" {_largest(image, limits)}")
        )
    if width < image[0] and height < image[1]:
        raise UserError(
            f"Your image has {image[0]}x{image[1]} pixels already, so {width}x{height} would make it smaller. Say a "
            "larger size, or a factor."
        )
    return Checked(replace(request, shape=UNSET, upscale_width=width, upscale_height=height), tuple(notes))


def _finished(request: GenerationRequest, image: tuple[int, int]) -> tuple[int, int]:
    if request.upscale_factor is not UNSET:
        # As A1111 and its family floor it.
        return int(image[0] * request.upscale_factor), int(image[1] * request.upscale_factor)
    if request.shape is not UNSET:
        across, down = request.shape
        # In whole numbers: -(-a // b) is a / b, rounded up.
        return max(image[0], -(-image[1] * across // down)), max(image[1], -(-image[0] * down // across))
    if request.upscale_width is UNSET or request.upscale_height is UNSET:
        raise ValueError("an upscale has a factor, a size or a shape")
    return request.upscale_width, request.upscale_height


def _largest(image: tuple[int, int], limits: Limits) -> str:
    """The factor that just keeps the limits, rounded down to a tenth."""
    most = min(limits.upscale_side / max(image), math.sqrt(limits.upscale_pixels / (image[0] * image[1])))
    return f"The largest factor for this image is {math.floor(most * 10) / 10:g}."
