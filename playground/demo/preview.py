"""A picture as rows of coloured half blocks: two pixels to a character. It reads a file and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

_COLUMNS: Final = 56
_ROWS: Final = 18
_HALF: Final = "▀"
_RESET: Final = "\x1b[0m"


def picture_rows(path: Path, *, room: int, all_colours: bool) -> list[str]:
    """The picture in at most `room` columns, each row with its colour codes.

    `all_colours`: 24-bit codes; else the 6x6x6 cube that every terminal with 256 colours has.
    """
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    scale = min(min(room, _COLUMNS) / image.width, 2 * _ROWS / image.height)
    width, height = max(round(image.width * scale), 1), max(round(image.height * scale / 2), 1)
    small = image.resize((width, 2 * height), Image.Resampling.LANCZOS)
    data = small.tobytes()
    pixels = [(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3)]
    code = _true_colour if all_colours else _cube_colour
    rows = []
    for row in range(height):
        upper = pixels[2 * row * width : (2 * row + 1) * width]
        lower = pixels[(2 * row + 1) * width : (2 * row + 2) * width]
        cells = (f"\x1b[{code(38, top)};{code(48, bottom)}m{_HALF}" for top, bottom in zip(upper, lower, strict=True))
        rows.append("".join(cells) + _RESET)
    return rows


def _true_colour(layer: int, pixel: tuple[int, int, int]) -> str:
    red, green, blue = pixel
    return f"{layer};2;{red};{green};{blue}"


def _cube_colour(layer: int, pixel: tuple[int, int, int]) -> str:
    red, green, blue = (round(channel / 255 * 5) for channel in pixel)
    return f"{layer};5;{16 + 36 * red + 6 * green + blue}"
