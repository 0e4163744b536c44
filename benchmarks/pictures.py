"""Pictures as large as those of a real webui, without drawing one each time. It knows PNG, and no HTTP."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageFilter

from core.images.png import splice_text

GRAIN = 14
"""Noise that makes a smooth 1024x1024 picture about as large as a photo-like one: 1.8 MB."""


def make_pixels(side: int, grain: int = GRAIN) -> bytes:
    """A square RGB PNG without any text: slow gradients, and grain as diffusion leaves it."""
    down = Image.linear_gradient("L").resize((side, side))
    around = Image.radial_gradient("L").resize((side, side))
    smooth = Image.merge("RGB", (down, around, ImageChops.invert(down)))
    channels = [Image.effect_noise((side, side), grain) for _ in range(3)]
    noise = Image.merge("RGB", channels).filter(ImageFilter.GaussianBlur(0.7))
    stream = io.BytesIO()
    ImageChops.add(smooth, noise, 1, -128).save(stream, "PNG")
    return stream.getvalue()


def infotext(prompt: str, seed: int, side: int) -> str:
    """What a webui writes about a picture."""
    return (
        f"{prompt}\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.0, Seed: {seed}, "
        f"Size: {side}x{side}, Model hash: 6ce0161689, Model: v1-5-pruned-emaonly, Version: v1.10.1"
    )


def sign(pixels: bytes, text: str) -> bytes:
    """The same picture with its infotext: no two jobs get the same file, so none is found on the disk already."""
    return splice_text(pixels, "parameters", text)
