"""Where a job's answer goes, kept as JSON in its row: enough for a process that starts later to finish the reply."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import discord
import msgspec
from discord import app_commands

Channel = app_commands.AppCommandChannel | app_commands.AppCommandThread
"""As it comes with a command."""
ORIGINAL = "@original"
"""Discord's own name for an interaction's reply, whose id may not be known."""
TOKEN_SECONDS = 15 * 60
"""How long Discord honours an interaction's token."""
TOKEN_MARGIN = 20
"""Seconds before its end at which a token is no longer relied on: an upload takes time too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyAddress:
    """One interaction's reply, or with a `message_id` one of its follow-ups.

    `expires_at` is in unix seconds, `file_bytes` the largest file allowed there.
    """

    application_id: int
    token: str
    expires_at: float
    channel_id: int
    guild_id: int | None
    owner_id: int
    private: bool
    file_bytes: int
    message_id: int | None = None
    made_from: str | None = None
    """A link to the message from whose picture this is made."""
    is_member: bool = True
    """Whether the bot is there itself, and not only brought along by somebody who installed it for themselves."""
    parent_id: int | None = None
    """The channel that a thread, or a post in a forum, is in."""

    def __repr__(self) -> str:
        return f"<ReplyAddress channel={self.channel_id} private={self.private}>"

    @property
    def channels(self) -> tuple[str, ...]:
        """Whose wishes hold there, the nearest first."""
        return _channels(self.channel_id, self.parent_id)

    @property
    def message(self) -> Any:
        """What its message is called in requests with the token; the library asks for a number."""
        return self.message_id or ORIGINAL

    @property
    def token_lives(self) -> bool:
        """Whether the reply can still be edited with its token."""
        return time.time() < self.expires_at - TOKEN_MARGIN

    @property
    def by_token_alone(self) -> bool:
        """Whether the reply is out of the bot's own reach, so that nothing can be said there after the token's life."""
        return self.private or not self.is_member

    def link_to(self, message_id: int | str) -> str:
        """The address of a message in this channel, for people."""
        return f"https://discord.com/channels/{self.guild_id or '@me'}/{self.channel_id}/{message_id}"

    def to_json(self) -> str:
        """As the row keeps it."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> ReplyAddress:
        """Read a row's text back."""
        return msgspec.json.decode(text, type=cls)

    @classmethod
    def of(cls, interaction: discord.Interaction, *, private: bool) -> ReplyAddress:
        """The address of an interaction that has just arrived: this machine's clock may differ from Discord's."""
        return cls(
            application_id=interaction.application_id,
            token=interaction.token,
            expires_at=time.time() + TOKEN_SECONDS,
            channel_id=interaction.channel_id or 0,
            guild_id=interaction.guild_id,
            owner_id=interaction.user.id,
            private=private,
            file_bytes=interaction.filesize_limit,
            is_member=is_member(interaction),
            parent_id=_parent(interaction.channel),
        )


def guild_of(interaction: discord.Interaction) -> str | None:
    """The server that it comes from, as rows name it; None in direct messages."""
    return None if interaction.guild_id is None else str(interaction.guild_id)


def channels_of(interaction: discord.Interaction, channel: Channel | None = None) -> tuple[str, ...]:
    """Whose wishes hold in that channel (None: where the interaction is from), the nearest first."""
    if channel is None:
        return _channels(interaction.channel_id or 0, _parent(interaction.channel))
    return _channels(channel.id, _parent(channel))


def _channels(channel_id: int, parent_id: int | None) -> tuple[str, ...]:
    return tuple(str(one) for one in (channel_id, parent_id) if one is not None)


def _parent(channel: object) -> int | None:
    return channel.parent_id if isinstance(channel, discord.Thread | app_commands.AppCommandThread) else None


def is_member(interaction: discord.Interaction) -> bool:
    """Whether the bot is where this happens: in the server, or in a direct conversation with the person."""
    if interaction.guild_id is not None:
        return interaction.is_guild_integration()
    return not interaction.context.private_channel
