"""Says in sentences where a result differs from its request. Pure. Unknown names are silently replaced by webuis."""

from __future__ import annotations

import re
from dataclasses import replace

from msgspec import UNSET

from core.request import GenerationRequest
from core.webui.answer import Rendered
from core.webui.catalog import Catalog, find_checkpoint, find_name
from core.webui.names import fold, shorten

_FOLDER_OR_SUFFIX = re.compile(
    r"^.*[/\\]|\s*\[[0-9a-f]+\]\s*$|\.(safetensors|ckpt|pt|gguf|sft)(?=$|\s*\[)", re.IGNORECASE
)
_UNWRITTEN = str.maketrans("", "", ",:")

SIDE_MULTIPLE = 8


def compare(rendered: Rendered, request: GenerationRequest, catalog: Catalog) -> Rendered:
    """The same with its warnings, one sentence for each difference. What nobody asked for or nobody told is none."""
    request = request.as_said  # of what nobody said, nothing is missing
    found = (
        _count(rendered, request),
        _checkpoint(rendered, request, catalog),
        _sampler(rendered, request, catalog),
        _scheduler(rendered, request, catalog),
        _steps(rendered, request),
        _size(rendered, request),
        _clip_skip(request, catalog),
    )
    return replace(rendered, warnings=tuple(sentence for sentence in found if sentence is not None))


def compare_size(rendered: Rendered, request: GenerationRequest) -> tuple[str, ...]:
    """The warnings about an upscaled picture: webuis floor its sides to a multiple of 8, and that is no difference."""
    asked = (request.upscale_width, request.upscale_height)
    came = (rendered.width or 0, rendered.height or 0)
    if all(side is UNSET or abs(side - real) < SIDE_MULTIPLE for side, real in zip(asked, came, strict=True)):
        return ()
    return (f"The picture is {came[0]}x{came[1]} instead of {asked[0]}x{asked[1]}.",)


def _count(rendered: Rendered, request: GenerationRequest) -> str | None:
    came = len(rendered.pictures)
    return f"The webui sent {came} of {request.pictures} pictures." if came < request.pictures else None


def _checkpoint(rendered: Rendered, request: GenerationRequest, catalog: Catalog) -> str | None:
    asked, used = request.checkpoint, rendered.checkpoint
    if asked is UNSET or used is None:
        return None
    wanted = find_checkpoint(catalog, asked)
    if wanted is None:
        same = _bare(used) == _bare(asked)
    else:
        same = any(_bare(used) == _bare(name) for name in (*wanted.names, *wanted.hashes))
    shown = asked if wanted is None else wanted.stem or wanted.plain_title
    return None if same else _instead("checkpoint", used, shown)


def _sampler(rendered: Rendered, request: GenerationRequest, catalog: Catalog) -> str | None:
    asked, used = request.sampler, rendered.sampler
    if asked is UNSET or used is None:
        return None
    wanted = find_name(catalog.samplers, asked)
    names = (asked,) if wanted is None else (wanted.name, *wanted.aliases)
    return None if _is_among(used, names) else _instead("sampler", used, names[0])


def _scheduler(rendered: Rendered, request: GenerationRequest, catalog: Catalog) -> str | None:
    asked, used = request.scheduler, rendered.scheduler
    # "Automatic" asks the webui to choose, and some then write down what they chose.
    if asked is UNSET or used is None or asked.casefold() == "automatic":
        return None
    wanted = find_name(catalog.schedulers, asked)
    names = (asked,) if wanted is None else (wanted.name, *wanted.aliases)
    return None if _is_among(used, names) else _instead("scheduler", used, names[0])


def _steps(rendered: Rendered, request: GenerationRequest) -> str | None:
    if request.steps is UNSET or rendered.steps in (None, request.steps):
        return None
    return f"The webui took {rendered.steps} steps instead of {request.steps}."


def _size(rendered: Rendered, request: GenerationRequest) -> str | None:
    scale = 1.0 if request.hires_scale is UNSET or request.image is not UNSET else request.hires_scale
    width = rendered.width if request.width is UNSET else _scaled(request.width, scale)
    height = rendered.height if request.height is UNSET else _scaled(request.height, scale)
    if (rendered.width, rendered.height) == (width, height):
        return None
    return f"The picture is {rendered.width}x{rendered.height} instead of {width}x{height}."


def _scaled(side: int, scale: float) -> int:
    """A side after the second pass, which webuis floor to eight pixels; without one it is as asked."""
    return side if scale == 1.0 else int(side * scale) // 8 * 8


def _clip_skip(request: GenerationRequest, catalog: Catalog) -> str | None:
    is_left_out = request.clip_skip is not UNSET and not catalog.capabilities.sets_clip_skip
    return "This webui can't set CLIP skip; it was left out." if is_left_out else None


def _instead(kind: str, used: str, asked: str) -> str:
    return f'The webui used the {kind} "{shorten(used, 60)}" instead of "{shorten(asked, 60)}".'


def _is_among(name: str, names: tuple[str, ...]) -> bool:
    return fold(name) in {fold(one) for one in names}


def _bare(name: str) -> str:
    """A checkpoint's name without folder, file ending and hash: all that its spellings have in common.

    Nor with commas and colons, which SD.Next leaves out of what it writes down (contract 3.3).
    """
    previous = None
    while previous != name:
        previous, name = name, _FOLDER_OR_SUFFIX.sub("", name.strip())
    return fold(name.translate(_UNWRITTEN))
