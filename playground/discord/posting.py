"""Creates, edits and deletes messages by Discord's rules, whoever asks. Knows no route and no token."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from playground.discord import rules
from playground.discord.check_message import accepted_flags, check_body, check_result, edited_flags
from playground.discord.errors import FormErrors, refusal
from playground.discord.gateway import DIRECT_MESSAGES, GUILD_MESSAGES, Gateway
from playground.discord.memory import Memory
from playground.discord.messages import Attachment, File, Json, Message
from playground.discord.places import Channel, Member
from playground.discord.wire_parts import number_components

_MENTION: Final = re.compile(r"<@!?(\d+)>")
_EVERYONE: Final = re.compile(r"@(everyone|here)\b")
ALL_MENTIONS: Final[Json] = {"parse": ["roles", "users", "everyone"]}
ONLY_USERS: Final[Json] = {"parse": ["users"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How a message came about, where it was not a plain channel message."""

    author_id: int
    webhook: bool = False
    seen_by: Member | None = None
    interaction_metadata: Json | None = None


class Posting:
    """The one place where messages change."""

    def __init__(self, memory: Memory, gateway: Gateway) -> None:
        self._memory = memory
        self._gateway = gateway

    def create(self, channel: Channel, body: Json, files: Sequence[File], origin: Origin) -> Message:
        """A new message from a request body.

        Raises:
            ApiError: whatever Discord would answer.
        """
        flags = accepted_flags(body, ephemeral_allowed=origin.webhook)
        v2 = bool(flags & rules.FLAG_COMPONENTS_V2)
        check_body(body, v2=v2)
        self._check_files(channel, files)
        message = Message(
            id=self._memory.ids.next(),
            channel=channel,
            author_id=origin.author_id,
            content=body.get("content") or "",
            embeds=list(body.get("embeds") or []),
            components=number_components(body.get("components") or []),
            flags=flags,
            nonce=body.get("nonce"),
            allowed_mentions=body.get("allowed_mentions"),
            tts=bool(body.get("tts")),
            reference=self._reference(channel, body),
            webhook=origin.webhook,
            seen_by=origin.seen_by if flags & rules.FLAG_EPHEMERAL else None,
            interaction_metadata=origin.interaction_metadata,
        )
        message.attachments = self._attach(channel, body, files, [])
        check_result(message.content, message.embeds, message.components, message.attachments, v2=v2)
        self._ping(message)
        self._memory.messages[message.id] = message
        self._memory.note_change(message, edited=False)
        self._tell("MESSAGE_CREATE", message)
        return message

    def think(self, channel: Channel, flags: int, origin: Origin) -> Message:
        """The empty message of a deferral ("… is thinking")."""
        message = Message(
            id=self._memory.ids.next(),
            channel=channel,
            author_id=origin.author_id,
            flags=rules.FLAG_LOADING | (flags & rules.FLAG_EPHEMERAL),
            webhook=True,
            seen_by=origin.seen_by if flags & rules.FLAG_EPHEMERAL else None,
            interaction_metadata=origin.interaction_metadata,
        )
        self._memory.messages[message.id] = message
        self._memory.changed()
        self._tell("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, body: Json, files: Sequence[File]) -> None:
        """Changes only what the body names; the `attachments` array lists what stays and what is new."""
        flags = edited_flags(body, message.flags)
        v2 = bool(flags & rules.FLAG_COMPONENTS_V2)
        check_body(body, v2=v2)
        self._check_files(message.channel, files)
        content = (body["content"] or "") if "content" in body else message.content
        embeds = list(body["embeds"] or []) if "embeds" in body else message.embeds
        components = message.components
        if "components" in body:
            components = number_components(body["components"] or [])
        attachments = self._attach(message.channel, body, files, message.attachments)
        check_result(content, embeds, components, attachments, v2=v2)
        message.content, message.embeds, message.components = content, embeds, components
        message.attachments = attachments
        message.flags = flags & ~rules.FLAG_LOADING
        if "allowed_mentions" in body:
            message.allowed_mentions = body["allowed_mentions"]
        self._ping(message)
        self._memory.note_change(message, edited=True)
        self._tell("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        message.deleted = True
        self._memory.gone_attachments |= {attachment.id for attachment in message.attachments}
        self._memory.changed()
        payload: Json = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if message.channel.guild is not None:
            payload["guild_id"] = str(message.channel.guild.id)
        self._dispatch("MESSAGE_DELETE", payload, message)

    def _check_files(self, channel: Channel, files: Sequence[File]) -> None:
        if any(len(file.data) > self._memory.file_bytes(channel) for file in files):
            raise refusal(40005)
        if len(files) > rules.ATTACHMENTS:
            raise refusal(30015)

    def _attach(
        self, channel: Channel, body: Json, files: Sequence[File], before: list[Attachment]
    ) -> list[Attachment]:
        listed: list[Json] | None = body.get("attachments")
        if listed is None:
            listed = [{"id": attachment.id} for attachment in before]
            listed += [{"id": index} for index in range(len(files))]
        old = {attachment.id: attachment for attachment in before}
        result, errors = [], FormErrors()
        for position, entry in enumerate(listed):
            number = _number(entry.get("id"))
            description, spoiler = entry.get("description"), entry.get("is_spoiler")
            if number in old:
                result.append(self._memory.redescribed(old[number], description, spoiler))
            elif number is not None and 0 <= number < len(files):
                file = files[number]
                named = File(
                    filename=entry.get("filename") or file.filename, data=file.data, content_type=file.content_type
                )
                made = self._memory.new_attachment(channel, named, description=description, spoiler=bool(spoiler))
                result.append(made)
            else:
                errors.add(
                    f"attachments.{position}.id", "ATTACHMENT_NOT_FOUND", f"Unknown attachment {entry.get('id')!r}"
                )
        errors.raise_if_any()
        return result

    def _reference(self, channel: Channel, body: Json) -> Json | None:
        wanted = body.get("message_reference")
        if not wanted:
            return None
        target = self._memory.messages.get(_number(wanted.get("message_id")) or 0)
        if target is None or target.deleted or target.channel is not channel:
            if wanted.get("fail_if_not_exists", True):
                errors = FormErrors()
                errors.add("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
                errors.raise_if_any()
            return None
        reference = {"type": 0, "channel_id": str(channel.id), "message_id": str(target.id)}
        return reference | ({"guild_id": str(channel.guild.id)} if channel.guild else {})

    def _ping(self, message: Message) -> None:
        """Whom the message really notifies: what its text names, as far as it allows."""
        allowed = message.allowed_mentions
        if allowed is None:
            allowed = ONLY_USERS if message.webhook else ALL_MENTIONS
        parse = allowed.get("parse") or []
        pieces = [message.content]
        pieces += [part.get("content", "") for part in message.parts() if part.get("type") == 10]
        text = "\n".join(pieces)
        named = {int(found) for found in _MENTION.findall(text)}
        permitted = named if "users" in parse else {int(one) for one in allowed.get("users") or []}
        message.pinged |= named & permitted
        if "everyone" in parse and _EVERYONE.search(text):
            message.pinged_everyone = True

    def _tell(self, event: str, message: Message) -> None:
        if not message.ephemeral:
            payload = self._memory.message_json(message)
            if message.channel.guild is not None:
                payload["guild_id"] = str(message.channel.guild.id)
            self._dispatch(event, payload, message)

    def _dispatch(self, event: str, payload: Json, message: Message) -> None:
        if not message.channel.has_bot:
            return
        intent = DIRECT_MESSAGES if message.channel.guild is None else GUILD_MESSAGES
        self._gateway.dispatch(event, payload, intent=intent)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
