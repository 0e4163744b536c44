"""The images that a message shows: files, embeds, components and stickers, also of a message that it forwards.

Nothing is fetched here.

The name of one of our own files tells which picture it is, and is believed on our own messages alone: anybody can call
a file so.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import discord
import msgspec

from cogs.files import picture_in
from core.intake import Embedded, Sent, Source

Part = discord.Message | discord.MessageSnapshot

_HIDDEN = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageImage:
    """One image. `key` finds it again on its message, and has no `:` in it. JSON by msgspec.

    `url` is a file of Discord's of `size` bytes (0 where nobody says how many), or, where that is None, Discord's own
    copy of what is elsewhere.
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
    found: dict[str, MessageImage] = {}
    is_ours = message.author.id == own_id
    parts: Sequence[Part] = (message, *message.message_snapshots)
    for number, part in enumerate(parts):
        files = _files(part, ours=is_ours and number == 0)
        for image in (*files, *_embedded(part, number), *_in_components(part, number), *_stickers(part)):
            known = found.setdefault(_path(image.url), replace(image, private=message.flags.ephemeral))
            if image.spoiler and not known.spoiler:
                found[_path(image.url)] = replace(known, spoiler=True)
    return tuple(found.values())


def _files(part: Part, *, ours: bool) -> Iterator[MessageImage]:
    for file in part.attachments:
        if _is_image(file.content_type, file.filename):
            yield MessageImage(
                key=str(file.id),
                name=file.filename,
                url=file.url,
                size=file.size,
                spoiler=file.is_spoiler(),
                ours=picture_in(file.filename) if ours else None,
            )


def _embedded(part: Part, number: int) -> Iterator[MessageImage]:
    """An embed may name its page otherwise than the link to it: with a hidden link there, what is not plainly another
    one's is hidden, too.
    """
    hidden, seen = " ".join(_HIDDEN.findall(part.content)), _HIDDEN.sub("", part.content)
    for place, embed in enumerate(part.embeds):
        page = embed.url
        spoiler = page is not None and "://" in hidden and (page in hidden or page not in seen)
        for kind, media in (("i", embed.image), ("t", embed.thumbnail)):
            if media.proxy_url:
                name = embed.title or _name(media.url or media.proxy_url)
                yield MessageImage(key=f"{number}e{place}{kind}", name=name, url=media.proxy_url, spoiler=spoiler)


def _in_components(part: Part, number: int) -> Iterator[MessageImage]:
    """A gallery's, a section's and a file's; of what is elsewhere Discord's own copy."""
    for place, (media, spoiler) in enumerate(_media(part.components, hidden=False)):
        url = media.proxy_url if media.attachment_id is None else media.url
        if url and _is_image(media.content_type, _name(media.url)):
            size = None if media.attachment_id is None else 0
            yield MessageImage(key=f"{number}c{place}", name=_name(media.url), url=url, size=size, spoiler=spoiler)


def _media(
    components: Iterable[discord.Component], *, hidden: bool
) -> Iterator[tuple[discord.UnfurledMediaItem, bool]]:
    """What they show, and whether that is behind a spoiler."""
    for one in components:
        match one:
            case discord.MediaGalleryComponent():
                for item in one.items:
                    yield item.media, hidden or item.spoiler
            case discord.ThumbnailComponent() | discord.FileComponent():
                yield one.media, hidden or one.spoiler
            case discord.SectionComponent():
                yield from _media((*one.children, one.accessory), hidden=hidden)
            case discord.Container():
                yield from _media(one.children, hidden=hidden or one.spoiler)


def _stickers(part: Part) -> Iterator[MessageImage]:
    for sticker in part.stickers:
        if sticker.format is not discord.StickerFormatType.lottie:  # which is no picture but a drawing's description
            yield MessageImage(key=str(sticker.id), name=sticker.name, url=sticker.url, size=0)


def _is_image(kind: str | None, name: str) -> bool:
    return (kind or mimetypes.guess_type(name)[0] or "").startswith("image/")


def _name(url: str) -> str:
    return _path(url).rpartition("/")[2] or "an image"


def _path(url: str) -> str:
    """What two addresses of one file on Discord have in common: its hosts and signatures differ."""
    return url.partition("?")[0].partition("://")[2].partition("/")[2]


def to_json(images: Sequence[MessageImage]) -> str:
    """As a row keeps them."""
    return msgspec.json.encode(images).decode()


def from_json(text: str) -> tuple[MessageImage, ...]:
    """Read a row's text back."""
    return msgspec.json.decode(text, type=tuple[MessageImage, ...])
