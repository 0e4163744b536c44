"""One HTTP request read into typed parts, and the answer to it. Knows aiohttp, but no route and no rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import BodyPartReader, web

from playground.discord.errors import ApiError, refusal
from playground.discord.messages import File, Json

_FILE_FIELD: Final = re.compile(r"files\[(\d+)\]")
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `params` come from the path, `body` from JSON or `payload_json`, `size` is in bytes."""

    method: str
    path: str
    authorization: str | None = None
    query: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body: Any = None
    files: tuple[File, ...] = ()
    size: int = 0

    def number(self, name: str) -> int:
        """A snowflake of the path; one that is no number matches nothing."""
        text = self.params[name]
        return int(text) if text.isdecimal() else 0

    def asks(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("1", "true")

    def object(self) -> Json:
        """The body as an object; Discord reads a missing one as empty."""
        if self.body is None:
            return {}
        if not isinstance(self.body, dict):
            raise refusal(50035)
        return self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON; None as body is an empty answer."""

    status: int = 200
    body: Any = None


@dataclass(frozen=True, slots=True)
class Blob:
    """An answer that is bytes: what the CDN gives."""

    data: bytes = field(repr=False)
    content_type: str
    status: int = 200


Handler = Callable[[Call], Answer | Blob]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template such as `/channels/{channel}/messages`; `bot` wants the bot's token."""

    method: str
    template: str
    handler: Handler
    bot: bool = True

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        found = _pattern(self.template).fullmatch(path)
        return found.groupdict() if found else None


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


async def read_call(http: web.Request, path: str, most: int) -> Call:
    """Reads a request whole.

    Raises:
        ApiError: 40005 above `most` bytes, 50109 for a body that is no JSON.
        ConnectionError: the client went away before it had sent everything.
    """
    payload: bytes | None = None
    files: list[tuple[int, File]] = []
    size = 0
    if http.content_type.startswith("multipart/"):
        reader = await http.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise refusal(50035)
            data = bytes(await part.read())
            size += len(data)
            if part.name == "payload_json":
                payload = data
            elif found := _FILE_FIELD.fullmatch(part.name or ""):
                name = part.filename or "unknown"
                kind = part.headers.get("Content-Type")
                files.append((int(found.group(1)), File(filename=name, data=data, content_type=kind)))
    elif http.can_read_body:
        payload = await http.read()
        size = len(payload)
    if size > most:
        raise refusal(40005)
    return Call(
        method=http.method,
        path=path,
        authorization=http.headers.get("Authorization"),
        query=dict(http.query),
        body=_parse(payload),
        files=tuple(file for _, file in sorted(files, key=lambda pair: pair[0])),
        size=size,
    )


def _parse(payload: bytes | None) -> Any:
    if not payload:
        return None
    try:
        return json.loads(payload)
    except ValueError:
        raise refusal(50109) from None


def json_response(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    """`Content-Type` is exactly `application/json`, as Discord's: discord.py reads nothing else as JSON."""
    if body is None:
        return web.Response(status=status, headers=headers)
    data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    return web.Response(status=status, body=data, headers={**headers, "Content-Type": _JSON})


def error_answer(error: ApiError) -> Answer:
    return Answer(error.status, error.body())
