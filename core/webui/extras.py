"""Builds the JSON of what a webui does besides drawing: enlarging and describing an image. Pure; it sends nothing.

Contract 1.2 and 1.9. Which key is which is in core.webui.dialects. What a webui has no word for is never sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET

from core.errors import NotOffered
from core.request import Describer, GenerationRequest
from core.webui.assets import find
from core.webui.catalog import Catalog
from core.webui.dialects import DIALECTS
from core.webui.lacking import check_needs
from core.webui.payload import encoded
from core.webui.sending import Base64

USUAL: Final = "R-ESRGAN 4x+"
"""The upscaler where nobody chose one and the webui has it: made for any picture, and part of every installation."""
PLAIN: Final = frozenset({"lanczos", "nearest"})
"""What enlarges without a model, which nobody asks a webui for who leaves the choice to it."""
HALF: Final = 0.5
"""How visible the second upscaler is where nobody said it; the API's own 0 would ignore it."""
FACTORS: Final = ("upscaler_2_visibility", "gfpgan", "codeformer", "codeformer_weight")
PREFERRED: Final[tuple[Describer, ...]] = ("caption", "clip", "deepdanbooru")
SDNEXT_BACKENDS: Final[Mapping[str, str]] = {"caption": "vlm", "clip": "openclip", "deepdanbooru": "tagger"}


def build_upscale(request: GenerationRequest, catalog: Catalog, inputs: Mapping[str, bytes]) -> dict[str, Any]:
    """The payload of extra-single-image; `inputs` are the PNGs that the request's keys name.

    UserError where this webui can't do it, or can't name an upscaler: its own default would give the image back as it
    is, without an error.
    """
    check_needs(request, catalog)
    chosen = upscaler_of(request, catalog)
    if chosen is None:
        raise NotOffered("The webui can't list its upscalers at the moment; try again later.")
    said: dict[str, Any] = {"upscaler": chosen}
    said |= {field: float(value) for field in FACTORS if (value := getattr(request, field)) is not UNSET}
    if request.upscaler_2 is not UNSET:
        said["upscaler_2"] = find(catalog.assets.upscalers, request.upscaler_2)
        said.setdefault("upscaler_2_visibility", HALF)
    if request.upscale_factor is not UNSET:
        said["upscale_factor"] = float(request.upscale_factor)
    else:
        said |= {"upscale_width": request.upscale_width, "upscale_height": request.upscale_height}
    keys = DIALECTS[catalog.capabilities.speech].keys
    payload = {keys[field]: value for field, value in said.items() if field in keys}
    if request.upscale_factor is UNSET:
        payload |= {"resize_mode": 1, "upscaling_crop": True}
    elif "upscale_width" in keys:
        payload["resize_mode"] = 0
    return payload | {"image": _image(request, inputs)}


def upscaler_of(request: GenerationRequest, catalog: Catalog) -> str | None:
    """The upscaler, as this webui spells it: the one asked for, else the usual one, else the first with a model."""
    names = catalog.assets.upscalers
    if request.upscaler is not UNSET:
        return find(names, request.upscaler)
    with_model = [name for name in names if name.casefold() not in PLAIN]
    return find(names, USUAL) or next(iter((*with_model, *names)), None)


def build_describe(request: GenerationRequest, catalog: Catalog, inputs: Mapping[str, bytes]) -> dict[str, Any]:
    """The payload of interrogate; or, where a webui has captions of its own, of that route: it names a backend then."""
    check_needs(request, catalog)
    can = catalog.capabilities.fields
    wanted = request.describe_with
    describer = next((one for one in PREFERRED if one in can), "clip") if wanted is UNSET else wanted
    image = {"image": _image(request, inputs)}
    if "clip" not in can:  # one model, and no name for it
        return image
    if "caption" in can:
        return {**image, "backend": SDNEXT_BACKENDS[describer]}
    return {**image, "model": describer}


def _image(request: GenerationRequest, inputs: Mapping[str, bytes]) -> Base64:
    if request.image is UNSET:
        raise ValueError("there is no image to work on")
    return encoded(inputs, request.image)
