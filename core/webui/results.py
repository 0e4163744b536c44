"""Finds the real pictures in an answer and compares what came with what was asked. Reads spooled files, no HTTP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeGuard

from core.errors import NoPicture, UnreadableAnswer
from core.images import blank, facts, infotext, kinds, png
from core.request import GenerationRequest
from core.webui import control, faces
from core.webui.answer import Answer, Rendered, RenderedPicture
from core.webui.catalog import Catalog
from core.webui.differences import compare, compare_size
from core.webui.extras import upscaler_of

_HEAD_BYTES = 64
_SEED_LIMIT = 2**63
_SDCPP = "stable-diffusion.cpp"
_NO_NAME = frozenset({"", "none", "default"})

# A picture of one colour is packed far below this, whatever its size: a larger file needs no look at all.
_BLANK_LIMIT = 1024 * 1024
_BLANK = "A picture is one colour all over, as after a failed computation: try another checkpoint, sampler or size."


@dataclass(frozen=True, slots=True)
class _Seen:
    """One file that is a picture; `infotext` is what the file itself carries."""

    file: str
    width: int
    height: int
    infotext: str | None


def build_rendered(answer: Answer, spool: Path, request: GenerationRequest, catalog: Catalog | None = None) -> Rendered:
    """Read the spooled files' headers (blocking: in a thread) and say what was drawn, and what differs.

    Raises NoPicture where the answer holds no image, UnreadableAnswer where none of them is a picture. The webui's
    `catalog` lets other names of the same checkpoint, sampler or scheduler count as equal.
    """
    first = _index_of_first(answer)
    seen = _look_at(answer.files[first:], spool)
    texts = _texts(answer.info)
    real = _choose(seen, expected=len(texts) - first if texts else request.pictures)
    pictures = tuple(
        _describe(picture, number, texts[first + number : first + number + 1], answer.info, request)
        for number, picture in enumerate(real)
    )
    rendered = compare(_facts(answer.info, pictures, real[0]), request, catalog or Catalog())
    rendered = _with_control(rendered, answer.info, seen[seen.index(real[-1]) + 1 :], request)
    if not faces.was_used(request, catalog or Catalog(), answer.info, pictures[0].infotext):
        rendered = replace(rendered, warnings=(*rendered.warnings, faces.LEFT_OUT))
    if any(_is_blank(spool / picture.file) for picture in real):
        rendered = replace(rendered, warnings=(*rendered.warnings, _BLANK))
    return rendered


def _with_control(
    rendered: Rendered, info: Mapping[str, Any], behind: list[_Seen], request: GenerationRequest
) -> Rendered:
    """With the maps that were asked for, which come last of all; and a word where a control image did not count."""
    if not control.was_used(request, info, rendered.pictures[0].infotext):
        return replace(rendered, warnings=(*rendered.warnings, control.LEFT_OUT))
    wanted = control.maps_wanted(request)
    maps = tuple(seen.file for seen in behind[-wanted:]) if wanted else ()
    missing = (control.NO_MAP,) if len(maps) < wanted else ()
    return replace(rendered, maps=maps, warnings=(*rendered.warnings, *missing))


def build_upscaled(answer: Answer, spool: Path, request: GenerationRequest, catalog: Catalog) -> Rendered:
    """The same for the one picture of an upscale. The image that was sent has no infotext, so it gets one of its own.

    Some webuis enlarge less than they were asked to, and none of them says so; all floor to eight pixels.
    """
    (picture, *_) = _look_at(answer.files, spool)
    upscaler = upscaler_of(request, catalog)
    text = picture.infotext or infotext.format_upscaled(request, upscaler, (picture.width, picture.height))
    rendered = Rendered(
        pictures=(RenderedPicture(file=picture.file, seed=None, infotext=text),),
        width=picture.width,
        height=picture.height,
        upscaler=upscaler,
    )
    return replace(rendered, warnings=compare_size(rendered, request))


def build_described(answer: Answer) -> Rendered:
    """Words instead of a picture."""
    return Rendered(pictures=(), caption=answer.caption)


def _index_of_first(answer: Answer) -> int:
    """How many grids come first (contract 2.7)."""
    index = answer.info.get("index_of_first_image")
    return index if isinstance(index, int) and 0 < index < len(answer.files) else 0


def _look_at(files: tuple[str | None, ...], spool: Path) -> list[_Seen]:
    names = [name for name in files if name is not None]
    if not names:
        raise NoPicture("the answer holds no image")
    seen: list[_Seen] = []
    problem: UnreadableAnswer | None = None
    for name in names:
        try:
            seen.append(_look(spool, name))
        except UnreadableAnswer as error:
            problem = error
    if not seen and problem is not None:
        raise problem
    return seen


def _look(spool: Path, name: str) -> _Seen:
    path = spool / name
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if kinds.sniff(head) != kinds.PNG:
            found = facts.read_facts(head + file.read())
            return _Seen(name, found.width, found.height, found.infotext)
        width, height = png.read_size(head)
        file.seek(0)
        # The whole chain, so that a PNG that breaks off is no picture; the pixels themselves are not read.
        if not any(chunk.kind == b"IDAT" for chunk in list(png.walk(file))):
            raise UnreadableAnswer("PNG without pixels")
    return _Seen(name, width, height, png.read_text_from_file(path))


def _is_blank(path: Path) -> bool:
    try:
        return path.stat().st_size <= _BLANK_LIMIT and blank.is_blank(path.read_bytes())
    except UnreadableAnswer:
        return False


def _choose(seen: list[_Seen], *, expected: int) -> list[_Seen]:
    """Leave out masks and maps: they carry no infotext; where nothing does, the pictures come first."""
    with_text = [picture for picture in seen if picture.infotext]
    return with_text or seen[: max(expected, 1)]


def _describe(
    picture: _Seen, number: int, texts: list[str], info: Mapping[str, Any], request: GenerationRequest
) -> RenderedPicture:
    text = picture.infotext or (texts[0] if texts else None)
    return RenderedPicture(file=picture.file, seed=_seed(text, number, info, request), infotext=text)


def _seed(text: str | None, number: int, info: Mapping[str, Any], request: GenerationRequest) -> int | None:
    """From the picture's own text; else from the list of planned seeds; else counted up from the one asked for."""
    seeds = info.get("all_seeds")
    planned = seeds[number] if isinstance(seeds, list) and number < len(seeds) else None
    asked = request.seed_of(number)
    own = infotext.parse(text).seed if text else None
    return next((seed for seed in (own, planned, asked) if _is_seed(seed)), None)


def _is_seed(seed: Any) -> TypeGuard[int]:
    return isinstance(seed, int) and 0 <= seed < _SEED_LIMIT


def _facts(info: Mapping[str, Any], pictures: tuple[RenderedPicture, ...], first: _Seen) -> Rendered:
    fields = infotext.parse(pictures[0].infotext or "").fields
    extra = info.get("extra_generation_params")
    more = extra if isinstance(extra, dict) else {}
    sampler, scheduler = _as_written(fields)
    steps = _number(info.get("steps")) or _number(fields.get("Steps"))
    return Rendered(
        pictures=pictures,
        checkpoint=_name(info.get("sd_model_name")) or _name(fields.get("Model")),
        sampler=_name(info.get("sampler_name")) or _name(sampler),
        scheduler=_name(scheduler) or _name(more.get("Schedule type")),
        steps=None if steps is None else int(steps),
        cfg_scale=_number(info.get("cfg_scale")) or _number(fields.get("CFG scale")),
        width=first.width,
        height=first.height,
    )


def _as_written(fields: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Sampler and scheduler; stable-diffusion.cpp writes both into one value (contract 3.3)."""
    sampler, scheduler = fields.get("Sampler"), fields.get("Schedule type")
    if sampler is None or scheduler is not None or fields.get("Version") != _SDCPP:
        return sampler, scheduler
    method, _, how = sampler.partition(" ")
    return method, how or None


def _texts(info: Mapping[str, Any]) -> list[str]:
    texts = info.get("infotexts")
    if not isinstance(texts, list):
        return []
    return [png.clean_text(text) if isinstance(text, str) else "" for text in texts]


def _name(value: Any) -> str | None:
    """A name as text; None for what sd.cpp and others write instead of one."""
    text = png.clean_text(value).strip() if isinstance(value, str) else ""
    return None if text.lower() in _NO_NAME else text


def _number(value: Any) -> float | None:
    """Numbers arrive as such or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number < _SEED_LIMIT else None
