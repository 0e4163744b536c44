"""Half-done pictures in the message of a job: where they are wanted, put there, and told from results.

A preview is there only until the first result is: every edit that shows results, or says that none will come, leaves it
out. It is never put beside a result, since what is not named in such an edit is gone.
"""

from __future__ import annotations

import io
import re
import time

import discord

from cogs.answers import NOBODY
from cogs.files import number_in
from cogs.reply import ReplyAddress
from core.jobs.model import Job, JobState
from core.previews import PreviewWishes

LAST_PRIVATE_SECONDS = 60.0
"""Before its token's end a private reply shows no preview any more: afterwards nobody could take it off."""

_OURS = re.compile(r"(?:SPOILER_)?preview-\d+\.jpg")


class PreviewPlaces:
    """Whether a job's half-done picture is wanted where it is shown."""

    def __init__(self, wishes: PreviewWishes) -> None:
        self._wishes = wishes

    async def want(self, job: Job) -> bool:
        """As the channel of its command, or the server, wishes."""
        address = ReplyAddress.from_json(job.reply)
        return may_show(address) and await self._wishes.of(address.channels, job.guild_id)


def filename(job: Job) -> str:
    """`preview-<job id>.jpg`: nothing takes it for a result, and a later process knows it again."""
    return f"{'SPOILER_' if job.request.spoiler else ''}preview-{job.id}.jpg"


def may_show(address: ReplyAddress) -> bool:
    """Whether what is put into the reply now can be taken off again."""
    return not address.by_token_alone or time.time() < address.expires_at - LAST_PRIVATE_SECONDS


async def show_preview(client: discord.Client, job: Job, message_id: int | None, content: str, preview: bytes) -> bool:
    """Put the JPEG and the words into the reply, unless a result is there; whether that was done.

    The caller has the job's turn. Raises what Discord, or the way to it, makes of the two requests.
    """
    address = ReplyAddress.from_json(job.reply)
    if job.state is not JobState.RUNNING or job.delivered_to is not None or not may_show(address):
        return False
    message = await _fetch(client, address, message_id)
    if message is None or any(number_in(one.filename, job.id) for one in message.attachments):
        return False
    file = discord.File(io.BytesIO(preview), filename=filename(job))
    await message.edit(content=content, attachments=[*results_on(message), file], allowed_mentions=NOBODY)
    return True


async def take_preview_off(message: discord.Message) -> None:
    """Edit the message if a preview is on it; everything else stays. Raises what Discord makes of that."""
    left = results_on(message)
    if len(left) < len(message.attachments):
        await message.edit(attachments=left, allowed_mentions=NOBODY)


def results_on(message: discord.Message) -> list[discord.Attachment]:
    """What is on it beside a preview."""
    return [one for one in message.attachments if not _OURS.fullmatch(one.filename)]


async def _fetch(client: discord.Client, address: ReplyAddress, message_id: int | None) -> discord.Message | None:
    if address.token_lives:
        webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        return await webhook.fetch_message(address.message)
    if message_id is None or address.by_token_alone:
        return None
    return await client.get_partial_messageable(address.channel_id).get_partial_message(message_id).fetch()
