"""Of what requests override nothing stays: every request says it, and what leaked is not taken for the webui's own."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.request import GenerationRequest
from core.webui.catalog import Capabilities
from core.webui.client import WebuiClient
from core.webui.own import read_own, without_leaks
from core.webui.payload import build_payload
from playground.webui import LocalForge, LocalForgeNeo, LocalReForge, LocalSdNext, LocalWebui
from tests.core.webui.conftest import RawServer, client_for, http

SMALL: dict[str, Any] = {"prompt": "x", "seed": 1, "steps": 1, "width": 64, "height": 64}
VAES = (LocalWebui, LocalReForge, LocalSdNext)
MODULES = (LocalForge, LocalForgeNeo)


def leaky(kind: type[LocalWebui]) -> LocalWebui:
    return kind(seconds_per_step=0.0, cheap_pictures=True, leaky_overrides=True)


async def draw(client: WebuiClient, spool: Path, **asked: Any) -> None:
    catalog = await client.fetch_catalog()
    await client.txt2img(build_payload(GenerationRequest(**SMALL, **asked), catalog, task_id=None), spool)


async def option(session: aiohttp.ClientSession, webui: LocalWebui, key: str) -> Any:
    async with session.get(f"{webui.url}/sdapi/v1/options") as answer:
        return (await answer.json())[key]


async def listed(client: WebuiClient) -> str:
    assets = (await client.fetch_catalog()).assets
    return (assets.vaes or assets.modules)[0]


@pytest.mark.parametrize("kind", [*VAES, *MODULES])
async def test_a_vae_is_gone_with_the_picture_that_asked_for_it(
    session: aiohttp.ClientSession, tmp_path: Path, kind: type[LocalWebui]
) -> None:
    key = "sd_vae" if kind in VAES else "forge_additional_modules"
    async with leaky(kind) as webui:
        client = client_for(webui.url, session)
        own = await option(session, webui, key)
        await draw(client, tmp_path, vae=await listed(client))
        assert await option(session, webui, key) != own  # it leaked
        await draw(client, tmp_path)
        sent = webui.renders[-1].sent["override_settings"]
        assert (sent[key], await option(session, webui, key)) == (own, own)
        assert {"sd_vae", "forge_additional_modules"} & sent.keys() == {key}


@pytest.mark.parametrize("kind", [*VAES, *MODULES])
async def test_what_an_admin_or_the_operator_sets_counts_at_once(
    session: aiohttp.ClientSession, tmp_path: Path, kind: type[LocalWebui]
) -> None:
    key = "sd_vae" if kind in VAES else "forge_additional_modules"
    async with leaky(kind) as webui:
        client = client_for(webui.url, session)
        name = await listed(client)
        value = name if kind in VAES else [name]
        await draw(client, tmp_path, vae=name)
        await client.set_options({key: value}, 5.0)  # just what the last picture had
        await draw(client, tmp_path)
        assert name in str(webui.renders[-1].sent["override_settings"][key])
        other = "None" if kind in VAES else []
        await session.post(f"{webui.url}/sdapi/v1/options", json={key: other})
        await draw(client, tmp_path)
        assert webui.renders[-1].sent["override_settings"][key] == other


async def test_what_was_read_before_the_last_picture_is_known_for_a_leak(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path
) -> None:
    """Lists take long to read: the options may have been answered before a picture that began meanwhile."""
    options = {"sd_model_checkpoint": "a", "sd_vae": "Automatic"}
    asked, goes_on = asyncio.Event(), asyncio.Event()

    async def loras(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await goes_on.wait()
        writer.write(http("200 OK", b"[]"))

    raw.answers = {
        "/sdapi/v1/options": http("200 OK", json.dumps(options).encode()),
        "/sdapi/v1/txt2img": http("200 OK", b'{"images":["AAAA"],"info":""}'),
    }
    client = client_for(raw.url, session)
    assert (await client.fetch_catalog()).capabilities.vae == "Automatic"
    await client.txt2img({"override_settings": {"sd_vae": "other.pt"}}, tmp_path)
    raw.answers["/sdapi/v1/options"] = http("200 OK", json.dumps({**options, "sd_vae": "other.pt"}).encode())
    raw.answers["/sdapi/v1/loras"] = loras
    reading = asyncio.create_task(client.fetch_catalog())
    await asked.wait()
    await client.txt2img({"override_settings": {"sd_vae": "Automatic"}}, tmp_path)
    goes_on.set()
    assert (await reading).capabilities.vae == "Automatic"


def test_the_webui_s_whole_paths_of_modules_are_the_names_that_were_sent() -> None:
    known, sent = Capabilities(modules=()), {"forge_additional_modules": ["clip_l.safetensors", "ae.safetensors"]}
    paths = ("/srv/models/VAE/ae.safetensors", "C:\\models\\clip_l.safetensors")
    found = Capabilities(modules=paths)
    assert without_leaks(found, known, sent).modules == ()
    assert without_leaks(found, None, sent) == found
    fewer = replace(found, modules=paths[:1])
    assert without_leaks(fewer, known, sent) == fewer


@pytest.mark.parametrize(
    ("options", "own"),
    [
        ({}, (None, None, None)),
        ({"CLIP_stop_at_last_layers": 2.0, "sd_vae": "a.pt"}, (2, "a.pt", None)),
        ({"sd_vae": None, "forge_additional_modules": None}, (None, None, None)),
        ({"sd_vae": "", "forge_additional_modules": []}, (None, None, ())),
        ({"sd_vae": 3, "forge_additional_modules": ["ae", 3]}, (None, None, None)),
    ],
)
def test_only_a_value_of_the_right_type_is_the_webui_s_own(
    options: dict[str, Any], own: tuple[int | None, str | None, tuple[str, ...] | None]
) -> None:
    assert tuple(read_own(options).values()) == own
