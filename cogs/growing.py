"""What all places have in common where a job is shown: one message that grows, and Discord's refusals told apart.

It knows no route to a message and no job's state.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import discord
import stamina

from cogs.edits import TROUBLE
from cogs.files import Upload, number_in, pack
from cogs.previews import take_preview_off

log = logging.getLogger(__name__)

T = TypeVar("T")

TOO_LARGE = frozenset({40005, 50045})
UNKNOWN_MESSAGE = 10008

Shown = Mapping[int, discord.Attachment]
"""What a message shows of a job, by the picture's number from 1."""
Caption = Callable[[Sequence[Upload], Mapping[int, str], Shown], Awaitable[str]]


class Refused(Exception):
    """Discord will not take the message here, now or later."""


class TooLarge(Refused):
    """The files are too large for this place."""


class Gone(Refused):
    """The message was there and somebody deleted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a job's message is to show: `uploads`, beside the pictures that are there already.

    `refusals` says by picture number what could not be sent along; `caption` makes words of that, of the uploads and of
    what is there. `safe_content` is what remains where the channel's AutoMod objects to the words; `ping` is mentioned
    for real. `view` are the buttons of a new message; those of one that is there stay until it is `final`.
    """

    job_id: str
    caption: Caption
    uploads: Sequence[Upload] = ()
    refusals: Mapping[int, str] = field(default_factory=dict)
    safe_content: str = ""
    ping: int | None = None
    view: discord.ui.View | None = None
    final: bool = True


class Place:
    """One message, in one place, that grows.

    `shown` is what it is known to show of the job; `elsewhere` are numbers that were found in other messages there.
    """

    name: str

    def __init__(self, message_id: int | None, retry: stamina.BoundAsyncRetryingCaller) -> None:
        self.message_id = message_id
        self.shown: dict[int, discord.Attachment] = {}
        self.elsewhere: set[int] = set()
        self._retry = retry
        self._looked = False

    async def send(self, post: Post) -> int:
        """Show the post and return the message's id; once more only what is missing yet.

        Refused (or a kind of it) where that can't be. While Discord can't be asked, this waits: sending without
        having looked might be twice.
        """
        if not self._looked:
            await self._look(post)
            self._looked = True
        for parcel in pack(self.missing(post.uploads)) or [[]]:
            message = await self._put(post, parcel)
            self._note(message, post.job_id)
            with contextlib.suppress(*TROUBLE):  # words alone leave it there
                await take_preview_off(message)
        return self.message_id or 0

    def missing(self, uploads: Collection[Upload]) -> list[Upload]:
        """Those that this place does not show."""
        return [upload for upload in uploads if upload.number not in self.shown.keys() | self.elsewhere]

    async def _look(self, post: Post) -> None:
        """Find out what is there already, where something may be."""
        raise NotImplementedError

    async def _put(self, post: Post, parcel: Sequence[Upload]) -> discord.Message:
        """Add the parcel and bring the words up to date, in one request; the message as it is then."""
        raise NotImplementedError

    def _note(self, message: discord.Message, job_id: str) -> None:
        self.message_id = int(message.id)
        self.shown = pictures_on(message, job_id)

    def _changes(self, post: Post, parcel: Sequence[Upload]) -> dict[str, Any]:
        """The edit: pictures that are there are named, which keeps them; without new ones none has to be."""
        changes: dict[str, Any] = {"view": post.view} if post.final or post.view is None else {}
        if parcel:
            files = {**self.shown, **{upload.number: upload.open() for upload in parcel}}
            changes["attachments"] = [files[number] for number in sorted(files)]
        return changes

    async def _ask(self, look: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._retry(look)
        except discord.HTTPException as error:
            raise self._refusal(error) from error

    async def _patiently(self, send: Callable[[str], Awaitable[T]], post: Post) -> T:
        """Send until Discord takes it or refuses it for good; once more in safe words where it may be the words."""
        words = await post.caption(post.uploads, post.refusals, self.shown)
        for content in (words, post.safe_content):
            try:
                return await self._retry(send, content)
            except discord.HTTPException as error:
                log.info("Discord refused a message: %s", error.code, extra={"status": error.status})
                refusal = self._refusal(error)
                if isinstance(refusal, TooLarge) or error.status != 400 or content == (post.safe_content or content):
                    raise refusal from error
        raise Refused("no words were acceptable")

    def _refusal(self, error: discord.HTTPException) -> Refused:
        if error.status == 413 or error.code in TOO_LARGE:
            return TooLarge()
        return Gone() if error.code == UNKNOWN_MESSAGE and self.message_id is not None else Refused()


def pictures_on(message: discord.Message, job_id: str) -> dict[int, discord.Attachment]:
    """What a message shows of the job, by number."""
    numbered = [(number_in(attachment.filename, job_id), attachment) for attachment in message.attachments]
    return {number: attachment for number, attachment in numbered if number is not None}
