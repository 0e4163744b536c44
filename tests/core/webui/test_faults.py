"""The one mapping of exceptions, statuses and bodies. Bodies are those of real servers (contract 1.4, 1.5, 11.2)."""

import json
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp.client_exceptions import UnixClientConnectorError, UploadAbortedError
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import BadStatusLine, HttpProcessingError, TransferEncodingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

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
from core.webui.address import Login
from core.webui.faults import NETWORK_ERRORS, explain_body, from_exception, from_status, tidy

KEY = ConnectionKey("h", 1, False, True, None, None, None)
INFO = aiohttp.RequestInfo(URL("http://h"), "POST", CIMultiDictProxy(CIMultiDict()), URL("http://h"))
CERTIFICATE = ssl.SSLCertVerificationError("expired")


def _response_error(kind: type[aiohttp.ClientResponseError]) -> aiohttp.ClientResponseError:
    return kind(INFO, (), status=400, message="odd")


# Every exception of aiohttp's that can be raised, with what it means when work was asked for, and when a list was.
EXCEPTIONS: list[tuple[Exception, type[WebuiError], type[WebuiError]]] = [
    (aiohttp.ClientError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ClientConnectionError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ClientConnectionResetError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ClientOSError(104, "reset"), OutcomeUnknown, NotReady),
    (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), NotReady, NotReady),
    (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown")), NotReady, NotReady),
    (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")), NotReady, NotReady),
    (UnixClientConnectorError("/x", KEY, OSError(2, "none")), NotReady, NotReady),
    (aiohttp.ClientSSLError(KEY, OSError(1, "tls")), NotReady, NotReady),
    (aiohttp.ClientConnectorSSLError(KEY, OSError(1, "tls")), NotReady, NotReady),
    (aiohttp.ClientConnectorCertificateError(KEY, CERTIFICATE), NotReady, NotReady),
    (aiohttp.ServerConnectionError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ServerDisconnectedError(), OutcomeUnknown, NotReady),
    (aiohttp.ServerTimeoutError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ConnectionTimeoutError("x"), NotReady, NotReady),
    (aiohttp.SocketTimeoutError("x"), OutcomeUnknown, NotReady),
    (aiohttp.ServerFingerprintMismatch(b"a", b"b", "h", 1), OutcomeUnknown, NotReady),
    (aiohttp.ClientPayloadError("x"), OutcomeUnknown, NotReady),
    (_response_error(aiohttp.ClientResponseError), UnreadableAnswer, UnreadableAnswer),
    (_response_error(aiohttp.ContentTypeError), UnreadableAnswer, UnreadableAnswer),
    (_response_error(aiohttp.WSServerHandshakeError), UnreadableAnswer, UnreadableAnswer),
    (_response_error(aiohttp.ClientHttpProxyError), UnreadableAnswer, UnreadableAnswer),
    (_response_error(aiohttp.TooManyRedirects), UnreadableAnswer, UnreadableAnswer),
    (aiohttp.InvalidURL("x"), NotReady, NotReady),
    (aiohttp.InvalidUrlClientError("x"), NotReady, NotReady),
    (aiohttp.InvalidUrlRedirectClientError("x"), NotReady, NotReady),
    (aiohttp.RedirectClientError("x"), NotReady, NotReady),
    (aiohttp.NonHttpUrlClientError("x"), NotReady, NotReady),
    (aiohttp.NonHttpUrlRedirectClientError("x"), NotReady, NotReady),
    (UploadAbortedError("x"), OutcomeUnknown, NotReady),
    (BadStatusLine("SSH-2.0"), UnreadableAnswer, UnreadableAnswer),
    (TransferEncodingError("x"), UnreadableAnswer, UnreadableAnswer),
    (TimeoutError(), OutcomeUnknown, NotReady),
    (ConnectionResetError("x"), OutcomeUnknown, NotReady),
    (BrokenPipeError("x"), OutcomeUnknown, NotReady),
    (OSError("x"), OutcomeUnknown, NotReady),
]


@pytest.mark.parametrize(("error", "working", "asking"), EXCEPTIONS, ids=lambda value: type(value).__name__)
def test_an_exception_becomes_one_of_ours(
    error: Exception, working: type[WebuiError], asking: type[WebuiError]
) -> None:
    assert isinstance(error, NETWORK_ERRORS)
    assert type(from_exception(error, effect=True)) is working
    assert type(from_exception(error, effect=False)) is asking


def _family(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def test_no_exception_of_aiohttp_s_client_is_missed() -> None:
    tried = {type(error) for error, _, _ in EXCEPTIONS}
    family = {kind for kind in _family(aiohttp.ClientError) if kind.__module__.startswith("aiohttp")}
    missed = family - tried
    assert missed == set()
    assert all(issubclass(kind, NETWORK_ERRORS) for kind in _family(HttpProcessingError))


def _wrapped(detail: str = "", errors: str = "", error: str = "HTTPException", key: str = "errors") -> dict[str, Any]:
    return {"error": error, "detail": detail, "body": "", key: errors}


def _validation(message: str, **more: Any) -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "steps"], "msg": message, "type": "value_error", **more}]}


STATUSES: list[tuple[int, Any, type[WebuiError]]] = [
    (401, {"detail": "Not authenticated"}, AuthenticationFailed),
    (401, _wrapped("Incorrect username or password"), AuthenticationFailed),
    (403, "<html>no</html>", AuthenticationFailed),
    (429, {"detail": "rate limit"}, Busy),
    (503, {"detail": {"msg": "Server is busy; please try again later.", "type": "service_unavailable"}}, Busy),
    (503, "<html>Service Unavailable</html>", NotReady),
    (502, "<html>Bad Gateway</html>", NotReady),
    (504, "<html>Gateway Time-out</html>", OutcomeUnknown),
    (408, "", OutcomeUnknown),
    (520, "", OutcomeUnknown),
    (524, "<html>A timeout occurred</html>", OutcomeUnknown),
    (404, {"detail": "Not Found"}, NoApi),
    (404, "", NoApi),
    (404, "<html>File not found</html>", NoApi),
    (405, {"detail": "Method Not Allowed"}, NoApi),
    (404, {"detail": "Sampler not found"}, BadRequest),
    (404, {"detail": "Init image not found"}, BadRequest),
    (404, _wrapped("Model not found"), ModelMissing),
    (302, "", NotReady),
    (308, "", NotReady),
    (206, "", UnreadableAnswer),
    (400, {"error": "prompt required"}, BadRequest),
    (413, "too large", BadRequest),
    (422, _validation("value is not a valid integer"), BadRequest),
    (422, _wrapped("Script 'x' not found"), BadRequest),
    (422, _wrapped("CUDA out of memory. Tried to allocate 2 GiB"), OutOfMemory),
    (422, _validation("bad", input="a fox out of memory", ctx={"doc": "tensor with NaNs"}), BadRequest),
    (422, {"detail": "x", "body": "out of memory"}, BadRequest),
    (500, _wrapped(errors="CUDA out of memory. Tried", error="OutOfMemoryError"), OutOfMemory),
    (500, _wrapped(errors="HIP out of memory.", error="RuntimeError", key="message"), OutOfMemory),
    (500, {"error": "OutOfMemoryError", "detail": "", "body": "", "errors": ""}, OutOfMemory),
    (500, _wrapped(errors="A tensor with NaNs was produced in Unet.", error="NansException"), NanPicture),
    (500, _wrapped(errors="", error="NansException"), NanPicture),
    (500, _wrapped(errors="model 'no-such-model' not found", error="RuntimeError", key="message"), ModelMissing),
    (500, _wrapped(errors="Could not find checkpoint with name x", error="RuntimeError"), ModelMissing),
    (500, _wrapped(errors="could not find upscaler named x", error="Exception"), ModelMissing),
    (500, _wrapped(errors="You do not have any model!", error="ValueError", key="message"), ModelMissing),
    (500, _wrapped(errors="integer division or modulo by zero", error="ZeroDivisionError"), ServerFault),
    (500, "a TypeError of SD.Next's, as a bare JSON string", ServerFault),
    (500, {"error": "server_error", "message": "generate_image returned no results"}, ServerFault),
    (500, {"detail": None, "errors": 7, "message": ["x"]}, ServerFault),
    (500, [1, 2], ServerFault),
    (500, b"\xff\xfe", ServerFault),
    (501, "", ServerFault),
]


def _encode(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    if isinstance(body, str) and (body.startswith("<") or not body):
        return body.encode()
    return json.dumps(body).encode()


@pytest.mark.parametrize(("status", "body", "expected"), STATUSES)
def test_a_status_and_its_body_become_one_of_ours(status: int, body: Any, expected: type[WebuiError]) -> None:
    assert type(from_status(status, _encode(body), effect=True)) is expected


@pytest.mark.parametrize("status", [408, 504, 524])
def test_a_list_that_a_proxy_gave_up_on_is_only_not_ready(status: int) -> None:
    assert type(from_status(status, b"", effect=False)) is NotReady


@pytest.mark.parametrize(
    ("status", "effect", "seconds", "expected"),
    [
        (502, True, 0.1, NotReady),
        (502, True, 3.5, NotReady),  # no route to the machine
        (502, True, 30.0, OutcomeUnknown),
        (502, False, 30.0, NotReady),
        (503, True, 30.0, NotReady),
    ],
)
def test_a_502_after_a_while_is_a_webui_that_died_at_its_work(
    status: int, effect: bool, seconds: float, expected: type[WebuiError]
) -> None:
    assert type(from_status(status, b"<html>", effect=effect, seconds=seconds)) is expected


def test_every_status_is_mapped() -> None:
    for status in range(201, 600):
        assert isinstance(from_status(status, b"", effect=True), WebuiError)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "a"}, "a"),
        ({"detail": {"msg": "b"}}, "b"),
        (_validation("c"), "body.steps c"),
        (_wrapped(errors="d", error="E"), "E: d"),
        ({"detail": []}, ""),
        ("e", "e"),
        (7, ""),
    ],
)
def test_the_readable_part_is_found_in_each_shape(body: Any, message: str) -> None:
    assert explain_body(json.dumps(body).encode()) == message


def test_of_an_echo_that_was_cut_off_only_the_message_is_read() -> None:
    body = json.dumps(_validation("not valid", ctx={"doc": "out of memory " * 9000})).encode()[:65536]
    error = from_status(422, body, effect=True)
    assert type(error) is BadRequest
    assert error.detail == "422 not valid"


def test_the_detail_is_one_short_line_without_credentials() -> None:
    login = Login("ann", "s3cret")
    text = f"at http://ann:s3cret@h:1/ \n with {login.header}\r\n" + "x" * 1000
    detail = from_status(500, json.dumps({"detail": text}).encode(), effect=True, login=login).detail
    assert len(detail) == 500
    assert "\n" not in detail
    assert "s3cret" not in detail
    assert login.header.split()[1] not in detail
    assert "http://***@h:1/" in detail
    assert tidy("http://u:p@h") == "http://***@h"


def test_no_sentence_for_people_holds_anything_of_the_answer() -> None:
    error = from_status(500, b'{"detail": "/srv/webui on gpu-host"}', effect=True)
    assert "gpu-host" in error.detail
    assert "gpu-host" not in error.sentence
