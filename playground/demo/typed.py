"""Reads a slash command that somebody typed on one line, as Discord's client would have cut it up. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_TEXT = 3
"""The type of an option that takes text (documentation, "Application Command Option Type")."""


class UnclearError(Exception):
    """What was typed is no command; `str(error)` is a sentence that says what would be."""


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A command's name and its options, all still text."""

    name: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        return " ".join([f"/{self.name}", *(f"{name}: {value}" for name, value in self.options.items())])


def parse_typed(line: str, commands: Mapping[str, Mapping[str, Any]]) -> TypedCommand:
    """`/draw prompt: a red fox size: 16:9` with the registered `commands`; UnclearError where that can't be read.

    An option begins only where one of the command's own option names is followed by a colon, so a prompt may hold
    colons. What stands before the first option is taken for the first option that has to be there.
    """
    if not line.startswith("/"):
        raise UnclearError("Commands begin with a slash, such as /draw prompt: a red fox. /help shows them, quit ends.")
    name, _, rest = line[1:].partition(" ")
    if name not in commands:
        known = ", ".join(f"/{one}" for one in sorted(commands))
        raise UnclearError(f"There is no command /{name} here; there are {known}, /help and quit.")
    registered: list[Mapping[str, Any]] = commands[name].get("options") or []
    options: dict[str, str] = {}
    for found, value in _split(rest, [str(option["name"]) for option in registered]):
        option = found or _first_required(registered)
        if option in options:
            raise UnclearError(f"{option}: is there twice.")
        if not value:
            raise UnclearError(f"There is nothing after {option}:")
        options[option] = value
    return TypedCommand(name, options)


def describe(commands: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Every command with its options, as Discord shows them: pairs of a name and its description."""
    lines: list[tuple[str, str]] = []
    for name, command in sorted(commands.items()):
        lines.append((f"/{name}", str(command.get("description", ""))))
        for option in command.get("options") or []:
            needed = "" if option.get("required") else "[]"
            shown = f"{needed[:1]}{option['name']}:{needed[1:]}"
            lines.append((f"  {shown}", str(option.get("description", ""))))
    return lines


def _split(rest: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of option and value; the first has no name where the text begins without one."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if not alternatives:
        return [("", rest.strip())] if rest.strip() else []
    lead, *others = re.split(rf"(?:^|(?<=\s))({alternatives}):", rest)
    pairs = [("", lead.strip())] if lead.strip() else []
    return pairs + [(name, value.strip()) for name, value in zip(others[::2], others[1::2], strict=True)]


def _first_required(options: Iterable[Mapping[str, Any]]) -> str:
    for option in options:
        if option.get("required") and option["type"] == _TEXT:
            return str(option["name"])
    raise UnclearError("Say which option that is: an option is its name, a colon and its value.")
