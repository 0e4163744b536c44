"""Contact sheets: every picture in its place, words that fit, bounds in pixels and bytes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from core.images.lettering import ELLIPSIS, Lettering
from core.images.sheet import CARD, LONGEST_SIDE, PAPER, Cell, Plan, columns_for, draw_sheet

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30), (30, 200, 200), (200, 30, 200)]


def cell(folder: Path, number: int, size: tuple[int, int] = (300, 200), label: str = "", kind: str = "png") -> Cell:
    path = folder / f"{number}.{kind}"
    Image.new("RGB", size, COLOURS[number % len(COLOURS)]).save(path)
    return Cell(path=path, width=size[0], height=size[1], label=label)


def drawn(plan: Plan, **limits: int) -> Image.Image:
    image = Image.open(io.BytesIO(draw_sheet(plan, **limits)))
    assert image.format == "JPEG"
    return image.convert("RGB")


def order(sheet: Image.Image) -> list[int]:
    """The pictures in the order in which their colours are met, row by row."""
    met: list[int] = []
    for y in range(0, sheet.height, 20):
        for x in range(0, sheet.width, 20):
            near = [n for n, colour in enumerate(COLOURS) if is_near(sheet.getpixel((x, y)), colour)]
            met += [number for number in near if number not in met]
    return met


def is_near(pixel: object, colour: tuple[int, int, int], far: int = 24) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= far for one, other in zip(pixel, colour, strict=True))


def test_every_picture_is_there_in_its_order(tmp_path: Path) -> None:
    kinds = ["png", "jpg", "webp", "png", "jpg", "webp"]
    cells = tuple(cell(tmp_path, number, label=f"seed {number}", kind=kinds[number]) for number in range(6))
    sheet = drawn(Plan(cells=cells, title="a fox"))
    assert order(sheet) == list(range(6))
    assert is_near(sheet.getpixel((1, 1)), PAPER)


def test_a_table_has_its_rows_below_each_other_and_room_for_headings(tmp_path: Path) -> None:
    cells = tuple(cell(tmp_path, number) for number in range(6))
    bare = drawn(Plan(cells=cells, columns=("", "", ""), rows=("", "")))
    named = drawn(Plan(cells=cells, columns=("cfg 5", "cfg 6", "cfg 7"), rows=("steps 10", "steps 20")))
    assert order(named) == list(range(6))
    assert named.width > bare.width
    assert named.height > bare.height


@pytest.mark.parametrize("damage", ["missing", "damaged", "unknown"])
def test_what_can_not_be_read_is_an_empty_cell(tmp_path: Path, damage: str) -> None:
    cells = [cell(tmp_path, number) for number in range(3)]
    path = cells[1].path
    assert path is not None
    if damage == "missing":
        path.unlink()
    elif damage == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    else:
        cells[1] = Cell(path=None, width=300, height=200)
    sheet = drawn(Plan(cells=tuple(cells)))
    assert order(sheet) == [0, 2]
    empty = [
        (x, y) for x in range(0, sheet.width, 10) for y in range(0, sheet.height, 10)
        if is_near(sheet.getpixel((x, y)), CARD, 4)
    ]  # fmt: skip
    assert len(empty) > 200


@pytest.mark.parametrize("size", [(2048, 2048), (64, 2048), (4096, 256), (64, 64), (1, 1)])
@pytest.mark.parametrize("count", [1, 2, 7, 10])
def test_no_sheet_is_larger_than_it_may_be(size: tuple[int, int], count: int) -> None:
    cells = (Cell(path=None, width=size[0], height=size[1], label="word " * 50),) * count
    rows = tuple("x" * 500 for _ in range(count))
    for plan in (Plan(cells=cells, title="y " * 900), Plan(cells=cells, columns=("wide " * 90,), rows=rows)):
        assert max(drawn(plan).size) <= LONGEST_SIDE


def test_a_sheet_keeps_to_its_bytes(tmp_path: Path) -> None:
    cells = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        Image.effect_noise((500, 500), 120).save(path)
        cells.append(Cell(path=path, width=500, height=500))
    plan = Plan(cells=tuple(cells))
    assert len(draw_sheet(plan)) > 60_000
    assert len(draw_sheet(plan, limit=60_000)) <= 60_000
    with pytest.raises(ValueError, match="fits"):
        draw_sheet(plan, limit=500)


def test_transparency_shows_the_card(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (300, 300), (255, 0, 0, 0)).save(path)
    sheet = drawn(Plan(cells=(Cell(path=path, width=300, height=300),)))
    assert is_near(sheet.getpixel((sheet.width // 2, sheet.height // 2)), CARD, 4)


def test_there_is_no_sheet_of_nothing() -> None:
    with pytest.raises(ValueError, match="without pictures"):
        draw_sheet(Plan(cells=()))


@pytest.mark.parametrize(
    ("count", "ratio", "across"), [(4, 1.0, 2), (6, 1.0, 3), (6, 2 / 3, 3), (9, 1.0, 3), (10, 2 / 3, 5), (5, 1.0, 3)]
)
def test_the_grid_suits_the_pictures(count: int, ratio: float, across: int) -> None:
    assert columns_for(count, ratio) == across


def test_words_are_wrapped_cut_and_broken() -> None:
    letters = Lettering(16)
    assert letters.wrap("a fox", 500, lines=2) == ["a fox"]
    lines = letters.wrap("a red fox in the deep snow of the north", 100, lines=2)
    assert len(lines) == 2
    assert lines[1].endswith(ELLIPSIS)
    broken = letters.wrap("x" * 60, 100, lines=9)
    assert "".join(broken) == "x" * 60
    assert letters.width([*lines, *broken]) <= 101
    assert letters.wrap("", 100, lines=2) == []


def test_what_the_font_lacks_is_left_out() -> None:
    assert Lettering(16).legible("a 狐狸 fox, größer") == f"a {ELLIPSIS} fox, grosser"
