"""Sizes as people say them: `832x1216`, `16:9`, `portrait`. Pure: it reads text and answers with pixels."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from core.errors import UserError

AREA = 1024 * 1024
"""Pixels of a size that was given as a shape; what SDXL and later models were trained on."""
MULTIPLE = 64
"""Shapes are rounded to multiples of this many pixels, which every model accepts."""
EXAMPLES = "Write it like 832x1216, 16:9 or portrait"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


SHAPES = {
    "square": (1, 1),
    "portrait": (3, 4),
    "landscape": (4, 3),
    "tall": (9, 16),
    "wide": (16, 9),
    "photo": (3, 2),
    "poster": (2, 3),
    "cinema": (21, 9),
}
"""Named shapes and their width : height."""
POPULAR = ("512x512", "512x768", "768x512", "832x1216", "1216x832", "1024x1024")

_PIXELS = re.compile(r"(\d{1,9})\s*[x×*]\s*(\d{1,9})", re.IGNORECASE)
_RATIO = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*[:/]\s*(\d{1,3}(?:\.\d{1,3})?)")


def parse_shape(text: str) -> tuple[int, int] | None:
    """The width : height of a ratio or a named shape, in whole numbers; None for pixels. UserError as `parse_size`."""
    said = text.strip().casefold()
    parse_size(said)
    if match := _RATIO.fullmatch(said):
        return round(float(match[1]) * 1000), round(float(match[2]) * 1000)
    return SHAPES.get(said)


def parse_size(text: str) -> Size:
    """`832x1216` as it stands; ratios and named shapes as about one megapixel. UserError where it is neither.

    Limits are not looked at here (core.limits clamps), but a side of 0 and a ratio of 0 are refused.
    """
    said = text.strip().casefold()
    if said in SHAPES:
        return shape(*SHAPES[said])
    if match := _PIXELS.fullmatch(said):
        width, height = int(match[1]), int(match[2])
        if width == 0 or height == 0:
            raise UserError(f"A picture can't have a side of 0 pixels. {EXAMPLES}.")
        return Size(width, height)
    if match := _RATIO.fullmatch(said):
        across, down = float(match[1]), float(match[2])
        if across == 0 or down == 0:
            raise UserError(f"A shape can't have a side of 0. {EXAMPLES}.")
        return shape(across, down)
    raise UserError(f"That is not a size I understand. {EXAMPLES}; shapes: {', '.join(SHAPES)}.")


def shape(across: float, down: float) -> Size:
    """The size of about one megapixel, in multiples of 64, that comes nearest to `across : down`."""
    ratio = min(max(across / down, 1 / 4), 4.0)
    return Size(_round(math.sqrt(AREA * ratio)), _round(math.sqrt(AREA / ratio)))


def suggest_sizes(typed: str) -> list[str]:
    """What autocomplete offers for `typed`: shapes with their pixels first, then popular sizes; at most 25."""
    said = typed.strip().casefold()
    offers = [f"{name} {shape(*ratio)}" for name, ratio in SHAPES.items()]
    offers += [f"{text} {shape(*(float(side) for side in text.split(':')))}" for text in ("16:9", "9:16", "3:2", "2:3")]
    offers += POPULAR
    return [offer for offer in offers if said in offer.casefold()][:25]


def _round(side: float) -> int:
    return max(MULTIPLE, round(side / MULTIPLE) * MULTIPLE)
