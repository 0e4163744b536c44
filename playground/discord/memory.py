"""Everything this Discord remembers, and who waits for it to change. Knows no HTTP and no rule."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, Final, TypeVar

from PIL import Image

from playground.discord.interaction import Interaction
from playground.discord.messages import Attachment, Edit, File, Json, Message, Upload
from playground.discord.places import DIRECT, Channel, Guild, Member, Role
from playground.discord.rules import Rules
from playground.discord.snowflake import Snowflakes
from playground.discord.wire import member_user, message_json, user_json

T = TypeVar("T")

_TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "txt": "text/plain",
    "json": "application/json",
    "zip": "application/zip",
}


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """One request of the bot. `status` is None while it is being answered and 0 where the connection was cut.

    `path` is without the API's base; `body` is the JSON, for multipart the `payload_json`; `at` is monotonic.
    """

    method: str
    path: str
    at: float
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    files: tuple[str, ...] = ()
    status: int | None = None
    answer: Any = None

    def __str__(self) -> str:
        keys = ",".join(self.body) if isinstance(self.body, dict) else ""
        return f"{self.method} {self.path} -> {self.status} body({keys}) files{list(self.files)}"


class Memory:
    """The state all parts of this Discord share."""

    def __init__(self, rules: Rules, token: str) -> None:
        self.rules = rules
        self.token = token
        self.base_url = ""
        self.ids = Snowflakes()
        self.application_id = self.ids.next()
        self.bot_user_id = self.ids.next()
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.members: dict[int, Member] = {}
        self.messages: dict[int, Message] = {}
        self.attachments: dict[int, Attachment] = {}
        self.gone_attachments: set[int] = set()
        self.interactions: dict[str, Interaction] = {}
        self.commands: dict[int, Json] = {}
        self.command_puts = 0
        self.requests: list[Request] = []
        self.uploads: list[Upload] = []
        self._uploaded: set[tuple[int, str, bytes]] = set()
        self._waiting: set[asyncio.Event] = set()

    def changed(self) -> None:
        """Wakes everyone who waits in `until`."""
        for event in self._waiting:
            event.set()

    async def until(self, condition: Callable[[], T | None], *, timeout: float, what: str) -> T:
        """The first truthy value of `condition`, asked again after every change.

        Raises:
            TimeoutError: with `what` and the last requests of the bot.
        """
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    if value := condition():
                        return value
                    await event.wait()
                    event.clear()
        except TimeoutError:
            raise TimeoutError(f"waited {timeout} s for {what}; {self.recent()}") from None
        finally:
            self._waiting.discard(event)

    def recent(self, count: int = 12) -> str:
        lines = [str(request) for request in self.requests[-count:]]
        return "the bot's last requests were:\n  " + ("\n  ".join(lines) or "(none)")

    @property
    def bot_user(self) -> Json:
        return user_json(self.bot_user_id, "easel", bot=True)

    def new_guild(self, name: str, *, locale: str = "en-US") -> Guild:
        guild = Guild(id=self.ids.next(), name=name, locale=locale)
        self.guilds[guild.id] = guild
        return guild

    def new_role(self, guild: Guild, name: str, members: Iterable[Member]) -> Role:
        role = Role(id=self.ids.next(), name=name)
        guild.roles.append(role)
        for member in members:
            member.roles.append(role)
        return role

    def new_channel(self, guild: Guild, name: str) -> Channel:
        channel = Channel(id=self.ids.next(), name=name, guild=guild)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def new_member(self, name: str) -> Member:
        dm = Channel(id=self.ids.next(), name=f"@{name}", kind=DIRECT)
        member = Member(id=self.ids.next(), name=name, dm=dm)
        dm.recipient = member
        self.members[member.id] = member
        self.channels[dm.id] = dm
        return member

    def file_bytes(self, channel: Channel) -> int:
        """The largest single upload into a channel."""
        own = channel.guild.file_bytes if channel.guild else None
        return own if own is not None else self.rules.file_bytes

    def new_attachment(
        self,
        channel: Channel,
        file: File,
        *,
        description: str | None = None,
        spoiler: bool = False,
        ephemeral: bool = False,
    ) -> Attachment:
        """Stores bytes under a new id; the name is cleaned as Discord cleans it."""
        identity = self.ids.next()
        name = clean_filename(file.filename)
        width, height = _pixels(file.data)
        attachment = Attachment(
            id=identity,
            filename=name,
            size=len(file.data),
            content_type=_TYPES.get(name.rpartition(".")[2].lower(), file.content_type or "application/octet-stream"),
            url=f"{self.base_url}/attachments/{channel.id}/{identity}/{name}?ex={_expiry():x}&is={int(time.time()):x}&hm=0",
            data=file.data,
            description=description,
            spoiler=spoiler or name.startswith("SPOILER_"),
            ephemeral=ephemeral,
            width=width,
            height=height,
        )
        self.attachments[identity] = attachment
        return attachment

    def redescribed(self, attachment: Attachment, description: str | None, spoiler: bool | None) -> Attachment:
        changed = replace(
            attachment,
            description=attachment.description if description is None else description,
            spoiler=attachment.spoiler if spoiler is None else spoiler,
        )
        self.attachments[attachment.id] = changed
        return changed

    def note_change(self, message: Message, *, edited: bool) -> None:
        """Books the uploads of a message and, for an edit, what it looks like now."""
        now = time.monotonic()
        for attachment in message.attachments:
            key = (message.id, attachment.filename, hashlib.sha256(attachment.data).digest())
            if key not in self._uploaded:
                self._uploaded.add(key)
                upload = Upload(message_id=message.id, filename=attachment.filename, data=attachment.data, at=now)
                self.uploads.append(upload)
        if edited:
            message.edited_at = time.time()
            message.edits.append(
                Edit(
                    at=now,
                    content=message.content,
                    embeds=list(message.embeds),
                    components=list(message.components),
                    filenames=tuple(attachment.filename for attachment in message.attachments),
                )
            )
        self.changed()

    def message_json(self, message: Message) -> Json:
        member = self.members.get(message.author_id)
        author = member_user(member) if member else self.bot_user
        mentioned = [member_user(self.members[one]) for one in sorted(message.pinged) if one in self.members]
        return message_json(message, author, mentioned, self.application_id)


def clean_filename(name: str) -> str:
    """Discord keeps ASCII letters, digits and `_ - .`; a space becomes `_`, the rest goes."""
    return re.sub(r"[^A-Za-z0-9_.-]", "", name.replace(" ", "_")) or "unknown"


def _expiry() -> int:
    return int(time.time()) + 86_400


def _pixels(data: bytes) -> tuple[int | None, int | None]:
    try:
        with Image.open(BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None, None
