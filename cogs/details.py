"""“Details” under a result: what is known of a picture, for whoever asks."""

from __future__ import annotations

import io

import discord
from discord.ext import commands

from cogs import say
from cogs.acts import find_or_ask, link_to
from cogs.answers import NOBODY, answering
from cogs.captions import MADE_FROM
from cogs.found import Finder, Found
from cogs.picture_buttons import DETAILS
from cogs.pnginfo import describe
from core.command_text import as_command
from core.derive import the_same
from core.images.generation import Metadata
from core.images.metadata import from_infotext
from core.recall import Recall

COMMAND_ROOM = 600
HEAD_ROOM = 100
"""What stands before and behind a chain and a command, at least."""
WHOLE_COMMAND = "-# The whole command is in the file."
FILENAME = "details.txt"


class DetailsCog(commands.Cog):
    """Listens for presses on results of any age."""

    def __init__(self, finder: Finder, recall: Recall) -> None:
        self._finder = finder
        self._recall = recall

    @commands.Cog.listener(f"on_{DETAILS.event}")
    async def on_details(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """Everything the picture says, where it comes from, and the command that asks for it again."""
        async with answering(press):
            found = await find_or_ask(self._finder, DETAILS, press, job_id, number, private=True)
            if found is not None:
                await tell(press, found, self._recall)


async def tell(press: discord.Interaction, found: Found, recall: Recall) -> None:
    """Answer privately with all of it; what is too long for a message is in a file."""
    told = from_infotext(found.infotext or "") if found.raw is None else found.raw
    content, file = compose(told, await _chain(found, recall), _command(found))
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


def _command(found: Found) -> str:
    """The command that asks for the same picture; nothing where no command could."""
    if found.source.request.task != "draw":
        return ""
    return as_command(the_same(found.source))
