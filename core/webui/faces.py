"""ADetailer, which draws faces anew: its part of a payload, and whether an answer shows that it worked. Pure.

A unit that can't be read or whose model is missing counts for nothing, and the answer is a 200 (contract, section 8 and
trap 24). What it was told is written down before it looks for faces: a picture without any is no failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.request import GenerationRequest
from core.webui.catalog import Catalog
from core.webui.evidence import said_of

LEFT_OUT: Final = "The webui left the faces as they were."
TITLE: Final = "adetailer"
_SAID: Final = "ADetailer model"


def is_told(request: GenerationRequest, catalog: Catalog) -> bool:
    """Whether it is ADetailer that fixes the faces of this request."""
    return request.face_fix is True and bool(catalog.assets.face_models)


def build_script(catalog: Catalog) -> dict[str, Any]:
    """What it is told: only its model, since one key that it doesn't know would make all of it count for nothing."""
    return {TITLE: {"args": [True, False, {"ad_model": catalog.assets.face_models[0]}]}}


def was_used(request: GenerationRequest, catalog: Catalog, info: Mapping[str, Any], text: str | None) -> bool:
    """Whether it worked where it was told to, as far as the answer tells; `text` is the infotext of a picture."""
    said = said_of(info, text) if is_told(request, catalog) else None
    return said is None or _SAID in said
