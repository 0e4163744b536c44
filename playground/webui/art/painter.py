"""Composes the picture of a prompt and a seed: light and land by the seed, figures by the prompt. Only Pillow."""

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

from playground.webui.art import landscape
from playground.webui.art.colour import Palette, choose_palette, mix
from playground.webui.art.pen import Pen
from playground.webui.art.plate import add_plate, plan_plate
from playground.webui.art.words import Figure, find_figures, find_settings

_WHITE = (255, 255, 255)
_GRAIN = 5  # how far the grain moves a pixel; it also gives the PNG a photograph's size


@dataclass(frozen=True, slots=True)
class Scene:
    """What to paint: `seed` is shown on the plate, `key` decides the random choices, sizes are pixels."""

    prompt: str
    seed: int
    key: str
    width: int
    height: int


def paint(scene: Scene) -> Image.Image:
    """The whole picture in RGB, the same pixels for the same scene on every machine with this Pillow."""
    land = random.Random(f"land {scene.key}")
    palette = choose_palette(scene.prompt, land)
    settings = find_settings(scene.prompt)
    horizon = land.uniform(0.5, 0.6)
    image = _air((scene.width, scene.height), palette, land, settings, horizon)
    _ground(image, palette, land, settings, horizon)
    plate = plan_plate(image.size, scene.prompt)
    _figures(image, scene, palette, plate.top)
    _vignette(image)
    _grain(image, scene.key)
    add_plate(image, plate, scene.seed, palette.accent)
    return image


def _air(
    size: tuple[int, int], palette: Palette, rng: random.Random, settings: set[str], horizon: float
) -> Image.Image:
    image = landscape.sky(size, palette, horizon)
    if palette.dark:
        landscape.stars(image, rng, horizon)
    lamp_x, _ = landscape.lamp(image, palette, rng, moon="moon" in settings or (palette.dark and rng.random() < 0.7))
    landscape.clouds(image, palette, rng, horizon)
    if "birds" in settings or rng.random() < 0.3:
        landscape.birds(image, rng)
    if "sea" in settings:
        landscape.water(image, palette, rng, horizon, lamp_x)
    return image


def _ground(image: Image.Image, palette: Palette, rng: random.Random, settings: set[str], horizon: float) -> None:
    mountains = "mountains" in settings or rng.random() < 0.35
    layers = 1 if "sea" in settings else rng.randrange(3, 5)
    if mountains:
        _mountains(image, palette, rng, horizon)
    if "city" in settings:
        landscape.skyline(image, horizon, rng, palette)
    for index in range(layers):
        depth = (index + 1) / layers
        base = horizon + 0.04 + (0.86 - horizon - 0.04) * depth * (1 if layers > 1 else 0.9)
        heights = landscape.rolling(rng, rng.uniform(0.4, 0.6))
        swing = 0.05 if layers > 1 else 0.028
        colour = mix(palette.far, palette.near, depth**0.8)
        if "snow" in settings:
            colour = mix(colour, _WHITE, 0.72)
        if "forest" in settings:
            line = landscape.ridge_points(image.size, heights, base + 0.012, swing)
            trees = mix(mix(palette.far, palette.near, depth), (10, 40, 30), 0.35)
            landscape.conifers(image, line, rng, trees, 0.09 + 0.09 * depth)
        mask = landscape.ridge_mask(image.size, heights, base, swing)
        landscape.fill_ridge(image, mask, colour, mix(colour, palette.horizon, 0.45))


def _mountains(image: Image.Image, palette: Palette, rng: random.Random, horizon: float) -> None:
    for back in (True, False):
        heights = landscape.jagged(rng)
        base, swing = horizon - (0.08 if back else 0.02), 0.16 if back else 0.12
        colour = mix(palette.far, palette.middle if back else palette.near, 0.45 if back else 0.2)
        mask = landscape.ridge_mask(image.size, heights, base, swing)
        landscape.fill_ridge(image, mask, colour, palette.horizon)
        landscape.snow_caps(image, heights, base, swing, mix(colour, _WHITE, 0.75))


def _figures(image: Image.Image, scene: Scene, palette: Palette, floor: int) -> None:
    rng = random.Random(f"figures {scene.key} {scene.prompt!a}")
    figures = find_figures(scene.prompt, rng)
    places = [0.5] if len(figures) == 1 else [0.26, 0.72, 0.5]
    shift = rng.uniform(-0.1, 0.1)
    for figure, place in zip(figures, places, strict=False):
        _place(image, figure, (place + shift, floor), palette, rng)


def _place(image: Image.Image, figure: Figure, place: tuple[float, int], palette: Palette, rng: random.Random) -> None:
    wide, high = image.size
    size = int(min(wide, high) * figure.height * rng.uniform(0.95, 1.1))
    x, foot = int(wide * place[0] - size / 2), place[1] - int(high * (0.012 + figure.lift))
    if not figure.lift:
        shadow = Pen(size)
        shadow.oval(50, 50, 44, 6, (8, 10, 20, 90))
        soft = shadow.image()
        image.paste(soft, (x, foot - soft.height // 2), soft)
    pen = Pen(size)
    figure.draw(pen, rng)
    drawn = pen.image()
    lit = Image.blend(drawn.convert("RGB"), Image.new("RGB", drawn.size, palette.near), 0.22 if palette.dark else 0.06)
    image.paste(lit, (x, foot - drawn.height), drawn.getchannel("A"))


def _vignette(image: Image.Image) -> None:
    edge = Image.radial_gradient("L").resize(image.size)
    image.paste((0, 0, 0), (0, 0), edge.point([max(level - 130, 0) * 2 // 3 for level in range(256)]))


def _grain(image: Image.Image, key: str) -> None:
    count = image.width * image.height
    noise = Image.frombytes("L", image.size, random.Random(f"grain {key}").randbytes(count))
    noise = noise.point([level * _GRAIN // 255 for level in range(256)])
    image.paste(ImageChops.subtract(image, Image.merge("RGB", (noise, noise, noise))))


def unfinish(picture: Image.Image, key: str, left: float) -> Image.Image:
    """The picture as it looks with that share of its steps undone: blurred and noisy."""
    wide, high = picture.size
    blurred = picture.filter(ImageFilter.GaussianBlur(left * max(wide, high) / 24))
    small = (max(wide // 6, 1), max(high // 6, 1))
    noise = Image.frombytes("RGB", small, random.Random(key).randbytes(small[0] * small[1] * 3))
    return Image.blend(blurred, noise.resize(picture.size), 0.15 + 0.6 * left)


def noise_of_bytes(key: str, size: int) -> Image.Image:
    """A square of noise whose PNG has at least that many bytes."""
    side = int((size / 3) ** 0.5) + 2
    return Image.frombytes("RGB", (side, side), random.Random(key).randbytes(side * side * 3))
