"""Which image a command means: a file that is attached, or an address that was typed. It fetches nothing."""

from __future__ import annotations

import discord

from core.errors import UserError
from core.intake import Sent, Source, Typed

ADDRESS_SAYS = "Its address, in place of a file, where the bot's operator allows that"


def at_most_one(file: discord.Attachment | None, address: str | None, name: str) -> Source | None:
    """The file or the address, None where neither was said; UserError where both were. `name` is what it is."""
    if file is not None and address is not None:
        raise UserError(f"Attach the {name} or give its address, not both.")
    if file is not None:
        return Sent(file.url, file.size)
    return None if address is None else Typed(address)


def exactly_one(image: discord.Attachment | None, address: str | None) -> Source:
    """The same for what can't do without an image."""
    source = at_most_one(image, address, "image")
    if source is None:
        raise UserError("There is no image: attach one to your command.")
    return source
