"""The tags of extra networks in prompts, `<lora:name:weight>`, read as AUTOMATIC1111 and its kin read them. Pure.

Theirs is `<(\\w+):([^>]+)>`, so that a name may hold `<` and a line break, and colons part the rest: the first part
without `=` is the name, the next two are the weights of text encoder and U-Net, which `te=` and `unet=` say, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import UserError

_TAG = re.compile(r"<\s*(lora|lyco|hypernet)\s*:([^>]*)>", re.IGNORECASE)
_HYPERNET = "hypernet"
_NO_WEIGHTS = frozenset({"dyn", "start", "stop", "step"})
"""What may be said in a tag by name and is no weight: a rank, and steps."""


@dataclass(frozen=True, slots=True)
class LoraTag:
    """One tag, as the parts between its colons, blanks and all."""

    parts: tuple[str, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Which parts are name, weights and so on in this order: those that don't say by name what they are."""
        return tuple(place for place, part in enumerate(self.parts) if part.count("=") != 1)

    @property
    def name(self) -> str:
        """The LoRA's name; empty where there is none."""
        return self.parts[self.places[0]].strip() if self.places else ""

    @property
    def weights(self) -> tuple[float, float]:
        """The text encoder's, and the U-Net's: the same where only one is said, 1 where none is or it is no number."""
        named = dict(_said(part) for part in self.parts if part.count("=") == 1)
        in_order = [self.parts[place] for place in self.places[1:3]]
        text_encoder = _first_number(named.get("te"), *in_order[:1])
        return text_encoder, _first_number(named.get("unet"), *in_order[1:], str(text_encoder))

    def clamped(self, low: float, high: float) -> LoraTag:
        """With all weights inside of these; words in their place stay: some webuis read them."""
        weighing = {*self.places[1:3], *(place for place in range(len(self.parts)) if self._names_weight(place))}
        return LoraTag(
            tuple(_clamp(part, low, high) if place in weighing else part for place, part in enumerate(self.parts))
        )

    def renamed(self, name: str) -> LoraTag:
        """The same for a LoRA of this name."""
        return LoraTag(tuple(name if place == self.places[0] else part for place, part in enumerate(self.parts)))

    def _names_weight(self, place: int) -> bool:
        part = self.parts[place]
        return part.count("=") == 1 and _said(part)[0] not in _NO_WEIGHTS


def check_tags(text: str) -> None:
    """Refuse tags whose network can't be looked up; Forge would draw with the LoRAs of somebody else's picture."""
    for found in _TAG.finditer(text):
        if found[1].casefold() == _HYPERNET:
            raise UserError("Hypernetworks can't be used here; leave the tag <hypernet:…> out.")
        if not _tag(found).name:
            raise UserError("A LoRA's tag has no name in it: write <lora:name:0.8>, or leave it out.")


def read_lora_tags(text: str) -> tuple[LoraTag, ...]:
    """The prompt's LoRA tags, in their order."""
    return tuple(_tag(found) for found in _TAG.finditer(text) if _is_lora(found))


def lora_tags(text: str) -> tuple[str, ...]:
    """The names in the prompt's LoRA tags, each once."""
    return tuple(dict.fromkeys(tag.name for tag in read_lora_tags(text)))


def take_lora_tags(text: str) -> tuple[str, tuple[tuple[str, float], ...]]:
    """The prompt without its LoRA tags, and what they said: the name, and the weight for the U-Net."""
    found = tuple((tag.name, tag.weights[1]) for tag in read_lora_tags(text))
    bare = _TAG.sub(lambda tag: " " if _is_lora(tag) else tag[0], text)
    return re.sub(r" {2,}", " ", bare).strip(), found


def clamp_lora_tags(text: str, low: float, high: float) -> str:
    """The prompt with its LoRA tags' weights inside of these."""

    def clamp(found: re.Match[str]) -> str:
        parts = _tag(found).clamped(low, high).parts
        return f"{found[0][: found.start(2) - found.start()]}{':'.join(parts)}>"

    return _TAG.sub(clamp, text)


def respell_lora_tags(text: str, spell: Callable[[str], str | None]) -> str:
    """The prompt with its LoRAs as `spell` writes them, in tags that every webui can read; None leaves a tag alone."""

    def respell(found: re.Match[str]) -> str:
        tag = _tag(found)
        name = spell(tag.name) if tag.name and _is_lora(found) else None
        return found[0] if name is None else f"<{found[1].casefold()}:{':'.join(tag.renamed(name).parts)}>"

    return _TAG.sub(respell, text)


def _tag(found: re.Match[str]) -> LoraTag:
    return LoraTag(tuple(found[2].split(":")))


def _is_lora(found: re.Match[str]) -> bool:
    return found[1].casefold() != _HYPERNET


def _said(part: str) -> tuple[str, str]:
    key, _, value = part.partition("=")
    return key.strip().casefold(), value


def _first_number(*texts: str | None) -> float:
    return next((number for text in texts if text is not None and (number := _number(text)) is not None), 1.0)


def _number(text: str) -> float | None:
    """None where it is no number; what is not finite is 1."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else 1.0


def _clamp(part: str, low: float, high: float) -> str:
    """SD.Next takes weights by step, `1@0,0.5@10`: there it is the numbers before the `@` that count."""
    key, sign, values = part.partition("=") if part.count("=") == 1 else ("", "", part)
    return f"{key}{sign}{','.join(_clamp_one(value, low, high) for value in values.split(','))}"


def _clamp_one(text: str, low: float, high: float) -> str:
    said, at, step = text.partition("@")
    number = _number(said)
    if number is None:
        return text
    inside = min(max(number, low), high)
    if float(said) == inside:
        return text
    return f"{said[: len(said) - len(said.lstrip())]}{inside:g}{said[len(said.rstrip()) :]}{at}{step}"
