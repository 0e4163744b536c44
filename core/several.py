"""Fields that hold several names with commas between them: read, written and completed by one rule. Pure.

A name that holds a comma stands in double quotes, a quote inside of them is doubled; a quote counts only where a name
begins. A LoRA may have its weight behind it (`name:0.8`, `"a, b":0.8`, `"a, b:0.8"`), or be a whole tag of a prompt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from core.errors import UserError
from core.request import LoraUse
from core.tags import read_lora_tags
from core.webui.names import fold, shorten

MOST_STYLES = 10
_PART = re.compile(
    r"\s*(?:"
    r'(?P<whole>"(?P<quoted>(?:[^"]|"")*)"?(?P<rest>[^,]*))'
    r"|(?P<tag><\s*(?:lora|lyco)\s*:[^>]*>)(?=\s*(?:[,<]|\Z))"
    r"|(?P<bare>[^,]*))"
    r"\s*(?P<end>,|\Z|(?=<))",
    re.IGNORECASE,
)
_WHOLE_WEIGHT = re.compile(r":\s*[+-]?\d+\Z")
_SPECIAL = re.compile(r'["<]')
"""What a name can't begin with, unless it is quoted."""


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two commas: `text` as it was typed from `start` on, without blanks around it.

    `quoted` is what stands in its quotes, None where it has none, and `rest` what comes behind them.
    """

    start: int
    text: str
    quoted: str | None = None
    rest: str = ""

    @property
    def name(self) -> str:
        """The name, in a field without weights."""
        return self.text if self.quoted is None or self.rest else self.quoted

    @property
    def lora(self) -> tuple[str, str | None]:
        """The name of a LoRA, and the text of its weight, None where there is none; a tag says both in its own way."""
        if self.quoted is not None and self.rest.startswith(":"):
            return self.quoted, self.rest[1:]
        name, colon, weight = self.name.rpartition(":")
        if colon and (self.quoted is None or self.rest or _is_number(weight)):
            return name, weight
        return self.name, None


def split_parts(text: str, *, weighted: bool = False) -> list[Part]:
    """All parts, empty ones, too: the last one is what is being typed. `weighted`: `a:0,8` is one, with its comma."""
    parts: list[Part] = []
    found = _PART.match(text)
    while found is not None:
        start = found.end() - len(found[0].lstrip())
        typed = (found["whole"] or found["tag"] or found["bare"] or "").strip()
        quoted = None if found["quoted"] is None else found["quoted"].replace('""', '"')
        part = Part(start, typed, quoted, (found["rest"] or "").strip())
        if weighted and parts and _goes_on(parts[-1], part, text):
            joined = parts.pop()
            part = replace(
                joined,
                text=f"{joined.text},{typed}",
                rest=joined.rest if joined.quoted is None else f"{joined.rest},{typed}",
            )
        parts.append(part)
        is_last = found.end() == len(text) and not found["end"]
        found = None if is_last else _PART.match(text, found.end())
    return parts


def split_names(text: str) -> tuple[str, ...]:
    """The names in a field without weights."""
    return tuple(part.name.strip() for part in split_parts(text) if part.name.strip())


def quote_name(name: str, *, weighted: bool = False) -> str:
    """A name as it is written into such a field."""
    if "," not in name and name == name.strip() and not _SPECIAL.match(name) and not (weighted and ":" in name):
        return name
    quoted = '"' + name.replace('"', '""') + '"'
    return f"{quoted}:1" if weighted and _is_number(name.rpartition(":")[2]) else quoted


def parse_styles(text: str) -> tuple[str, ...]:
    """`one, another` as styles, each once."""
    styles = tuple(dict.fromkeys(split_names(text)))
    if len(styles) > MOST_STYLES:
        raise UserError(f"At most {MOST_STYLES} styles can be used at once.")
    return styles


def parse_loras(text: str) -> tuple[LoraUse, ...]:
    """`name:0.8, other` as LoRAs; a weight that isn't said is 1.

    UserError where a weight is no number, or a LoRA is there twice with different ones.
    """
    uses: dict[str, LoraUse] = {}
    for part in split_parts(text, weighted=True):
        if not part.text:
            continue
        use = _of_tag(part) or _of_words(part)
        known = uses.setdefault(fold(use.name), use)
        if known.weight != use.weight:
            raise UserError(
                f'The LoRA "{shorten(use.name, 40)}" is there twice, with {known.weight:g} and {use.weight:g}; '
                "say which weight you mean."
            )
    return tuple(uses.values())


def read_number(text: str) -> float:
    """A number with a point or a comma; ValueError where it is none."""
    number = float(text.replace(",", "."))
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _of_tag(part: Part) -> LoraUse | None:
    tags = read_lora_tags(part.text) if part.quoted is None and part.text.startswith("<") else ()
    if not tags:
        return None
    text_encoder, unet = tags[0].weights
    if text_encoder != unet:
        raise UserError(f'Here a LoRA has one weight; "{shorten(part.text, 60)}" can stand in the prompt.')
    return _use(tags[0].name, part, text_encoder)


def _of_words(part: Part) -> LoraUse:
    name, weight = part.lora
    use = _use(name, part, 1.0)
    try:
        return use if weight is None else replace(use, weight=read_number(weight))
    except ValueError:
        raise UserError(
            f'The weight of a LoRA is a number, as in name:0.8, and not "{shorten((weight or "").strip(), 40)}".'
        ) from None


def _use(name: str, part: Part, weight: float) -> LoraUse:
    if not name.strip():
        raise UserError(f'"{shorten(part.text, 40)}" names no LoRA: write its name before the colon, as in name:0.8.')
    return LoraUse(name.strip(), weight)


def _goes_on(before: Part, part: Part, text: str) -> bool:
    """Whether the comma between them is that of a number."""
    is_digits = part.quoted is None and part.text.isdecimal() and text[part.start - 1] == ","
    ends_whole = _WHOLE_WEIGHT.search(before.text if before.quoted is None else before.rest)
    return is_digits and ends_whole is not None


def _is_number(text: str) -> bool:
    try:
        read_number(text)
    except ValueError:
        return False
    return True
