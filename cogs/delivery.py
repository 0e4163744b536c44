"""Shows a job to its owner on Discord: progress, pictures, the sentence of a failure. Implements core's `Delivery`.

Exactly once: while the interaction's token lives, the result is an edit of the reply, which may be repeated. After
that it is a channel message whose nonce is the job's id, which Discord does not post twice; then the person's direct
messages; and if those are closed the pictures stay kept. What an earlier process may have sent is looked for first.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Sequence
from dataclasses import replace

import aiohttp
import discord

from cogs import say
from cogs.files import REQUEST_BYTES, Upload, pack, prepare, shrink
from cogs.places import (
    NOBODY,
    ORIGINAL,
    ChannelPlace,
    DirectPlace,
    FollowUpPlace,
    Gone,
    Place,
    Post,
    Refused,
    ReplyPlace,
    TooLarge,
)
from cogs.reply import ReplyAddress
from core.errors import UserError
from core.images.store import PictureStore
from core.jobs.model import Delivered, Drawing, Glimpse, Job

log = logging.getLogger(__name__)

SMALLEST_LIMIT = 256 * 1024
"""Bytes below which a picture is not squeezed any further, however small a place says its limit is."""


class DiscordDelivery:
    """One message of a job at a time: whoever shows something of it takes its turn."""

    def __init__(self, client: discord.Client, pictures: PictureStore) -> None:
        self._client = client
        self._pictures = pictures
        self._edits: set[asyncio.Task[None]] = set()
        self._shown: dict[str, str] = {}
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def turn(self, job_id: str) -> asyncio.Lock:
        """Held while a job's message is written, so that an older text never lands on a newer one."""
        return self._turns.setdefault(job_id, asyncio.Lock())

    def forget(self, job_id: str) -> None:
        """The job is at its end: nothing of it has to be remembered here."""
        self._shown.pop(job_id, None)

    async def show_progress(self, job: Job, glimpse: Glimpse) -> None:
        """Edit the reply. An edit that has begun is finished even if the picture arrives meanwhile."""
        edit = asyncio.create_task(self._edit(job, say.drawing(job, glimpse)), name=f"edit {job.id}")
        self._edits.add(edit)
        edit.add_done_callback(self._edits.discard)
        await asyncio.shield(edit)

    async def show_waiting(self, job: Job, sentence: str) -> None:
        """Edit the reply: the job is in the queue again."""
        await self._edit(job, say.waiting(job, sentence))

    async def deliver(self, job: Job, drawing: Drawing, *, perhaps_done: bool) -> Delivered:
        """Show the pictures: in the reply, else in the channel, else in direct messages, else keep them."""
        address = ReplyAddress.from_json(job.reply)
        async with self.turn(job.id):
            try:
                parcels = await self._parcels(job, drawing, address)
            except UserError as error:
                return await self._explain(job, f"{error} It is kept.", perhaps_done=perhaps_done)
            remarks = _remarks(parcels, len(drawing.pictures))
            first: Delivered | None = None
            for number, parcel in enumerate(parcels, 1):
                caption = say.finished(job, drawing, remarks) if number == 1 else say.continued(number, len(parcels))
                post = Post(
                    content=caption,
                    nonce=job.id if number == 1 else f"{job.id}-{number}",
                    uploads=parcel,
                    safe_content=say.PICTURES_ALONE,
                    ping=address.owner_id if number == 1 else None,
                )
                places = self._places(job, address) if number == 1 else self._further_places(job, address)
                delivered = await self._send(post, places, perhaps_done=perhaps_done)
                first = first or delivered
            self.forget(job.id)
            return first or Delivered("kept", None)

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Say why there is no picture, in the same places."""
        async with self.turn(job.id):
            return await self._explain(job, sentence, perhaps_done=perhaps_done)

    async def _explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        address = ReplyAddress.from_json(job.reply)
        self.forget(job.id)
        post = Post(
            content=say.ended(job, sentence),
            nonce=job.id,
            safe_content=say.plain(sentence, 400),
            ping=address.owner_id,
        )
        return await self._send(post, self._places(job, address), perhaps_done=perhaps_done)

    async def _edit(self, job: Job, content: str) -> None:
        """Best effort: nobody is worse off for an edit that Discord did not take."""
        address = ReplyAddress.from_json(job.reply)
        async with self.turn(job.id):
            if self._shown.get(job.id) == content:
                return
            self._shown[job.id] = content
            try:
                if address.token_lives:
                    webhook = discord.Webhook.partial(address.application_id, address.token, client=self._client)
                    await webhook.edit_message(
                        ORIGINAL,
                        content=content,
                        allowed_mentions=NOBODY,
                    )
                elif job.message_id is not None and not address.private:
                    channel = self._client.get_partial_messageable(address.channel_id)
                    message = channel.get_partial_message(int(job.message_id))
                    await message.edit(content=content, allowed_mentions=NOBODY)
            except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.debug("an edit was not taken: %s", type(error).__name__)

    async def _parcels(self, job: Job, drawing: Drawing, address: ReplyAddress) -> list[list[Upload]]:
        """The pictures in messages. A private answer gets one only: a second could not be sent exactly once."""
        limit = address.file_bytes
        if address.private:
            limit = min(limit, REQUEST_BYTES // len(drawing.pictures))
        spoiler = job.request.spoiler
        uploads = await prepare(job.id, drawing.pictures, self._pictures, limit=limit, spoiler=spoiler)
        return pack(uploads)

    def _places(self, job: Job, address: ReplyAddress) -> list[Place]:
        places: list[Place] = []
        if address.token_lives:
            places.append(ReplyPlace(self._client, address, None if job.message_id is None else int(job.message_id)))
        return places + self._later_places(job, address)

    def _further_places(self, job: Job, address: ReplyAddress) -> list[Place]:
        """For what does not fit into the reply: the channel comes first, since there a nonce counts."""
        later = self._later_places(job, address)
        if address.token_lives:
            later.insert(0 if address.private else 1, FollowUpPlace(self._client, address))
        return later

    def _later_places(self, job: Job, address: ReplyAddress) -> list[Place]:
        places: list[Place] = []
        if not address.private:
            places.append(ChannelPlace(self._client, address.channel_id, int(job.id)))
        places.append(DirectPlace(self._client, address.owner_id, int(job.id)))
        return places

    async def _send(self, post: Post, places: Sequence[Place], *, perhaps_done: bool) -> Delivered:
        """The first place that takes it; the pictures stay kept where none does."""
        filenames = [upload.filename for upload in post.uploads]
        for place in places:
            if perhaps_done and (found := await place.find(filenames)) is not None:
                return Delivered(place.name, str(found))
            try:
                return Delivered(place.name, str(await self._send_smaller(place, post)))
            except Gone:
                log.info("the reply was deleted, so its pictures are kept only")
                return Delivered("kept", None)
            except Refused:
                log.info("a place did not take the answer: %s", place.name)
        return Delivered("kept", None)

    async def _send_smaller(self, place: Place, post: Post) -> int:
        """Send; where the place says the files are too large, whatever its limit was said to be, halve them."""
        while True:
            try:
                return await place.send(post)
            except TooLarge:
                largest = max((upload.size for upload in post.uploads), default=0)
                if largest // 2 < SMALLEST_LIMIT:
                    raise
                try:
                    smaller = [await shrink(upload, largest // 2) for upload in post.uploads]
                except UserError as error:
                    raise Refused(str(error)) from error
                post = replace(post, uploads=smaller)


def _remarks(parcels: Sequence[Sequence[Upload]], pictures: int) -> list[str]:
    """What was done to the pictures to send them, in sentences."""
    uploads = [upload for parcel in parcels for upload in parcel]
    remarks = [upload.remark for upload in uploads if upload.remark]
    if missing := pictures - len(uploads):
        remarks.append(f"{missing} of {pictures} pictures could not be made small enough to send and are kept.")
    return remarks
