"""Things people made, standing on the lower edge of the box. Knows only a pen."""

import random

from playground.webui.art.colour import hex_colour, mix
from playground.webui.art.pen import Pen

_INK = hex_colour("20222b")
_LIT = hex_colour("ffd98a")
_WHITE = hex_colour("f7f3ea")


def lighthouse(pen: Pen, rng: random.Random) -> None:
    """A striped tower whose lamp throws two beams."""
    band = hex_colour(rng.choice(["c8433f", "2b5d8a", "3b7a57"]))
    for side in (-1, 1):
        pen.shape([(50, 17), (50 + side * 60, 2), (50 + side * 60, 30)], (*_LIT, 80))
    pen.blob([(18, 100), (26, 90), (44, 86), (62, 87), (76, 92), (84, 100)], hex_colour("4a4a52"))
    for index in range(5):
        top, bottom = 26 + index * 13, 26 + (index + 1) * 13
        left, right = 41 - (top - 26) * 0.13, 59 + (top - 26) * 0.13
        lower_left, lower_right = 41 - (bottom - 26) * 0.13, 59 + (bottom - 26) * 0.13
        colour = _WHITE if index % 2 else band
        pen.shape([(left, top), (right, top), (lower_right, bottom), (lower_left, bottom)], colour)
        middle = (left + right) / 2 + 3
        dark = (*_INK, 50)
        pen.shape([(middle, top), (right, top), (lower_right, bottom), (middle, bottom)], dark)
    pen.box(37, 23, 63, 26.5, _INK, round_=1)
    pen.box(43, 11, 57, 23, _LIT)
    for x in (43, 50, 57):
        pen.line([(x, 11), (x, 23)], 1, _INK)
    pen.shape([(40, 11.5), (60, 11.5), (50, 2)], band)
    pen.box(46, 78, 54, 91, _INK, round_=3)
    for y in (44, 62):
        pen.box(47.5, y, 52.5, y + 6, _LIT, round_=2)


def castle(pen: Pen, rng: random.Random) -> None:
    """A castle with pointed towers, flags and lit windows."""
    stone = hex_colour(rng.choice(["a39a92", "b9aa94", "8f97a3"]))
    roof = hex_colour(rng.choice(["7a3b4e", "35507a", "4c6b4f"]))
    shade = mix(stone, _INK, 0.3)
    for x, top in ((50, 22), (22, 38), (78, 38)):
        pen.box(x - 9, top, x + 9, 100, shade)
        pen.shape([(x - 12, top + 1), (x + 12, top + 1), (x, top - 19)], roof)
        pen.line([(x, top - 19), (x, top - 27)], 0.8, _INK)
        pen.shape([(x, top - 27), (x + 9, top - 24), (x, top - 21)], hex_colour("e0a83a"))
        pen.box(x - 2, top + 8, x + 2, top + 16, _LIT, round_=2)
    pen.box(8, 62, 92, 100, stone)
    for index in range(9):
        pen.box(8 + index * 9.9, 56, 13 + index * 9.9, 63, stone)
    for x in (20, 34, 66, 80):
        pen.box(x - 1.6, 70, x + 1.6, 78, _INK, round_=1.6)
    pen.box(41, 76, 59, 110, _INK, round_=9)
    for x in (45, 50, 55):
        pen.line([(x, 78), (x, 100)], 0.8, shade)
    for x, y in ((14, 86), (28, 92), (68, 87), (84, 93), (33, 82), (72, 69)):
        pen.box(x, y, x + 6, y + 2.4, shade)


def house(pen: Pen, rng: random.Random) -> None:
    """A cottage with light in its windows and smoke over its chimney."""
    wall = hex_colour(rng.choice(["efe2c8", "d9c0a3", "c9d6d3"]))
    roof = hex_colour(rng.choice(["8c3f36", "5a4a6a", "6b4a2f"]))
    for index, (x, y) in enumerate(((70, 28), (74, 19), (71, 9))):
        pen.oval(x, y, 4 + index * 2, 3 + index * 1.5, (235, 235, 240, 150 - index * 40))
    pen.box(64, 32, 73, 56, mix(roof, _INK, 0.35))
    pen.box(18, 60, 82, 100, wall)
    pen.shape([(10, 62), (50, 32), (90, 62)], roof)
    pen.shape([(50, 32), (90, 62), (50, 62)], (*_INK, 40))
    pen.box(44, 74, 57, 101, mix(roof, _INK, 0.3), round_=2)
    pen.dot(54, 88, 1.2, _LIT)
    for x in (24, 64):
        pen.box(x, 70, x + 13, 84, _INK, round_=1)
        pen.box(x + 1, 71, x + 6, 76.5, _LIT)
        pen.box(x + 7, 71, x + 12, 76.5, _LIT)
        pen.box(x + 1, 77.5, x + 6, 83, _LIT)
        pen.box(x + 7, 77.5, x + 12, 83, _LIT)


def boat(pen: Pen, rng: random.Random) -> None:
    """A sailing boat."""
    hull = hex_colour(rng.choice(["8a4b32", "35577d", "7d2f3d"]))
    sail = hex_colour(rng.choice(["f8f1de", "f2d7c0", "dfeaf0"]))
    pen.line([(50, 14), (50, 84)], 1.6, _INK)
    pen.shape([(52, 16), (52, 76), (86, 74)], sail)
    pen.shape([(48, 22), (48, 76), (20, 74)], mix(sail, _INK, 0.12))
    pen.shape([(50, 14), (50, 20), (60, 17)], hex_colour("d94f4f"))
    pen.blob([(10, 80), (50, 82), (92, 79), (82, 94), (68, 98), (30, 98), (18, 93)], hull)
    pen.line([(14, 84), (50, 86), (88, 83)], 1.6, _WHITE)
    for x, wide in ((26, 14), (58, 18), (82, 10)):
        pen.line([(x - wide, 98), (x, 97), (x + wide, 98)], 1, (255, 255, 255, 150))


def robot(pen: Pen, rng: random.Random) -> None:
    """A friendly robot with glowing eyes."""
    metal = hex_colour(rng.choice(["9fb1c1", "c2b59b", "8fb3a5", "b79ab8"]))
    glow = hex_colour(rng.choice(["5ff2ff", "9dff7a", "ffb04a"]))
    shade, light = mix(metal, _INK, 0.4), mix(metal, _WHITE, 0.5)
    pen.line([(50, 18), (50, 8)], 1.8, shade)
    pen.dot(50, 6, 4, glow)
    for side in (-1, 1):
        x = 50 + side * 31
        pen.line([(50 + side * 22, 56), (x, 62), (x + side * 2, 76)], 5, shade)
        pen.dot(x + side * 2, 79, 5, metal)
        pen.box(50 + side * 11 - 6, 84, 50 + side * 11 + 6, 97, shade)
        pen.box(50 + side * 13 - 9, 94, 50 + side * 13 + 9, 100, metal, round_=3)
    pen.box(27, 49, 73, 88, metal, round_=7)
    pen.box(34, 56, 66, 76, shade, round_=4)
    for index, height in enumerate((5, 11, 8, 14, 6)):
        pen.box(38 + index * 5.2, 73 - height, 41 + index * 5.2, 73, glow)
    pen.box(44, 44, 56, 50, shade)
    pen.box(28, 17, 72, 46, metal, round_=9)
    pen.box(28, 17, 72, 25, (*light, 120), round_=8)
    pen.box(33, 24, 67, 40, _INK, round_=6)
    for side in (-1, 1):
        pen.dot(50 + side * 9, 31, 4.6, glow)
        pen.dot(51.4 + side * 9, 29.6, 1.4, _WHITE)
        pen.box(50 + side * 24 - 3, 27, 50 + side * 24 + 3, 37, shade, round_=2)
    pen.line([(44, 36.5), (50, 38.2), (56, 36.5)], 1.2, glow)


def rocket(pen: Pen, rng: random.Random) -> None:
    """A rocket that has just left."""
    trim = hex_colour(rng.choice(["d9483b", "3f6fb5", "7a4fa3"]))
    for wide, high, colour in ((11, 22, "ff7a2f"), (7, 15, "ffc44d"), (4, 8, "fff6d0")):
        pen.blob([(50 - wide, 76), (50, 74), (50 + wide, 76), (50, 78 + high)], hex_colour(colour))
    for side in (-1, 1):
        pen.blob([(50 + side * 13, 52), (50 + side * 30, 74), (50 + side * 27, 82), (50 + side * 12, 74)], trim)
    pen.blob([(50, 2), (64, 20), (67, 46), (60, 76), (40, 76), (33, 46), (36, 20)], _WHITE)
    pen.blob([(50, 2), (59, 11), (63, 20), (50, 22), (37, 20), (41, 11)], trim)
    pen.dot(50, 38, 9, trim)
    pen.dot(50, 38, 6.4, hex_colour("a8dcf0"))
    pen.dot(48, 36, 2, _WHITE)
    pen.box(38, 62, 62, 66, trim)


def balloon(pen: Pen, rng: random.Random) -> None:
    """A hot-air balloon, striped."""
    first = hex_colour(rng.choice(["d9483b", "2f7f8f", "7a4fa3", "e08a2e"]))
    second = hex_colour("f8ead0")
    for wide, colour in ((30, first), (22, second), (13, first), (5, second)):
        pen.blob(
            [
                (50, 4),
                (50 + wide, 18),
                (50 + wide, 40),
                (50 + wide * 0.3, 68),
                (50 - wide * 0.3, 68),
                (50 - wide, 40),
                (50 - wide, 18),
            ],
            colour,
        )
    for x in (43, 57):
        pen.line([(x, 66), (50 + (x - 50) * 0.6, 82)], 0.8, _INK)
    pen.box(43, 82, 57, 94, hex_colour("8a5a32"), round_=2)
    pen.line([(43, 86), (57, 86)], 1, hex_colour("5d3b20"))
