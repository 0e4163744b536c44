"""The places where a job is shown: the reply, its channel, the person's direct messages.

The only module that posts or edits a job's pictures.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import aiohttp
import discord
import stamina

from cogs import say
from cogs.answers import NOBODY
from cogs.files import SHEET, Upload
from cogs.growing import Gone, Place, Post, Refused, pictures_on
from cogs.reply import ReplyAddress

log = logging.getLogger(__name__)

HISTORY = 200
"""Messages that are looked through for one that an earlier process sent."""
TOKEN_OVER = 50027


class ReplyPlace(Place):
    """The interaction's own reply or follow-up, edited with its token. `look`: some pictures may be there already."""

    name = "reply"

    def __init__(self, client: discord.Client, address: ReplyAddress, message_id: int | None, *, look: bool) -> None:
        super().__init__(message_id, _retry_with_token)
        self._webhook = discord.Webhook.partial(address.application_id, address.token, client=client)
        self._message = address.message
        self._looked = not look

    async def _look(self, post: Post) -> None:
        self._note(await self._ask(lambda: self._webhook.fetch_message(self._message)), post.job_id)

    async def _put(self, post: Post, parcel: Sequence[Upload]) -> discord.Message:
        async def edit(content: str) -> discord.Message:
            changes = self._changes(post, parcel)
            return await self._webhook.edit_message(self._message, content=content, allowed_mentions=NOBODY, **changes)

        return await self._patiently(edit, post)


class ChannelPlace(Place):
    """The channel of the command, with the bot's own token: the message `message_id`, or a new one.

    A `nonce` (at most 25 characters) names a new one, so that sending it twice is one message. `search`: an earlier
    process may have sent one, so that it is looked for first. `sheet`: it is the message of the job's contact sheet.
    """

    name = "channel"

    def __init__(
        self,
        client: discord.Client,
        channel_id: int,
        job_id: str,
        message_id: int | None,
        *,
        search: bool,
        sheet: bool = False,
    ) -> None:
        super().__init__(message_id, _retry)
        self._client = client
        self._channel_id = channel_id
        self._since = discord.Object(int(job_id))
        self._search = search
        self._sheet = sheet
        self._nonce = f"{job_id}-s" if sheet else job_id

    async def _channel(self) -> discord.PartialMessageable | discord.DMChannel:
        return self._client.get_partial_messageable(self._channel_id)

    async def _message(self) -> discord.PartialMessage:
        return (await self._channel()).get_partial_message(self.message_id or 0)

    async def _look(self, post: Post) -> None:
        if self.message_id is not None:
            self._note(await self._ask(lambda: self._read(post)), post.job_id)
        elif self._search:
            await self._look_through(post.job_id)

    async def _read(self, post: Post) -> discord.Message:
        """The message; where the bot may not read here, an edit of the words alone answers with it too."""
        message = await self._message()
        try:
            return await message.fetch()
        except discord.Forbidden:
            return await message.edit(content=post.safe_content, allowed_mentions=NOBODY)

    async def _look_through(self, job_id: str) -> None:
        """Find what an earlier process sent. Where Discord does not let us look, it will not later either."""

        async def look() -> list[discord.Message]:
            history = (await self._channel()).history(limit=HISTORY, after=self._since, oldest_first=False)
            return [message async for message in history if self._is_of(message, job_id)]

        try:
            found = await self._retry(look)
        except discord.HTTPException as error:
            log.info("a place could not be looked through: %s", error.code, extra={"status": error.status})
            return
        for message in reversed(found):
            self.elsewhere |= self.shown.keys()
            self._note(message, job_id)

    def _is_of(self, message: discord.Message, job_id: str) -> bool:
        shown = pictures_on(message, job_id).keys()
        return message.author == self._client.user and (SHEET in shown if self._sheet else bool(shown - {SHEET}))

    async def _put(self, post: Post, parcel: Sequence[Upload]) -> discord.Message:
        """A message that Discord knows by its nonce is an earlier one, and grows."""
        mentions, address = self._ping(post)
        if self.message_id is None:

            async def create(content: str) -> tuple[discord.Message, bool]:
                content = say.assemble(address, content)
                buttons: dict[str, Any] = {"view": post.view} if post.view else {}
                files = [upload.open() for upload in parcel]
                channel = await self._channel()
                message = await channel.send(
                    content, files=files, nonce=self._nonce, allowed_mentions=mentions, **buttons
                )
                return message, message.content == content

            message, is_new = await self._patiently(create, post)
            self._note(message, post.job_id)
            if is_new and not (parcel := self.missing(parcel)):
                return message

        async def edit(content: str) -> discord.Message:
            content = say.assemble(address, content)
            changes = self._changes(post, self.missing(parcel))
            return await (await self._message()).edit(content=content, allowed_mentions=mentions, **changes)

        return await self._patiently(edit, post)

    def _ping(self, post: Post) -> tuple[discord.AllowedMentions, str]:
        """Late answers stand far below the question, so their owner is told, and nobody else."""
        if post.ping is None:
            return NOBODY, ""
        owner = discord.Object(post.ping)
        return discord.AllowedMentions(everyone=False, roles=False, replied_user=False, users=[owner]), f"<@{owner.id}>"


class LateReplyPlace(ChannelPlace):
    """The reply once its token is over: the bot's own token lets it grow.

    Unless `certain` this is so only where it shows pictures already: a late answer in an old message is overlooked.
    """

    name = "reply"

    def __init__(
        self, client: discord.Client, address: ReplyAddress, job_id: str, message_id: int, *, certain: bool
    ) -> None:
        super().__init__(client, address.channel_id, job_id, message_id, search=False)
        self._certain = certain

    async def _look(self, post: Post) -> None:
        if self._certain:
            await super()._look(post)
            return
        message = await self._message()
        try:
            self._note(await self._ask(message.fetch), post.job_id)
        except Gone as gone:
            raise Refused from gone
        if not self.shown:
            raise Refused("nothing of the job is there")

    def _ping(self, post: Post) -> tuple[discord.AllowedMentions, str]:  # noqa: ARG002  # nobody is told of an edit
        return NOBODY, ""


class DirectPlace(ChannelPlace):
    """The person's direct messages."""

    name = "dm"

    def __init__(
        self,
        client: discord.Client,
        user_id: int,
        job_id: str,
        message_id: int | None,
        *,
        search: bool,
        sheet: bool = False,
    ) -> None:
        super().__init__(client, 0, job_id, message_id, search=search, sheet=sheet)
        self._user = discord.Object(user_id)
        self._nonce += "-dm"  # Discord knows nonces by their sender, whatever the channel

    def _ping(self, post: Post) -> tuple[discord.AllowedMentions, str]:  # noqa: ARG002  # the person is there already
        return NOBODY, ""

    async def _channel(self) -> discord.DMChannel:
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
