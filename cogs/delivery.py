"""Shows a job to its owner on Discord: progress, pictures, the sentence of a failure. Implements core's `Delivery`.

Exactly once: while the interaction's token lives, the result is an edit of the reply, which may be repeated. After
that it is a channel message whose nonce is the job's id, which Discord does not post twice; then the person's direct
messages; and if those are closed the pictures stay kept. What an earlier process may have sent is looked for first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace

import discord

from cogs import say
from cogs.edits import edit_message, edit_reply
from cogs.files import REQUEST_BYTES, Upload, fair_limit, pack, prepare, shrink_all
from cogs.places import (
    Caption,
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
from core.images.store import PictureStore
from core.jobs.model import Delivered, Drawing, Glimpse, Job

log = logging.getLogger(__name__)

SMALLEST_LIMIT = 256 * 1024
"""Bytes below which a picture is not squeezed any further, however small a place says its limit is."""
POINTING_SECONDS = 10.0
"""How long an answer's end waits at most for the reply to say where it is."""


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
            uploads, refusals = await self._uploads(job, drawing, address)
            if not uploads:
                return await self._explain(job, _why_none(refusals), perhaps_done=perhaps_done)
            parcels = pack(uploads)
            first: Delivered | None = None
            for number, parcel in enumerate(parcels, 1):
                post = Post(
                    caption=_caption(job, drawing, number, len(parcels)),
                    nonce=job.id if number == 1 else f"{job.id}-{number}",
                    uploads=parcel,
                    refusals=refusals if number == 1 else {},
                    safe_content=say.PICTURES_ALONE,
                    ping=address.owner_id if number == 1 else None,
                )
                places = self._places(job, address) if number == 1 else self._further_places(job, address)
                delivered = await self._send(post, places, perhaps_done=perhaps_done)
                first = first or delivered
            self.forget(job.id)
            delivered = first or Delivered("kept", None)
            await self._point_to(job, delivered, say.PICTURE_ELSEWHERE.get(delivered.where))
            return delivered

    async def explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        """Say why there is no picture, in the same places."""
        async with self.turn(job.id):
            return await self._explain(job, sentence, perhaps_done=perhaps_done)

    async def _explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> Delivered:
        address = ReplyAddress.from_json(job.reply)
        self.forget(job.id)
        words = say.ended(job, sentence)
        post = Post(
            caption=lambda _uploads, _refusals: words,
            nonce=job.id,
            safe_content=say.plain(sentence, 400),
            ping=address.owner_id,
        )
        delivered = await self._send(post, self._places(job, address), perhaps_done=perhaps_done)
        await self._point_to(job, delivered, say.REASON_ELSEWHERE.get(delivered.where, words))
        return delivered

    async def rewrite(self, job: Job, message_id: int | None, content: str | None) -> None:
        """Take the buttons off the job's message, and put `content` there if it isn't None. Best effort."""
        changes = {"view": None} if content is None else {"view": None, "content": content}
        async with self.turn(job.id):
            self.forget(job.id)
            await edit_reply(self._client, ReplyAddress.from_json(job.reply), message_id, **changes)

    async def _point_to(self, job: Job, delivered: Delivered, words: str | None) -> None:
        """Where the answer is not in the reply, the reply says so in place of its last news. Best effort."""
        if delivered.where == ReplyPlace.name or words is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POINTING_SECONDS):
                address = ReplyAddress.from_json(job.reply)
                await edit_message(self._client, address, _message_id(job), content=words, view=None)

    async def _edit(self, job: Job, content: str) -> None:
        """Best effort: nobody is worse off for an edit that Discord did not take."""
        address = ReplyAddress.from_json(job.reply)
        async with self.turn(job.id):
            if self._shown.get(job.id) == content:
                return
            self._shown[job.id] = content
            await edit_reply(self._client, address, _message_id(job), content=content)

    async def _uploads(self, job: Job, drawing: Drawing, address: ReplyAddress) -> tuple[list[Upload], dict[int, str]]:
        """The pictures as they can be sent here, and by number why others can't.

        A private answer is one message, since a second could not be sent exactly once: they share its bytes.
        """
        limit = address.file_bytes
        if address.private:
            limit = min(limit, fair_limit([min(kept.size, limit) for kept in drawing.pictures], REQUEST_BYTES))
        return await prepare(job.id, drawing.pictures, self._pictures, limit=limit, spoiler=job.request.spoiler)

    def _places(self, job: Job, address: ReplyAddress) -> list[Place]:
        places: list[Place] = []
        if address.token_lives:
            places.append(ReplyPlace(self._client, address, _message_id(job)))
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
                smaller, refusals = await shrink_all(post.uploads, largest // 2)
                if not smaller:
                    raise
                post = replace(post, uploads=smaller, refusals={**post.refusals, **refusals})


def _caption(job: Job, drawing: Drawing, number: int, messages: int) -> Caption:
    """The words of message `number` of so many, for whatever is sent in it in the end."""

    def caption(uploads: Sequence[Upload], refusals: Mapping[int, str]) -> str:
        encoded = {upload.number: upload.remark for upload in uploads if upload.remark}
        remarks = [text for texts in (refusals, encoded) for text in say.each_once(texts, len(drawing.pictures))]
        return say.finished(job, drawing, remarks) if number == 1 else say.continued(number, messages, remarks)

    return caption


def _why_none(refusals: Mapping[int, str]) -> str:
    """One sentence or a few for a job none of whose pictures can be sent."""
    if len(set(refusals.values())) == 1:
        return next(iter(refusals.values()))
    return " ".join(say.each_once(refusals, len(refusals)))


def _message_id(job: Job) -> int | None:
    """The reply's id, if it is known."""
    return None if job.message_id is None else int(job.message_id)
