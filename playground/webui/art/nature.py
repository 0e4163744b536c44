"""Trees, flowers, mushrooms and people, standing on the lower edge of the box. Knows only a pen."""

import math
import random

from playground.webui.art.colour import hex_colour, mix
from playground.webui.art.pen import Pen

_INK = hex_colour("20222b")
_WHITE = (255, 255, 255)


def tree(pen: Pen, rng: random.Random) -> None:
    """A broad tree; its leaves take the seed's season."""
    leaf = hex_colour(rng.choice(["3f7d4e", "6a8f3c", "c0622f", "d99a3a", "d98aa6"]))
    bark = hex_colour("5a3d2b")
    pen.blob([(44, 100), (47, 70), (45, 50), (55, 50), (54, 70), (58, 100)], bark)
    pen.line([(50, 66), (38, 54)], 3, bark)
    pen.line([(51, 62), (64, 50)], 3, bark)
    crowns = [(50 + rng.uniform(-26, 26), 34 + rng.uniform(-16, 14), rng.uniform(11, 17)) for _ in range(12)]
    for x, y, radius in [(50, 36, 22), *crowns]:
        pen.dot(x + 1.5, y + 3, radius, mix(leaf, _INK, 0.35))
    for x, y, radius in [(50, 34, 20), *crowns]:
        pen.dot(x, y, radius * 0.86, leaf)
    for x, y, radius in crowns:
        pen.dot(x - radius * 0.3, y - radius * 0.35, radius * 0.4, mix(leaf, _WHITE, 0.25))


def flowers(pen: Pen, rng: random.Random) -> None:
    """A handful of flowers."""
    stem = hex_colour("3f7b45")
    heads = [(14 + index * 12 + rng.uniform(-4, 4), rng.uniform(22, 62)) for index in range(7)]
    for x, y in heads:
        pen.line([(x, y), (x + 2, (y + 100) / 2), (50 + (x - 50) * 0.8, 100)], 1.8, stem)
        leaf_y = (y + 100) / 2 + 8
        pen.blob([(x, leaf_y), (x + 9, leaf_y - 8), (x + 13, leaf_y - 14), (x + 4, leaf_y - 9)], stem)
    for x, y in heads:
        petal = hex_colour(rng.choice(["f27aa1", "f9d35e", "b18cf2", "ff8c5a", "f5f0ff", "e8506a"]))
        count, size = rng.choice([5, 6, 8]), rng.uniform(5, 7.5)
        for index in range(count):
            angle = math.tau * index / count
            pen.dot(x + math.cos(angle) * size, y + math.sin(angle) * size, size * 0.62, petal)
        pen.dot(x, y, size * 0.62, hex_colour("6a4020") if petal[2] < 120 else hex_colour("ffd24a"))


def mushroom(pen: Pen, rng: random.Random) -> None:
    """Two mushrooms, spotted."""
    cap = hex_colour(rng.choice(["d23f3f", "b5652f", "7a4fa3"]))
    for x, top, size in ((68, 52, 0.6), (42, 20, 1.0)):
        foot = hex_colour("f2e6d0")
        half = 9 * size
        pen.blob(
            [(x - half, 100), (x - half * 0.8, top + 30 * size), (x + half * 0.8, top + 30 * size), (x + half, 100)],
            foot,
        )
        wide, high = 34 * size, 36 * size
        pen.blob(
            [
                (x - wide, top + high),
                (x - wide * 0.7, top + high * 0.3),
                (x, top),
                (x + wide * 0.7, top + high * 0.3),
                (x + wide, top + high),
                (x, top + high * 1.12),
            ],
            cap,
        )
        for dx, dy, radius in ((-16, 22, 4.5), (2, 12, 5.5), (17, 24, 4), (-3, 29, 3), (-22, 32, 2.5)):
            pen.dot(x + dx * size, top + dy * size, radius * size, _WHITE)


def person(pen: Pen, rng: random.Random) -> None:
    """A wanderer in a cloak, looking into the landscape."""
    cloak = hex_colour(rng.choice(["8c2f39", "2f4858", "3f5f3f", "4a3f6b"]))
    hair = hex_colour(rng.choice(["3b2a20", "c99a4a", "20202a", "9a4a2a"]))
    shade = mix(cloak, _INK, 0.4)
    for x in (44, 56):
        pen.box(x - 4, 86, x + 4, 100, _INK, round_=2)
    pen.line([(76, 26), (73, 100)], 2, hex_colour("6b4a2f"))
    pen.blob([(50, 30), (63, 38), (70, 66), (74, 92), (50, 95), (26, 92), (31, 66), (37, 38)], cloak)
    pen.blob([(50, 34), (58, 46), (60, 70), (62, 93), (50, 95), (45, 93), (48, 66)], shade)
    pen.line([(64, 50), (74, 58)], 5, shade)
    pen.dot(50, 22, 11, hex_colour("e6bf9c"))
    pen.blob([(38, 26), (39, 13), (50, 8), (61, 13), (62, 27), (58, 36), (42, 36)], hair)
    pen.blob([(37, 34), (50, 30), (63, 34), (60, 41), (50, 43), (40, 41)], mix(cloak, _WHITE, 0.25))
