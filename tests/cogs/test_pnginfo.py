"""`/pnginfo` on a local Discord, with the real client: what people see of the pictures that they send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from discord.http import Route
from hypothesis import example, given
from hypothesis import strategies as st

from cogs import pnginfo, say
from cogs.client import EaselClient
from cogs.pnginfo import InfoReader, PngInfoCog, describe
from core.errors import UserError
from core.images.infotext import parse
from core.images.metadata import Metadata
from core.intake import Source
from core.store.database import database_url, open_database
from core.store.facts import Facts
from playground.discord import File, Interaction, LocalDiscord, Message
from tests.cogs.command_limits import broken_limits
from tests.cogs.test_say import assert_harmless
from tests.core.images import pictures
from tests.core.images.graphs import text_to_image
from tests.core.requests import NAUGHTY

GONE = "That file is gone from Discord."


@dataclass
class Desk:
    """A Discord with the command on it. `fetched` are the attachments that were downloaded, over HTTP."""

    local: LocalDiscord
    session: aiohttp.ClientSession
    fetched: list[str] = field(default_factory=list)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reading: int = 0
    most: int = 0

    async def fetch(self, source: Source) -> bytes:
        name = source.url.partition("?")[0].rpartition("/")[2]
        if name == "gone.png":
            raise UserError(GONE)
        self.fetched.append(name)
        self.reading += 1
        self.most = max(self.most, self.reading)
        self.begun.put_nowait(name)
        await self.gate.wait()
        async with self.session.get(source.url) as answer:
            data = await answer.read()
        self.reading -= 1
        return data

    async def send(self, data: bytes, name: str = "a.png") -> Interaction:
        files: dict[str, bytes | File] = {"image": File(filename=name, data=data)}
        return await self.local.slash(self.local.member("ada"), "pnginfo", files=files)

    async def ask(self, data: bytes, name: str = "a.png") -> Message:
        """Send the picture; the answer, once it is there."""
        self.gate.set()
        asked = await self.send(data, name)
        return await self.local.until(lambda: answer_of(asked), what="an answer")


def answer_of(asked: Interaction) -> Message | None:
    message = asked.messages[-1] if asked.messages else None
    return message if message is not None and not message.thinking else None


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with LocalDiscord() as local, aiohttp.ClientSession() as session:
        desk = Desk(local, session)

        async def on_login(client: EaselClient) -> None:
            await client.add_cog(PngInfoCog(InfoReader(desk.fetch)))

        before, Route.BASE = Route.BASE, local.api_url
        try:
            async with (
                open_database(database_url(None, tmp_path)) as database,
                EaselClient(facts=Facts(database), on_login=on_login) as client,
            ):
                running = asyncio.create_task(client.start(local.token))
                await local.wait_for_bot()
                yield desk
                await client.close()
                await running
        finally:
            Route.BASE = before
        assert local.violations == []


async def test_the_command_is_within_discord_s_limits(desk: Desk) -> None:
    (command,) = desk.local.commands.values()
    assert (command["name"], [option["name"] for option in command["options"]]) == ("pnginfo", ["image", "image_url"])
    assert not any(option["required"] for option in command["options"])
    assert broken_limits(command) == []


async def test_generation_data_are_shown_to_the_person_who_asks_alone(desk: Desk) -> None:
    message = await desk.ask(pictures.as_png(pictures.noise(8, 8), pictures.INFOTEXT))
    assert message.ephemeral
    assert message.attachments == []
    assert message.content == (
        "**Generation data** · AUTOMATIC1111\n"
        "```\na lighthouse at dusk, oil painting\n```Negative prompt```\nblurry, text\n```\n"
        "-# Steps `24` · Sampler `Euler a` · Schedule type `Automatic` · CFG scale `6.5` · Seed `1234567890` · "
        "Size `640x896` · Model `demoMix_v3` · Version `v1.10.1`"
    )


async def test_what_is_too_long_is_shortened_and_whole_in_a_file(desk: Desk) -> None:
    infotext = "狐 @everyone " * 900 + "\n" + pictures.INFOTEXT
    message = await desk.ask(pictures.as_photo(pictures.noise(8, 8), "WEBP", infotext))
    assert message.content.endswith(pnginfo.SHORTENED)
    assert "Seed `1234567890`" in message.content
    (file,) = message.attachments
    assert (file.filename, file.data.decode()) == ("infotext.txt", infotext)
    assert message.allowed_mentions == {"parse": []}


async def test_a_workflow_without_a_sampler_is_in_the_file(desk: Desk) -> None:
    graph = json.dumps({"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}})
    text = b"prompt\0" + graph.encode()
    message = await desk.ask(pictures.with_chunk(pictures.as_png(pictures.noise(8, 8)), pictures.chunk(b"tEXt", text)))
    assert message.content == f"**Generation data** · ComfyUI\n{pnginfo.UNKNOWN_GRAPH}"
    assert message.attachments[0].data.decode() == graph


async def test_a_workflow_is_shown_as_an_infotext_is(desk: Desk) -> None:
    text = b"prompt\0" + json.dumps(text_to_image()).encode()
    message = await desk.ask(pictures.with_chunk(pictures.as_png(pictures.noise(8, 8)), pictures.chunk(b"tEXt", text)))
    assert "```\na glass bottle, galaxy\n```" in message.content
    assert "Model `sdxl/demo.safetensors`" in message.content
    assert message.attachments == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (pictures.as_png(pictures.noise(8, 8)), pnginfo.NOTHING),
        (pictures.as_photo(pictures.noise(8, 8), "JPEG", None), pnginfo.NOTHING),
        (b"just words", pnginfo.NO_PICTURE),
        (b"", pnginfo.NO_PICTURE),
        (b"\xff\xd8\xff\xe0 no more", pnginfo.NO_PICTURE),
    ],
    ids=["no text", "header alone", "no picture", "empty", "damaged"],
)
async def test_what_can_t_be_shown_is_said(desk: Desk, data: bytes, sentence: str) -> None:
    message = await desk.ask(data)
    assert message.ephemeral
    assert message.content == say.refused(sentence, "")


async def test_a_file_that_is_too_large_is_not_even_downloaded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pictures.as_png(pictures.noise(8, 8), pictures.INFOTEXT)
    monkeypatch.setattr(pnginfo, "READ_LIMIT", len(data) - 1)
    message = await desk.ask(data)
    assert (message.content, message.ephemeral, desk.fetched) == (say.refused(pnginfo.TOO_LARGE, ""), True, [])
    monkeypatch.setattr(pnginfo, "READ_LIMIT", len(data))
    assert "lighthouse" in (await desk.ask(data)).content


async def test_what_the_download_says_is_passed_on(desk: Desk) -> None:
    message = await desk.ask(b"", "gone.png")
    assert (message.content, message.ephemeral) == (GONE, True)


async def test_only_so_many_pictures_are_in_memory_at_once(desk: Desk) -> None:
    data = pictures.as_png(pictures.noise(8, 8), pictures.INFOTEXT)
    asked = [await desk.send(data) for _ in range(pnginfo.AT_ONCE * 3)]
    await desk.local.until(lambda: all(one.acknowledged for one in asked) or None, what="acknowledgements")
    for _ in range(pnginfo.AT_ONCE):
        await desk.begun.get()
    desk.gate.set()
    await desk.local.until(lambda: all(map(answer_of, asked)) or None, what="answers")
    assert (desk.most, len(desk.fetched)) == (pnginfo.AT_ONCE, len(asked))


DIRECTIONS = "\u202e\u2066\u200f\x1b\u200b"
fields = st.dictionaries(NAUGHTY.filter(bool), NAUGHTY.filter(bool), max_size=12)
found_data = st.builds(Metadata, st.just("ComfyUI"), NAUGHTY, NAUGHTY, fields, NAUGHTY)


@given(found_data)
@example(Metadata("SD.Next", "`" * 5000, "@here" * 900, {f"@everyone_{n}": "`@here" * 200 for n in range(90)}, "x"))
@example(Metadata("SD.Next", "😀" * 5000, "😀" * 900, {f"😀{n}": "😀" * 200 for n in range(90)}, "x"))
def test_whatever_strangers_wrote_is_said_harmlessly(found: Metadata) -> None:
    text, whole = describe(found)
    assert_harmless(text)
    assert whole or text.endswith((pnginfo.SHORTENED, pnginfo.UNKNOWN_GRAPH))


@given(found_data)
def test_no_character_turns_the_direction_of_the_message(found: Metadata) -> None:
    turned = Metadata("x", DIRECTIONS + found.prompt + DIRECTIONS, DIRECTIONS, {f"a{DIRECTIONS}": DIRECTIONS}, "")
    text, _ = describe(turned)
    assert not set(text) & (set(DIRECTIONS) - {"\u200b"})


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "x" * 3000},
        {"negative_prompt": "x" * 500},
        {"prompt": "x" * 100_000},
        {"prompt": "`@here" * 260},
        {"fields": {"Hires prompt": "x" * 200}},
        {"fields": {"x" * 50: "value"}},
        {"fields": {f"Key {number}": "value" for number in range(200)}},
    ],
    ids=["prompt", "negative prompt", "100 kB", "mentions", "a field", "a field's name", "many fields"],
)
def test_whatever_part_is_shortened_is_noticed(change: dict[str, object]) -> None:
    read = parse(pictures.INFOTEXT)
    parts = {"prompt": read.prompt, "negative_prompt": read.negative_prompt, "fields": read.fields}
    assert describe(Metadata("x", **parts, raw="x"))[1]  # type: ignore[arg-type]  # one dictionary for three types
    ellipses: dict[str, object] = {"prompt": "a cat …", "negative_prompt": "…", "fields": {"Key": "…"}}
    assert describe(Metadata("x", **ellipses, raw="x"))[1]  # type: ignore[arg-type]  # as above
    assert not describe(Metadata("x", **parts | change, raw="x"))[1]  # type: ignore[arg-type]  # as above


async def test_an_address_is_fetched_in_place_of_a_file(desk: Desk) -> None:
    asked = await desk.local.slash(desk.local.member("ada"), "pnginfo", image_url="https://example.com/gone.png?a=b")
    message = await desk.local.until(lambda: answer_of(asked), what="an answer")
    assert (message.content, message.ephemeral) == (GONE, True)
    asked = await desk.local.slash(desk.local.member("ada"), "pnginfo")
    message = await desk.local.until(lambda: answer_of(asked), what="an answer")
    assert "attach one" in message.content
