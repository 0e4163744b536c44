"""What a family says of a request, as a layer for core.defaults.merge, and shapes in its number of pixels. Pure.

Samplers and schedulers are named as AUTOMATIC1111 names them. Whether a webui has them is for the caller to look up:
a name that it lacks is to be left out of the layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.families.family import SETTINGS, Family

MEGAPIXEL = 1024 * 1024
"""Pixels of a shape where the family says nothing of them; what SDXL and later models were trained on."""
SIZE = ("width", "height")


def defaults_for(family: Family, *, size: bool = True) -> Mapping[str, Any]:
    """Only what the family says. Without `size`, for a person who gave a shape or one side, no width and height."""
    names = SETTINGS if size else [name for name in SETTINGS if name not in SIZE]
    said = {name: getattr(family, name) for name in names}
    return {name: value for name, value in said.items() if value is not None}


def fit(ratio: float, family: Family) -> tuple[int, int]:
    """Width and height of about the family's number of pixels that come nearest to `ratio`, width divided by height.

    In multiples of the family's own; shapes longer than 4:1 are taken as 4:1. `ratio` is a positive number.
    """
    ratio = min(max(ratio, 1 / 4), 4.0)
    pixels = family.pixels or MEGAPIXEL
    return _round(math.sqrt(pixels * ratio), family.multiple), _round(math.sqrt(pixels / ratio), family.multiple)


def _round(side: float, multiple: int) -> int:
    return max(multiple, round(side / multiple) * multiple)
