"""A finished picture's bytes: from this machine's disk, else from Discord's message. The only module that knows both.

Pictures leave the disk when it is full or they are old, and a process may be on another machine than they are; what
was posted stays at Discord for as long as its message does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import discord

from cogs.edits import TROUBLE, fetch_shown
from cogs.growing import pictures_on
from core.errors import UserError
from core.images.store import Kept, PictureStore
from core.jobs.model import Job

log = logging.getLogger(__name__)

READ_SECONDS = 60.0
"""How long a file may take that the bot itself has posted: a hundred megabytes, at most."""
GONE = "This picture is gone: it is neither on the bot's disk any more, nor in its message on Discord."
AWAY = "Discord can't be asked for this picture at the moment. Try again in a minute."


class Originals:
    """Finds pictures. `client` asks Discord with the bot's own token."""

    def __init__(self, client: discord.Client, pictures: PictureStore) -> None:
        self._client = client
        self._pictures = pictures

    async def read(
        self, job_id: str, number: int, *, kept: Kept | None, job: Job | None, message: discord.Message | None = None
    ) -> bytes:
        """The picture `number` (from 0) of a job; UserError where it is nowhere.

        `kept` is what its row says of its file, and `message` one that may show it, as it has just come from Discord.
        """
        data = None if kept is None else await asyncio.to_thread(self._read_file, kept)
        if data is not None:
            return data
        shown: Mapping[int, discord.Attachment] = {} if message is None else pictures_on(message, job_id)
        if number + 1 not in shown and job is not None:
            shown = await look(self._client, job)
        if number + 1 not in shown:
            raise UserError(GONE)
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await shown[number + 1].read()
        except (discord.NotFound, discord.Forbidden) as error:
            raise UserError(GONE) from error
        except TROUBLE as error:
            log.info("a picture could not be read: %s", type(error).__name__, extra={"job": job_id})
            raise UserError(AWAY) from error

    def _read_file(self, kept: Kept) -> bytes | None:
        try:
            return self._pictures.path(kept.name).read_bytes()
        except OSError as error:
            log.info("a picture is not on this disk: %s", type(error).__name__, extra={"file": kept.name})
            return None


async def look(client: discord.Client, job: Job) -> Mapping[int, discord.Attachment]:
    """What the job's own message shows of it, by number from 1; UserError where Discord can't be asked now."""
    try:
        message = await fetch_shown(client, job)
        return {} if message is None else pictures_on(message, job.id)
    except (discord.NotFound, discord.Forbidden):
        return {}
    except TROUBLE as error:
        log.info("a message could not be read: %s", type(error).__name__, extra={"job": job.id})
        raise UserError(AWAY) from error
