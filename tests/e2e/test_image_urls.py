"""Addresses in place of files through the real bot: what is fetched, what never is, and what nobody gets to see."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from playground.discord import Interaction, Message
from tests.core.images import pictures
from tests.core.webui.conftest import RawServer, http
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import Stage
from tests.e2e.test_image_tasks import BACKTICKS, EXTRAS, posted

REROUTED = ROOT / "tests" / "e2e" / "rerouted_bot.py"
SECRET = "hm5ec2e7"
FOX = f"http://pictures.example/fox.png?key={SECRET}"
MASK = f"http://pictures.example/mask.png?key={SECRET}"
NOT_HERE = "Addresses of images aren't taken here. Attach the file instead."


def see(size: tuple[int, int] = (64, 48), mode: str = "RGB", colour: Any = None) -> bytes:
    image = Image.new(mode, size, colour) if colour is not None else pictures.noise(*size)
    return pictures.as_png(image, pictures.INFOTEXT)


@pytest.fixture
async def host() -> AsyncIterator[RawServer]:
    """The Internet, as far as this bot gets."""
    server = RawServer()
    for path, data in (("/fox.png", see()), ("/mask.png", see(mode="L", colour=255))):
        server.answers[path] = http("200 OK", data, "image/png")
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()
    await listener.wait_closed()


async def opened(new_stage: OpenStage, host: RawServer, allowed: str) -> Stage:
    port = host.url.rpartition(":")[2]
    webui = cheap_webui(controlnet=True)
    return await new_stage(webui, entry=REROUTED, ALLOW_IMAGE_URLS=allowed, PICTURES_PORT=port, LOG_LEVEL="DEBUG")


async def told(stage: Stage, command: str, **options: Any) -> str:
    """Send a command that is refused; the sentence."""
    interaction = await stage.discord.slash(stage.ada, command, **options)

    def refusal() -> Message | None:
        return next((one for one in interaction.messages if one.ephemeral and one.content), None)

    message = await stage.discord.until(refusal, what=f"a refusal of {interaction.id}")
    assert stage.row(interaction) == {}
    return message.content


async def delivered(stage: Stage, command: str, **options: Any) -> Interaction:
    interaction = await stage.discord.slash(stage.ada, command, **options)
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    return interaction


def sent_images(stage: Stage, path: str, key: str) -> list[tuple[int, int]]:
    return [_size_of(value) for body in posted(stage.webui, path) for value in _listed(body.get(key))]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _size_of(text: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        return image.size


async def test_an_address_does_what_a_file_would_and_is_told_to_nobody(new_stage: OpenStage, host: RawServer) -> None:
    stage = await opened(new_stage, host, "yes")
    drawn = await delivered(stage, "draw", prompt="a fox", extra=f"image_url:{FOX} mask_url:{MASK}", steps=2)
    await delivered(stage, "control", type="depth", prompt="a fox", extra=f"image_url:{FOX}", steps=2)
    await delivered(stage, "upscale", image_url=f"<{FOX}>")
    described = await stage.discord.slash(stage.ada, "describe", image_url=FOX)
    await stage.says(described, BACKTICKS)
    info = await stage.discord.slash(stage.ada, "pnginfo", image_url=FOX)
    await stage.discord.until(
        lambda: any("Generation data" in message.content for message in info.messages), what="generation data"
    )
    assert sent_images(stage, "/sdapi/v1/img2img", "init_images") == [(64, 48)]
    assert sent_images(stage, "/sdapi/v1/img2img", "mask") == [(64, 48)]
    assert sent_images(stage, EXTRAS, "image") == [(64, 48)]
    assert len(host.heads) == 6
    assert all(f"key={SECRET}" in head and "Host: pictures.example" in head for head in host.heads)
    assert SECRET not in str(stage.row(drawn))
    said = [message.content for each in stage.discord.interactions for message in each.messages]
    assert not any("pictures.example" in text for text in said)
    assert "pictures.example" not in stage.bot.log()
    offers = await stage.discord.autocomplete(stage.ada, "draw", "extra", "image_u")
    assert [offer.value for offer in offers] == ["image_url:"]


async def test_no_address_of_a_private_network_is_asked(new_stage: OpenStage, host: RawServer) -> None:
    stage = await opened(new_stage, host, "yes")
    port = host.url.rpartition(":")[2]
    for url, words in (
        (f"http://127.0.0.1:{port}/fox.png?key={SECRET}", "without a port"),
        (f"http://127.0.0.1/fox.png?key={SECRET}", "can't be fetched"),
        (f"http://[::1]/fox.png?key={SECRET}", "can't be fetched"),
        (f"http://other.example/fox.png?key={SECRET}", "can't be fetched"),
        ("fox.png", "not the address of an image"),
    ):
        assert words in await told(stage, "upscale", image_url=url)
        assert words in await told(stage, "pnginfo", image_url=url)
        assert words in await told(stage, "draw", prompt="x", extra=f"image_url:{url}")
    assert host.heads == []
    assert SECRET not in stage.bot.log()


async def test_where_the_operator_does_not_allow_it_a_sentence_says_so(new_stage: OpenStage, host: RawServer) -> None:
    stage = await opened(new_stage, host, "no")
    for command, options in (
        ("draw", {"prompt": "x", "extra": f"image_url:{FOX}"}),
        ("control", {"prompt": "x", "type": "depth", "extra": f"image_url:{FOX}"}),
        ("upscale", {"image_url": FOX}),
        ("describe", {"image_url": FOX}),
        ("pnginfo", {"image_url": FOX}),
    ):
        assert NOT_HERE in await told(stage, command, **options)
    assert host.heads == []
    offers = await stage.discord.autocomplete(stage.ada, "draw", "extra", "image_u")
    assert offers == []


async def test_both_none_and_a_mask_of_control_are_refused(new_stage: OpenStage, host: RawServer) -> None:
    stage = await opened(new_stage, host, "yes")
    both, none = "or give its address, not both", "no image: attach one"
    file = {"image": see()}
    assert both in await told(stage, "draw", files=file, prompt="x", extra=f"image_url:{FOX}")
    assert both in await told(stage, "control", files=file, prompt="x", type="depth", extra=f"image_url:{FOX}")
    assert "has none" in await told(stage, "control", files=file, prompt="x", type="depth", extra=f"mask_url:{MASK}")
    assert none in await told(stage, "control", prompt="x", type="depth")
    for command in ("upscale", "describe", "pnginfo"):
        assert both in await told(stage, command, files=file, image_url=FOX)
        assert none in await told(stage, command)
    assert host.heads == []
