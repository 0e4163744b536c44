"""From planned pictures to image files: drawing, blending with an init image, encoding. Blocking: run in a thread."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps

from playground.webui.art import Scene, noise_of_bytes, paint, unfinish
from playground.webui.errors import CrashError
from playground.webui.images import cheap_png, encode_image
from playground.webui.inpaint import Inputs, blend

__all__ = ["Encoding", "Inputs", "Shot", "draw", "encode", "encode_extra", "make_grid", "mask_extras"]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to make. `left` is the share of steps that was not done (0: finished)."""

    scene: Scene
    left: float = 0.0
    inputs: Inputs | None = None
    denoising: float = 1.0
    black: bool = False
    noise_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Encoding:
    """How files are written; `cheap` skips the drawing of PNGs."""

    samples_format: str
    quality: int
    with_infotext: bool
    cheap: bool = False


def draw(shot: Shot) -> Image.Image:
    """The finished or unfinished picture."""
    scene = shot.scene
    if shot.noise_bytes:
        return noise_of_bytes(scene.key, shot.noise_bytes)
    if shot.black:
        return Image.new("RGB", (scene.width, scene.height))
    picture = paint(scene)
    if shot.inputs is not None:
        picture = blend(picture, shot.inputs, shot.denoising)
    return unfinish(picture, scene.key, shot.left) if shot.left > 0 else picture


def encode(shot: Shot, picture: Image.Image | None, infotext: str, encoding: Encoding) -> bytes:
    """The file of one picture; without a picture it is a cheap one that still differs by prompt and seed.

    Raises CrashError for text that cannot be written into the file, as a lone surrogate.
    """
    try:
        return _encode(shot, picture, infotext, encoding)
    except ValueError as error:
        raise CrashError(type(error).__name__, str(error)) from error


def _encode(shot: Shot, picture: Image.Image | None, infotext: str, encoding: Encoding) -> bytes:
    texts = {"parameters": infotext} if encoding.with_infotext else {}
    if picture is None and encoding.samples_format == "png":
        scene = shot.scene
        key = hashlib.sha256(f"{scene.prompt}\0{scene.key}".encode("utf-8", "replace")).digest()
        return cheap_png(scene.width, scene.height, key, texts)
    if picture is None:
        picture = draw(shot)
    # Level 1 keeps the noise of a huge picture from costing seconds; level 4 takes a third of the usual 6's time.
    level = 1 if shot.noise_bytes else 4
    return encode_image(picture, encoding.samples_format, texts, quality=encoding.quality, level=level)


def encode_extra(picture: Image.Image, encoding: Encoding) -> bytes:
    """The file of a map or a mask: it carries no infotext."""
    return encode_image(picture, encoding.samples_format, {}, quality=encoding.quality, level=4)


def mask_extras(shot: Shot, picture: Image.Image | None, *, mask: bool, composite: bool) -> list[Image.Image]:
    """What the options return_mask and return_mask_composite put behind a picture that was made with a mask."""
    if shot.inputs is None or shot.inputs.mask is None:
        return []
    whole = (picture or draw(shot)).convert("RGB")
    grey = shot.inputs.mask.convert("L").resize(whole.size)
    extras = [grey.convert("RGB")] if mask else []
    if composite:
        cut = whole.convert("RGBA")
        cut.putalpha(grey)
        extras.append(cut)
    return extras


def make_grid(pictures: Sequence[Image.Image]) -> Image.Image:
    """All pictures in a near-square grid."""
    columns = round(len(pictures) ** 0.5) or 1
    rows = -(-len(pictures) // columns)
    wide, high = pictures[0].size
    grid = Image.new("RGB", (wide * columns, high * rows))
    for index, picture in enumerate(pictures):
        grid.paste(ImageOps.fit(picture, (wide, high)), (index % columns * wide, index // columns * high))
    return grid
