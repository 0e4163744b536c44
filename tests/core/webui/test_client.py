"""The client against the playground's webui, and against servers that send what no sane webui sends."""

import asyncio
import base64
import gzip
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.errors import (
    AuthenticationFailed,
    BadRequest,
    Busy,
    ModelMissing,
    NanPicture,
    NotReady,
    OutcomeUnknown,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.request import GenerationRequest
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.client import WebuiClient, open_session
from core.webui.faults import NoApi
from core.webui.payload import build_txt2img
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


async def test_a_picture_is_spooled_as_it_was_sent(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    heard: list[bool] = []
    async with _fast() as webui:
        client = client_for(webui.url, session)
        catalog = await client.fetch_catalog()
        payload = build_txt2img(FOX, catalog, task_id="t1")
        answer = await client.txt2img(payload | {"n_iter": 2}, tmp_path, heard=lambda: heard.append(True))
        digests = webui.renders[0].digests
        sent = webui.requests[-1]
    assert answer.files == ("0.raw", "1.raw")
    assert heard
    assert [_sha256(tmp_path / name) for name in answer.files if name] == digests
    assert answer.info["all_seeds"] == [7, 8]
    assert sent.body == payload | {"n_iter": 2}
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in sent.headers


def _files(folder: Path, pattern: str = "*") -> list[str]:
    return [path.name for path in folder.glob(pattern)]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.NO_API, NoApi),
        (Fault.CLOSE_UNREAD, OutcomeUnknown),
        (Fault.CLOSE_BEFORE_ANSWER, OutcomeUnknown),
        (Fault.CLOSE_MID_BODY, OutcomeUnknown),
        (Fault.TRUNCATED_JSON, UnreadableAnswer),
        (Fault.OUT_OF_MEMORY, OutOfMemory),
        (Fault.NAN, NanPicture),
        (Fault.MODEL_NOT_FOUND, ModelMissing),
        (Fault.LEAKY_ERROR, ServerFault),
        (Fault.GARBAGE_BASE64, UnreadableAnswer),
        (Fault.VALIDATION_ECHO, BadRequest),
        (Fault.UNAUTHORIZED, AuthenticationFailed),
        (Fault.TOO_MANY_REQUESTS, Busy),
        (Fault.HTML_200, UnreadableAnswer),
        (Fault.HTML_502, NotReady),
        (Fault.HTML_504, OutcomeUnknown),
        (Fault.HTML_524, OutcomeUnknown),
    ],
)
async def test_each_fault_of_the_webui_becomes_its_error(
    session: aiohttp.ClientSession, tmp_path: Path, fault: Fault, expected: type[WebuiError]
) -> None:
    async with _fast() as webui:
        webui.fault(fault)
        client = client_for(webui.url, session)
        with pytest.raises(WebuiError) as caught:
            await client.txt2img(PAYLOAD, tmp_path)
        assert type(caught.value) is expected
        assert caught.value.detail
        assert len(caught.value.detail) <= 500
        assert (await client.txt2img(PAYLOAD, tmp_path)).files == ("0.raw",)


async def test_a_503_is_not_ready_or_busy(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with _fast() as webui:
        webui.fault(Fault.UNAVAILABLE)
        with pytest.raises((NotReady, Busy)):
            await client_for(webui.url, session).txt2img(PAYLOAD, tmp_path)


@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY_200, Fault.BLANK_IMAGE, Fault.NULL_IMAGES])
async def test_an_answer_without_images_is_read_all_the_same(
    session: aiohttp.ClientSession, tmp_path: Path, fault: Fault
) -> None:
    async with _fast() as webui:
        webui.fault(fault)
        answer = await client_for(webui.url, session).txt2img(PAYLOAD, tmp_path)
    assert not any(answer.files)


async def test_a_budget_that_ran_out_leaves_the_outcome_unknown(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with _fast() as webui:
        webui.hold()
        with pytest.raises(OutcomeUnknown):
            await client_for(webui.url, session).txt2img(PAYLOAD, tmp_path, budget=0.2)


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
        await client.txt2img(build_txt2img(asked, catalog, task_id=None), tmp_path)
        assert (await client.fetch_catalog()).capabilities.clip_skip == 1
        plain = GenerationRequest(prompt="x", seed=1, steps=1, width=64, height=64)
        await client.txt2img(build_txt2img(plain, await client.fetch_catalog(), task_id=None), tmp_path)
        assert webui.renders[-1].payload["override_settings"]["CLIP_stop_at_last_layers"] == 1


async def test_what_the_operator_sets_is_noticed(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui:
        client = client_for(webui.url, session)
        assert (await client.fetch_catalog()).capabilities.clip_skip == 1
        await session.post(f"{webui.url}/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 2})
        assert (await client.fetch_catalog()).capabilities.clip_skip == 2


async def _txt2img(raw: RawServer, session: aiohttp.ClientSession, spool: Path, **options: Any) -> WebuiError:
    with pytest.raises(WebuiError) as caught:
        await client_for(raw.url, session).txt2img(PAYLOAD, spool, **options)
    return caught.value


async def test_redirects_are_not_followed(session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path) -> None:
    raw.answers[TXT2IMG] = http("308 Permanent Redirect", b"", Location="/elsewhere")
    assert type(await _txt2img(raw, session, tmp_path)) is NotReady
    assert len(raw.heads) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", OutcomeUnknown),
        (b"SSH-2.0-OpenSSH_9\r\n", UnreadableAnswer),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"images":[', OutcomeUnknown),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", UnreadableAnswer),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}", UnreadableAnswer),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", OutcomeUnknown),
        (http("200 OK", b"not gzip at all", Content_Encoding="gzip"), OutcomeUnknown),
        (http("204 No Content", b""), UnreadableAnswer),
        (http("200 OK", b""), UnreadableAnswer),
        (http("200 OK", b"null"), UnreadableAnswer),
        (http("500 Oops", b"\xff\xff"), ServerFault),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nout of memory", OutOfMemory),
    ],
)
async def test_broken_http_becomes_one_of_our_errors(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path, answer: bytes, expected: type[WebuiError]
) -> None:
    raw.answers[TXT2IMG] = answer
    assert type(await _txt2img(raw, session, tmp_path)) is expected
    assert not _files(tmp_path)


async def test_an_answer_that_was_compressed_unasked_is_read(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path
) -> None:
    body = json.dumps({"images": [base64.b64encode(b"abc").decode()], "info": ""}).encode()
    raw.answers[TXT2IMG] = http("200 OK", gzip.compress(body), Content_Encoding="gzip")
    answer = await client_for(raw.url, session).txt2img(PAYLOAD, tmp_path)
    assert (tmp_path / (answer.files[0] or "")).read_bytes() == b"abc"


async def test_an_answer_without_end_is_cut(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"images": ["')
        while True:
            writer.write(b"A" * 65536)
            await writer.drain()

    monkeypatch.setattr("core.webui.client.ANSWER_LIMIT", 1_000_000)
    raw.answers[TXT2IMG] = endless
    assert type(await _txt2img(raw, session, tmp_path)) is UnreadableAnswer
    assert not _files(tmp_path)


async def test_a_reset_while_the_picture_arrives_leaves_the_outcome_unknown(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path
) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"images": ["AAAA')
        await writer.drain()
        linger_zero = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        writer.close()

    raw.answers[TXT2IMG] = reset
    assert type(await _txt2img(raw, session, tmp_path)) is OutcomeUnknown
    assert not _files(tmp_path, "*.part")


async def test_a_spool_that_cannot_be_written_is_no_fault_of_the_webui(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with _fast() as webui:
        with pytest.raises(FileNotFoundError):
            await client_for(webui.url, session).txt2img(PAYLOAD, tmp_path / "missing")


async def test_a_password_that_the_webui_repeats_is_not_in_the_detail(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path
) -> None:
    raw.answers[TXT2IMG] = http("500 Oops", b'{"errors": "bad login ann:s3cret at http://ann:s3cret@h/"}')
    client = client_for(raw.url.replace("//", "//ann:s3cret@"), session)
    with pytest.raises(ServerFault) as caught:
        await client.txt2img(PAYLOAD, tmp_path)
    assert "s3cret" not in caught.value.detail
    assert "s3cret" not in repr(client.address)
    assert "Authorization: Basic YW5uOnMzY3JldA==" in raw.heads[0]


async def test_the_message_of_a_huge_error_is_still_read(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path
) -> None:
    raw.answers[TXT2IMG] = http("500 Oops", b'{"errors": "CUDA out of memory", "body": "' + b"x" * 5_000_000 + b'"}')
    error = await _txt2img(raw, session, tmp_path)
    assert type(error) is OutOfMemory
    assert error.detail == "500 CUDA out of memory"


async def test_cancelling_leaves_no_part_file(session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path) -> None:
    half_way = asyncio.Event()

    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"images": ["' + b"A" * 4000)
        await writer.drain()
        half_way.set()
        await asyncio.sleep(30)

    raw.answers[TXT2IMG] = stall
    job = asyncio.create_task(client_for(raw.url, session).txt2img(PAYLOAD, tmp_path))
    await asyncio.wait_for(half_way.wait(), 5)
    for _ in range(100):  # the bytes are in the socket, a few turns of the loop away
        await asyncio.sleep(0)
    assert _files(tmp_path) == ["0.part"]
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert not _files(tmp_path)


async def test_the_session_takes_nothing_from_the_environment_and_keeps_no_cookies(
    raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    raw.otherwise = http("200 OK", b"[]", Set_Cookie="a=b")
    async with open_session() as session:
        client = WebuiClient(client_for(raw.url, session).address, session)
        assert await client.fetch_catalog() == Catalog()
        await client.fetch_catalog()
    assert not any("cookie" in head.lower() for head in raw.heads)
