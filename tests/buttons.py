"""What tests look for among a message's buttons."""

from __future__ import annotations

from typing import Any

from playground.discord import Message


def cancels(message: Message) -> list[dict[str, Any]]:
    """Its cancel buttons: a finished message has others, and none of these."""
    return [button for button in message.buttons() if ":cancel:" in button["custom_id"]]


def button_id(message: Message, verb: str) -> str:
    """The custom_id of the button with this verb."""
    (found,) = [button["custom_id"] for button in message.buttons() if f":{verb}:" in button["custom_id"]]
    return str(found)
