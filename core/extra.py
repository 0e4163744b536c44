"""The less common settings that people type as `key:value` words in one field. Pure; it knows no webui's names.

What is read becomes fields of a request; every mistake in the text is named at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, get_args

from core.errors import UserError
from core.request import InpaintArea, MaskedContent, ResizeMode
from core.several import read_number
from core.webui.names import nearest, shorten

_YES: Final = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
_LAST = re.compile(r'(?<!\S)(?:[^\s:="]+[:=]"[^"]*"?|\S*)\Z')
"""What is being typed: a word, or a quoted value with all its blanks."""
_WORD = re.compile(r'([A-Za-z_]+)\s*[:=]\s*(?:"([^"]*)"|(\S+))|(\S+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One word that can be typed: which field it sets, what it is for, and which values there are.

    `values` are all of them, or examples where `read` takes others, too; `names` is the kind of a webui's name.
    """

    field: str
    says: str
    read: Callable[[str], Any]
    values: tuple[str, ...] = ()
    names: str | None = None


def _whole(text: str) -> int:
    return int(text)


def _yes(text: str) -> bool:
    try:
        return _YES[text.casefold()]
    except KeyError:
        raise ValueError(text) from None


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.casefold() not in values:
            raise ValueError(text)
        return text.casefold()

    return read


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return text.strip()


_RESIZE, _AREA, _MASKED = get_args(ResizeMode), get_args(InpaintArea), get_args(MaskedContent)
KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "hires_steps": Key(field="hires_steps", says="steps of the second pass", read=_whole, values=("10", "20")),
        "hires_denoise": Key(
            field="hires_denoising_strength",
            says="how much the second pass may change, 0 to 1",
            read=read_number,
            values=("0.3", "0.5", "0.7"),
        ),
        "hires_sampler": Key(field="hires_sampler", says="sampler of the second pass", read=_name, names="sampler"),
        "hires_scheduler": Key(
            field="hires_scheduler", says="scheduler of the second pass", read=_name, names="scheduler"
        ),
        "refiner": Key(
            field="refiner_checkpoint", says="checkpoint for the last steps", read=_name, names="checkpoint"
        ),
        "refiner_at": Key(
            field="refiner_switch_at", says="when the refiner begins, 0 to 1", read=read_number, values=("0.8",)
        ),
        "resize": Key(field="resize_mode", says="how your image gets its size", read=_one_of(_RESIZE), values=_RESIZE),
        "mask_blur": Key(field="mask_blur", says="pixels of the mask's soft edge", read=_whole, values=("4", "8")),
        "mask_invert": Key(
            field="mask_invert", says="draw what the mask leaves black", read=_yes, values=("yes", "no")
        ),
        "masked": Key(field="masked_content", says="what is under the mask", read=_one_of(_MASKED), values=_MASKED),
        "area": Key(
            field="inpaint_area", says="the whole picture or the masked part alone", read=_one_of(_AREA), values=_AREA
        ),
        "padding": Key(field="inpaint_padding", says="pixels around the masked part", read=_whole, values=("32", "64")),
        "tiling": Key(field="tiling", says="edges that fit together", read=_yes, values=("yes", "no")),
        "subseed": Key(field="subseed", says="seed of a variation", read=_whole),
        "subseed_strength": Key(
            field="subseed_strength", says="how far the variation goes, 0 to 1", read=read_number, values=("0.1", "0.3")
        ),
        "eta": Key(field="eta", says="noise of ancestral samplers, 0 to 1", read=read_number, values=("0.0", "1.0")),
    }
)


def parse_extra(text: str) -> dict[str, Any]:
    """The fields that the words set; UserError with every mistake."""
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    for match in _WORD.finditer(text):
        word, quoted, bare, stray = match.groups()
        value = quoted if quoted is not None else bare
        key = None if word is None else KEYS.get(word.casefold())
        if stray is not None:
            mistakes.append(f'"{shorten(stray, 40)}" is no key:value')
        elif key is None:
            near = nearest(list(KEYS), word, limit=1)[0]
            mistakes.append(f'there is no "{shorten(word, 40)}" (did you mean {near}?)')
        elif key.field in found:
            mistakes.append(f"{word.casefold()} is there twice")
        else:
            try:
                found[key.field] = key.read(value)
            except ValueError:
                mistakes.append(f'{word.casefold()} can\'t be "{shorten(value, 40)}"{_expected(key)}')
    if mistakes:
        raise UserError(f"In extra: {'; '.join(mistakes[:8])}.")
    return found


def suggest_extra(typed: str, names: Callable[[str, str], Iterable[str]]) -> list[str]:
    """What the text could become: the word that is being typed, completed. `names(kind, typed)` are a webui's names."""
    last = _LAST.search(typed)
    head = "" if last is None else typed[: last.start()]
    word, colon, value = typed[len(head) :].partition(":")
    used = {match[1].casefold() for match in _WORD.finditer(head) if match[1]}
    if not colon:
        return [f"{head}{key}:" for key in KEYS if key.startswith(word.casefold()) and key not in used]
    key = KEYS.get(word.casefold())
    if key is None:
        return []
    offered = key.values if key.names is None else names(key.names, value.strip('"'))
    return [
        f'{head}{word}:"{one}"' if " " in one else f"{head}{word}:{one}"
        for one in offered
        if key.names is not None or one.startswith(value.casefold())
    ]


def _expected(key: Key) -> str:
    if key.names is not None:
        return ""
    return f" (for example {', '.join(key.values)})" if key.values else " (a whole number)"
