"""Init images and masks as webui 1.10.1 prepares them: resize modes, inversion, blur, "only masked". Blocking: Pillow.

Knows no HTTP, no prompt and no picture that comes out of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageFilter, ImageOps

from playground.webui.errors import CrashError

Box = tuple[int, int, int, int]
_FILLS = {0: "fill", 2: "latent noise", 3: "latent nothing"}
_HALF = 128  # brighter is white when a mask is rounded


@dataclass(frozen=True, slots=True)
class Inputs:
    """The prepared images of an img2img request; white in the mask is what may change.

    `more` are the init images of the batch's other pictures. `area` (pixels of the init image) is the part that is
    drawn and pasted back with "only masked"; the result then has the init image's own size. `notes` are pairs for the
    infotext.
    """

    init: Image.Image
    mask: Image.Image | None = None
    more: tuple[Image.Image, ...] = ()
    resize_mode: int = 0
    area: Box | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def of(self, index: int) -> "Inputs":
        """The inputs of the batch's picture at that index."""
        images = (self.init, *self.more)
        return Inputs(images[index % len(images)], self.mask, (), self.resize_mode, self.area)


def prepare(
    images: Sequence[Image.Image], mask: Image.Image | None, payload: Mapping[str, Any], background: str
) -> Inputs:
    """The inputs of a request. Raises CrashError as the server would fail."""
    if not images:
        raise CrashError("IndexError", "list index out of range")
    count = payload["batch_size"] or 1
    if len(images) > count:
        raise CrashError("RuntimeError", f"bad number of images passed: {len(images)}; expecting {count} or less")
    first, *more = (_flatten(image, background) for image in images)
    mode = payload["resize_mode"] or 0
    if mask is None:
        return Inputs(first, None, tuple(more), mode)
    prepared, pairs = _prepare_mask(mask, payload)
    area = None
    if payload["inpaint_full_res"]:
        area = _area(prepared.resize(first.size), payload["inpaint_full_res_padding"] or 0)
        if area is None:  # a blank mask: the server goes on as if there were none
            return Inputs(first, None, tuple(more), mode, None, pairs)
        pairs |= {"Inpaint area": "Only masked", "Masked area padding": payload["inpaint_full_res_padding"]}
    if (fill := payload["inpainting_fill"]) in _FILLS:
        pairs["Masked content"] = _FILLS[fill]
    return Inputs(first, prepared, tuple(more), mode, area, pairs)


def _flatten(image: Image.Image, background: str) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, background)
    ground.alpha_composite(image.convert("RGBA"))
    return ground.convert("RGB")


def _prepare_mask(mask: Image.Image, payload: Mapping[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    pairs: dict[str, Any] = {}
    transparent = mask.mode == "RGBA" and mask.getchannel("A").getextrema() != (255, 255)
    grey = mask.getchannel("A") if transparent else mask.convert("L")
    if payload["mask_round"]:
        grey = grey.point([0] * (_HALF + 1) + [255] * (255 - _HALF))
    if payload["inpainting_mask_invert"]:
        grey = ImageOps.invert(grey)
        pairs["Mask mode"] = "Inpaint not masked"
    wide, high = payload["mask_blur_x"] or 0, payload["mask_blur_y"] or 0
    if payload["mask_blur"] is not None:
        wide = high = payload["mask_blur"]
    if wide > 0 or high > 0:
        grey = grey.filter(ImageFilter.GaussianBlur((max(wide, 0), max(high, 0))))
        pairs["Mask blur"] = wide or high
    return grey, pairs


def _area(mask: Image.Image, padding: int) -> Box | None:
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    wide, high = mask.size
    return max(left - padding, 0), max(top - padding, 0), min(right + padding, wide), min(bottom + padding, high)


def fit(image: Image.Image, size: tuple[int, int], mode: int) -> Image.Image:
    """The image in that size: 1 crops, 2 fills the edges, every other mode stretches."""
    if mode == 1:
        return ImageOps.fit(image, size)
    stretched = image.resize(size)
    if mode == 2:
        inner = ImageOps.contain(image, size)
        stretched.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
    return stretched


def blend(picture: Image.Image, inputs: Inputs, denoising: float) -> Image.Image:
    """The drawn picture over its init image: as much as the denoising strength says, where the mask is white."""
    strength = min(max(denoising, 0.0), 1.0)
    if inputs.area is not None:
        return _paste_back(picture, inputs, strength)
    init = fit(inputs.init.convert("RGB"), picture.size, inputs.resize_mode)
    mixed = Image.blend(init, picture, strength)
    if inputs.mask is None:
        return mixed
    return Image.composite(mixed, init, fit(inputs.mask.convert("L"), picture.size, inputs.resize_mode))


def _paste_back(picture: Image.Image, inputs: Inputs, strength: float) -> Image.Image:
    area, init = inputs.area, inputs.init.convert("RGB")
    if area is None or inputs.mask is None:
        return init
    part = picture.resize((max(area[2] - area[0], 1), max(area[3] - area[1], 1)))
    drawn = init.copy()
    drawn.paste(Image.blend(init.crop(area), part, strength), area[:2])
    return Image.composite(drawn, init, inputs.mask.convert("L").resize(init.size))
