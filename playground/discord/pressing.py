"""Members press buttons, choose in selects and submit modals, as their own client would let them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from playground.discord import wire, wire_parts
from playground.discord.errors import NotSendable
from playground.discord.interaction import COMPONENT, MODAL_SUBMIT, Interaction
from playground.discord.messages import Attachment, Json, Message
from playground.discord.places import Member
from playground.discord.starting import Starting, as_file, check_visible

_LINK: Final = 5
_TEXT: Final = 4000
Attach = Callable[[str, Any], str]


class Pressing:
    """What a member does on a message or in a modal."""

    def __init__(self, starting: Starting) -> None:
        self._starting = starting

    def press(self, member: Member, message: Message, custom_id: str) -> Interaction:
        button = _live(member, message, custom_id)
        if button["type"] != wire_parts.BUTTON or button.get("style") == _LINK:
            raise NotSendable(f"{custom_id!r} is no button that can be pressed")
        data = {"custom_id": custom_id, "component_type": button["type"], "id": button["id"]}
        return self._starting.start(COMPONENT, member, message.channel, data, message=message)

    def select(self, member: Member, message: Message, custom_id: str, values: Sequence[str]) -> Interaction:
        menu = _live(member, message, custom_id)
        if menu["type"] != wire_parts.STRING_SELECT:
            raise NotSendable(f"{custom_id!r} is no select of texts")
        data = {"custom_id": custom_id, "component_type": menu["type"], "id": menu["id"]}
        data["values"] = _chosen(menu, values)
        return self._starting.start(COMPONENT, member, message.channel, data, message=message)

    def submit(self, member: Member, opener: Interaction, values: dict[str, Any]) -> Interaction:
        """Fills the modal that answered `opener` and sends it; what is not in `values` stays as it was shown."""
        modal = opener.modal
        if modal is None or opener.member is not member:
            raise NotSendable(f"{member.name} has no open modal from this interaction")
        uploaded: dict[str, Attachment] = {}

        def attach(name: str, value: Any) -> str:
            attachment = self._starting.upload(opener.channel, as_file(name, value))
            uploaded[str(attachment.id)] = attachment
            return str(attachment.id)

        given = dict(values)
        numbered = wire_parts.number_components(modal["components"])
        data: Json = {"custom_id": modal["custom_id"], "components": [_filled(c, given, attach) for c in numbered]}
        if given:
            raise NotSendable(f"the modal has no {', '.join(sorted(given))}")
        if uploaded:
            attachments = {key: wire.attachment_json(value) for key, value in uploaded.items()}
            data["resolved"] = {"attachments": attachments}
        opener.modal = None
        return self._starting.start(MODAL_SUBMIT, member, opener.channel, data, message=opener.message, trigger=opener)


def _live(member: Member, message: Message, custom_id: str) -> Json:
    """The component as it is on the message now, enabled and visible to the member."""
    check_visible(member, message)
    for part in message.parts():
        if part.get("custom_id") == custom_id:
            if part.get("disabled"):
                raise NotSendable(f"{custom_id!r} is disabled")
            return part
    known = ", ".join(str(part["custom_id"]) for part in message.parts() if part.get("custom_id"))
    raise NotSendable(f"{custom_id!r} is not on message {message.id}; there are: {known}")


def _chosen(field: Json, values: Any) -> list[str]:
    """Values of a select or group of boxes: only offered ones, not too few, not too many."""
    chosen = [values] if isinstance(values, str) else list(values)
    offered = {option["value"] for option in field["options"]}
    if unknown := set(chosen) - offered:
        raise NotSendable(f"{sorted(unknown)} are not offered by {field['custom_id']!r}")
    _check_count(field, len(chosen))
    return chosen


def _check_count(field: Json, count: int) -> None:
    low = field.get("min_values", 1)
    high = field.get("max_values", 1)
    low = 1 if low is None else low
    optional = count == 0 and field.get("required") is False
    if not optional and not low <= count <= (1 if high is None else high):
        raise NotSendable(f"{field['custom_id']!r} takes {low} to {high} values, not {count}")


def _filled(component: Json, given: dict[str, Any], attach: Attach) -> Json:
    """One component of a modal as it is submitted; takes its values out of `given`."""
    base = {"type": component["type"], "id": component["id"]}
    match component["type"]:
        case wire_parts.LABEL:
            return base | {"component": _field(component["component"], given, attach)}
        case wire_parts.ROW:
            return base | {"components": [_field(one, given, attach) for one in component["components"]]}
        case _:
            return base


def _field(field: Json, given: dict[str, Any], attach: Attach) -> Json:
    name = field["custom_id"]
    base = {"type": field["type"], "id": field["id"], "custom_id": name}
    value = given.pop(name, None)
    match field["type"]:
        case wire_parts.TEXT_INPUT:
            return base | {"value": _text(field, value)}
        case wire_parts.FILE_UPLOAD:
            files = list(value or [])
            _check_count(field, len(files))
            return base | {"values": [attach(name, file) for file in files]}
        case wire_parts.RADIO:
            chosen = _default(field) if value is None else _chosen(field, [value])
            return base | {"value": chosen[0] if chosen else None}
        case wire_parts.CHECKBOX:
            return base | {"value": bool(field.get("default") if value is None else value)}
        case wire_parts.STRING_SELECT | wire_parts.CHECKBOXES:
            return base | {"values": _chosen(field, _default(field) if value is None else value)}
    raise NotSendable(f"{name!r}: filling in components of type {field['type']} is not modelled")


def _default(field: Json) -> list[str]:
    return [option["value"] for option in field["options"] if option.get("default")]


def _text(field: Json, value: Any) -> str:
    text = (field.get("value") or "") if value is None else value
    if not isinstance(text, str):
        raise NotSendable(f"{field['custom_id']!r} takes text, not {value!r}")
    low, high = field.get("min_length") or 0, field.get("max_length") or _TEXT
    if not text:
        if field.get("required") is not False:
            raise NotSendable(f"{field['custom_id']!r} must be filled in")
        return text
    if not low <= len(text) <= high:
        raise NotSendable(f"{field['custom_id']!r} takes {low} to {high} characters, not {len(text)}")
    return text
