"""Sky, lamp, clouds, hills, water: everything behind the figures. Knows only Pillow and a palette."""

import itertools
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from playground.webui.art.colour import Palette, hex_colour, mix
from playground.webui.art.pen import Pen

_FINER = 2
_EDGE = 80  # the inverted radial gradient's level in the middle of an edge
_WHITE = (255, 255, 255)


def sky(size: tuple[int, int], palette: Palette, horizon: float) -> Image.Image:
    """The sky's gradient, at its brightest where the ground begins."""
    wide, high = size
    band = Image.linear_gradient("L").resize((1, max(int(high * horizon), 1)))
    column = Image.new("L", (1, high), 255)
    column.paste(band, (0, 0))
    tinted = ImageOps.colorize(column, palette.top, palette.horizon, palette.middle)
    return tinted.resize((wide, high))


def stars(image: Image.Image, rng: random.Random, horizon: float) -> None:
    """Stars of different brightness above the horizon."""
    wide, high = image.size
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(160):
        x, y = rng.random() * wide, rng.random() ** 1.4 * high * horizon
        radius, light = rng.choice([0.4, 0.6, 0.6, 1.1]) * max(wide, high) / 700, rng.randrange(70, 255)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 255, 240, light))


def lamp(image: Image.Image, palette: Palette, rng: random.Random, *, moon: bool) -> tuple[int, int]:
    """The sun, or the moon with its craters, with a glow around it. Returns its centre."""
    wide, high = image.size
    radius = max(int(min(wide, high) * rng.uniform(0.055, 0.095)), 2)
    x, y = int(wide * rng.uniform(0.16, 0.84)), int(high * rng.uniform(0.12, 0.32))
    glow_size = radius * 9
    glow = ImageChops.invert(Image.radial_gradient("L")).resize((glow_size, glow_size))
    # The gradient reaches its end only in the corners; from the middle of an edge outwards there must be nothing.
    strength = 110 if moon else 190
    glow = glow.point([int(max((level - _EDGE) / (255 - _EDGE), 0) ** 2 * strength) for level in range(256)])
    image.paste(palette.lamp, (x - glow_size // 2, y - glow_size // 2), glow)
    pen = Pen(radius * 2)
    pen.dot(50, 50, 49, palette.lamp)
    if moon:
        for _ in range(6):
            angle, distance = rng.random() * math.tau, rng.uniform(0, 32)
            crater = mix(palette.lamp, palette.middle, 0.28)
            pen.dot(50 + math.cos(angle) * distance, 50 + math.sin(angle) * distance, rng.uniform(3, 10), crater)
    disc = pen.image()
    image.paste(disc, (x - radius, y - radius), disc)
    return x, y


def clouds(image: Image.Image, palette: Palette, rng: random.Random, horizon: float) -> None:
    """Soft bands of cloud."""
    wide, high = image.size
    small = Image.new("L", (max(wide // 4, 8), max(high // 4, 8)))
    draw = ImageDraw.Draw(small)
    for _ in range(rng.randrange(2, 6)):
        x, y = rng.random() * small.width, rng.uniform(0.08, horizon - 0.12) * small.height
        for _ in range(rng.randrange(5, 9)):
            dx, radius = rng.uniform(-0.12, 0.12) * small.width, rng.uniform(0.02, 0.055) * small.width
            draw.ellipse((x + dx - radius * 1.9, y - radius * 0.7, x + dx + radius * 1.9, y + radius * 0.7), fill=150)
    soft = small.filter(ImageFilter.GaussianBlur(small.width / 60)).resize(image.size)
    image.paste(mix(palette.horizon, _WHITE, 0.1 if palette.dark else 0.6), (0, 0), soft)


def rolling(rng: random.Random, roughness: float) -> list[float]:
    """A hill's line as 97 heights from -1 to 1: waves of falling size."""
    waves = [(rng.uniform(0.6, 1.6) * 1.9**order, rng.random() * math.tau, roughness**order) for order in range(4)]
    total = sum(weight for *_, weight in waves)
    return [
        sum(math.sin(math.tau * speed * index / 96 + phase) * weight for speed, phase, weight in waves) / total
        for index in range(97)
    ]


def jagged(rng: random.Random) -> list[float]:
    """A mountain's line as 97 heights from -1 to 1: the middle between two heights moved, again and again."""
    heights = [rng.uniform(-0.6, 0.2), *(rng.choice([1, -0.4]) * rng.uniform(0.5, 1) for _ in range(5)), -0.3]
    for order in range(4):
        swing = 0.34 / 1.9**order
        finer: list[float] = []
        for left, right in itertools.pairwise(heights):
            finer += [left, (left + right) / 2 + rng.uniform(-swing, swing)]
        heights = [*finer, heights[-1]]
    return heights


def ridge_mask(size: tuple[int, int], heights: Sequence[float], base: float, swing: float) -> Image.Image:
    """Everything below the line, with smooth edges. `base` and `swing` are shares of the picture's height."""
    wide, high = size[0] * _FINER, size[1] * _FINER
    mask = Image.new("L", (wide, high))
    points = ridge_points((wide, high), heights, base, swing)
    ImageDraw.Draw(mask).polygon([(0, high), *points, (wide, high)], fill=255)
    return mask.reduce(_FINER)


def ridge_points(
    size: tuple[int, int], heights: Sequence[float], base: float, swing: float
) -> list[tuple[float, float]]:
    """The line's points in pixels."""
    last = len(heights) - 1
    return [(size[0] * index / last, size[1] * (base - each * swing)) for index, each in enumerate(heights)]


def fill_ridge(image: Image.Image, mask: Image.Image, colour: tuple[int, int, int], mist: tuple[int, int, int]) -> None:
    """Paint what is below a line, fading into mist towards its foot."""
    image.paste(colour, (0, 0), mask)
    bounds = mask.getbbox()
    if bounds is None:
        return
    fade = Image.linear_gradient("L").resize((image.width, max(image.height - bounds[1], 1)))
    fade = fade.point([int(level * 0.45) for level in range(256)])
    lower = mask.crop((0, bounds[1], image.width, image.height))
    image.paste(mist, (0, bounds[1]), ImageChops.multiply(fade, lower))


def snow_caps(
    image: Image.Image, heights: Sequence[float], base: float, swing: float, light: tuple[int, int, int]
) -> None:
    """Snow on the peaks, the deeper the higher they are."""
    points = ridge_points((image.width * _FINER, image.height * _FINER), heights, base, swing)
    mask = Image.new("L", (image.width * _FINER, image.height * _FINER))
    edge = [
        (x, y + max(height - 0.25, 0) * (0.45 + 0.3 * math.sin(index * 1.9)) * swing * mask.height)
        for index, ((x, y), height) in enumerate(zip(points, heights, strict=True))
    ]
    ImageDraw.Draw(mask).polygon([*points, *reversed(edge)], fill=215)
    image.paste(light, (0, 0), mask.reduce(_FINER))


def conifers(
    image: Image.Image,
    line: Sequence[tuple[float, float]],
    rng: random.Random,
    colour: tuple[int, int, int],
    tall: float,
) -> None:
    """Fir trees along a line of points in pixels; `tall` is a share of the picture's height."""
    layer = Image.new("L", (image.width * _FINER, image.height * _FINER))
    draw = ImageDraw.Draw(layer)
    for left, right in itertools.pairwise(line):
        if rng.random() < 0.12:
            continue
        x, y = left[0] * _FINER + rng.random() * (right[0] - left[0]) * _FINER, max(left[1], right[1]) * _FINER
        height = layer.height * tall * rng.uniform(0.55, 1.1)
        for step in range(3):
            top, half = y - height * (1 - step * 0.26), height * (0.13 + step * 0.07)
            draw.polygon([(x, top), (x - half, top + height * 0.5), (x + half, top + height * 0.5)], fill=255)
    image.paste(colour, (0, 0), layer.reduce(_FINER))


def skyline(image: Image.Image, ground: float, rng: random.Random, palette: Palette) -> None:
    """Towers with lit windows along the ground (a share of the height)."""
    wide, high = image.size
    draw = ImageDraw.Draw(image)
    base, x = int(high * (ground + 0.06)), 0
    while x < wide:
        width = int(wide * rng.uniform(0.035, 0.085)) + 3
        top = base - int(high * rng.uniform(0.12, 0.4))
        wall = mix(palette.far, palette.near, rng.uniform(0.35, 0.8))
        draw.rectangle((x, top, x + width, base), fill=wall)
        if rng.random() < 0.3:
            draw.line((x + width // 2, top, x + width // 2, top - high // 25), fill=wall, width=max(wide // 400, 1))
        pane = max(width // 7, 2)
        for column in range(x + pane, x + width - pane, pane * 2):
            for row in range(top + pane, base - pane, pane * 3):
                if rng.random() < (0.55 if palette.dark else 0.3):
                    draw.rectangle((column, row, column + pane - 1, row + pane), fill=mix(palette.accent, _WHITE, 0.3))
        x += width + rng.randrange(0, max(wide // 120, 1) + 1)


def water(image: Image.Image, palette: Palette, rng: random.Random, horizon: float, lamp_x: int) -> None:
    """A sea from the horizon down, with the lamp's light on it."""
    wide, high = image.size
    top = int(high * horizon)
    shade = Image.linear_gradient("L").resize((wide, high - top))
    near = mix(palette.near, hex_colour("0f5a78"), 0.5)
    image.paste(ImageOps.colorize(shade, mix(palette.horizon, palette.middle, 0.35), near), (0, top))
    draw = ImageDraw.Draw(image, "RGBA")
    for _ in range(260):
        depth = rng.random()
        y = top + depth**1.5 * (high - top)
        length = (0.01 + depth * 0.05) * wide
        lit = rng.random() < 0.45
        x = lamp_x + rng.gauss(0, 0.02 + depth * 0.05) * wide if lit else rng.random() * wide
        colour = (*palette.lamp, 120) if lit else (*mix(palette.horizon, _WHITE, 0.3), 46)
        draw.line((x - length / 2, y, x + length / 2, y), fill=colour, width=max(int(high * 0.0022 * (1 + depth)), 1))


def birds(image: Image.Image, rng: random.Random) -> None:
    """A flock far away."""
    wide, high = image.size
    draw = ImageDraw.Draw(image, "RGBA")
    x, y = wide * rng.uniform(0.2, 0.7), high * rng.uniform(0.12, 0.34)
    for _ in range(rng.randrange(5, 9)):
        cx, cy, span = x + rng.uniform(-0.14, 0.14) * wide, y + rng.uniform(-0.06, 0.06) * high, wide * 0.014
        for side in (-1, 1):
            wing = [(cx, cy), (cx + side * span * 0.6, cy - span * 0.5), (cx + side * span * 1.2, cy - span * 0.1)]
            draw.line(wing, fill=(25, 25, 35, 200), width=max(wide // 420, 1), joint="curve")
