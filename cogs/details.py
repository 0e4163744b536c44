"""“Details” and “Delete” under a result: what is known of a picture, for whoever asks; and its end."""

from __future__ import annotations

import io
import logging

import discord
from discord.ext import commands

from cogs import say
from cogs.acts import find_or_ask, link_to
from cogs.answers import NOBODY, answer_privately, answering
from cogs.captions import MADE_FROM
from cogs.edits import TROUBLE, delete_shown
from cogs.found import Finder, Found, asker_of
from cogs.picture_buttons import DELETE, DETAILS
from cogs.pnginfo import describe
from cogs.reply import ReplyAddress, guild_of
from cogs.sheets import delete_sheet, delete_sheet_below
from core.command_text import as_command
from core.derive import the_same
from core.errors import UserError
from core.images.generation import Metadata
from core.images.infotext import parse
from core.recall import Recall, Result
from core.removal import Removal

log = logging.getLogger(__name__)

COMMAND_ROOM = 600
HEAD_ROOM = 100
"""What stands before and behind a chain and a command, at least."""
WHOLE_COMMAND = "-# The whole command is in the file."
FILENAME = "details.txt"


class DetailsCog(commands.Cog):
    """Listens for presses on both, on results of any age."""

    def __init__(self, finder: Finder, recall: Recall, removal: Removal) -> None:
        self._finder = finder
        self._recall = recall
        self._removal = removal

    @commands.Cog.listener(f"on_{DETAILS.event}")
    async def on_details(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """Everything the picture says, where it comes from, and the command that asks for it again."""
        async with answering(press):
            found = await find_or_ask(self._finder, DETAILS, press, job_id, number)
            if found is not None:
                await tell(press, found, self._recall)

    @commands.Cog.listener(f"on_{DELETE.event}")
    async def on_delete(self, press: discord.Interaction, job_id: str, _number: int | None) -> None:
        """Its owner, or who may delete messages here, takes it out of the world."""
        async with answering(press):
            await self._delete(press, job_id)

    async def _delete(self, press: discord.Interaction, job_id: str) -> None:
        result = await self._recall.result(job_id)
        owner = asker_of(press.message) if result is None else result.job.owner_id
        is_owner = str(press.user.id) == owner
        if not is_owner and not press.permissions.manage_messages:
            raise UserError("Only the person who asked for these pictures, and moderators, can delete them.")
        if is_owner or result is None or result.job.guild_id == guild_of(press):
            await self._forget(press, job_id, result)
        try:
            await press.response.defer()
            await press.delete_original_response()
        except discord.NotFound:
            log.debug("a message was gone already", extra={"job": job_id})
        except TROUBLE as error:
            log.info("a message could not be deleted: %s", type(error).__name__, extra={"job": job_id})
            await answer_privately(press, "I have forgotten these pictures, but I may not delete this message.")
        if result is not None:
            await delete_sheet(press.client, result.job)
        elif press.message is not None:
            await delete_sheet_below(press.message, job_id)

    async def _forget(self, press: discord.Interaction, job_id: str, result: Result | None) -> None:
        """All of the job, and the message that shows it where another one was pressed.

        Another server's moderators have no say on that.
        """
        await self._removal.forget(job_id)
        message_id = None if result is None or result.job.message_id is None else int(result.job.message_id)
        if result is not None and (press.message is None or press.message.id != message_id):  # pressed on a copy
            address = ReplyAddress.from_json(result.job.reply)
            await delete_shown(press.client, address, result.job.delivered_to, message_id)


async def tell(press: discord.Interaction, found: Found, recall: Recall) -> None:
    """Answer privately with all of it; what is too long for a message is in a file."""
    content, file = compose(_metadata(found), await _chain(found, recall), _command(found))
    files = [] if file is None else [discord.File(io.BytesIO(file.encode()), filename=FILENAME)]
    if press.response.is_done():
        await press.followup.send(content, files=files, ephemeral=True, allowed_mentions=NOBODY)
    else:
        await press.response.send_message(content, files=files, ephemeral=True, allowed_mentions=NOBODY)


def compose(told: Metadata, chain: str, command: str) -> tuple[str, str | None]:
    """The message, and the text of a file with all of it where the message can't hold it as it is."""
    text, whole = describe(told)
    hint, room = "", say.CONTENT_LIMIT - say.units(chain) - HEAD_ROOM
    block = say.quote(command, min(COMMAND_ROOM, room)) if command else ""
    if command and block != f"```\n{command}\n```":
        hint, whole = WHOLE_COMMAND, False
    if sum(say.units(part) + 1 for part in (text, chain, block, hint)) > say.CONTENT_LIMIT:
        text, whole = "**Generation data** · in the file", False
    content = say.assemble(text, chain, block, hint)
    return content, None if whole else "\n\n".join(part for part in (told.raw, command) if part)


async def _chain(found: Found, recall: Recall) -> str:
    """What it was made from, the nearest first."""
    if found.job is None or found.job.origin is None:
        return ""
    steps = []
    for origin, parent in await recall.ancestors(found.job):
        link = None if parent is None else link_to(parent)
        what = "a picture that is gone" if parent is None else f"[{parent.id}]({link})" if link else parent.id
        steps.append(f"{MADE_FROM.get(origin.verb, 'Made from').lower()} {what}")
    return say.small([" ← ".join(steps)])


def _metadata(found: Found) -> Metadata:
    if found.raw is not None:
        return found.raw
    text = found.infotext or ""
    read = parse(text)
    return Metadata("AUTOMATIC1111", read.prompt, read.negative_prompt, read.fields, text)


def _command(found: Found) -> str:
    """The command that asks for the same picture; nothing where no command could."""
    if found.source.request.task != "draw":
        return ""
    return as_command(the_same(found.source))
