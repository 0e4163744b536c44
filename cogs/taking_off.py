"""Takes a job's pictures off the messages that show them, once they are deleted. It knows no rows, and no policy."""

from __future__ import annotations

import logging

import discord

from cogs import say
from cogs.answers import NOBODY
from cogs.edits import TROUBLE
from cogs.files import SHEET, number_in
from cogs.found import shown_on

log = logging.getLogger(__name__)


async def take_off(message: discord.Message, job_id: str, number: int | None, view: discord.ui.View | None) -> bool:
    """One of the job's pictures (from 0; None: all), with a sheet beside it; whether Discord let that be done.

    A message that shows no other is deleted; else it says what is missing, with the buttons of `view`.
    """
    try:
        if number is None or not shown_on(message, job_id).keys() - {number}:
            await message.delete()
            return True
        gone = {number + 1, SHEET}
        left = [file for file in message.attachments if number_in(file.filename, job_id) not in gone]
        content = _with_note(message.content, number)
        await message.edit(attachments=left, content=content, view=view, allowed_mentions=NOBODY)
    except discord.NotFound:
        log.debug("a message was gone already", extra={"job": job_id})
    except TROUBLE as error:
        log.info("a message could not be changed: %s", type(error).__name__, extra={"job": job_id})
        return False
    return True


def _with_note(content: str, number: int) -> str:
    noted = f"{content}\n{say.small([f'picture {number + 1} was deleted'])}"
    return noted if say.units(noted) <= say.CONTENT_LIMIT else content
