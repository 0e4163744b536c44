"""The less common settings that people type as `key:value` words in one field. Pure; it knows no webui's names.

What is read becomes fields of a request, and addresses of images; every mistake in the text is named at once.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, get_args

from core.errors import UserError
from core.request import InpaintArea, MaskedContent, ResizeMode
from core.several import read_number
from core.webui.names import nearest, shorten, utf16_length

_YES: Final = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
MISTAKES_ROOM = 600
"""So long the mistakes may be together: an answer has to hold them."""
COMPARE: Final = 'compare:"checkpoint=a,b cfg=5,7"'
_WORD = re.compile(
    r"(?P<key>[A-Za-z_-]+)(?P<sign>\s*[:=]\s*)"
    r'(?:"(?P<quoted>(?:[^"]|"")*)"?|(?P<bare>(?!(?<=\s)(?!https?://)[A-Za-z_-]{2,}[:=])[^\s"]\S*))?'
    r"|(?P<stray>\S+)"
)
"""A key with its value, missing where the next key follows a blank (`https:` is no key); or what is neither."""
_QUOTED = re.compile(r'[\s"]|\A[A-Za-z_-]{2,}[:=]')
"""What a value holds that has to be quoted."""


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


@dataclass(frozen=True, slots=True)
class _Word:
    """One word as it was typed from `start` on; without `key` it is none that sets anything.

    `lead` is the key with its sign; `value` is None where there is none.
    """

    start: int
    end: int
    text: str
    key: str | None = None
    lead: str = ""
    value: str | None = None


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
        "sheet": Key(field="sheet", says="all pictures on one more, too", read=_yes, values=("yes", "no")),
        "compare": Key(
            field="compare",
            says=f"a picture for each combination: {COMPARE}",
            read=_name,
            values=("cfg=5,7,9", "steps=15,25,35", "clip_skip=1,2"),
        ),
        "image_url": Key(field="image_url", says="your image's address, in place of a file", read=_name),
        "mask_url": Key(field="mask_url", says="your mask's address, in place of a file", read=_name),
        "permutations": Key(
            field="permutations",
            says="a picture for each way to choose from {a|b} and wildcards; you are asked first",
            read=_yes,
            values=("yes", "no"),
        ),
    }
)
ADDRESSES: Final = ("image_url", "mask_url")
"""Keys that are no field of a request: what they name is fetched, and must not be kept."""
WAYS: Final = ("permutations", "compare")
"""Keys that are none either: they say in which way `/draw` asks for its pictures."""
NO_FIELDS: Final = (*ADDRESSES, *WAYS)
"""All keys that are no field of a request."""


def parse_extra(text: str) -> dict[str, Any]:
    """The fields that the words set; UserError with every mistake, as far as they fit."""
    found: dict[str, Any] = {}
    mistakes: list[str] = []
    words = _words(text)
    for word in words:
        key = None if word.key is None else KEYS.get(word.key)
        if word.key is None:
            mistakes.append(f'"{shorten(word.text, 40)}" is no key:value')
        elif key is None:
            near = nearest(list(KEYS), word.key, limit=1)[0]
            mistakes.append(f'there is no "{shorten(word.key, 40)}" (did you mean {near}?)')
        elif word.value is None:
            mistakes.append(f"{word.key} has no value{_expected(key)}")
        elif key.field in found:
            mistakes.append(f"{word.key} is there twice")
        else:
            try:
                found[key.field] = key.read(word.value)
            except ValueError:
                mistakes.append(f'{word.key} can\'t be "{shorten(word.value, 40)}"{_expected(key)}')
    if mistakes and any(word.key == "compare" and '"' not in word.text for word in words):
        mistakes.insert(0, f"what is compared goes in quotes: {COMPARE}")
    if mistakes:
        raise UserError(f"In extra: {listed(mistakes)}.")
    return found


def suggest_extra(
    typed: str, names: Callable[[str, str], Iterable[str]], without: Collection[str] = NO_FIELDS
) -> list[str]:
    """What the text could become: the word that is being typed, completed. `names(kind, typed)` are a webui's names.

    Keys of `without` are not offered.
    """
    words = _words(typed)
    # After a blank a new word begins, unless the last one still waits for its value.
    is_begun = bool(words) and (words[-1].end == len(typed) or (words[-1].key is not None and words[-1].value is None))
    last = words.pop() if is_begun else _Word(len(typed), len(typed), "")
    head = typed[: last.start]
    if last.key is None:
        used = {*without, *(word.key for word in words)}
        begun = _folded(last.text)
        return [f"{head}{key}:" for key in KEYS if key.startswith(begun) and key not in used]
    key = KEYS.get(last.key)
    if key is None:
        return []
    wanted = last.value or ""
    offered = key.values if key.names is None else names(key.names, wanted)
    return [
        f"{head}{last.lead}{quote_value(one)}"
        for one in offered
        if one.strip() and (key.names is not None or one.startswith(wanted.casefold()))
    ]


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    for found in _WORD.finditer(text):
        if found["key"] is None:
            words.append(_Word(found.start(), found.end(), found[0]))
            continue
        quoted = found["quoted"]
        value = found["bare"] if quoted is None else quoted.replace('""', '"')
        lead = found["key"] + found["sign"]
        words.append(_Word(found.start(), found.end(), found[0], _folded(found["key"]), lead, value))
    return words


def _folded(key: str) -> str:
    return key.casefold().replace("-", "_")


def quote_value(value: str) -> str:
    """A value as it has to be typed behind its key."""
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value


def listed(mistakes: list[str]) -> str:
    """Mistakes, as many as there is room for, and how many more there are."""
    lengths = itertools.accumulate(utf16_length(mistake) + len("; ") for mistake in mistakes)
    fitting = max(1, sum(length <= MISTAKES_ROOM for length in lengths))
    more = len(mistakes) - fitting
    return "; ".join(mistakes[:fitting] + ([f"and {more} more"] if more else []))


def _expected(key: Key) -> str:
    if key.read is _name:
        return ""
    return f" (for example {', '.join(key.values)})" if key.values else " (a whole number)"
