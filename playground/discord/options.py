"""What Discord's client does with a typed slash command: checks it against the registration. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from playground.discord import rules
from playground.discord.check_commands import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    GROUP,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    ROLE,
    STRING,
    SUBCOMMAND,
    USER_OPTION,
)
from playground.discord.errors import NotSendable
from playground.discord.messages import Json
from playground.discord.places import Channel, Member

_WORDS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Leaf:
    """The part of a registered command that takes options, and the names of the groups above it."""

    above: tuple[Json, ...]
    options: list[Json]

    def wrap(self, given: list[Json]) -> list[Json]:
        """The `options` of the interaction: what was given, inside its subcommand and group."""
        for level in reversed(self.above):
            given = [{"name": level["name"], "type": level["type"], "options": given}]
        return given

    def find(self, name: str) -> Json:
        for option in self.options:
            if option["name"] == name:
                return option
        known = ", ".join(option["name"] for option in self.options)
        raise NotSendable(f"there is no option {name!r}; there are: {known}")


def leaf_of(command: Json, path: list[str]) -> Leaf:
    """Follows `["group", "sub"]` down a registered command.

    Raises:
        NotSendable: no such subcommand, or the command has some and none was named.
    """
    above: list[Json] = []
    options: list[Json] = command.get("options") or []
    for name in path:
        found = next((o for o in options if o["name"] == name and o["type"] in (SUBCOMMAND, GROUP)), None)
        if found is None:
            raise NotSendable(f"/{command['name']} has no subcommand {name!r}")
        above.append(found)
        options = found.get("options") or []
    if any(option["type"] in (SUBCOMMAND, GROUP) for option in options):
        raise NotSendable(f"/{command['name']} needs a subcommand")
    return Leaf(tuple(above), options)


def give_options(
    leaf: Leaf, values: dict[str, Any], attach: Callable[[str, Any], str], *, partial: bool = False
) -> list[Json]:
    """The given options in the command's order, converted and checked as the client does.

    `attach(name, file)` uploads a file and returns its attachment id. `partial` (while typing, for
    autocomplete) lets required options be missing.

    Raises:
        NotSendable: unknown or missing option, wrong type, out of bounds, not one of the choices.
    """
    given = {name: value for name, value in values.items() if value is not None}
    for name in given:
        leaf.find(name)
    result = []
    for option in leaf.options:
        name = option["name"]
        if name in given:
            value = attach(name, given[name]) if option["type"] == ATTACHMENT else convert(option, given[name])
            result.append({"name": name, "type": option["type"], "value": value})
        elif option.get("required") and not partial:
            raise NotSendable(f"the required option {name!r} is missing")
    return result


def convert(option: Json, value: Any) -> Any:
    """One value as JSON of the option's type; text that a person typed is read as the client reads it."""
    if option.get("choices"):
        return _chosen(option, value)
    match option["type"]:
        case kind if kind == STRING:
            return _string(option, value)
        case kind if kind in (INTEGER, NUMBER):
            return _number(option, value)
        case kind if kind == BOOLEAN:
            return _boolean(option, value)
        case kind if kind in (USER_OPTION, MENTIONABLE) and isinstance(value, Member):
            return str(value.id)
        case kind if kind == CHANNEL and isinstance(value, Channel):
            return str(value.id)
        case kind if kind == ROLE:
            return str(value)
    raise NotSendable(f"{value!r} is nothing for the option {option['name']!r}")


def _chosen(option: Json, value: Any) -> Any:
    for choice in option["choices"]:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    names = ", ".join(choice["name"] for choice in option["choices"])
    raise NotSendable(f"{value!r} is not a choice of {option['name']!r}; there are: {names}")


def _string(option: Json, value: Any) -> str:
    if not isinstance(value, str):
        raise NotSendable(f"{option['name']!r} takes text, not {value!r}")
    low = max(option.get("min_length") or 0, 1)
    high = option.get("max_length") or rules.STRING_OPTION
    if not low <= len(value) <= high:
        raise NotSendable(f"{option['name']!r} takes {low} to {high} characters, not {len(value)}")
    return value


def _number(option: Json, value: Any) -> int | float:
    whole = option["type"] == INTEGER
    number: int | float
    try:
        number = int(value) if whole else float(value)
    except (TypeError, ValueError, OverflowError):
        raise NotSendable(f"{option['name']!r} takes a number, not {value!r}") from None
    if isinstance(value, bool) or (whole and number != float(value)):
        raise NotSendable(f"{option['name']!r} takes a number, not {value!r}")
    low = option.get("min_value", -rules.SAFE_INTEGER)
    high = option.get("max_value", rules.SAFE_INTEGER)
    if not low <= number <= high:
        raise NotSendable(f"{option['name']!r} takes {low} to {high}, not {number}")
    return number


def _boolean(option: Json, value: Any) -> bool:
    if isinstance(value, str):
        value = _WORDS.get(value.lower(), value)
    if not isinstance(value, bool):
        raise NotSendable(f"{option['name']!r} takes True or False, not {value!r}")
    return value
