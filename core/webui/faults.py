"""Every way a webui can fail, mapped to core.errors in one place. It does no I/O.

`effect` says whether the request starts work: only then is a broken connection an unknown outcome; asking for a list
again does no harm. Shapes and meanings: contracts/webui-api.md 1.4, 1.5, 6 and 11.2.
"""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import msgspec
from aiohttp.http_exceptions import HttpProcessingError

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

# What aiohttp and the system raise while a request is under way. CancelledError is none of them and passes.
NETWORK_ERRORS = (aiohttp.ClientError, HttpProcessingError, OSError)

_DETAIL_LENGTH = 500
_DIED_AFTER = 5.0
"""Seconds after which a 502 is no refused connection any more: a proxy says that at once, or within three seconds."""
_PROXY_GAVE_UP = frozenset({408, 499, 504, *range(520, 525)})
_MODEL_MISSING = re.compile(
    r"could not find (checkpoint|upscaler)|model '.*?' not found|model not found|do not have any model"
    r"|no checkpoints? found",
    re.IGNORECASE | re.DOTALL,
)
# In JSON that was cut off, the first readable text: it comes before the echo of the request.
_CUT_OFF_TEXT = re.compile(rb'"(?:detail|msg|errors|message|error)"\s*:\s*"((?:[^"\\]|\\.){1,300})')
_CREDENTIALS = re.compile(r"(?<=//)[^/\s@]*@")


def from_exception(error: Exception, *, effect: bool, login: Login | None = None) -> WebuiError:
    """Translate what NETWORK_ERRORS name. Never connected: the job waits. Broken after sending: outcome unknown."""
    detail = tidy(f"{type(error).__name__}: {error}", login)
    match error:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return NotReady(detail)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | aiohttp.RedirectClientError():
            return NotReady(detail)
        case aiohttp.ClientResponseError() | HttpProcessingError():
            # aiohttp's parser found no HTTP in what came back.
            return UnreadableAnswer(detail)
        case _:
            return OutcomeUnknown(detail) if effect else NotReady(detail)


def from_status(
    status: int, body: bytes, *, effect: bool, login: Login | None = None, seconds: float = 0.0
) -> WebuiError:
    """Translate an answer other than 200. `body` may be cut off; its text decides the class, and goes to the log.

    `seconds` went by until it came: a proxy says 502 where nothing listens, and where the webui dies at its work.
    """
    message = explain_body(body)
    detail = tidy(f"{status} {message}", login)
    if status in (401, 403):
        return AuthenticationFailed(detail)
    if status == 429 or (status == 503 and "busy" in message.lower()):
        return Busy(detail)
    died = status == 502 and seconds >= _DIED_AFTER
    if status in (502, 503) and not died:
        return NotReady(detail)
    if died or status in _PROXY_GAVE_UP:
        return OutcomeUnknown(detail) if effect else NotReady(detail)
    if status in (404, 405) and not _is_deliberate(body, message):
        return NoApi(detail)
    if 200 <= status < 300:
        return UnreadableAnswer(detail)
    if status < 400:
        # Redirects are not followed: the credentials would go where nobody sent them.
        return NotReady(tidy(f"{status} redirects elsewhere", login))
    return _from_message(status, message, detail)


def _from_message(status: int, message: str, detail: str) -> WebuiError:
    lowered = message.lower()
    if "out of memory" in lowered or "outofmemory" in lowered:
        return OutOfMemory(detail)
    if "nansexception" in lowered or "tensor with nans" in lowered:
        return NanPicture(detail)
    if _MODEL_MISSING.search(message):
        return ModelMissing(detail)
    return BadRequest(detail) if status < 500 else ServerFault(detail)


def _is_deliberate(body: bytes, message: str) -> bool:
    """Whether a 404 speaks about the request ("Sampler not found") rather than about the route."""
    is_json = body.lstrip()[:1] == b"{"
    return is_json and message.strip().lower() not in ("", "not found", "method not allowed", "file not found")


def explain_body(body: bytes) -> str:
    """Find the readable part of an error body in any of the dialects' shapes; "" where there is none.

    Echoes of the request (`input`, `ctx`, `body`) are never part of it: they can be megabytes, and a prompt that
    speaks of memory is no evidence.
    """
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        cut_off = _CUT_OFF_TEXT.search(body) if body.lstrip()[:1] == b"{" else None
        return (body[:200] if cut_off is None else cut_off[1]).decode("utf-8", "replace")
    if isinstance(decoded, str):
        return decoded
    if not isinstance(decoded, dict):
        return ""
    parts = [_detail_text(decoded.get("detail"))]
    parts += [value for key in ("error", "errors", "message") if isinstance(value := decoded.get(key), str)]
    return ": ".join(part for part in parts if part)


def _detail_text(detail: Any) -> str:
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list) and detail:
        detail = detail[0]
    if not isinstance(detail, dict):
        return ""
    where = detail.get("loc")
    place = ".".join(str(part) for part in where) if isinstance(where, list) else ""
    return f"{place} {detail.get('msg') or ''}".strip()


def tidy(detail: str, login: Login | None = None) -> str:
    """One line for the log, at most 500 characters, without credentials."""
    if login is not None:
        for secret in filter(None, (login.header.removeprefix("Basic "), login.password)):
            detail = detail.replace(secret, "***")
    return " ".join(_CREDENTIALS.sub("***@", detail).split())[:_DETAIL_LENGTH]
