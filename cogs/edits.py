"""Edits of a job's message that may fail: with the interaction's token, else with the bot's own. It knows no words.

An edit here names no attachments, so those that are there stay; but for a half-done picture, which another edit takes
off at once unless it is to be kept.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable
from typing import Any

import aiohttp
import discord

from cogs.answers import NOBODY
from cogs.previews import may_show, show_preview, take_preview_off
from cogs.reply import ReplyAddress
from core.jobs.model import Glimpse, Job

log = logging.getLogger(__name__)

TROUBLE = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What Discord, or the way to it, makes of a request that nobody is worse off without."""


async def edit_news(client: discord.Client, job: Job, content: str, glimpse: Glimpse | None) -> bool:
    """Say in the job's message how it stands with it; whether Discord took it.

    With a glimpse of what is drawn, a half-done picture is put there, or stays; without one it is taken off.
    """
    address, message_id = ReplyAddress.from_json(job.reply), None if job.message_id is None else int(job.message_id)
    if glimpse is not None and glimpse.preview is not None:
        with contextlib.suppress(*TROUBLE):
            if await show_preview(client, job, message_id, content, glimpse.preview):
                return True
    keeps = glimpse is not None and may_show(address)
    return await edit_shown(client, address, job.delivered_to, message_id, keeps_preview=keeps, content=content)


async def edit_shown(
    client: discord.Client,
    address: ReplyAddress,
    where: str | None,
    message_id: int | None,
    *,
    keeps_preview: bool = False,
    **changes: Any,
) -> bool:
    """Change the message that shows the job, best effort; whether Discord took it. `where` is as in a job's row."""
    if where == "channel":
        return await edit_message(client, address, message_id, **changes)
    if where == "dm":
        return message_id is not None and await _is_taken(_edit_direct(client, address, message_id, **changes))
    return await edit_reply(client, address, message_id, keeps_preview=keeps_preview, **changes)


async def edit_reply(
    client: discord.Client,
    address: ReplyAddress,
    message_id: int | None,
    *,
    keeps_preview: bool = False,
    **changes: Any,
) -> bool:
    """The same for the reply. `message_id`, if known, is for when the token is over."""
    if address.token_lives:
        webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        edit = webhook.edit_message(address.message, allowed_mentions=NOBODY, **changes)
        if await _is_taken(edit, keeps_preview=keeps_preview):
            return True
    return await edit_message(client, address, message_id, keeps_preview=keeps_preview, **changes)


async def edit_message(
    client: discord.Client,
    address: ReplyAddress,
    message_id: int | None,
    *,
    keeps_preview: bool = False,
    **changes: Any,
) -> bool:
    """The same with the bot's token alone, which does not reach every reply."""
    if message_id is None or address.by_token_alone:
        return False
    message = client.get_partial_messageable(address.channel_id).get_partial_message(message_id)
    return await _is_taken(message.edit(allowed_mentions=NOBODY, **changes), keeps_preview=keeps_preview)


async def fetch_shown(client: discord.Client, job: Job) -> discord.Message | None:
    """The job's own message; None where it has none, or a private one whose interaction's token is over.

    What Discord makes of that is raised.
    """
    address = ReplyAddress.from_json(job.reply)
    if job.message_id is None or job.delivered_to not in ("reply", "channel", "dm"):
        return None
    if job.delivered_to == "reply" and address.by_token_alone:
        if not address.token_lives:
            return None
        webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        return await webhook.fetch_message(address.message)
    channel: discord.abc.Messageable = client.get_partial_messageable(address.channel_id)
    if job.delivered_to == "dm":
        channel = await client.create_dm(discord.Object(address.owner_id))
    return await channel.fetch_message(int(job.message_id))


async def delete_shown(
    client: discord.Client, address: ReplyAddress, where: str | None, message_id: int | None
) -> bool:
    """Delete the message that shows the job, best effort; whether it is gone. A private reply is out of reach."""
    if message_id is None or where is None or (address.by_token_alone and where != "dm"):
        return False
    try:
        await _delete(client, address, where, message_id)
    except TROUBLE as error:
        log.debug("a message was not deleted: %s", type(error).__name__)
        return False
    return True


async def _delete(client: discord.Client, address: ReplyAddress, where: str, message_id: int) -> None:
    direct = where == "dm"
    channel = await client.create_dm(discord.Object(address.owner_id)) if direct else None
    place = channel or client.get_partial_messageable(address.channel_id)
    await place.get_partial_message(message_id).delete()


async def _edit_direct(
    client: discord.Client, address: ReplyAddress, message_id: int, **changes: Any
) -> discord.Message:
    channel = await client.create_dm(discord.Object(address.owner_id))
    return await channel.get_partial_message(message_id).edit(allowed_mentions=NOBODY, **changes)


async def _is_taken(edit: Awaitable[discord.Message], *, keeps_preview: bool = False) -> bool:
    try:
        message = await edit
    except TROUBLE as error:
        log.debug("an edit was not taken: %s", type(error).__name__)
        return False
    if not keeps_preview:
        with contextlib.suppress(*TROUBLE):
            await take_preview_off(message)
    return True
