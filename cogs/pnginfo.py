"""`/pnginfo`: shows the generation data that a picture carries, to the person who asks alone. It asks no webui.

Everything shown was written by strangers: it stands in code blocks and spans, where it can't be markup or a mention.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from cogs.answers import NOBODY, answer_error
from cogs.sources import ADDRESS_SAYS, exactly_one
from core.errors import UnreadableAnswer, UserError
from core.images.metadata import Metadata, read_metadata
from core.intake import Sent, Source

Fetch = Callable[[Source], Awaitable[bytes]]
"""The bytes of a file; UserError where they can't be had."""

READ_LIMIT = 25 * 2**20
"""Bytes of a picture that are read: so much may be in memory for each that is read at once."""
AT_ONCE = 2
FILENAME = "infotext.txt"
NOTHING = (
    "There is no generation data in this picture. Screenshots, editors and many sites and apps remove it; "
    "only the original file has it."
)
NO_PICTURE = "This is no picture that I can read. Generation data are in PNG, JPEG and WebP files."
TOO_LARGE = f"This file is too large: pictures of up to {READ_LIMIT >> 20} MiB can be read."
SHORTENED = "-# Shortened here; the whole text is in the file."
UNKNOWN_GRAPH = "-# I could not find the sampler and its prompts in the workflow; all of it is in the file."

LOOKED_AT = 8_000
"""Characters of a text that are looked at for the message, which has room for a quarter of them."""
FIELDS_ROOM = 700
NEGATIVE_ROOM = 400
FIELD_NAME_ROOM = 40
BLOCKS_ROOM = 60
"""What two code blocks, their label and the line breaks want beside the texts."""

_LINE_BREAKS = "\n\t"
_DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_INVISIBLE = dict.fromkeys({*_CONTROLS, *map(ord, _DIRECTIONS)} - set(map(ord, _LINE_BREAKS)))
"""Control characters, and those that turn the direction in which all that follows is read."""


class InfoReader:
    """Reads what pictures tell of how they were made, a few at once. `fetch` gets a file's bytes."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def tell(self, interaction: discord.Interaction, source: Source) -> None:
        """Answer privately with what is found there; UserError where there is nothing."""
        if isinstance(source, Sent):
            check_size(source.size)
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self._read(source)
        text, whole = describe(found)
        files = [] if whole else [discord.File(io.BytesIO(found.raw.encode()), filename=FILENAME)]
        await interaction.followup.send(text, files=files, ephemeral=True, allowed_mentions=NOBODY)

    async def _read(self, source: Source) -> Metadata:
        async with self._turn:
            data = await self._fetch(source)
            check_size(len(data))
            try:
                found = await asyncio.to_thread(read_metadata, data)
            except UnreadableAnswer as error:
                raise UserError(NO_PICTURE) from error
        if found is None:
            raise UserError(NOTHING)
        return found


class PngInfoCog(commands.Cog):
    """What a picture tells of how it was made."""

    def __init__(self, reader: InfoReader) -> None:
        self._reader = reader

    @app_commands.command(name="pnginfo", description="Read how a picture was made: its prompt, seed and settings")
    @app_commands.describe(image="The original file: PNG, JPEG or WebP", image_url=ADDRESS_SAYS)
    async def pnginfo(
        self,
        interaction: discord.Interaction,
        image: discord.Attachment | None = None,
        image_url: str | None = None,
    ) -> None:
        """Answer with what is found, or with a sentence that says there is nothing."""
        try:
            await self._reader.tell(interaction, exactly_one(image, image_url))
        except UserError as error:
            await answer_error(interaction, error)


def check_size(size: int) -> None:
    """Raise UserError where a file of `size` bytes is too large to be read."""
    if size > READ_LIMIT:
        raise UserError(TOO_LARGE)


def describe(found: Metadata) -> tuple[str, bool]:
    """The message about these generation data, and whether everything is in it."""
    head = f"**Generation data** · {found.source}" if found.source else "**Generation data**"
    if not (found.prompt or found.negative_prompt or found.fields):
        return say.assemble(head, UNKNOWN_GRAPH), False
    fields, whole_fields = _list_fields(found)
    negative, whole_negative = _block(found.negative_prompt, NEGATIVE_ROOM)
    room = say.CONTENT_LIMIT - BLOCKS_ROOM - sum(map(say.units, (head, fields, negative, SHORTENED)))
    prompt, whole_prompt = _block(found.prompt, room)
    whole = whole_prompt and whole_negative and whole_fields
    label = f"Negative prompt{negative}" if negative else ""
    return say.assemble(head, prompt + label, fields, "" if whole else SHORTENED), whole


def _block(text: str, room: int) -> tuple[str, bool]:
    """A code block, or nothing for a text that nobody would see; and whether all of the text is in it."""
    visible = _visible(text)
    return say.quote(visible, room) if visible else "", _fits(text, room)


def _list_fields(found: Metadata) -> tuple[str, bool]:
    """The fields in one line, as many as there is room for; and whether they are all there and whole."""
    parts: list[str] = []
    whole = True
    room = FIELDS_ROOM
    for name, value in found.fields.items():
        part = f"{say.plain(_visible(name), FIELD_NAME_ROOM)} {say.code(_visible(value))}"
        room -= say.units(part) + len(" · ")
        if room < 0:
            return say.small([*parts, "…"]), False
        parts.append(part)
        whole = whole and _fits(name, FIELD_NAME_ROOM) and _fits(" ".join(value.split()), say.NAME_ROOM)
    return say.small(parts) if parts else "", whole


def _visible(text: str) -> str:
    return text[:LOOKED_AT].translate(_INVISIBLE).strip()


def _fits(text: str, room: int) -> bool:
    """Whether `say` has no need to shorten a text: escaped it may be longer than it is."""
    visible = _visible(text)
    return len(text) <= LOOKED_AT and say.quote(visible, room) == say.quote(visible, LOOKED_AT * 4)
