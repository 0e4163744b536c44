"""Routes about channels and their messages, with the bot's token: permissions, nonce, history."""

from __future__ import annotations

import time
from typing import Final

from playground.discord import wire
from playground.discord.calls import Answer, Call, Route
from playground.discord.errors import refusal
from playground.discord.memory import Memory
from playground.discord.messages import Json, Message
from playground.discord.places import Channel, Permission
from playground.discord.posting import Origin, Posting

_MESSAGES: Final = "/channels/{channel_id}/messages"
_PAGE: Final = 50
_PAGE_MOST: Final = 100
MESSAGE_CONTENT: Final = 1 << 15


class Channels:
    """What a bot may do in a channel it is in."""

    def __init__(self, memory: Memory, posting: Posting) -> None:
        self._memory = memory
        self._posting = posting
        self._nonces: dict[str, Message] = {}

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/channels/{channel_id}", self.get),
            Route("POST", "/channels/{channel_id}/typing", self.typing),
            Route("GET", _MESSAGES, self.list),
            Route("POST", _MESSAGES, self.create),
            Route("GET", _MESSAGES + "/{message_id}", self.get_message),
            Route("PATCH", _MESSAGES + "/{message_id}", self.edit),
            Route("DELETE", _MESSAGES + "/{message_id}", self.delete),
        ]

    def _channel(self, call: Call) -> Channel:
        channel = self._memory.channels.get(call.number("channel_id"))
        if channel is None or channel.deleted:
            raise refusal(10003)
        if not channel.allows(Permission.VIEW_CHANNEL):
            raise refusal(50001)
        return channel

    def _message(self, call: Call, channel: Channel) -> Message:
        """Ephemeral messages are not there for the bot's token."""
        message = self._memory.messages.get(call.number("message_id"))
        if message is None or message.deleted or message.ephemeral or message.channel is not channel:
            raise refusal(10008)
        return message

    def get(self, call: Call) -> Answer:
        return Answer(200, wire.channel_json(self._channel(call), self._memory.bot_user_id))

    def typing(self, call: Call) -> Answer:
        _need(self._channel(call), Permission.SEND_MESSAGES)
        return Answer(204)

    def list(self, call: Call) -> Answer:
        """Newest first, at most `limit`, with `before`, `after` or `around` an id."""
        channel = self._channel(call)
        if not channel.allows(Permission.READ_MESSAGE_HISTORY):
            return Answer(200, [])
        limit = min(max(int(call.query.get("limit", _PAGE)), 1), _PAGE_MOST)
        before, after = (int(call.query[key]) if key in call.query else None for key in ("before", "after"))
        found = [
            message
            for message in self._memory.messages.values()
            if message.channel is channel
            and not message.deleted
            and not message.ephemeral
            and (before is None or message.id < before)
            and (after is None or message.id > after)
        ]
        if "around" in call.query:
            middle = sum(message.id < int(call.query["around"]) for message in found)
            found = found[max(middle - limit // 2, 0) :]
        chosen = found[:limit] if after is not None or "around" in call.query else found[-limit:]
        return Answer(200, [self._told(message) for message in reversed(chosen)])

    def get_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        _need(channel, Permission.READ_MESSAGE_HISTORY)
        return Answer(200, self._told(self._message(call, channel)))

    def _told(self, message: Message) -> Json:
        """A message without what a person put into it, unless the application has the intent for that.

        Its own messages, direct ones and those that mention it are whole (documentation, "Message Content Intent").
        """
        told = self._memory.message_json(message)
        is_open = message.channel.guild is None or message.author_id == self._memory.bot_user_id
        if (
            is_open
            or self._memory.rules.privileged_intents & MESSAGE_CONTENT
            or self._memory.bot_user_id in message.pinged
        ):
            return told
        told = {key: value for key, value in told.items() if key != "message_snapshots"}
        return {**told, "content": "", "attachments": [], "embeds": [], "components": []}

    def create(self, call: Call) -> Answer:
        channel, body = self._channel(call), call.object()
        _need(channel, Permission.SEND_MESSAGES)
        if channel.recipient is not None and not channel.recipient.dms_open:
            raise refusal(50007)
        _need_for(channel, body, with_files=bool(call.files))
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce") and (earlier := self._recent(str(nonce))):
            return Answer(200, self._memory.message_json(earlier))
        origin = Origin(author_id=self._memory.bot_user_id)
        message = self._posting.create(channel, body, call.files, origin)
        if nonce is not None:
            self._nonces[str(nonce)] = message
        return Answer(200, self._memory.message_json(message))

    def _recent(self, nonce: str) -> Message | None:
        """The bot's message with that nonce from the past few minutes."""
        message = self._nonces.get(nonce)
        if message is None or time.monotonic() - message.created > self._memory.rules.nonce_seconds:
            return None
        return message

    def edit(self, call: Call) -> Answer:
        channel, body = self._channel(call), call.object()
        message = self._message(call, channel)
        if message.author_id != self._memory.bot_user_id:
            raise refusal(50005)
        _need_for(channel, body, with_files=bool(call.files))
        self._posting.edit(message, body, call.files)
        return Answer(200, self._memory.message_json(message))

    def delete(self, call: Call) -> Answer:
        channel = self._channel(call)
        message = self._message(call, channel)
        if message.author_id != self._memory.bot_user_id:
            _need(channel, Permission.MANAGE_MESSAGES)
        self._posting.delete(message)
        return Answer(204)


def _need(channel: Channel, permission: Permission) -> None:
    if not channel.allows(permission):
        raise refusal(50013)


def _need_for(channel: Channel, body: Json, *, with_files: bool) -> None:
    if with_files:
        _need(channel, Permission.ATTACH_FILES)
    if body.get("embeds"):
        _need(channel, Permission.EMBED_LINKS)
