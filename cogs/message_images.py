"""The images that a message shows: files and embeds, also of a message that it forwards. Nothing is fetched here.

The name of one of our own files tells which picture it is, and is believed on our own messages alone: anybody can call
a file so.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import discord
import msgspec

from cogs.files import picture_in
from core.intake import Embedded, Sent, Source

_HIDDEN = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageImage:
    """One image. `key` finds it again on its message, and has no `:` in it. JSON by msgspec.

    `url` is a file of Discord's of `size` bytes or, where that is None, Discord's own copy of what an embed shows.
    `ours` are the job's id and the picture's number, from 0, where it is one of our results. What is made from it is to
    be as hidden as it is: behind a `spoiler`, or `private`.
    """

    key: str
    name: str
    url: str = field(repr=False)
    size: int | None = None
    spoiler: bool = False
    private: bool = False
    ours: tuple[str, int] | None = None

    @property
    def source(self) -> Source:
        """Where it is to be had."""
        return Embedded(self.url) if self.size is None else Sent(self.url, self.size)


def images_of(message: discord.Message, own_id: int) -> tuple[MessageImage, ...]:
    """All of them in the order in which they are shown, the same one once. `own_id` is the bot's user."""
    private = message.flags.ephemeral
    found: dict[str, MessageImage] = {}
    is_ours = message.author.id == own_id
    parts: Sequence[discord.Message | discord.MessageSnapshot] = (message, *message.message_snapshots)
    for number, part in enumerate(parts):
        for file in filter(_is_image, part.attachments):
            found[_path(file.url)] = MessageImage(
                key=str(file.id),
                name=file.filename,
                url=file.url,
                size=file.size,
                spoiler=file.is_spoiler(),
                private=private,
                ours=picture_in(file.filename) if is_ours and number == 0 else None,
            )
        hidden = " ".join(_HIDDEN.findall(part.content))
        for key, name, media, page in _embedded(part.embeds):
            spoiler = page is not None and page in hidden
            image = MessageImage(key=f"{number}e{key}", name=name, url=media, spoiler=spoiler, private=private)
            found.setdefault(_path(media), image)
    return tuple(found.values())


def _is_image(file: discord.Attachment) -> bool:
    kind = file.content_type or mimetypes.guess_type(file.filename)[0] or ""
    return kind.startswith("image/")


def _embedded(embeds: Sequence[discord.Embed]) -> Iterator[tuple[str, str, str, str | None]]:
    """Key, name, the address of Discord's copy, and that of the page, of each picture of an embed."""
    for number, embed in enumerate(embeds):
        for kind, media in (("i", embed.image), ("t", embed.thumbnail)):
            if media.proxy_url:
                named = embed.title or _path(media.url or media.proxy_url).rpartition("/")[2]
                yield f"{number}{kind}", named or "an embed's image", media.proxy_url, embed.url


def _path(url: str) -> str:
    """What two addresses of one file on Discord have in common: its hosts and signatures differ."""
    return url.partition("?")[0].partition("://")[2].partition("/")[2]


def to_json(images: Sequence[MessageImage]) -> str:
    """As a row keeps them."""
    return msgspec.json.encode(images).decode()


def from_json(text: str) -> tuple[MessageImage, ...]:
    """Read a row's text back."""
    return msgspec.json.decode(text, type=tuple[MessageImage, ...])
