"""Drawing through the client: every fault of the playground's webui, and bytes that no sane webui sends."""

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
    NoApi,
    NotReady,
    OutcomeUnknown,
    OutOfMemory,
    ServerFault,
    UnreadableAnswer,
    WebuiError,
)
from core.request import GenerationRequest
from core.webui import faults
from core.webui.payload import build_payload
from core.webui.sending import Base64
from playground.webui import Fault, LocalWebui
from tests.core.webui.conftest import RawServer, client_for, http

TXT2IMG = "/sdapi/v1/txt2img"
FOX = GenerationRequest(prompt="a fox", seed=7, steps=3, width=64, height=64)
PAYLOAD = {"prompt": "a fox", "seed": 7, "steps": 3, "width": 64, "height": 64}


def _fast(**options: Any) -> LocalWebui:
    return LocalWebui(seconds_per_step=0.0, cheap_pictures=True, **options)


async def test_a_picture_is_spooled_as_it_was_sent(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    heard: list[bool] = []
    async with _fast() as webui:
        client = client_for(webui.url, session)
        catalog = await client.fetch_catalog()
        payload = build_payload(FOX, catalog, task_id="t1")
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


async def test_a_502_that_comes_late_leaves_the_outcome_unknown(
    raw: RawServer, session: aiohttp.ClientSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a proxy answers whose webui dies while it draws."""

    async def die(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(http("502 Bad Gateway", b"<html>", "text/html"))

    raw.answers["/sdapi/v1/txt2img"] = die
    client = client_for(raw.url, session)
    with pytest.raises(NotReady):
        await client.txt2img(PAYLOAD, tmp_path)
    monkeypatch.setattr(faults, "_DIED_AFTER", 0.2)
    with pytest.raises(OutcomeUnknown):
        await client.txt2img(PAYLOAD, tmp_path)


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


@pytest.mark.parametrize("more", [{}, {"mask": "bWFzaw=="}, {"mask": "bWFzaw==", "init_images": ["aW1n" * 100_000]}])
async def test_what_is_sent_in_pieces_arrives_as_it_was(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path, more: dict[str, Any]
) -> None:
    raw.answers["/sdapi/v1/img2img"] = http("200 OK", b'{"images":["aW1n"]}')
    payload = {"prompt": 'a "fox" \\ \n 🦊', "init_images": ["aW1nMQ=="], "seed": 1, **more}
    await client_for(raw.url, session).txt2img(payload, tmp_path)
    (head,) = raw.heads
    assert "transfer-encoding" not in head.lower()
    assert [json.loads(body) for body in raw.bodies] == [payload]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 49_151, 49_152, 49_153, 1_000_000])
async def test_an_image_becomes_base64_on_its_way(
    session: aiohttp.ClientSession, raw: RawServer, tmp_path: Path, size: int
) -> None:
    raw.answers["/sdapi/v1/img2img"] = http("200 OK", b'{"images":["aW1n"]}')
    image, mask = bytes(number % 251 for number in range(size)), b"mask"
    unit = {"image": Base64(mask), "weight": 1.0}
    scripts = {"ControlNet": {"args": [unit, unit]}}
    payload = {"init_images": [Base64(image)], "prompt": "a fox", "mask": Base64(mask), "alwayson_scripts": scripts}
    await client_for(raw.url, session).txt2img(payload, tmp_path)
    (body,) = map(json.loads, raw.bodies)
    assert base64.b64decode(body["init_images"][0], validate=True) == image
    units = body["alwayson_scripts"]["ControlNet"]["args"]
    assert [body["mask"], *(each["image"] for each in units)] == ["bWFzaw=="] * 3
    assert body["prompt"] == "a fox"
