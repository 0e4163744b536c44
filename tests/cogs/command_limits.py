"""Discord's limits for commands, which discord.py does not check: every broken one is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

NAME = re.compile(r"[-_'\w]{1,32}")
SUBCOMMANDS = (1, 2)


def broken_limits(command: Mapping[str, Any], where: str = "") -> list[str]:
    """What Discord would refuse in a command as it is registered; empty where all is well."""
    place = f"{where} {command['name']}".strip()
    problems = [f"{place}: {problem}" for problem in _broken_here(command)]
    for option in command.get("options", []):
        problems += broken_limits(option, place)
    if not where and _characters(command) > 8000:
        problems.append(f"{place}: more than 8000 characters in all")
    return problems


def _broken_here(part: Mapping[str, Any]) -> Iterator[str]:
    is_menu = part.get("type") in (2, 3) and "options" not in part and part.get("description") in (None, "")
    if not is_menu:
        if not NAME.fullmatch(part["name"]) or part["name"] != part["name"].lower():
            yield "a name that is not 1 to 32 small letters"
        if not 1 <= len(part["description"]) <= 100:
            yield "a description that has not 1 to 100 characters"
    options = part.get("options", [])
    names = [option["name"] for option in options]
    if len(options) > 25:
        yield "more than 25 options"
    if len(set(names)) < len(names):
        yield "two options of one name"
    required = [bool(option.get("required")) for option in options if option["type"] not in SUBCOMMANDS]
    if required != sorted(required, reverse=True):
        yield "a required option behind an optional one"
    yield from _broken_choices(part)


def _broken_choices(part: Mapping[str, Any]) -> Iterator[str]:
    choices = part.get("choices") or []
    if len(choices) > 25:
        yield "more than 25 choices"
    if choices and part.get("autocomplete"):
        yield "choices and autocomplete together"
    for choice in choices:
        if not 1 <= len(choice["name"]) <= 100 or len(str(choice["value"])) > 100:
            yield "a choice longer than 100 characters"


def _characters(part: Mapping[str, Any]) -> int:
    own = len(part["name"]) + len(part.get("description") or "")
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices") or [])
    return own + choices + sum(_characters(option) for option in part.get("options", []))
