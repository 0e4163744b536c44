"""One labelled picture of many: a contact sheet, or a table with headings for what is compared. Pillow; no network.

It knows files and words, and neither jobs nor Discord. It blocks: call it in a thread.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from core.errors import UnreadableAnswer
from core.images.decoding import PILLOW_ERRORS, open_header
from core.images.kinds import kind_of_extension
from core.images.lettering import Lettering

LONGEST_SIDE: Final = 4096
"""Pixels of the whole sheet's longer side, at most."""
PICTURE_SIDE: Final = 640
"""Pixels of a picture's longer side on it, at most."""
LEAST_CELL: Final = 200
"""So wide a cell is at least: words have to find room below it."""
BYTES: Final = 4 * 2**20
SMALLEST_SIDE: Final = 128
"""A sheet that is too large in bytes at this side can't be made."""
QUALITIES: Final = (90, 80, 65, 50)

PAPER: Final = (30, 31, 34)
CARD: Final = (43, 45, 49)
INK: Final = (242, 243, 245)
FAINT: Final = (181, 186, 193)
"""Light on dark, in the greys of Discord's dark theme."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A picture: its file, its size in pixels, and the words below it. Without its file the cell stays empty."""

    path: Path | None
    width: int
    height: int
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be on the sheet, row by row. With headings for the columns and rows it is a table."""

    cells: tuple[Cell, ...]
    title: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()


def draw_sheet(plan: Plan, *, limit: int = BYTES) -> bytes:
    """The sheet as a JPEG of at most `limit` bytes.

    ValueError where there is no cell, or `limit` is too little for any sheet.
    """
    image = _Drawing(plan).draw()
    while max(image.size) >= SMALLEST_SIDE:
        for quality in QUALITIES:
            if len(data := _encode(image, quality)) <= limit:
                return data
        image = image.resize((max(image.width // 2, 1), max(image.height // 2, 1)), Image.Resampling.LANCZOS)
    raise ValueError(f"no sheet fits into {limit} bytes")


def columns_for(count: int, ratio: float) -> int:
    """How many pictures of this ratio (width divided by height) stand side by side: few gaps, and no long strip."""

    def badness(across: int) -> float:
        down = math.ceil(count / across)
        shape = abs(math.log(across * ratio / down / 1.4))  # about as wide as a screen
        return shape + 0.5 * (across * down - count)

    return min(range(1, count + 1), key=badness)


def _encode(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


class _Drawing:
    """Where everything goes, in pixels: a cell's picture is `wide` × `high`, and words stand below it."""

    def __init__(self, plan: Plan) -> None:
        if not plan.cells:
            raise ValueError("a sheet without pictures")
        self.plan = plan
        width, height = max(cell.width for cell in plan.cells), max(cell.height for cell in plan.cells)
        self.across = len(plan.columns) or columns_for(len(plan.cells), width / height)
        self.down = max(len(plan.rows), math.ceil(len(plan.cells) / self.across))
        room = LONGEST_SIDE * 0.8 / max(self.across, self.down)  # the rest is for gaps and words
        self.scale = min(1.0, PICTURE_SIDE / max(width, height), room / max(width, height))
        self.wide = max(LEAST_CELL, round(width * self.scale))
        self.high = max(1, round(height * self.scale))
        self.gap = max(8, self.wide // 40)
        self.letters = Lettering(min(30, max(15, self.wide // 19)))
        self.large = Lettering(min(40, max(18, self.wide // 15)))
        self._wrap()

    def _wrap(self) -> None:
        """The words in lines, as the room is; what they take decides where the pictures stand."""
        plan, letters, gap = self.plan, self.letters, self.gap
        step = self.wide + gap
        side = min(letters.width(plan.rows), round(self.wide * 0.7))
        self.heads = [letters.wrap(text, self.wide, lines=3) for text in plan.columns]
        self.sides = [letters.wrap(text, side, lines=6) for text in plan.rows]
        self.labels = [letters.wrap(cell.label, self.wide, lines=2) for cell in plan.cells]
        self.margin = 2 * gap
        self.left = self.margin + (side + 2 * gap if side else 0)
        self.width = self.left + self.across * step - gap + self.margin
        self.title = self.large.wrap(plan.title, self.width - 2 * self.margin, lines=2)
        self.head_lines = max(map(len, self.heads), default=0)
        self.head_at = self.margin + self.large.height(len(self.title)) + gap * bool(self.title)
        self.top = self.head_at + letters.height(self.head_lines) + gap * bool(self.head_lines)
        lines = max(map(len, self.labels))
        self.step = step, self.high + (letters.height(lines) + gap // 2 if lines else 0) + gap
        self.height = self.top + self.down * self.step[1] - gap + self.margin

    def draw(self) -> Image.Image:
        """All of it."""
        sheet = Image.new("RGB", (self.width, self.height), PAPER)
        pen = ImageDraw.Draw(sheet)
        self._write_headings(pen)
        for number, (cell, lines) in enumerate(zip(self.plan.cells, self.labels, strict=True)):
            x = self.left + number % self.across * self.step[0]
            y = self.top + number // self.across * self.step[1]
            pen.rounded_rectangle((x, y, x + self.wide - 1, y + self.high - 1), self.gap // 2, fill=CARD)
            if (picture := self._picture(cell)) is not None:
                mask = _rounded(picture.size, self.gap // 2)
                sheet.paste(
                    picture, (x + (self.wide - picture.width) // 2, y + (self.high - picture.height) // 2), mask
                )
            self.letters.write_centred(pen, (x, y + self.high + self.gap // 2), self.wide, lines, FAINT)
        return sheet

    def _write_headings(self, pen: ImageDraw.ImageDraw) -> None:
        letters = self.letters
        self.large.write(pen, (self.margin, self.margin), self.title, INK)
        for column, lines in enumerate(self.heads):
            y = self.head_at + letters.height(self.head_lines - len(lines))  # they stand on the pictures
            letters.write_centred(pen, (self.left + column * self.step[0], y), self.wide, lines, INK)
        for row, lines in enumerate(self.sides):
            y = self.top + row * self.step[1] + (self.high - letters.height(len(lines))) // 2
            letters.write(pen, (self.margin, y), lines, INK)

    def _picture(self, cell: Cell) -> Image.Image | None:
        """The picture in its size on the sheet; None where there is none, or it is damaged."""
        size = max(1, round(cell.width * self.scale)), max(1, round(cell.height * self.scale))
        if cell.path is None:
            return None
        try:
            image = open_header(cell.path.read_bytes(), kind_of_extension(cell.path.suffix[1:]))
            image.draft("RGB", size)
            image.thumbnail(size, Image.Resampling.LANCZOS)
            return _on_card(image)
        except (UnreadableAnswer, *PILLOW_ERRORS):
            return None


def _on_card(image: Image.Image) -> Image.Image:
    """Without transparency: what is behind it is the card."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    card = Image.new("RGBA", image.size, (*CARD, 255))
    card.alpha_composite(image.convert("RGBA"))
    return card.convert("RGB")


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    """A mask with round corners, drawn larger so that they are smooth."""
    mask = Image.new("L", (size[0] * 2, size[1] * 2))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] * 2 - 1, size[1] * 2 - 1), radius * 2, fill=255)
    return mask.resize(size, Image.Resampling.LANCZOS)
