"""What people keep under a name, and what that adds to what they type. Pure; it knows no table.

A preset holds what a command can say as text: no image, mask or control image, and nothing of where an answer is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import UNSET

from core import derive
from core.command_text import PLAIN
from core.derive import Source
from core.effects import NEEDED, leave_out
from core.errors import UserError
from core.extra import KEYS, NO_FIELDS
from core.notes import JOINERS
from core.request import GenerationRequest
from core.store.preferences import PERSON, SERVER
from core.tags import read_lora_tags
from core.webui.names import CHOICE_COUNT, Choice, fold, nearest, shorten, utf16_length

NAME_LENGTH = 60
MOST: Final = {PERSON: 50, SERVER: 100}
"""So many a person, and a server, may have."""
PLACE = "{prompt}"
"""In a preset's words: where those go that are typed."""
MOST_PLACES = 5
"""More would make a prompt of any length out of one that may be typed."""
OF_SERVER = "server:"
"""Before a name: the server's preset is meant, though there may be one's own of that name."""

SIZE = ("width", "height")
KEPT: Final = (
    "negative_prompt",
    *SIZE,
    *(field for _, field in PLAIN),
    "styles",
    "loras",
    *(key.field for name, key in KEYS.items() if name not in NO_FIELDS),
)
"""What a preset may say beside its words."""
OF_ONE_PICTURE = ("seed", "subseed", "subseed_strength", "count")
"""What is not taken over from a picture: the next ones are to be others."""
OF_AN_IMAGE = ("denoising_strength", *(field for needed, _, fields in NEEDED[:2] for field in fields))
"""What is not either where the picture was drawn over an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One of a person's, or of a server's. The prompt of its request are its words, empty where it has none."""

    scope: str
    scope_id: str
    name: str
    request: GenerationRequest
    maker_id: str
    made_at: float = 0.0

    @property
    def is_server_s(self) -> bool:
        """Whether everybody on a server has it."""
        return self.scope == SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What one person can use in one place, each in the order of its names."""

    mine: Sequence[Preset] = ()
    servers: Sequence[Preset] = ()

    @property
    def all(self) -> Sequence[Preset]:
        """One's own first."""
        return (*self.mine, *self.servers)


def check_name(typed: str) -> str:
    """The name as it is kept; UserError where it can't be one."""
    name = typed.strip(" ")
    if name and (not name.strip(JOINERS + " ") or not all(sign.isprintable() or sign in JOINERS for sign in name)):
        raise UserError("The name has signs in it that nobody can see; leave them out.")
    name = " ".join(name.split())
    if not 1 <= utf16_length(name) <= NAME_LENGTH:
        raise UserError(f"The name of a preset has 1 to {NAME_LENGTH} characters.")
    if fold(name).startswith(OF_SERVER):
        raise UserError(f"The name of a preset can't begin with {OF_SERVER}, which stands for those of the server.")
    return name


def kept_of(said: GenerationRequest) -> GenerationRequest:
    """What is kept of what was said; UserError where that is nothing."""
    words = "" if said.prompt.strip() == PLACE else said.prompt.strip()
    kept = GenerationRequest(prompt=words, **_said(said, KEPT))
    if kept == GenerationRequest(prompt=""):
        raise UserError("There is nothing to keep: name a picture of yours, or say at least one setting.")
    if words.count(PLACE) > MOST_PLACES:
        raise UserError(f"A preset's prompt can have {PLACE} in it at most {MOST_PLACES} times.")
    return kept


def from_picture(source: Source, *, with_prompt: bool = False) -> GenerationRequest:
    """What made a picture: of its words the LoRAs' tags alone, unless all of them are wanted.

    UserError where it was not drawn from a prompt.
    """
    same = derive.the_same(source).as_said
    left_out = (*OF_ONE_PICTURE, *(() if same.image is UNSET else OF_AN_IMAGE))
    tags = [f"<lora:{':'.join(tag.parts)}>" for tag in read_lora_tags(same.prompt)]
    words = " ".join([PLACE, *tags]) if tags else ""
    fields = _said(same, [name for name in KEPT if name not in left_out])
    return GenerationRequest(prompt=same.prompt if with_prompt else words, **fields)


def lay_under(asked: GenerationRequest, kept: GenerationRequest, *, whole: bool = False) -> GenerationRequest:
    """`asked` with what nobody typed from a preset. `whole`: all of that, since an image, or scales of a second pass to
    compare, are yet to come.

    Else what is about them has no effect; nobody typed it, so there is nothing to say about that.
    """
    has_size = any(getattr(asked, side) is not UNSET for side in SIZE)
    fields = {
        name: value
        for name, value in _said(kept, KEPT).items()
        if getattr(asked, name) is UNSET and not (has_size and name in SIZE)
    }
    merged = replace(asked, prompt=with_words(kept.prompt, asked.prompt), **fields)
    if whole:
        return merged
    effective = leave_out(merged, [])
    nothing: dict[str, Any] = {name: UNSET for name in fields if getattr(effective, name) is UNSET}
    return replace(merged, **nothing)


def with_words(words: str, typed: str) -> str:
    """A preset's words with those that were typed: in their place where it names one, else before its own."""
    if not words.strip():
        return typed
    if PLACE in words:
        return words.replace(PLACE, typed)
    return f"{typed}, {words}" if typed.strip() else words


def pick(shelf: Shelf, wanted: str) -> Preset:
    """The preset of that name, one's own first; UserError with the nearest names where there is none."""
    name = fold(" ".join(wanted.split()))
    of_server = name.removeprefix(OF_SERVER).strip() if name.startswith(OF_SERVER) else None
    candidates, name = (shelf.all, name) if of_server is None else (shelf.servers, of_server)
    found = next((one for one in candidates if fold(one.name) == name), None)
    if found is None:
        raise UserError(f'There is no preset called "{shorten(wanted.strip(), 60)}". {_hint(candidates, wanted)}')
    return found


def offers(shelf: Shelf, typed: str) -> list[Choice]:
    """What autocomplete offers: one's own before the server's, of each those first that begin with what was typed."""
    wanted = fold(typed.strip())
    mine = () if wanted.startswith(OF_SERVER) else _fitting(shelf.mine, wanted)
    servers = _fitting(shelf.servers, wanted.removeprefix(OF_SERVER).strip())
    choices = [
        *(Choice(f"{one.name} · yours", one.name) for one in mine),
        *(Choice(f"{one.name} · this server's", f"{OF_SERVER}{one.name}") for one in servers),
    ]
    return choices[:CHOICE_COUNT]


def _fitting(presets: Sequence[Preset], wanted: str) -> Sequence[Preset]:
    fitting = [one for one in presets if wanted in fold(one.name)]
    return sorted(fitting, key=lambda one: not fold(one.name).startswith(wanted))


def _said(request: GenerationRequest, names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(request, name)) is not UNSET}


def _hint(candidates: Sequence[Preset], wanted: str) -> str:
    if not candidates:
        return "/preset save makes one."
    *others, last = [f'"{name}"' for name in nearest([one.name for one in candidates], wanted)]
    return f"Did you mean {', '.join(others)} or {last}?" if others else f"Did you mean {last}?"
