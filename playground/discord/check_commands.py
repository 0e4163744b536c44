"""Discord's rules for registering application commands. Knows no HTTP and stores nothing."""

import unicodedata
from collections.abc import Callable
from typing import Any, Final

from playground.discord import rules
from playground.discord.errors import FormErrors, refusal
from playground.discord.messages import Json

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER_OPTION, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
_OPTION_TYPES: Final = frozenset(range(1, 12))
_WITH_CHOICES: Final = frozenset({STRING, INTEGER, NUMBER})
_NUMBERS: Final = frozenset({INTEGER, NUMBER})
_NAME: Final = 32


def check_command(command: Json, path: str, errors: FormErrors) -> None:
    """Adds what is wrong with one command; `path` is its index in a bulk request, else empty."""
    at = _under(path)
    kind = command.get("type") or CHAT_INPUT
    name = command.get("name")
    errors.length(at("name"), name, 1, _NAME)
    if kind == CHAT_INPUT:
        if isinstance(name, str) and not is_command_name(name):
            errors.add(at("name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        errors.length(at("description"), command.get("description"), 1, rules.COMMAND_DESCRIPTION)
        _check_options(command.get("options") or [], at, errors, depth=0)
        if characters(command) > rules.COMMAND_CHARACTERS:
            message = f"Command exceeds maximum size ({rules.COMMAND_CHARACTERS})"
            errors.add(at("options"), "APPLICATION_COMMAND_TOO_LARGE", message)
    elif kind not in (USER, MESSAGE):
        errors.add(at("type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")
    elif command.get("description") or command.get("options"):
        message = "Context menu commands cannot have description or options"
        errors.add(at("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION", message)


def check_commands(commands: list[Json]) -> None:
    """A whole bulk overwrite: each command, no name twice in a type, not too many of a type."""
    errors = FormErrors()
    seen: set[tuple[int, str]] = set()
    for index, command in enumerate(commands):
        check_command(command, str(index), errors)
        key = (command.get("type") or CHAT_INPUT, str(command.get("name")))
        if key in seen:
            errors.add(
                f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add(key)
    errors.raise_if_any()
    for kind, most in rules.COMMANDS_BY_TYPE.items():
        if sum(1 for one, _ in seen if one == kind) > most:
            raise refusal(30032)


def is_command_name(name: str) -> bool:
    r"""`^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`, lower case where the letter has one."""
    return name == name.lower() and all(_is_name_character(character) for character in name)


def _is_name_character(character: str) -> bool:
    in_script = "\u0900" <= character <= "\u097f" or "\u0e00" <= character <= "\u0e7f"
    return character in "-_'" or in_script or unicodedata.category(character)[0] in "LN"


def characters(command: Json) -> int:
    """Names, descriptions and string values of a command and all below it; the longest localisation counts."""
    total = 0
    for key in ("name", "description"):
        texts = [command.get(key) or "", *(command.get(f"{key}_localizations") or {}).values()]
        total += max(len(text) for text in texts)
    total += sum(characters(option) for option in command.get("options") or [])
    for choice in command.get("choices") or []:
        total += len(str(choice.get("name"))) + len(str(choice.get("value")))
    return total


def _under(path: str) -> Callable[[str], str]:
    return lambda key: f"{path}.{key}" if path else key


def _check_options(options: list[Json], at: Callable[[str], str], errors: FormErrors, *, depth: int) -> None:
    errors.at_most(at("options"), options, rules.OPTIONS)
    names: set[str] = set()
    optional_before = False
    for index, option in enumerate(options):
        here = _under(f"{at('options')}.{index}")
        _check_option(option, here, errors, depth)
        if option.get("name") in names:
            errors.add(here("name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        names.add(str(option.get("name")))
        if option.get("type") in (SUBCOMMAND, GROUP):
            continue
        if option.get("required") and optional_before:
            message = "Required options must be placed before non-required options"
            errors.add(here("required"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        optional_before = optional_before or not option.get("required")
    nested = [option.get("type") in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        message = "Sub-command and sub-command group option types are mutually exclusive to all other types"
        errors.add(at("options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)


def _check_option(option: Json, at: Callable[[str], str], errors: FormErrors, depth: int) -> None:
    name, kind = option.get("name"), option.get("type")
    errors.length(at("name"), name, 1, _NAME)
    if isinstance(name, str) and not is_command_name(name):
        errors.add(at("name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    errors.length(at("description"), option.get("description"), 1, rules.COMMAND_DESCRIPTION)
    if kind not in _OPTION_TYPES:
        errors.add(at("type"), "BASE_TYPE_CHOICES", "Value must be one of {1, …, 11}.")
    elif (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
        errors.add(at("type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Groups are nested one level only")
    elif kind in (GROUP, SUBCOMMAND):
        _check_options(option.get("options") or [], at, errors, depth=depth + 1)
    else:
        _check_limits(option, at, errors)


def _check_limits(option: Json, at: Callable[[str], str], errors: FormErrors) -> None:
    kind, choices = option["type"], option.get("choices") or []
    if (choices or option.get("autocomplete")) and kind not in _WITH_CHOICES:
        errors.add(
            at("type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "This type takes neither choices nor autocomplete"
        )
    if choices and option.get("autocomplete"):
        message = "Autocomplete and choices are mutually exclusive"
        errors.add(at("autocomplete"), "APPLICATION_COMMAND_OPTION_AUTOCOMPLETE_CHOICES", message)
    errors.at_most(at("choices"), choices, rules.CHOICES)
    for index, choice in enumerate(choices):
        errors.length(at(f"choices.{index}.name"), choice.get("name"), 1, rules.CHOICE_TEXT)
        _check_choice_value(kind, choice.get("value"), at(f"choices.{index}.value"), errors)
    for key in ("min_value", "max_value"):
        if option.get(key) is not None and (kind not in _NUMBERS or abs(option[key]) > rules.SAFE_INTEGER):
            errors.add(at(key), "NUMBER_TYPE_MAX", "Only for numbers, within 2^53.")
    for key, low in (("min_length", 0), ("max_length", 1)):
        if option.get(key) is not None and (kind != STRING or not low <= option[key] <= rules.STRING_OPTION):
            errors.add(at(key), "NUMBER_TYPE_MAX", f"Only for strings, {low} to {rules.STRING_OPTION}.")


def _check_choice_value(kind: int, value: Any, path: str, errors: FormErrors) -> None:
    if kind == STRING:
        errors.length(path, value, 0, rules.CHOICE_TEXT)
    elif isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > rules.SAFE_INTEGER:
        errors.add(path, "NUMBER_TYPE_COERCE", "Must be a number within 2^53.")
