"""Edits of a job's message that may fail: with the interaction's token, else with the bot's own. It knows no words.

An edit here names no attachments, so those that are there stay.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp
import discord

from cogs.answers import NOBODY
from cogs.reply import ReplyAddress

log = logging.getLogger(__name__)

TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What Discord, or the way to it, makes of a request that nobody is worse off without."""


async def edit_shown(
    client: discord.Client, address: ReplyAddress, where: str | None, message_id: int | None, **changes: Any
) -> bool:
    """Change the message that shows the job, best effort; whether Discord took it. `where` is as in a job's row."""
    if where == "channel":
        return await edit_message(client, address, message_id, **changes)
    if where == "dm":
        return message_id is not None and await _is_taken(_edit_direct(client, address, message_id, **changes))
    return await edit_reply(client, address, message_id, **changes)


async def edit_reply(client: discord.Client, address: ReplyAddress, message_id: int | None, **changes: Any) -> bool:
    """The same for the reply. `message_id`, if known, is for when the token is over."""
    if address.token_lives:
        webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        if await _is_taken(webhook.edit_message(address.message, allowed_mentions=NOBODY, **changes)):
            return True
    return await edit_message(client, address, message_id, **changes)


async def edit_message(client: discord.Client, address: ReplyAddress, message_id: int | None, **changes: Any) -> bool:
    """The same with the bot's token alone, which does not reach every reply."""
    if message_id is None or address.by_token_alone:
        return False
    message = client.get_partial_messageable(address.channel_id).get_partial_message(message_id)
    return await _is_taken(message.edit(allowed_mentions=NOBODY, **changes))


async def delete_shown(
    client: discord.Client, address: ReplyAddress, where: str | None, message_id: int | None
) -> bool:
    """Delete the message that shows the job, best effort; whether it is gone. A private reply is out of reach."""
    if message_id is None or where is None or (address.private and where != "dm"):
        return False
    return await _is_taken(_delete(client, address, where, message_id))


async def _delete(client: discord.Client, address: ReplyAddress, where: str, message_id: int) -> None:
    direct = where == "dm"
    channel = await client.create_dm(discord.Object(address.owner_id)) if direct else None
    place = channel or client.get_partial_messageable(address.channel_id)
    await place.get_partial_message(message_id).delete()


async def _edit_direct(client: discord.Client, address: ReplyAddress, message_id: int, **changes: Any) -> None:
    channel = await client.create_dm(discord.Object(address.owner_id))
    await channel.get_partial_message(message_id).edit(allowed_mentions=NOBODY, **changes)


async def _is_taken(edit: Awaitable[object]) -> bool:
    try:
        await edit
    except TROUBLE as error:
        log.debug("an edit was not taken: %s", type(error).__name__)
        return False
    return True
