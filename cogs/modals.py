"""Forms as Discord's modals: from texts to inputs that hold 4,000 characters each, and back. It knows no picture.

A form is answered by its custom_id, `easel:1:form:<verb>:<job id>:<picture>`, and never by the object that was sent: so
one that is sent after a restart is understood, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from cogs import say
from core.errors import UserError

FORM_ID = re.compile(r"easel:1:form:(?P<verb>[a-z]+):(?P<job>[0-9]{1,20}):(?P<number>[0-9]{1,2})")
INPUT_LIMIT = 4000
"""Discord's characters in one input."""
MOST_INPUTS = 5
_LOOKED_BACK = 1000
_NUMBERED = re.compile(r"(?P<name>[a-z_]+?)(?:-(?P<number>[2-9]))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One text of a form. `long`: it has several lines; `hint` stands where nothing is typed yet."""

    name: str
    label: str
    hint: str = ""
    long: bool = False
    required: bool = False
    most: int = INPUT_LIMIT


def form_id(verb: str, job_id: str, number: int) -> str:
    """The custom_id of a form about a picture, counted from 0."""
    return f"easel:1:form:{verb}:{job_id}:{number}"


def split_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The texts as those of inputs, `prompt-2` being what goes on after `prompt`; UserError where they are too many.

    Where there is no room for its own input a seed becomes a line of the settings.
    """
    inputs = _split_all(texts)
    if len(inputs) > MOST_INPUTS and {"seed", "settings"} <= texts.keys():
        line = f"seed:{texts['seed']}\n" if texts["seed"].strip() else ""
        fewer = {name: text for name, text in texts.items() if name != "seed"}
        inputs = _split_all({**fewer, "settings": line + texts["settings"]})
    if len(inputs) > MOST_INPUTS:
        raise UserError("The texts of this picture are too long for a form. Details shows the command to copy.")
    return inputs


def join_inputs(inputs: Mapping[str, str]) -> dict[str, str]:
    """The texts again, under their names."""
    texts: dict[str, str] = {}
    for name, text in inputs.items():
        whole = _NUMBERED.fullmatch(name)
        if whole is not None:
            texts[whole["name"]] = _joined(texts.get(whole["name"], ""), text)
    return texts


def build_modal(custom_id: str, title: str, fields: Sequence[Field], inputs: Mapping[str, str]) -> discord.ui.Modal:
    """The window, filled with `inputs`. It is finished already: nobody has to remember it until it is sent."""
    modal = discord.ui.Modal(title=title, custom_id=custom_id, timeout=None)
    known = {field.name: field for field in fields}
    for name, text in inputs.items():
        whole = _NUMBERED.fullmatch(name)
        if whole is not None:
            modal.add_item(_label(known[whole["name"]], name, text, is_first=whole["number"] is None))
    modal.stop()
    return modal


def read_modal(data: Any) -> dict[str, str]:
    """What was typed, by the names of the inputs, from an interaction's data."""
    return {
        str(part["custom_id"]): str(part.get("value") or "")
        for part in _parts(data.get("components"))
        if "custom_id" in part
    }


def _parts(components: Any) -> Iterator[Mapping[str, Any]]:
    """Every component; inputs are in a label, those of older clients in a row."""
    for part in components or ():
        yield part
        yield from _parts([part["component"]] if part.get("component") else part.get("components"))


def _label(field: Field, name: str, text: str, *, is_first: bool) -> discord.ui.Label[Any]:
    style = discord.TextStyle.paragraph if field.long else discord.TextStyle.short
    return discord.ui.Label(
        text=field.label if is_first else f"{field.label}, continued",
        component=discord.ui.TextInput(
            custom_id=name,
            style=style,
            default=text,
            placeholder=field.hint or None,
            required=field.required and is_first,
            max_length=field.most,
        ),
    )


def _split_all(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        name if number == 1 else f"{name}-{number}": piece
        for name, text in texts.items()
        for number, piece in enumerate(_pieces(text), 1)
    }


def _pieces(text: str) -> Iterator[str]:
    """At most INPUT_LIMIT units each; between words where that can be."""
    while say.units(text) > INPUT_LIMIT:
        kept = text.encode("utf-16-le", "surrogatepass")[: 2 * INPUT_LIMIT].decode("utf-16-le", "ignore")
        end = max(kept.rfind(sign, max(0, len(kept) - _LOOKED_BACK)) for sign in " \n") + 1
        end = end or kept.rfind(",", max(0, len(kept) - _LOOKED_BACK)) + 1 or len(kept)
        yield text[:end]
        text = text[end:]
    yield text


def _joined(first: str, second: str) -> str:
    """With a blank where Discord may have taken one away; scripts without blanks have none there."""
    seam = first[-1:] + second[:1]
    is_open = len(seam) == 2 and seam.isascii() and not any(map(str.isspace, seam))
    return f"{first} {second}" if is_open else first + second
