"""Upscaling as webui 1.10.1's extras do it: sizes, crop, two upscalers, face restoration. Blocking: Pillow. No HTTP."""

from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageFilter

from playground.webui.catalog import Catalog
from playground.webui.errors import CrashError

_NONE = "None"


def check_upscalers(query: Mapping[str, Any], catalog: Catalog) -> None:
    """Raise CrashError for an upscaler that this webui has not."""
    for name in (query["upscaler_1"], query["upscaler_2"]):
        if not catalog.has_upscaler(name):
            raise CrashError("AssertionError", f"could not find upscaler named {name}")


def upscale(query: Mapping[str, Any], image: Image.Image) -> tuple[Image.Image, str]:
    """The picture and the sentence about what was done to it ("" for nothing)."""
    notes: dict[str, Any] = {}
    if query["upscaler_1"] != _NONE:
        image = _enlarge(query, image, notes)
    for label, key in (("GFPGAN", "gfpgan_visibility"), ("CodeFormer", "codeformer_visibility")):
        if query[key] > 0:
            image = Image.blend(image, image.filter(ImageFilter.SMOOTH), min(query[key], 1.0))
            notes[f"{label} visibility"] = round(query[key], 3)
            if label == "CodeFormer":
                notes["CodeFormer weight"] = round(query["codeformer_weight"], 3)
    return image, ", ".join(f"{key}: {value}" for key, value in notes.items())


def _enlarge(query: Mapping[str, Any], image: Image.Image, notes: dict[str, Any]) -> Image.Image:
    if image.mode not in ("RGB", "RGBA", "L"):
        image = image.convert("RGB")
    wide, high = query["upscaling_resize_w"], query["upscaling_resize_h"]
    to_size = query["resize_mode"] == 1
    factor = max(wide / image.width, high / image.height) if to_size else query["upscaling_resize"]
    if to_size:
        notes["Postprocess upscale to"] = f"{wide}x{high}"
    else:
        notes["Postprocess upscale by"] = factor
    size = max(int(image.width * factor), 1), max(int(image.height * factor), 1)
    enlarged = image.resize(size, _filter(query["upscaler_1"]))
    visibility = min(query["extras_upscaler_2_visibility"], 1.0)
    second = query["upscaler_2"] != _NONE and visibility > 0
    if second:
        enlarged = Image.blend(enlarged, image.resize(size, _filter(query["upscaler_2"])), visibility)
    if to_size and query["upscaling_crop"]:
        enlarged = _crop(enlarged, (wide, high))
        notes["Postprocess crop to"] = f"{wide}x{high}"
    notes["Postprocess upscaler"] = query["upscaler_1"]
    if second:
        notes["Postprocess upscaler 2"] = query["upscaler_2"]
    return enlarged


def _filter(name: str) -> Image.Resampling:
    # No model is loaded here; pictures of two upscalers still differ where one of them is "Nearest".
    return Image.Resampling.NEAREST if name == "Nearest" else Image.Resampling.LANCZOS


def _crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    cropped = Image.new("RGB", size)
    cropped.paste(image, (size[0] // 2 - image.width // 2, size[1] // 2 - image.height // 2))
    return cropped
