"""Begins an interaction: remembers it and sends INTERACTION_CREATE. Knows no command, button or modal by name."""

from __future__ import annotations

import secrets
from typing import Any

from playground.discord import wire
from playground.discord.errors import NotSendable
from playground.discord.gateway import Gateway
from playground.discord.interaction import COMPONENT, MODAL_SUBMIT, Interaction
from playground.discord.memory import Memory
from playground.discord.messages import Attachment, File, Json, Message
from playground.discord.places import Channel, Member, Permission


class Starting:
    """What every interaction has in common."""

    def __init__(self, memory: Memory, gateway: Gateway) -> None:
        self._memory = memory
        self._gateway = gateway

    def start(
        self,
        kind: int,
        member: Member,
        channel: Channel,
        data: Json,
        *,
        message: Message | None = None,
        trigger: Interaction | None = None,
    ) -> Interaction:
        """`message` is what the button is on, `trigger` the interaction that opened the modal."""
        interaction = Interaction(
            id=self._memory.ids.next(),
            token=secrets.token_urlsafe(48),
            kind=kind,
            member=member,
            channel=channel,
            data=data,
            message=message,
        )
        interaction.metadata = _metadata(interaction, trigger)
        self._memory.interactions[interaction.token] = interaction
        payload = wire.interaction_json(
            interaction,
            application_id=self._memory.application_id,
            file_bytes=self._memory.file_bytes(channel),
            message=None if message is None else self._memory.message_json(message),
            bot_user_id=self._memory.bot_user_id,
        )
        self._gateway.dispatch("INTERACTION_CREATE", payload)
        self._memory.changed()
        return interaction

    def upload(self, channel: Channel, file: File) -> Attachment:
        """A member's upload: an ephemeral attachment, below the channel's size limit."""
        most = self._memory.file_bytes(channel)
        if len(file.data) > most:
            raise NotSendable(f"{file.filename} has {len(file.data)} bytes; uploads end at {most}")
        return self._memory.new_attachment(channel, file, ephemeral=True)


def as_file(name: str, value: Any) -> File:
    """A `File` as it is; bare bytes get the option's name and `.png`."""
    if isinstance(value, File):
        return value
    if isinstance(value, bytes):
        return File(filename=f"{name}.png", data=value)
    raise NotSendable(f"{name!r} takes a file, not {value!r}")


def check_visible(member: Member, message: Message) -> None:
    if not message.visible_to(member):
        raise NotSendable(f"{member.name} does not see message {message.id}")


def check_allowed(member: Member, channel: Channel) -> None:
    if channel.recipient is not None and channel.recipient is not member:
        raise NotSendable(f"{member.name} is not in {channel.name}")
    if channel.people and member not in channel.people:
        raise NotSendable(f"{member.name} is not in {channel.name}")
    if channel.guild is not None and Permission.USE_APPLICATION_COMMANDS not in member.permissions:
        raise NotSendable(f"{member.name} may not use commands here")


def _metadata(interaction: Interaction, trigger: Interaction | None) -> Json:
    """`interaction_metadata` of the messages that answer this interaction."""
    metadata: Json = {
        "id": str(interaction.id),
        "type": interaction.kind,
        "user": wire.member_user(interaction.member),
        "authorizing_integration_owners": interaction.owners,
    }
    if interaction.kind == COMPONENT and interaction.message is not None:
        metadata["interacted_message_id"] = str(interaction.message.id)
    if interaction.kind == MODAL_SUBMIT and trigger is not None:
        metadata["triggering_interaction_metadata"] = trigger.metadata
    return metadata
