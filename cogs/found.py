"""The picture that somebody points at, found again: by its job's row, else by what the picture says of itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import discord

from cogs.answers import put_off
from cogs.edits import TROUBLE
from cogs.files import SHEET
from cogs.growing import pictures_on
from cogs.reply import guild_of
from core.derive import Source
from core.errors import UnreadableAnswer, UserError
from core.images.metadata import Metadata, read_metadata
from core.images.remembered import Remembered, remember
from core.images.store import Kept
from core.intake import Sent
from core.jobs.model import Job
from core.preferences import Preferences
from core.recall import Recall, Result
from core.request import GenerationRequest

log = logging.getLogger(__name__)

Fetch = Callable[[Sent], Awaitable[bytes]]
"""The bytes of a file on Discord; UserError where they can't be had."""
GONE = "I don't know this picture any more, and it does not say how it was made."
SLOW = "Reading this picture from Discord takes too long at the moment. Press again in a minute."
AT_ONCE_SECONDS = 1.2
"""What asking Discord for a message, or reading a picture, may take of the three seconds that it waits."""
NO_PICTURE = "There is no picture of this job on the message any more."


@dataclass(frozen=True, slots=True)
class Found:
    """A picture to make something of. `number` is which of its job's it is, from 0, and `kept` its file; `message` may
    show it.

    `job` is None where its row is gone; `raw` is then all that it says of itself, and `source` is of it alone.
    """

    source: Source
    job: Job | None
    message: discord.Message | None
    number: int = 0
    kept: Kept | None = None
    infotext: str | None = None
    raw: Metadata | None = None


class Several(Exception):
    """Which of these pictures is meant was not said."""

    def __init__(self, numbers: Sequence[int]) -> None:
        super().__init__(f"{len(numbers)} pictures")
        self.numbers = numbers


class Finder:
    """Finds what a press is about, and says whether this person may."""

    def __init__(self, recall: Recall, preferences: Preferences, fetch: Fetch) -> None:
        self._recall = recall
        self._preferences = preferences
        self._fetch = fetch

    async def find(
        self,
        press: discord.Interaction,
        job_id: str,
        number: int | None,
        *,
        of_one: bool,
        private: bool = False,
        at_once: bool = False,
        as_image: bool = False,
    ) -> Found:
        """The picture, or with `of_one` False the job by its first; Several where one of several has to be chosen.

        UserError where there is nothing left to go by, or this person may not. Reading the picture itself takes
        longer than Discord waits, so the answer is put off then, visibly to all unless `private`. `at_once`: it is not,
        for answers that can't be put off, and UserError comes where it takes too long. `as_image`: the picture is
        enough, whether or not it says how it was made.
        """
        result = await self._recall.result(job_id)
        if result is None:
            message = await self.message(press, job_id)
            meant, file = _shown(message, job_id, number, of_one=of_one)
            is_private = message is not None and message.flags.ephemeral
            await self._check(press, asker_of(message), private=False)
            if not at_once:
                await put_off(press, private=private or is_private)
            raw = await self._read(file, AT_ONCE_SECONDS if at_once else None)
            source = _source(file, raw, private=is_private, as_image=as_image)
            return Found(source, None, message, meant, raw=raw)
        await self._check(press, result.job.owner_id, private=result.job.request.private)
        source = result.source(_chosen(result.numbers, number, of_one=of_one))
        kept = result.drawings[source.number].pictures[0]
        return Found(source, result.job, press.message, source.number, kept, kept.infotext)

    async def result(self, job_id: str) -> Result | None:
        """All of the job, whoever asks."""
        return await self._recall.result(job_id)

    async def _check(self, press: discord.Interaction, owner_id: str | None, *, private: bool) -> None:
        if owner_id == str(press.user.id):
            return
        if private:
            raise UserError("This picture is somebody else's, and private.")
        guild = guild_of(press)
        wishes = await self._preferences.of(str(press.user.id), (), guild)
        if wishes.press == "owner" and owner_id is not None:
            raise UserError("On this server only the person who asked for a picture may use its buttons.")

    async def message(self, press: discord.Interaction, job_id: str) -> discord.Message | None:
        """The message that shows the job: the one that was pressed, or that whose press led to it, as to a choice.

        The one that was pressed where that can't be read.
        """
        message = press.message
        asked = asked_from(press, job_id)
        if message is None or asked is None or asked == message.id:
            return message
        channel = press.client.get_partial_messageable(press.channel_id or 0)
        try:
            async with asyncio.timeout(AT_ONCE_SECONDS):
                return await channel.fetch_message(asked)
        except TROUBLE as error:
            log.info("a message could not be read: %s", type(error).__name__, extra={"job": job_id})
            return message

    async def _read(self, file: discord.Attachment, seconds: float | None) -> Metadata | None:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(read_metadata, await self._fetch(Sent(file.url, file.size)))
        except UnreadableAnswer:
            return None
        except TimeoutError:
            raise UserError(SLOW) from None


def shown_on(message: discord.Message | None, job_id: str) -> dict[int, discord.Attachment]:
    """The job's pictures on a message, by their numbers from 0."""
    there = {} if message is None else pictures_on(message, job_id)
    return {at - 1: file for at, file in there.items() if at != SHEET}


def _shown(
    message: discord.Message | None, job_id: str, number: int | None, *, of_one: bool
) -> tuple[int, discord.Attachment]:
    """Which picture of the message is meant, and its file; Several or UserError where there is no such one."""
    shown = shown_on(message, job_id)
    if not shown:
        raise UserError(GONE)
    chosen = _chosen(sorted(shown), number, of_one=of_one)
    meant = min(shown) if chosen is None else chosen
    if meant not in shown:
        raise UserError(NO_PICTURE)
    return meant, shown[meant]


def _source(file: discord.Attachment, raw: Metadata | None, *, private: bool, as_image: bool) -> Source:
    """What the file says of itself; UserError where that is nothing, unless its pixels are enough."""
    found = None if raw is None else remember(raw)
    if found is None and as_image:
        found = Remembered(GenerationRequest(prompt="", task="upscale"), None, None)
    if found is None:
        raise UserError(GONE)
    request = replace(found.request, spoiler=file.is_spoiler(), private=private)
    return Source(request=request, seed=found.seed, checkpoint=found.checkpoint, width=file.width, height=file.height)


def asked_from(press: discord.Interaction, job_id: str) -> int | None:
    """The id of the message that shows the job: of the one that was pressed, or that whose press led to it."""
    message = press.message
    if message is None or pictures_on(message, job_id):
        return None if message is None else message.id
    asked, told = None, message.interaction_metadata
    while told is not None and asked is None:
        asked, told = told.interacted_message_id, told.modal_interaction
    return asked


def asker_of(message: discord.Message | None) -> str | None:
    """Whose command or press a message answers, where it says so."""
    told = None if message is None else message.interaction_metadata
    return None if told is None else str(told.user.id)


def _chosen(numbers: Sequence[int], number: int | None, *, of_one: bool) -> int | None:
    if number is None and of_one and len(numbers) > 1:
        raise Several(numbers)
    return number
