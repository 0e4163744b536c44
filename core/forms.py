"""What a form about a picture shows, and what becomes of it once it is filled in. Pure; it knows no Discord.

Every mistake is named at once. A form's texts are by the names of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from core.command_text import as_options
from core.defaults import SEED_MAX
from core.derive import USE_DENOISING, Source, the_same
from core.errors import Mistakes
from core.prompt import tidy
from core.request import GenerationRequest
from core.setting_lines import read_lines, write_lines
from core.several import read_number
from core.webui.names import shorten

_STAYS = ("image", "mask", "control", "spoiler", "private")
"""What no text of a form says."""
_SEED = re.compile(r"-?[0-9]{1,10}")
_EMPTY = "the prompt is empty: say what you would like to see"


@dataclass(frozen=True, slots=True)
class Over:
    """What is drawn over a picture, and how much of that may change (0 to 1)."""

    prompt: str
    strength: float

    def of(self, request: GenerationRequest) -> GenerationRequest:
        """The request with this said."""
        return replace(request, prompt=self.prompt, denoising_strength=self.strength)


@dataclass(frozen=True, slots=True)
class Edited:
    """What is asked for, as far as it can be read, and what is wrong with the rest, a phrase for each mistake."""

    request: GenerationRequest
    mistakes: tuple[str, ...]


def edit_form(source: Source) -> dict[str, str]:
    """The picture as it was asked for; UserError where it was not drawn from a prompt."""
    request = the_same(source)
    options = as_options(request)
    return {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt or "",
        "seed": options.pop("seed", ""),
        "settings": write_lines(options),
    }


def read_edit(source: Source, typed: Mapping[str, str]) -> Edited:
    """What was asked for, with the picture's own images.

    What is left out is said by nobody any more; without a size, one that is made from an image keeps its own.
    """
    original = the_same(source)
    lines = read_lines(typed.get("settings", ""))
    prompt, fields = typed.get("prompt", ""), dict(lines.fields)
    mistakes = [] if tidy(prompt) else [_EMPTY]
    if seed := typed.get("seed", "").strip():
        if "seed" in fields:
            mistakes.append("the seed is there twice: in its field and among the settings")
        if not _SEED.fullmatch(seed) or not -1 <= int(seed) <= SEED_MAX:
            mistakes.append(f'the seed can\'t be "{shorten(seed, 40)}" (a whole number up to {SEED_MAX}; -1 for any)')
        else:
            fields["seed"] = int(seed)
    if "width" not in fields and original.input_keys:
        fields |= {"width": original.width, "height": original.height}
    request = GenerationRequest(
        prompt=prompt if tidy(prompt) else original.prompt,
        negative_prompt=typed.get("negative_prompt", "").strip() or UNSET,
        **{name: value for name, value in fields.items() if value != ()},
        **{name: getattr(original, name) for name in _STAYS},
    )
    return Edited(replace(request, filled=_still_filled(original, request)), (*mistakes, *lines.mistakes))


def use_form(source: Source) -> dict[str, str]:
    """The words of a picture that is drawn over; none where it has none."""
    prompt = the_same(source).prompt if source.request.task == "draw" else ""
    return {"prompt": prompt, "strength": f"{USE_DENOISING:g}"}


def read_use(typed: Mapping[str, str]) -> Over:
    """What it says; Mistakes where it can't be read."""
    mistakes = [] if tidy(typed.get("prompt", "")) else [_EMPTY]
    said = typed.get("strength", "").strip()
    try:
        strength = read_number(said)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= 1:
        mistakes.append(f'how much may change is a number from 0 to 1, and not "{shorten(said, 40)}"')
    if mistakes:
        raise Mistakes(mistakes)
    return Over(typed["prompt"], strength)


def _still_filled(original: GenerationRequest, request: GenerationRequest) -> tuple[str, ...] | UnsetType:
    """What nobody had said the first time either: a webui that can't be told it draws without."""
    if original.filled is UNSET:
        return UNSET
    same = (name for name in original.filled if getattr(request, name) == getattr(original, name) is not UNSET)
    return tuple(same) or UNSET
