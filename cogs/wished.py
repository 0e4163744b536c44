"""The words of `/my` and `/settings`: what holds, one wish a line. Pure: wishes in, text out."""

from __future__ import annotations

from cogs import say
from core.preferences import NO_SHEET, Wishes


def of_person(wishes: Wishes) -> str:
    """What holds for one person where they ask."""
    return say.assemble(
        "**What holds for you here**",
        f"Metadata: {_metadata(wishes)}",
        f"Ping: {_ping(wishes.ping_after)}",
        f"Contact sheet: {_sheet(wishes.sheet)}",
    )


def of_server(server: Wishes, channel_id: str, here: Wishes) -> str:
    """What holds on a server, and in one of its channels."""
    press = {
        "owner": "only who asked for a picture may use its buttons",
        "anyone": "anyone may use them, for copies of their own",
    }
    required = "required in all that is posted here" if server.require_metadata else "everybody's own choice"
    preview = f"{_on(server.preview)}; in <#{channel_id}> {_on(here.preview)}"
    return say.assemble(
        "**What holds on this server**",
        f"Buttons: {press[server.press]}",
        f"Metadata: {required}",
        f"Preview: {preview}",
        f"Contact sheet: {_sheet(server.sheet)}, unless somebody wishes otherwise for their own",
    )


def span(seconds: float) -> str:
    """A time as people say it."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _metadata(wishes: Wishes) -> str:
    if wishes.require_metadata:
        return "in every picture that is posted on this server, which requires it. Your own wish holds elsewhere."
    if wishes.metadata:
        return "posted pictures carry how they were made."
    return (
        "left out of the pictures that are posted for you. The message below them still says it, and so do its buttons."
    )


def _ping(seconds: float | None) -> str:
    return "never" if seconds is None else f"once, when a job took longer than {span(seconds)}"


def _sheet(pictures: int) -> str:
    return "never" if pictures >= NO_SHEET else f"with {pictures} pictures or more"


def _on(switched: bool) -> str:
    return "on" if switched else "off"
