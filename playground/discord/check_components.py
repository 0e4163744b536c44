"""Discord's rules for components and modals, old style and v2. Knows no HTTP and stores nothing."""

from typing import Any, Final

from playground.discord import rules, wire_parts
from playground.discord.errors import FormErrors
from playground.discord.messages import Json, walk

_V1_TOP: Final = frozenset({wire_parts.ROW})
_V2_TOP: Final = frozenset({1, 9, 10, 12, 13, 14, 17})
_IN_CONTAINER: Final = frozenset({1, 9, 10, 12, 13, 14})
_IN_LABEL: Final = wire_parts.SELECTS | {4, 19, 21, 22, 23}
_LINK, _PREMIUM = 5, 6
_BUTTON_STYLES: Final = frozenset(range(1, 7))
_OPTIONS_OF: Final = {21: (2, 10), 22: (1, 10)}


def check_components(components: list[Json], *, v2: bool, errors: FormErrors) -> None:
    """Adds what is wrong with a message's components to `errors`, at Discord's paths."""
    if v2:
        if sum(1 for _ in walk(components)) > rules.V2_COMPONENTS:
            message = f"Must be {rules.V2_COMPONENTS} or fewer components in total, nested ones counted."
            errors.add("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
        text = sum(len(str(c.get("content") or "")) for c in walk(components) if c.get("type") == 10)
        if text > rules.V2_TEXT:
            message = f"Text over all components must be {rules.V2_TEXT} or fewer in length."
            errors.add("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
    else:
        errors.at_most("components", components, rules.ROWS)
    for index, component in enumerate(components):
        _check_placed(component, f"components.{index}", _V2_TOP if v2 else _V1_TOP, errors)
    _check_unique(components, "components", errors)


def check_modal(data: Json) -> None:
    """Raises a 50035 with everything that is wrong with the `data` of a modal callback."""
    errors = FormErrors()
    errors.length("data.title", data.get("title"), 1, rules.MODAL_TITLE)
    errors.length("data.custom_id", data.get("custom_id"), 1, rules.CUSTOM_ID)
    components = data.get("components") or []
    if not 1 <= len(components) <= rules.MODAL_COMPONENTS:
        message = f"Must be between 1 and {rules.MODAL_COMPONENTS} in length."
        errors.add("data.components", "BASE_TYPE_BAD_LENGTH", message)
    for index, component in enumerate(components):
        _check_modal_part(component, f"data.components.{index}", errors)
    _check_unique(components, "data.components", errors)
    errors.raise_if_any()


def _check_modal_part(component: Json, path: str, errors: FormErrors) -> None:
    match component.get("type"):
        case wire_parts.LABEL:
            errors.length(f"{path}.label", component.get("label"), 1, 45)
            errors.at_most(f"{path}.description", component.get("description"), 100)
            inner = component.get("component")
            if not isinstance(inner, dict):
                errors.required(f"{path}.component")
            else:
                _check_placed(inner, f"{path}.component", _IN_LABEL, errors)
        case wire_parts.ROW:
            for index, inner in enumerate(component.get("components") or []):
                _check_placed(inner, f"{path}.components.{index}", frozenset({4}), errors)
                errors.length(f"{path}.components.{index}.label", inner.get("label"), 1, 45)
        case wire_parts.TEXT_DISPLAY:
            errors.length(f"{path}.content", component.get("content"), 1, rules.V2_TEXT)
        case _:
            errors.add(f"{path}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1, 10, 18).')


def _check_unique(components: list[Json], path: str, errors: FormErrors) -> None:
    seen: set[str] = set()
    for component in walk(components):
        custom_id = component.get("custom_id")
        if isinstance(custom_id, str):
            if custom_id in seen:
                message = f"Component custom id cannot be duplicated: {custom_id}"
                errors.add(path, "COMPONENT_CUSTOM_ID_DUPLICATED", message)
            seen.add(custom_id)


def _check_placed(component: Any, path: str, allowed: frozenset[int], errors: FormErrors) -> None:
    """One component: may it stand here, and is it well formed."""
    kind = component.get("type") if isinstance(component, dict) else None
    if kind not in allowed:
        choices = ", ".join(str(one) for one in sorted(allowed))
        errors.add(f"{path}.type", "UNION_TYPE_CHOICES", f'Value of field "type" must be one of ({choices}).')
        return
    match kind:
        case wire_parts.ROW:
            _check_row(component, path, errors)
        case wire_parts.BUTTON:
            _check_button(component, path, errors)
        case wire_parts.TEXT_DISPLAY:
            errors.length(f"{path}.content", component.get("content"), 1, rules.V2_TEXT)
        case wire_parts.SECTION:
            _check_section(component, path, errors)
        case wire_parts.GALLERY:
            _check_gallery(component, path, errors)
        case wire_parts.CONTAINER:
            _check_container(component, path, errors)
        case wire_parts.FILE | wire_parts.THUMBNAIL | wire_parts.SEPARATOR:
            _check_media(component, path, errors)
        case _:
            _check_input(component, path, errors)


def _check_container(container: Json, path: str, errors: FormErrors) -> None:
    for index, child in enumerate(container.get("components") or []):
        _check_placed(child, f"{path}.components.{index}", _IN_CONTAINER, errors)


def _check_media(component: Json, path: str, errors: FormErrors) -> None:
    key = {wire_parts.FILE: "file", wire_parts.THUMBNAIL: "media"}.get(component["type"])
    if key is not None and not (component.get(key) or {}).get("url"):
        errors.required(f"{path}.{key}.url")


def _check_row(row: Json, path: str, errors: FormErrors) -> None:
    children = row.get("components") or []
    kinds = [child.get("type") for child in children]
    buttons = kinds.count(wire_parts.BUTTON)
    if not children or buttons > rules.BUTTONS_IN_ROW or (buttons < len(kinds) and len(kinds) > 1):
        message = "A row holds 1 to 5 buttons, or one select."
        errors.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", message)
    for index, child in enumerate(children):
        allowed = wire_parts.SELECTS | {wire_parts.BUTTON}
        _check_placed(child, f"{path}.components.{index}", allowed, errors)


def _check_button(button: Json, path: str, errors: FormErrors) -> None:
    style = button.get("style")
    if style not in _BUTTON_STYLES:
        errors.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.")
    errors.at_most(f"{path}.label", button.get("label"), rules.BUTTON_LABEL)
    if style == _LINK:
        errors.length(f"{path}.url", button.get("url"), 1, 512)
        if button.get("custom_id"):
            errors.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            )
    elif style != _PREMIUM:
        errors.length(f"{path}.custom_id", button.get("custom_id"), 1, rules.CUSTOM_ID)
        if not button.get("label") and not button.get("emoji"):
            errors.add(path, "BUTTON_COMPONENT_INVALID_EMOJI_OR_LABEL", "A button needs a label or an emoji")


def _check_section(section: Json, path: str, errors: FormErrors) -> None:
    texts = section.get("components") or []
    if not 1 <= len(texts) <= 3:
        errors.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 3 in length.")
    for index, text in enumerate(texts):
        _check_placed(text, f"{path}.components.{index}", frozenset({wire_parts.TEXT_DISPLAY}), errors)
    allowed = frozenset({wire_parts.BUTTON, wire_parts.THUMBNAIL})
    _check_placed(section.get("accessory"), f"{path}.accessory", allowed, errors)


def _check_gallery(gallery: Json, path: str, errors: FormErrors) -> None:
    items = gallery.get("items") or []
    if not 1 <= len(items) <= rules.GALLERY_ITEMS:
        errors.add(f"{path}.items", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {rules.GALLERY_ITEMS} in length.")
    for index, item in enumerate(items):
        errors.at_most(f"{path}.items.{index}.description", item.get("description"), rules.ATTACHMENT_DESCRIPTION)
        if not (item.get("media") or {}).get("url"):
            errors.required(f"{path}.items.{index}.media.url")


def _check_input(component: Json, path: str, errors: FormErrors) -> None:
    """Selects, text inputs, file uploads and the other fields of a modal."""
    kind = component["type"]
    errors.length(f"{path}.custom_id", component.get("custom_id"), 1, rules.CUSTOM_ID)
    errors.at_most(f"{path}.placeholder", component.get("placeholder"), rules.PLACEHOLDER)
    if kind == wire_parts.STRING_SELECT:
        _check_options(component, path, (1, rules.SELECT_OPTIONS), errors)
    elif kind in _OPTIONS_OF:
        _check_options(component, path, _OPTIONS_OF[kind], errors)
    elif kind == wire_parts.TEXT_INPUT:
        errors.at_most(f"{path}.value", component.get("value"), 4000)
        errors.at_most(f"{path}.placeholder", component.get("placeholder"), 100)
        if component.get("style") not in (1, 2):
            errors.add(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
    high = 10 if kind == wire_parts.FILE_UPLOAD else 25
    low, most = component.get("min_values", 1), component.get("max_values", 1)
    if not (0 <= (low if low is not None else 1) <= high and 1 <= (most if most is not None else 1) <= high):
        errors.add(path, "NUMBER_TYPE_MAX", f"min_values and max_values must be within 0 and {high}.")


def _check_options(component: Json, path: str, span: tuple[int, int], errors: FormErrors) -> None:
    options = component.get("options") or []
    low, high = span
    if not low <= len(options) <= high:
        errors.add(f"{path}.options", "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
    for index, option in enumerate(options):
        for key in ("label", "value"):
            errors.length(f"{path}.options.{index}.{key}", option.get(key), 1, rules.SELECT_TEXT)
        errors.at_most(f"{path}.options.{index}.description", option.get("description"), rules.SELECT_TEXT)
    values = [option.get("value") for option in options]
    if len(set(values)) != len(values):
        errors.add(
            f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The specified option value is already used"
        )
