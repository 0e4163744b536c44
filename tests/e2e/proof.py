"""What must hold of every message and every log line, whatever a test is about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from playground.discord import Channel, Interaction, Message

CONTENT_UNITS = 2000
NEVER_SHOWN = (
    "127.0.0.1",
    "localhost",
    "gpu-box",
    "hunter2",
    "operator:",
    "Traceback",
    "stable-diffusion-webui",
    ".py",
    "aiohttp",
    "Errno",
    "nginx",
    "cloudflare",
    "Cannot connect",
    "Exception",
)
"""Host names, paths, credentials and traces: the operator's affair."""


def check_log(events: Iterable[dict[str, Any]], expected: Sequence[str]) -> None:
    """No error, no stack trace and no line that is no event, but for events that contain one of `expected`."""
    bad = [
        event
        for event in events
        if (event.keys() & {"raw", "exception"} or event.get("level") in ("error", "critical"))
        and not any(words in str(event) for words in expected)
    ]
    assert not bad, bad


def check_messages(
    interactions: Iterable[Interaction], messages: Callable[[Channel], list[Message]], hosts: Sequence[str]
) -> None:
    """Every text that was ever shown is within Discord's limit, leaks nothing, and rings for nobody but its owner."""
    for interaction in interactions:
        shown = {message.id: message for message in interaction.messages}
        shown |= {message.id: message for message in messages(interaction.channel)}
        shown |= {message.id: message for message in messages(interaction.member.dm)}
        for message in shown.values():
            _check_message(message, hosts)


def _check_message(message: Message, hosts: Sequence[str]) -> None:
    for text in {message.content, *(edit.content for edit in message.edits)}:
        assert len(text.encode("utf-16-le")) // 2 <= CONTENT_UNITS, f"too long: {text!r}"
        leaked = [word for word in (*NEVER_SHOWN, *(f":{host}" for host in hosts)) if word in text]
        assert not leaked, f"{leaked} in {text!r}"
    assert not message.pinged_everyone, f"{message} rings for everybody"
    assert len(message.pinged) <= 1, f"{message} rings for {message.pinged}"
