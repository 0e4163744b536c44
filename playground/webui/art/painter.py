"""Composes the picture of a prompt and a seed. Knows only Pillow."""

import random
from dataclasses import dataclass

from PIL import Image, ImageFilter


@dataclass(frozen=True, slots=True)
class Scene:
    """What to paint: `seed` is shown on the plate, `key` decides the random choices, sizes are pixels."""

    prompt: str
    seed: int
    key: str
    width: int
    height: int


def paint(scene: Scene) -> Image.Image:
    """The whole picture, the same bytes for the same scene."""
    rng = random.Random(f"{scene.key}\0{scene.prompt}")
    return Image.new("RGB", (scene.width, scene.height), (rng.randrange(256), rng.randrange(256), rng.randrange(256)))


def unfinish(picture: Image.Image, key: str, left: float) -> Image.Image:
    """The picture as it looks with that share of its steps undone: blurred and noisy."""
    wide, high = picture.size
    blurred = picture.filter(ImageFilter.GaussianBlur(left * max(wide, high) / 24))
    small = (max(wide // 6, 1), max(high // 6, 1))
    noise = Image.frombytes("RGB", small, random.Random(key).randbytes(small[0] * small[1] * 3))
    return Image.blend(blurred, noise.resize(picture.size), 0.15 + 0.75 * left)


def noise_of_bytes(key: str, size: int) -> Image.Image:
    """A square of noise whose PNG has at least that many bytes."""
    side = int((size / 3) ** 0.5) + 2
    return Image.frombytes("RGB", (side, side), random.Random(key).randbytes(side * side * 3))
