"""What the client asks a webui besides drawing: catalog, progress, interrupt, png-info."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.errors import (
    AuthenticationFailed,
    NoApi,
    NotReady,
    OutOfMemory,
)
from core.request import GenerationRequest
from core.webui.catalog import find_checkpoint
from core.webui.client import WebuiClient, open_session
from core.webui.payload import build_payload
from playground.webui import Fault, LocalWebui
from tests.core.webui.conftest import RawServer, client_for, http

TXT2IMG = "/sdapi/v1/txt2img"
FOX = GenerationRequest(prompt="a fox", seed=7, steps=3, width=64, height=64)
PAYLOAD = {"prompt": "a fox", "seed": 7, "steps": 3, "width": 64, "height": 64}


def _fast(**options: Any) -> LocalWebui:
    return LocalWebui(seconds_per_step=0.0, cheap_pictures=True, **options)


async def test_a_catalog_says_what_the_webui_has_and_can(session: aiohttp.ClientSession) -> None:
    async with _fast(checkpoints=("one.safetensors", "two.safetensors")) as webui:
        catalog = await client_for(webui.url, session).fetch_catalog()
    assert [checkpoint.stem for checkpoint in catalog.checkpoints] == ["one", "two"]
    assert "Euler a" in [sampler.name for sampler in catalog.samplers]
    assert "Karras" in [scheduler.name for scheduler in catalog.schedulers]
    can = catalog.capabilities
    assert can.task_progress
    assert can.progress
    assert can.override_settings
    assert can.clip_skip == 1
    assert find_checkpoint(catalog, catalog.loaded_checkpoint or "") == catalog.checkpoints[0]
    assert webui.renders == []


async def test_the_webui_without_its_page_has_no_task_progress(session: aiohttp.ClientSession) -> None:
    async with _fast(internal=False) as webui:
        client = client_for(webui.url, session)
        catalog = await client.fetch_catalog()
        assert not catalog.capabilities.task_progress
        assert catalog.capabilities.progress
        assert await client.is_task_alive("t1") is None
        assert await client.fetch_progress("t1") is None


async def test_credentials_and_base_path_are_used(session: aiohttp.ClientSession) -> None:
    async with _fast(auth=("ann", "s3:cret,ü"[:6]), base_path="/sub/path") as webui:
        assert (await client_for(webui.url, session).fetch_catalog()).checkpoints
        with pytest.raises(AuthenticationFailed):
            await client_for(webui.url.replace("ann", "bob"), session).fetch_catalog()


@pytest.mark.parametrize("route", ["sd-models", "samplers", "schedulers", "options", "progress"])
@pytest.mark.parametrize("fault", [Fault.NO_API, Fault.UNAVAILABLE, Fault.HTML_200])
async def test_one_broken_list_is_empty_and_no_more(session: aiohttp.ClientSession, route: str, fault: Fault) -> None:
    async with _fast() as webui:
        webui.fault(fault, route=f"/sdapi/v1/{route}")
        catalog = await client_for(webui.url, session).fetch_catalog()
    lists = {"sd-models": catalog.checkpoints, "samplers": catalog.samplers, "schedulers": catalog.schedulers}
    assert {name for name, found in lists.items() if not found} == ({route} & set(lists))
    assert catalog.unread == ({route.removeprefix("sd-").replace("models", "checkpoints")} if route in lists else set())
    assert catalog.capabilities.progress is (route != "progress")
    assert (catalog.capabilities.clip_skip is None) is (route == "options")
    assert catalog.capabilities.override_settings


async def test_a_webui_without_its_api_is_said_to_be_so(session: aiohttp.ClientSession, raw: RawServer) -> None:
    with pytest.raises(NoApi):
        await client_for(raw.url, session).fetch_catalog()


async def test_a_web_page_everywhere_is_no_api(session: aiohttp.ClientSession, raw: RawServer) -> None:
    raw.otherwise = http("200 OK", b"<html>hello</html>", "text/html")
    with pytest.raises(NoApi):
        await client_for(raw.url, session).fetch_catalog()


async def test_nobody_there_is_not_ready(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = client_for(f"http://127.0.0.1:{taken.getsockname()[1]}", session)
        for attempt in (client.fetch_catalog(), client.txt2img(PAYLOAD, tmp_path), client.interrupt()):
            with pytest.raises(NotReady):
                await attempt
    with pytest.raises(NotReady):
        await client_for("http://no-such-host.invalid:7860", session).txt2img(PAYLOAD, tmp_path)


async def test_progress_is_that_of_the_task(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        await client.fetch_catalog()
        webui.hold(at_step=2)
        mine = asyncio.create_task(client.txt2img(PAYLOAD | {"force_task_id": "mine", "n_iter": 2}, tmp_path))
        await webui.until(lambda: webui.step == 2, what="step 2")
        next_one = asyncio.create_task(client.txt2img(PAYLOAD | {"force_task_id": "next"}, tmp_path / "b"))
        await webui.until(lambda: len(webui.waiting) == 1, what="the second in the queue")

        progress = await client.fetch_progress("mine")
        assert progress is not None
        assert (progress.step, progress.steps, progress.batch, progress.batches) == (2, 3, 1, 2)
        assert 0 < progress.fraction < 1
        assert await client.fetch_progress("next") is None
        assert await client.fetch_progress("nobody") is None
        assert await client.fetch_progress(None) is not None
        assert [await client.is_task_alive(task) for task in ("mine", "next", "nobody")] == [True, True, False]

        (tmp_path / "b").mkdir()
        await client.interrupt()
        webui.release()
        assert (await mine).files
        await next_one
        assert await client.fetch_progress("mine") is None
        assert await client.is_task_alive("mine") is False
        assert len(webui.interrupts) == 1


async def test_a_task_is_interrupted_only_while_it_is_the_one_that_runs(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        (tmp_path / "1").mkdir()
        (tmp_path / "2").mkdir()
        webui.hold()
        first = asyncio.create_task(client.txt2img({**PAYLOAD, "force_task_id": "first"}, tmp_path / "1"))
        await webui.until(lambda: webui.running)
        second = asyncio.create_task(client.txt2img({**PAYLOAD, "force_task_id": "second"}, tmp_path / "2"))
        await webui.until(lambda: webui.waiting == ["second"])
        assert not await client.interrupt_task("second")
        assert not await client.interrupt_task("unknown")
        assert webui.interrupts == []
        assert await client.interrupt_task("first")
        await first
        await webui.until(lambda: webui.waiting == [])
        assert not await client.interrupt_task("first")
        assert await client.interrupt_task("second")
        await second
        assert len(webui.interrupts) == 2


async def test_a_task_that_failed_is_not_alive_though_the_webui_says_active(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        webui.fault(Fault.OUT_OF_MEMORY)
        with pytest.raises(OutOfMemory):
            await client.txt2img(PAYLOAD | {"force_task_id": "dead"}, tmp_path)
        assert await client.is_task_alive("dead") is False


async def test_the_global_progress_serves_where_there_is_no_other(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with _fast(internal=False) as webui:
        client = client_for(webui.url, session)
        await client.fetch_catalog()
        webui.hold(at_step=1)
        job = asyncio.create_task(client.txt2img(PAYLOAD, tmp_path))
        await webui.until(lambda: webui.step == 1, what="step 1")
        progress = await client.fetch_progress("whatever")
        assert progress is not None
        assert (progress.step, progress.steps, progress.batches) == (1, 3, None)
        webui.release()
        await job
        assert await client.fetch_progress("whatever") is None


async def test_an_infotext_is_read_by_the_webui(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        answer = await client.txt2img(PAYLOAD, tmp_path)
        text = await client.read_png_info((tmp_path / (answer.files[0] or "")).read_bytes())
        assert text == answer.info["infotexts"][0]
        assert await client.read_png_info(b"no picture") is None
        webui.fault(Fault.NO_API, route="/sdapi/v1/png-info")
        assert await client.read_png_info(b"") is None
    assert await client.read_png_info(b"") is None


async def test_its_own_leaked_clip_skip_is_not_taken_for_the_webui_s(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with _fast(leaky_overrides=True) as webui:
        client = client_for(webui.url, session)
        catalog = await client.fetch_catalog()
        asked = GenerationRequest(prompt="x", seed=1, steps=1, width=64, height=64, clip_skip=3)
        await client.txt2img(build_payload(asked, catalog, task_id=None), tmp_path)
        assert (await client.fetch_catalog()).capabilities.clip_skip == 1
        await client.set_options({"sd_vae": "None"}, 5.0)  # says nothing about CLIP skip
        assert (await client.fetch_catalog()).capabilities.clip_skip == 1
        plain = GenerationRequest(prompt="x", seed=1, steps=1, width=64, height=64)
        await client.txt2img(build_payload(plain, await client.fetch_catalog(), task_id=None), tmp_path)
        assert webui.renders[-1].payload["override_settings"]["CLIP_stop_at_last_layers"] == 1


async def test_what_the_operator_sets_is_noticed(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        assert (await client.fetch_catalog()).capabilities.clip_skip == 1
        await session.post(f"{webui.url}/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 2})
        assert (await client.fetch_catalog()).capabilities.clip_skip == 2


async def test_the_session_takes_nothing_from_the_environment_and_keeps_no_cookies(
    raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    raw.otherwise = http("200 OK", b"[]", Set_Cookie="a=b")
    async with open_session() as session:
        client = WebuiClient(client_for(raw.url, session).address, session)
        assert (await client.fetch_catalog()).checkpoints == ()
        await client.fetch_catalog()
    assert not any("cookie" in head.lower() for head in raw.heads)
