"""Reactions to a result: ❌ by its owner deletes it, ✉️ sends its pictures to whoever reacts.

What a message shows is known by its job's row; of a copy, of a sheet, and where the row is lost, by the names of its
files, which are believed on the bot's own messages alone.

A reaction can't be answered: what can't be done is only logged. Several gateway processes may hear of one event twice;
what is sent is named by message and person, so that Discord posts it once.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from dataclasses import dataclass

import discord
from discord.ext import commands
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from cogs import say
from cogs.answers import NOBODY
from cogs.edits import TROUBLE, delete_shown
from cogs.files import job_in, pack
from cogs.found import asker_of
from cogs.previews import results_on
from cogs.reply import ReplyAddress
from cogs.sheets import delete_sheet, delete_sheet_below
from core.errors import EaselError
from core.images.bare import strip
from core.images.kinds import HEAD_BYTES, sniff
from core.jobs.model import ENDED, Job
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows
from core.preferences import Preferences
from core.removal import Removal

log = logging.getLogger(__name__)

DELETE, SEND = "❌", "✉"
AT_ONCE = 2
"""So many messages are sent at once: each is in memory meanwhile, and a crowd may like a picture."""
_STYLE = "\ufe0f"
"""Says that a character is meant as an emoji; some clients leave it out."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody reacted to. `job` is None where its row is lost; `message` was read unless it is the job's own."""

    job_id: str
    job: Job | None
    message: discord.Message | None = None

    @property
    def owner_id(self) -> str | None:
        """Who asked for it; None where nobody knows."""
        return asker_of(self.message) if self.job is None else self.job.owner_id

    @property
    def is_result(self) -> bool:
        """Whether it has a result's buttons: a sheet has none, and what was sent on neither."""
        return self.message is None or bool(self.message.components)


class ReactionsCog(commands.Cog):
    """Listens for both on results of any age."""

    def __init__(self, client: discord.Client, rows: JobRows, removal: Removal, preferences: Preferences) -> None:
        self._client = client
        self._rows = rows
        self._removal = removal
        self._preferences = preferences
        self._turn = asyncio.Semaphore(AT_ONCE)

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        """Act where it is one of ours; all others cost nothing."""
        emoji = meaning(reaction.emoji)
        us = None if self._client.user is None else self._client.user.id
        if emoji is None or reaction.user_id == us or reaction.message_author_id not in (None, us):
            return
        try:
            shown = await self._find(reaction)
            if shown is None:
                return
            if emoji == DELETE:
                await self._delete(shown, reaction)
            else:
                await self._send(shown, reaction)
        except (EaselError, *TROUBLE) as error:
            log.info("a reaction came to nothing: %s", type(error).__name__, extra={"reference": reaction.message_id})

    async def _find(self, reaction: discord.RawReactionActionEvent) -> Shown | None:
        """The finished job that the message shows; None where it is no result of ours."""
        job = await for_a_person(lambda: self._rows.fetch_ended_in(str(reaction.message_id)))
        if job is not None:
            return Shown(job.id, job)
        message = await self._message(reaction).fetch()
        is_ours = self._client.user is not None and message.author.id == self._client.user.id
        named = (job_in(file.filename) for file in message.attachments if is_ours)
        job_id = next((one for one in named if one is not None), None)
        if job_id is None:
            return None
        job = await for_a_person(lambda: self._rows.fetch(job_id))
        return Shown(job_id, job, message) if job is None or job.state in ENDED else None

    async def _delete(self, shown: Shown, reaction: discord.RawReactionActionEvent) -> None:
        """A result with all of its job, wherever that is shown; any other message alone.

        What was sent to a person's direct messages is theirs to delete.
        """
        is_letter = reaction.guild_id is None and not shown.is_result
        if str(reaction.user_id) != shown.owner_id and not is_letter:
            return
        message = self._message(reaction)
        if shown.is_result:
            await self._removal.forget(shown.job_id)
            job = shown.job
            if job is not None and job.message_id is not None and job.message_id != str(message.id):
                address = ReplyAddress.from_json(job.reply)
                await delete_shown(self._client, address, job.delivered_to, int(job.message_id))
            if job is not None:
                await delete_sheet(self._client, job)
            elif shown.message is not None:
                await delete_sheet_below(shown.message, shown.job_id)
        await message.delete()

    async def _send(self, shown: Shown, reaction: discord.RawReactionActionEvent) -> None:
        """In direct messages they are already; what is private is nobody else's.

        What the server requires of metadata does not hold there, and the wish of whoever asked for them does.
        """
        is_private = shown.job is not None and shown.job.request.private
        if reaction.guild_id is None or (is_private and str(reaction.user_id) != shown.owner_id):
            return
        message = shown.message or await self._message(reaction).fetch()
        there = results_on(message)
        if not there:
            return
        fitting = [one for one in there if one.size <= DEFAULT_FILE_SIZE_LIMIT_BYTES]
        content = letter(message.jump_url, len(fitting), len(there))
        wishes = await self._preferences.of(shown.owner_id or "", (), None)
        channel = await self._client.create_dm(discord.Object(reaction.user_id))
        for number, parcel in enumerate(pack(fitting) or [[]]):
            nonce = _nonce(message.id, reaction.user_id, number)
            async with self._turn:
                files = [await _fetch(one, bare=not wishes.metadata) for one in parcel]
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


async def _fetch(attachment: discord.Attachment, *, bare: bool) -> discord.File:
    """The same file again, behind a spoiler if it was; a picture that goes `bare` says nothing of how it was made."""
    data = await attachment.read()
    kind = sniff(data[:HEAD_BYTES]) if bare else None
    if kind is not None:
        data = await asyncio.to_thread(strip, data, kind)
    return discord.File(io.BytesIO(data), filename=attachment.filename, spoiler=attachment.is_spoiler())


def _nonce(*about: int) -> str:
    """Discord takes 25 characters."""
    return hashlib.blake2s("-".join(map(str, about)).encode(), digest_size=12).hexdigest()
