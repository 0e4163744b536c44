"""Sitting animals, seen from the front, with their feet on the lower edge of the box. Knows only a pen."""

import random

from playground.webui.art.colour import Colour, hex_colour, mix
from playground.webui.art.pen import Pen

_INK = hex_colour("241c1c")
_WHITE = (255, 255, 255)
_PINK = hex_colour("ee8d9a")


def dog(pen: Pen, rng: random.Random) -> None:
    """A puppy with hanging ears and its tongue out."""
    fur = hex_colour(rng.choice(["c98d4f", "e0b878", "8a5a3a", "b7a595", "d9a066"]))
    shade, light = mix(fur, _INK, 0.3), mix(fur, _WHITE, 0.65)
    pen.line([(70, 88), (82, 80), (88, 66)], 7, fur)
    _body(pen, fur, shade, light)
    pen.oval(45, 34, 23, 21, fur)
    for side in (-1, 1):
        ear = [(45 + side * x, y) for x, y in ((17, 17), (27, 20), (31, 36), (26, 48), (19, 40))]
        pen.blob(ear, shade)
    pen.oval(45, 44, 13, 10, light)
    pen.oval(45, 55, 4, 6, _PINK)
    pen.oval(45, 49, 8, 4, light)
    _face(pen, 45, 31, 8.5, _INK)
    pen.oval(45, 40, 4.6, 3.4, _INK)
    pen.line([(45, 43), (45, 47), (40, 50)], 1.2, _INK)
    pen.line([(45, 47), (50, 50)], 1.2, _INK)
    pen.line([(33, 64), (45, 68), (57, 64)], 4, hex_colour(rng.choice(["d1495b", "2a6f97", "4f9d69"])))
    pen.dot(45, 70, 3, hex_colour("f4c95d"))


def cat(pen: Pen, rng: random.Random) -> None:
    """A cat with a long tail and whiskers."""
    fur = hex_colour(rng.choice(["55565f", "d98b45", "e8dccb", "3b3640", "a58f7d"]))
    shade, light = mix(fur, _INK, 0.35), mix(fur, _WHITE, 0.7)
    pen.line([(66, 94), (86, 90), (90, 72), (82, 60), (86, 52)], 6, shade)
    _body(pen, fur, shade, light)
    for side in (-1, 1):
        pen.shape([(45 + side * 8, 20), (45 + side * 23, 6), (45 + side * 21, 32)], fur)
        pen.shape([(45 + side * 12, 19), (45 + side * 20, 11), (45 + side * 19, 27)], _PINK)
    pen.oval(45, 36, 23, 19, fur)
    pen.oval(45, 45, 11, 7, light)
    for side in (-1, 1):
        pen.oval(45 + side * 10, 34, 5, 5.5, hex_colour("9bd46a"))
        pen.oval(45 + side * 10, 34, 1.6, 5, _INK)
        pen.dot(46.5 + side * 10, 32, 1.1, _WHITE)
        for rise in (-3, 0, 3):
            pen.line([(45 + side * 9, 45 + rise / 3), (45 + side * 27, 43 + rise)], 0.6, light)
    pen.shape([(42, 41), (48, 41), (45, 44.5)], _PINK)
    pen.line([(45, 44), (45, 46.5), (41, 48.5)], 1, _INK)
    pen.line([(45, 46.5), (49, 48.5)], 1, _INK)
    for offset in (-6, 0, 6):
        pen.line([(45 + offset, 19), (45 + offset * 0.7, 25)], 2, shade)


def fox(pen: Pen, rng: random.Random) -> None:
    """A fox with a bushy tail around its feet."""
    fur = hex_colour(rng.choice(["e0702b", "d65f1f", "ea8a3c"]))
    shade, light = mix(fur, _INK, 0.45), hex_colour("fff4e6")
    pen.blob([(58, 96), (72, 98), (90, 88), (95, 66), (88, 54), (78, 64), (70, 80)], fur)
    pen.blob([(95, 66), (88, 54), (80, 62), (84, 70), (92, 74)], light)
    _body(pen, fur, shade, light)
    for side in (-1, 1):
        pen.shape([(45 + side * 6, 22), (45 + side * 24, 1), (45 + side * 23, 32)], fur)
        pen.shape([(45 + side * 19, 7), (45 + side * 24, 1), (45 + side * 23.7, 12)], shade)
        pen.shape([(45 + side * 11, 20), (45 + side * 20, 10), (45 + side * 20, 26)], mix(shade, fur, 0.3))
    pen.blob([(45, 16), (62, 22), (70, 38), (58, 46), (45, 58), (32, 46), (20, 38), (28, 22)], fur)
    for side in (-1, 1):
        pen.blob([(45 + side * x, y) for x, y in ((24, 37), (12, 48), (1, 57), (2, 44), (10, 38))], light)
    _face(pen, 45, 33, 10, _INK)
    pen.oval(45, 54, 4, 3, _INK)


def _body(pen: Pen, fur: Colour, shade: Colour, light: Colour) -> None:
    """A sitting body with two front legs; the neck is at (45, 50)."""
    pen.oval(63, 88, 15, 12, shade)
    pen.oval(27, 88, 14, 12, shade)
    pen.blob([(45, 44), (62, 56), (69, 78), (66, 98), (24, 98), (21, 78), (28, 56)], fur)
    pen.oval(45, 66, 12, 15, light)
    for side in (-1, 1):
        pen.box(45 + side * 9 - 5.5, 66, 45 + side * 9 + 5.5, 98, fur, round_=5)
        pen.oval(45 + side * 9, 96, 7, 4, mix(fur, light, 0.5))
    pen.line([(45, 78), (45, 96)], 1, shade)


def _face(pen: Pen, x: float, y: float, apart: float, ink: Colour) -> None:
    for side in (-1, 1):
        pen.dot(x + side * apart, y, 3.2, ink)
        pen.dot(x + side * apart + 1, y - 1.1, 1.1, _WHITE)
