"""The places where an answer can be shown: the reply, its channel, the person's direct messages. One send, one look.

The only module that posts or edits a job's messages. It tells Discord's refusals apart; it knows no job's state.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol

import aiohttp
import discord
import stamina

from cogs import say
from cogs.files import Upload
from cogs.reply import ReplyAddress

log = logging.getLogger(__name__)

NOBODY = discord.AllowedMentions.none()
ORIGINAL: Any = "@original"
"""Discord's own name for an interaction's reply, whose id may not be known; the library asks for a number."""
HISTORY = 200
"""Messages that are looked through for one that an earlier process sent."""

TOO_LARGE = frozenset({40005, 50045})
UNKNOWN_MESSAGE = 10008
TOKEN_OVER = 50027

Caption = Callable[[Sequence[Upload], Mapping[int, str]], str]


class Refused(Exception):
    """Discord will not take the message here, now or later."""


class TooLarge(Refused):
    """The files are too large for this place."""


class Gone(Refused):
    """The reply was there and somebody deleted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message: `nonce` (at most 25 characters) names it, so that sending it twice is one message.

    `refusals` says by picture number what could not be sent along; `caption` makes words of that and of the uploads.
    `safe_content` is what remains where the channel's AutoMod objects to the words; `ping` is mentioned for real.
    """

    caption: Caption
    nonce: str
    uploads: Sequence[Upload] = ()
    refusals: Mapping[int, str] = field(default_factory=dict)
    safe_content: str = ""
    ping: int | None = None

    @property
    def content(self) -> str:
        """The words for what is sent now."""
        return self.caption(self.uploads, self.refusals)


class Place(Protocol):
    """Somewhere to show an answer."""

    name: str

    async def send(self, post: Post) -> int:
        """Show the post and return the message's id. Refused (or a kind of it) where that can't be."""

    async def find(self, filenames: Collection[str]) -> int | None:
        """The message that carries these files already, whatever their extension became.

        None is a definite answer: while Discord can't be asked, this waits, since sending again might be twice.
        """


class ReplyPlace:
    """The interaction's own reply, edited with its token: what is there is replaced, so repeating it is harmless."""

    name = "reply"

    def __init__(self, client: discord.Client, address: ReplyAddress, message_id: int | None) -> None:
        self._webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        self._known = message_id is not None

    async def send(self, post: Post) -> int:
        async def edit(content: str) -> int:
            message = await self._webhook.edit_message(
                ORIGINAL,
                content=content,
                attachments=[upload.open() for upload in post.uploads],
                view=None,
                allowed_mentions=NOBODY,
            )
            return int(message.id)

        try:
            return await _patiently(edit, post, _retry_with_token)
        except Refused as refused:
            if self._known and _code(refused) == UNKNOWN_MESSAGE:
                raise Gone from refused
            raise

    async def find(self, filenames: Collection[str]) -> int | None:
        async def look() -> int | None:
            message = await self._webhook.fetch_message(ORIGINAL)
            return message.id if _carries(message, filenames) else None

        return await _look_patiently(look, _retry_with_token)


class FollowUpPlace:
    """A further message of the same interaction; for what does not fit into the reply."""

    name = "reply"

    def __init__(self, client: discord.Client, address: ReplyAddress) -> None:
        self._webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        self._private = address.private

    async def send(self, post: Post) -> int:
        async def follow_up(content: str) -> int:
            files = [upload.open() for upload in post.uploads]
            message = await self._webhook.send(
                content, files=files, wait=True, ephemeral=self._private, allowed_mentions=NOBODY
            )
            return message.id

        return await _patiently(follow_up, post, _retry_with_token)

    async def find(self, filenames: Collection[str]) -> int | None:  # noqa: ARG002  # Discord lists no follow-ups
        return None


class ChannelPlace:
    """The channel of the command, with the bot's own token."""

    name = "channel"

    def __init__(self, client: discord.Client, channel_id: int, since: int) -> None:
        self._client = client
        self._channel_id = channel_id
        self._since = discord.Object(since)

    async def _channel(self) -> discord.abc.Messageable:
        return self._client.get_partial_messageable(self._channel_id)

    async def send(self, post: Post) -> int:
        mentions, address = self._ping(post)

        async def post_message(content: str) -> int:
            channel = await self._channel()
            files = [upload.open() for upload in post.uploads]
            content = say.assemble(address, content)
            message = await channel.send(content, files=files, nonce=post.nonce, allowed_mentions=mentions)
            return message.id

        return await _patiently(post_message, post, _retry)

    async def find(self, filenames: Collection[str]) -> int | None:
        async def look() -> int | None:
            channel = await self._channel()
            async for message in channel.history(limit=HISTORY, after=self._since, oldest_first=False):
                if _carries(message, filenames):
                    return message.id
            return None

        return await _look_patiently(look, _retry)

    def _ping(self, post: Post) -> tuple[discord.AllowedMentions, str]:
        """Late answers stand far below the question, so their owner is told, and nobody else."""
        if post.ping is None:
            return NOBODY, ""
        owner = discord.Object(post.ping)
        return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=[owner]), f"<@{owner.id}>"


class DirectPlace(ChannelPlace):
    """The person's direct messages."""

    name = "dm"

    def __init__(self, client: discord.Client, user_id: int, since: int) -> None:
        super().__init__(client, 0, since)
        self._user = discord.Object(user_id)

    def _ping(self, post: Post) -> tuple[discord.AllowedMentions, str]:  # noqa: ARG002  # the person is there already
        return NOBODY, ""

    async def _channel(self) -> discord.abc.Messageable:
        return await self._client.create_dm(self._user)


def is_transient(error: Exception) -> bool:
    """Whether Discord, or the way to it, may be better in a moment.

    401 without the code of an ended token means that the bot itself is logged out: an operator mends that. A missing
    file is none of Discord's troubles.
    """
    if isinstance(error, FileNotFoundError):
        return False
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429 or (error.status == 401 and error.code != TOKEN_OVER)
    return isinstance(
        error, discord.RateLimited | discord.GatewayNotFound | aiohttp.ClientError | OSError | TimeoutError
    )


def is_transient_with_token(error: Exception) -> bool:
    """The same for requests that carry an interaction's token alone: there any 401 says that it is over."""
    return is_transient(error) and not (isinstance(error, discord.HTTPException) and error.status == 401)


_patience = stamina.AsyncRetryingCaller(attempts=None, timeout=None, wait_max=30.0)
_retry = _patience.on(is_transient)
_retry_with_token = _patience.on(is_transient_with_token)
"""Ask until Discord answers, however long that takes."""


async def _look_patiently(
    look: Callable[[], Awaitable[int | None]], retry: stamina.BoundAsyncRetryingCaller
) -> int | None:
    """What `look` finds; None too where Discord does not let us look, which it will not later either."""
    try:
        return await retry(look)
    except discord.HTTPException as error:
        log.info("a place could not be looked through: %s", error.code, extra={"status": error.status})
        return None


async def _patiently(send: Callable[[str], Awaitable[int]], post: Post, retry: stamina.BoundAsyncRetryingCaller) -> int:
    """Send until Discord takes it or refuses it for good; once more in safe words where it may be the words."""
    for content in (post.content, post.safe_content):
        try:
            return await retry(send, content)
        except discord.HTTPException as error:
            log.info("Discord refused a message: %s", error.code, extra={"status": error.status})
            if error.status == 413 or error.code in TOO_LARGE:
                raise TooLarge from error
            if error.status != 400 or not post.safe_content or content == post.safe_content:
                raise Refused from error
    raise Refused("no words were acceptable")


def _code(refused: Refused) -> int:
    return refused.__cause__.code if isinstance(refused.__cause__, discord.HTTPException) else 0


def _carries(message: discord.Message, filenames: Collection[str]) -> bool:
    have = {PurePath(attachment.filename).stem.removeprefix("SPOILER_") for attachment in message.attachments}
    return bool(filenames) and {PurePath(name).stem.removeprefix("SPOILER_") for name in filenames} <= have
