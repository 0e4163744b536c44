"""The plate at the picture's foot: the prompt, readable, and the seed. Knows only Pillow."""

from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from playground.webui.art.colour import Colour, mix

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_MOST_LINES = 3
_WHITE = (255, 255, 255)


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate laid out for one picture; lengths are pixels, `top` is its upper edge in the picture."""

    lines: list[str]
    size: int
    margin: int
    inner: int
    top: int
    bottom: int


def plan_plate(size: tuple[int, int], prompt: str) -> Plate:
    """Lay the plate out for a picture of that size."""
    wide, high = size
    text_size = max(min(wide, high) // 26, 8)
    margin, inner = max(wide // 40, 2), max(text_size * 3 // 4, 2)
    most = max(min(_MOST_LINES, (high // 3 - 2 * inner) // _line_high(text_size) - 1), 1)
    lines = wrap(_printable(prompt) or "(no prompt)", _font(text_size), wide - 2 * (margin + inner), most)
    bottom = high - margin
    box_high = _line_high(text_size) * (len(lines) + 1) + int(1.4 * inner)
    return Plate(lines, text_size, margin, inner, bottom - box_high, bottom)


def add_plate(image: Image.Image, plate: Plate, seed: int, accent: Colour) -> None:
    """Put the plate on the picture."""
    _darken(image, (plate.margin, plate.top, image.width - plate.margin, plate.bottom), radius=plate.inner)
    draw = ImageDraw.Draw(image)
    x, y = plate.margin + plate.inner, plate.top + plate.inner * 0.6
    for line in plate.lines:
        draw.text((x, y), line, font=_font(plate.size), fill=_WHITE)
        y += _line_high(plate.size)
    small = _font(max(int(plate.size * 0.82), 8))
    draw.text((x, y + plate.size * 0.08), f"seed {seed}", font=small, fill=mix(accent, _WHITE, 0.25))


def _line_high(size: int) -> int:
    return int(size * 1.3)


def _darken(image: Image.Image, box: tuple[int, int, int, int], radius: int) -> None:
    size = (max(box[2] - box[0], 1), max(box[3] - box[1], 1))
    finer = 2
    mask = Image.new("L", (size[0] * finer, size[1] * finer))
    corners = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corners, radius * finer, fill=168)
    image.paste((12, 14, 24), (box[0], box[1]), mask.reduce(finer))


def _printable(text: str) -> str:
    # A lone surrogate can stand in JSON but not in a font's text.
    return " ".join(text.encode("utf-8", "replace").decode().replace("\0", " ").split())


def wrap(text: str, font: Font, width: int, most: int) -> list[str]:
    """The text in at most that many lines of that width in pixels; what is cut off becomes an ellipsis."""
    lines: list[str] = []
    rest = text[:400]  # more never fits, and measuring it costs
    while rest and len(lines) < most:
        line = _fitting(rest, font, width)
        rest = rest[len(line) :].lstrip()
        lines.append(line.rstrip())
    if rest:
        lines[-1] = _shorten(lines[-1], font, width)
    return lines


def _fitting(text: str, font: Font, width: int) -> str:
    low, high = 1, len(text)
    while low < high:  # the longest beginning that fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    if low == len(text):
        return text
    space = text.rfind(" ", 0, low + 1)
    return text[:space] if space > 0 else text[:low]


def _shorten(line: str, font: Font, width: int) -> str:
    while line and font.getlength(f"{line}...") > width:
        line = line[:-1]
    return f"{line.rstrip(' ,')}..."
