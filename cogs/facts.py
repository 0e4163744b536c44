"""The settings of a picture for the small line of its message, as they were understood or as it was drawn. Pure.

`code` puts a name where nothing in it is markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import UNSET

from cogs.said import about_image, enlarged, rarer
from core.jobs.model import Drawing
from core.request import GenerationRequest

NUMBERS_SHOWN = 10


def asked_facts(request: GenerationRequest, code: Callable[[str], str]) -> list[str]:
    """The settings as they were understood; what nobody said is the webui's affair and not shown."""
    if request.task != "draw":
        return about_image(request, code)
    parts = []
    if request.width is not UNSET and request.height is not UNSET:
        parts.append(f"{request.width}×{request.height}")
    if request.steps is not UNSET:
        parts.append(f"{request.steps} steps")
    names = [name for name in (request.sampler, request.scheduler) if name is not UNSET]
    if names:
        parts.append(" / ".join(code(name) for name in names))
    if request.cfg_scale is not UNSET:
        parts.append(f"CFG {request.cfg_scale:g}")
    if request.clip_skip is not UNSET:
        parts.append(f"CLIP skip {request.clip_skip}")
    parts.append(f"seed {seeds(dict.fromkeys(request.seeds))}")
    parts += rarer(request, code)
    if request.pictures > 1:
        parts.append(f"{request.pictures} pictures")
    if request.checkpoint is not UNSET:
        parts.append(code(request.checkpoint))
    return parts + compared(request, code)


def drawn_facts(request: GenerationRequest, result: Drawing, code: Callable[[str], str]) -> list[str]:
    """The settings as the webui used them."""
    first = result.pictures[0]
    if request.task == "upscale":
        facts = enlarged(request, (first.width, first.height), result.upscaler, code)
        return [*facts, f"{result.seconds:.1f} s"]
    varied: frozenset[str] = frozenset() if request.comparison is UNSET else request.comparison.varied
    parts = [] if "width" in varied else [f"{first.width}×{first.height}"]
    if result.steps is not None and "steps" not in varied:
        parts.append(f"{result.steps} steps")
    used = (("sampler", result.sampler), ("scheduler", result.scheduler))
    names = [name for field, name in used if name and field not in varied]
    if names:
        parts.append(" / ".join(code(name) for name in names))
    if result.cfg_scale is not None and "cfg_scale" not in varied:
        parts.append(f"CFG {result.cfg_scale:g}")
    if request.clip_skip is not UNSET:
        parts.append(f"CLIP skip {request.clip_skip}")
    parts += rarer(request, code)
    parts.append(f"seed {seeds(dict.fromkeys(result.ordered_seeds()))}")
    if result.checkpoint and "checkpoint" not in varied:
        parts.append(code(result.checkpoint))
    parts += compared(request, code)
    parts.append(f"{result.seconds:.1f} s")
    return parts


def compared(request: GenerationRequest, code: Callable[[str], str]) -> list[str]:
    """What differs from picture to picture of a comparison, with its values."""
    axes = () if request.comparison is UNSET else request.comparison.axes
    return [f"{axis.key.replace('_', ' ')} {code(' / '.join(axis.values))}" for axis in axes]


def seeds(numbers: Iterable[int]) -> str:
    """The seeds that are known, listed."""
    return listed(numbers) or "unknown"


def listed(numbers: Iterable[int]) -> str:
    """`7`, `7–10` where they count up, or the first ten of them."""
    every = list(numbers)
    if len(every) > 1 and every == list(range(every[0], every[0] + len(every))):
        return f"{every[0]}–{every[-1]}"
    return ", ".join([str(number) for number in every[:NUMBERS_SHOWN]] + ["…"] * (len(every) > NUMBERS_SHOWN))
