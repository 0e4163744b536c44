"""Guilds, channels and people as this Discord remembers them. Knows no wire format."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final


class Permission(IntFlag):
    """The permission bits that matter to a bot that posts pictures (documentation, "Permissions")."""

    ADMINISTRATOR = 1 << 3
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    USE_APPLICATION_COMMANDS = 1 << 31
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


ORDINARY: Final = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What the bot's role gives in every channel until a channel says otherwise; members have the same."""
EVERYTHING: Final = Permission(sum(Permission))

TEXT: Final = 0
DIRECT: Final = 1
VOICE: Final = 2
GROUP: Final = 3
THREAD: Final = 11
FORUM: Final = 15


@dataclass(slots=True, kw_only=True, eq=False)
class Role:
    """A role of a guild, which gives its members no permission."""

    id: int
    name: str


@dataclass(slots=True, kw_only=True, eq=False)
class Guild:
    """A server. `file_bytes` is its upload limit (None: the default of the rules).

    Where it has no bot, people use the application that they installed for themselves.
    """

    id: int
    name: str
    locale: str = "en-US"
    file_bytes: int | None = None
    channels: list[Channel] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    has_bot: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """A channel of a guild, a DM between the bot and one person, or a private one of `people` without the bot.

    `permissions` are the bot's. A thread, or a post in a forum, has a `parent`.
    """

    id: int
    name: str
    kind: int = TEXT
    guild: Guild | None = field(default=None, repr=False)
    recipient: Member | None = field(default=None, repr=False)
    permissions: Permission = ORDINARY
    nsfw: bool = False
    deleted: bool = False
    people: tuple[Member, ...] = field(default=(), repr=False)
    parent: Channel | None = field(default=None, repr=False)

    @property
    def has_bot(self) -> bool:
        return self.recipient is not None if self.guild is None else self.guild.has_bot

    def allows(self, permission: Permission) -> bool:
        """Whether the bot has it here; in a thread it is another permission that lets it write."""
        if permission is Permission.SEND_MESSAGES and self.parent is not None:
            permission = Permission.SEND_MESSAGES_IN_THREADS
        return self.has_bot and (self.guild is None or permission in self.permissions)


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A person: one of the guild, and with a DM channel to the bot."""

    id: int
    name: str
    dm: Channel = field(repr=False)
    dms_open: bool = True
    locale: str = "en-US"
    administrator: bool = False
    roles: list[Role] = field(default_factory=list)

    @property
    def permissions(self) -> Permission:
        return EVERYTHING if self.administrator else ORDINARY
