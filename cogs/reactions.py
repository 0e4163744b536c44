"""Reactions to a result: ❌ by its owner deletes it, ✉️ sends its pictures to whoever reacts.

A reaction can't be answered: what can't be done is only logged. Several gateway processes may hear of one event twice;
what is sent is named by message and person, so that Discord posts it once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging

import discord
from discord.ext import commands
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from cogs import say
from cogs.answers import NOBODY
from cogs.edits import TROUBLE
from cogs.files import pack
from cogs.sheets import delete_sheet
from core.errors import NoDatabase
from core.jobs.model import Job
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows
from core.removal import Removal

log = logging.getLogger(__name__)

DELETE, SEND = "❌", "✉"
_STYLE = "\ufe0f"
"""Says that a character is meant as an emoji; some clients leave it out."""


class ReactionsCog(commands.Cog):
    """Listens for both on results of any age."""

    def __init__(self, client: discord.Client, rows: JobRows, removal: Removal) -> None:
        self._client = client
        self._rows = rows
        self._removal = removal

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        """Act where it is one of ours; all others cost nothing."""
        emoji = meaning(reaction.emoji)
        us = None if self._client.user is None else self._client.user.id
        if emoji is None or reaction.user_id == us or reaction.message_author_id not in (None, us):
            return
        try:
            job = await for_a_person(lambda: self._rows.fetch_ended_in(str(reaction.message_id)))
            if job is None:
                return
            if emoji == DELETE:
                await self._delete(job, reaction)
            else:
                await self._send(job, reaction)
        except (NoDatabase, *TROUBLE) as error:
            log.info("a reaction came to nothing: %s", type(error).__name__, extra={"reference": reaction.message_id})

    async def _delete(self, job: Job, reaction: discord.RawReactionActionEvent) -> None:
        if str(reaction.user_id) == job.owner_id:
            await self._removal.forget(job.id)
            message = self._message(reaction)
            with contextlib.suppress(*TROUBLE):
                await delete_sheet(await message.fetch(), job.id)
            await message.delete()

    async def _send(self, job: Job, reaction: discord.RawReactionActionEvent) -> None:
        """In direct messages they are already; what is private is nobody else's."""
        is_owner = str(reaction.user_id) == job.owner_id
        if reaction.guild_id is None or (job.request.private and not is_owner):
            return
        message = await self._message(reaction).fetch()
        if not message.attachments:
            return
        fitting = [one for one in message.attachments if one.size <= DEFAULT_FILE_SIZE_LIMIT_BYTES]
        content = letter(message.jump_url, len(fitting), len(message.attachments))
        channel = await self._client.create_dm(discord.Object(reaction.user_id))
        for number, parcel in enumerate(pack(fitting) or [[]]):
            files = [await _fetch(one) for one in parcel]
            nonce = _nonce(message.id, reaction.user_id, number)
            await channel.send(content if number == 0 else None, files=files, nonce=nonce, allowed_mentions=NOBODY)

    def _message(self, reaction: discord.RawReactionActionEvent) -> discord.PartialMessage:
        channel = self._client.get_partial_messageable(reaction.channel_id, guild_id=reaction.guild_id)
        return channel.get_partial_message(reaction.message_id)


def meaning(emoji: discord.PartialEmoji) -> str | None:
    """Which of ours it is; None for any other, also a server's own of the same name."""
    name = (emoji.name or "").removesuffix(_STYLE)
    return name if emoji.id is None and name in (DELETE, SEND) else None


def letter(link: str, sent: int, all_of_them: int) -> str:
    """What is written to pictures: where they are from, and what of them is too large."""
    left = all_of_them - sent
    too_large = say.small([f"{left} too large for a direct message"]) if left else ""
    return say.assemble(f"From {link}", too_large)


async def _fetch(attachment: discord.Attachment) -> discord.File:
    """The same file again, behind a spoiler if it was."""
    data = await attachment.read()
    return discord.File(io.BytesIO(data), filename=attachment.filename, spoiler=attachment.is_spoiler())


def _nonce(*about: int) -> str:
    """Discord takes 25 characters."""
    return hashlib.blake2s("-".join(map(str, about)).encode(), digest_size=12).hexdigest()
