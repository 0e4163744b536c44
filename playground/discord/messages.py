"""Messages, attachments and the book-keeping about them. Knows no wire format and no rule."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.discord.places import Channel, Member
from playground.discord.rules import FLAG_EPHEMERAL, FLAG_LOADING

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Bytes on their way up, from the bot or from a member."""

    filename: str
    data: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Bytes that are there; `url` is served by this Discord. Sizes in bytes and pixels."""

    id: int
    filename: str
    size: int
    content_type: str
    url: str
    data: bytes = field(repr=False)
    description: str | None = None
    spoiler: bool = False
    ephemeral: bool = False
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a message looked like after a change; `at` is monotonic."""

    at: float
    content: str
    embeds: list[Json]
    components: list[Json]
    filenames: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file that appeared on a message which did not have these bytes under this name before."""

    message_id: int
    filename: str
    data: bytes = field(repr=False)
    at: float


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Message:
    """A message as it stands now, with its past. `seen_by` is the one person an ephemeral message is shown to."""

    id: int
    channel: Channel
    author_id: int
    content: str = ""
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    flags: int = 0
    nonce: str | int | None = None
    allowed_mentions: Json | None = None
    tts: bool = False
    reference: Json | None = None
    snapshots: list[Json] = field(default_factory=list)
    webhook: bool = False
    seen_by: Member | None = None
    interaction_metadata: Json | None = None
    pinged: set[int] = field(default_factory=set)
    pinged_everyone: bool = False
    edits: list[Edit] = field(default_factory=list)
    edited_at: float | None = None
    created: float = field(default_factory=time.monotonic)
    deleted: bool = False

    @property
    def channel_id(self) -> int:
        return self.channel.id

    @property
    def ephemeral(self) -> bool:
        return bool(self.flags & FLAG_EPHEMERAL)

    @property
    def thinking(self) -> bool:
        return bool(self.flags & FLAG_LOADING)

    def __repr__(self) -> str:
        names = [attachment.filename for attachment in self.attachments]
        return f"<Message {self.id} in {self.channel.name} {self.content!r} {names} flags={self.flags}>"

    def visible_to(self, member: Member) -> bool:
        if self.deleted:
            return False
        if self.channel.recipient is not None:
            return self.channel.recipient is member
        if self.channel.people and member not in self.channel.people:
            return False
        return self.seen_by is None or self.seen_by is member

    def parts(self) -> Iterator[Json]:
        """Every component of the message, nested ones included, outer ones first."""
        return walk(self.components)

    def buttons(self) -> list[Json]:
        return [part for part in self.parts() if part.get("type") == 2]

    def text(self) -> str:
        """All text a person sees: content, embeds, text displays, labels of buttons; one piece a line."""
        pieces = [self.content]
        for embed in self.embeds:
            pieces += _embed_text(embed)
        for part in self.parts():
            pieces += [part.get("content", ""), part.get("label", "")]
        return "\n".join(piece for piece in pieces if piece)


def walk(components: list[Json]) -> Iterator[Json]:
    """Components, their children and accessories, depth first."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        for key in ("accessory", "component"):
            if isinstance(component.get(key), dict):
                yield from walk([component[key]])


def _embed_text(embed: Json) -> list[str]:
    pieces = [embed.get("title", ""), embed.get("description", "")]
    pieces += [part for entry in embed.get("fields") or [] for part in (entry["name"], entry["value"])]
    pieces += [(embed.get("author") or {}).get("name", ""), (embed.get("footer") or {}).get("text", "")]
    return pieces
