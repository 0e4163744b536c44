"""The infotext of a picture as a value: its parts, and how webuis write it. It reads any text and believes none of it.

Grammar (A1111 and its kin): the prompt's lines, lines that begin with `Negative prompt:`, and a last line of pairs
`Steps: 20, Sampler: Euler a, ...`. A value is a JSON string where it holds a comma, a colon or a line break; a key
alone stands for a value of the same name. The last line counts as parameters only with three pairs or more; nothing a
person puts into a prompt can take its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import UNSET

from core.images.infotext_pairs import is_bare_key, split_pairs
from core.images.png import clean_text
from core.request import GenerationRequest

_NEGATIVE = "Negative prompt:"
_TEMPLATES = {"Template:": "Template", "Negative template:": "Negative template"}
_FEWEST_PAIRS = 3

_KOBOLD_START = "Prompt: "
_KOBOLD_NEGATIVE = " | NegativePrompt: "
_KOBOLD_TAIL = " | Steps: "
_KOBOLD_KEYS = {"CFGScale": "CFG scale"}

_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,20}")
_NEEDS_QUOTES = re.compile(r"[,:\r\n]|^[\"\s]|\s\Z")


@dataclass(frozen=True, slots=True)
class Infotext:
    """`fields` are the pairs as they were written, in their order and all strings; of a repeated key the last counts.

    `Size` is left whole. Nothing is added that isn't in the text.
    """

    prompt: str
    negative_prompt: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def seed(self) -> int | None:
        """The field `Seed`, None where it is missing or no number."""
        seed = self.fields.get("Seed", "")
        return int(seed) if _WHOLE_NUMBER.fullmatch(seed) else None

    @property
    def size(self) -> tuple[int, int] | None:
        """The field `Size` as width and height; with hires fix that is the first pass, not the picture."""
        found = _SIZE.fullmatch(self.fields.get("Size", ""))
        return (int(found[1]), int(found[2])) if found else None


def parse(text: str) -> Infotext:
    """Read an infotext of A1111, Forge, SD.Next, stable-diffusion.cpp or KoboldCpp; any other text is all prompt."""
    text = clean_text(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    kobold = _parse_kobold(text)
    if kobold is not None:
        return kobold
    *lines, last = text.split("\n")
    pairs, count = split_pairs(last)
    if count < _FEWEST_PAIRS:
        lines.append(last)
        pairs = {}
    sections = _split_sections(lines, templates=pairs.get("App") == "SD.Next")
    for name in _TEMPLATES.values():
        if sections.get(name):
            pairs.setdefault(name, sections[name])
    return Infotext(sections[""], sections.get(_NEGATIVE, ""), MappingProxyType(pairs))


def _split_sections(lines: list[str], *, templates: bool) -> dict[str, str]:
    # Once a section has begun it lasts to the next label; text is appended where the same label comes again.
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for whole_line in lines:
        line = whole_line.strip()
        label = next((name for name in _TEMPLATES if templates and line.startswith(name)), None)
        if label is not None:
            current, line = _TEMPLATES[label], line.removeprefix(label).strip()
        elif line.startswith(_NEGATIVE):
            current, line = _NEGATIVE, line.removeprefix(_NEGATIVE).strip()
        section = sections.setdefault(current, [])
        if line or section:
            section.append(line)
    return {name: "\n".join(parts).rstrip("\n") for name, parts in sections.items()}


def _parse_kobold(text: str) -> Infotext | None:
    if not text.startswith(_KOBOLD_START):
        return None
    head, found, tail = text.rpartition(_KOBOLD_TAIL)
    if not found or "\n" in tail:
        return None
    pairs: dict[str, str] = {}
    for part in ("Steps: " + tail).split(" | "):
        key, _, value = part.partition(": ")
        if value.strip():
            pairs[_KOBOLD_KEYS.get(key, key)] = value.strip()
    if len(pairs) < _FEWEST_PAIRS:
        return None
    prompt, _, negative = head.removeprefix(_KOBOLD_START).partition(_KOBOLD_NEGATIVE)
    return Infotext(prompt.strip(), negative.strip(), MappingProxyType(pairs))


def format_infotext(
    request: GenerationRequest, *, seed: int, size: tuple[int, int], checkpoint: str | None = None
) -> str:
    """Write an infotext for a picture whose webui gave none, in A1111's order and with its quoting.

    `seed` and `size` (width, height in pixels) are the picture's own, `checkpoint` the one that drew it, if known.
    What the person left to the webui is left out; `Version: Easel` says who wrote it.
    """
    said: dict[str, object] = {
        "Steps": request.steps,
        "Sampler": request.sampler,
        "Schedule type": request.scheduler,
        "CFG scale": request.cfg_scale,
        "Seed": seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": checkpoint or request.checkpoint,
        "Clip skip": UNSET if request.clip_skip == 1 else request.clip_skip,
        "Version": "Easel",
    }
    negative = "" if request.negative_prompt is UNSET else request.negative_prompt
    fields = {key: str(value) for key, value in said.items() if value not in (UNSET, "")}
    return write(Infotext(request.prompt, negative, fields))


def format_upscaled(request: GenerationRequest, upscaler: str | None, size: tuple[int, int]) -> str:
    """An infotext for an enlarged picture, with the keys that A1111's extras use; `size` is the picture's own."""
    by, (width, height) = request.upscale_factor, size
    said: dict[str, object] = {
        "Postprocess upscale by": UNSET if by is UNSET else f"{by:g}",
        "Postprocess upscale to": UNSET if by is not UNSET else f"{width}x{height}",
        "Postprocess upscaler": upscaler or UNSET,
        "Postprocess upscaler 2": request.upscaler_2,
        "GFPGAN visibility": request.gfpgan,
        "CodeFormer visibility": request.codeformer,
        "CodeFormer weight": request.codeformer_weight,
        "Size": f"{width}x{height}",
        "Version": "Easel",
    }
    return write(Infotext("", "", {key: str(value) for key, value in said.items() if value is not UNSET}))


def write(text: Infotext) -> str:
    """The text that `parse` reads as this, in A1111's grammar; empty values are left out.

    A key stands alone for a value equal to it where three pairs are left without it, else nothing would be read.
    """
    fields = {key: value for key, value in text.fields.items() if value}
    alone = {key for key, value in fields.items() if key == value and is_bare_key(key)}
    if len(fields) - len(alone) < _FEWEST_PAIRS:
        alone.clear()
    pairs = (key if key in alone else f"{key}: {_quote(value)}" for key, value in fields.items())
    lines = [text.prompt]
    if text.negative_prompt.strip():
        lines.append(f"{_NEGATIVE} {text.negative_prompt}")
    return clean_text("\n".join([*lines, ", ".join(pairs)]).strip())


def _quote(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if _NEEDS_QUOTES.search(value) else value
