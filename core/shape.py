"""The size of a picture that an image gives its shape to, where nobody said a size. Pure.

A checkpoint draws well at about its family's number of pixels; a photo has forty times as many.
"""

from __future__ import annotations

import math
from dataclasses import replace

from msgspec import UNSET

from core.errors import UserError
from core.families.defaults import MEGAPIXEL, fit
from core.families.family import Family
from core.limits import LONGEST_SHAPE
from core.request import GenerationRequest
from core.size import EXAMPLES

ROOM = 1.5
"""So many times the family's pixels an image may have and keep its own size: 512x768 is a usual one of SD 1.5's."""
_EIGHT = 8


def shaped(asked: GenerationRequest, family: Family) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The request with a size for its image's shape, and notes on that; UserError where there can be none.

    What is drawn over keeps its size up to about the family's pixels, and else gets so many, as near to its shape as
    multiples of 8 allow: webuis stretch it. A picture that is only guided gets the family's own size in that shape, in
    the family's multiples; the image is cut to it. Of an unknown family a megapixel is assumed, and small images are
    left as they are.
    """
    if asked.shape is UNSET:
        return asked, ()
    width, height = asked.shape
    asked = replace(asked, shape=UNSET)
    if asked.width is not UNSET or asked.height is not UNSET:
        return asked, ()
    is_large = width * height > ROOM * (family.pixels or MEGAPIXEL)
    if asked.image is UNSET:
        if is_large or family.pixels or _is_too_long(width, height):
            width, height = fit(width / height, family)
        return replace(asked, width=width, height=height), ()
    if _is_too_long(width, height):
        raise UserError(
            f"Your image has {width}x{height} pixels, which is too long a shape for a picture: say a size, too. "
            f"{EXAMPLES}."
        )
    if not is_large:
        return replace(asked, width=width, height=height), ()
    scale = math.sqrt((family.pixels or MEGAPIXEL) / (width * height))
    across, down = (max(_EIGHT, round(side * scale / _EIGHT) * _EIGHT) for side in (width, height))
    note = f"Size set to {across}x{down}, your image's shape: it has {width}x{height} itself. Say a size for another."
    return replace(asked, width=across, height=down), (note,)


def _is_too_long(width: int, height: int) -> bool:
    short, long = sorted((width, height))
    return long > LONGEST_SHAPE * short
