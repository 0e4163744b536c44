"""The door of the REST API and the CDN: reads, records, limits, fails on demand, answers. Knows no route by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from aiohttp import ClientPayloadError, web

from playground.discord.calls import Answer, Blob, Call, Route, error_answer, json_response, read_call
from playground.discord.errors import CODES, ApiError, unauthorized
from playground.discord.faults import Fault, Faults, RateLimits, Standing
from playground.discord.memory import Memory, Request
from playground.discord.openapi import OpenApiCheck

BASE: Final = "/api/v10"
CDN: Final = "/attachments/"
_MAJOR: Final = ("channel_id", "guild_id", "webhook_id", "webhook_token", "interaction_id")
_CUT: Final = Answer(0)


class Api:
    """Finds the route of each request and carries it out."""

    def __init__(self, memory: Memory, routes: Sequence[Route], openapi: OpenApiCheck | None) -> None:
        self._memory = memory
        self._routes = routes
        self._openapi = openapi
        self._limits = RateLimits()
        self.faults = Faults()

    async def handle(self, http: web.Request) -> web.StreamResponse:
        path = http.path.removeprefix(BASE)
        record = Request(method=http.method, path=path, at=time.monotonic(), query=dict(http.query))
        self._memory.requests.append(record)
        self._memory.changed()
        headers: dict[str, str] = {}
        try:
            call = await read_call(http, path, self._memory.rules.request_bytes)
        except ApiError as error:
            return self._respond(record, error_answer(error), headers)
        except (ConnectionError, ClientPayloadError, ValueError):
            return self._cut(http, record)
        record.body = call.body
        record.files = tuple(file.filename for file in call.files)
        self._memory.changed()
        answer = await self._carry_out(call, headers)
        if answer is _CUT:
            return self._cut(http, record)
        return self._finish(record, answer, headers)

    async def _carry_out(self, call: Call, headers: dict[str, str]) -> Answer | Blob:
        fault = self.faults.take(call.method, call.path)
        if fault is not None and not fault.after:
            await asyncio.sleep(fault.delay)
            if (failed := _failed(fault, headers)) is not None:
                return failed
        try:
            answer = self._answer(call, headers)
        except ApiError as error:
            answer = error_answer(error)
        if fault is not None and fault.after:
            await asyncio.sleep(fault.delay)
            return _failed(fault, headers) or answer
        return answer

    def _answer(self, call: Call, headers: dict[str, str]) -> Answer | Blob:
        for route in self._routes:
            params = route.match(call.method, call.path)
            if params is None:
                continue
            major = "/".join(params[name] for name in _MAJOR if name in params)
            limit = self._memory.rules.route_limit
            standing = self._limits.count(f"{route.method} {route.template}", major, limit)
            headers |= standing.headers
            if standing.exceeded:
                return _limited(standing, headers)
            if route.bot and call.authorization != f"Bot {self._memory.token}":
                raise unauthorized()
            return route.handler(replace(call, params=params))
        if self._openapi is not None:
            self._openapi.note(f"{call.method} {call.path}: asked for what is not modelled here")
        return Answer(404, {"message": "404: Not Found", "code": 0})

    def _finish(self, record: Request, answer: Answer | Blob, headers: dict[str, str]) -> web.Response:
        if self._openapi is not None and not record.path.startswith(CDN):
            self._openapi.add(record)
        return self._respond(record, answer, headers)

    def _respond(self, record: Request, answer: Answer | Blob, headers: dict[str, str]) -> web.Response:
        record.status = answer.status
        record.answer = None if isinstance(answer, Blob) else answer.body
        self._memory.changed()
        if isinstance(answer, Blob):
            return web.Response(body=answer.data, headers={"Content-Type": answer.content_type})
        return json_response(answer.status, answer.body, headers)

    def _cut(self, http: web.Request, record: Request) -> web.Response:
        """Ends the connection without an answer."""
        record.status = 0
        self._memory.changed()
        if http.transport is not None:
            http.transport.abort()
        return web.Response(status=500)


def _limited(standing: Standing, headers: dict[str, str]) -> Answer:
    headers |= limit_headers(standing.reset_after, "user")
    return Answer(429, limit_body(standing.reset_after, scope="user"))


def limit_headers(retry_after: float, scope: str) -> dict[str, str]:
    """`Via` is there because without it a client takes the 429 for a ban by the CDN in front."""
    headers = {"Retry-After": f"{retry_after:.3f}", "X-RateLimit-Scope": scope, "Via": "1.1 playground"}
    return headers | ({"X-RateLimit-Global": "true"} if scope == "global" else {})


def limit_body(retry_after: float, *, scope: str) -> dict[str, Any]:
    message = "You are being rate limited."
    return {"message": message, "retry_after": round(retry_after, 3), "global": scope == "global", "code": 0}


def _failed(fault: Fault, headers: dict[str, str]) -> Answer | None:
    if fault.drop:
        return _CUT
    if fault.retry_after is not None:
        headers |= limit_headers(fault.retry_after, fault.scope)
        return Answer(429, limit_body(fault.retry_after, scope=fault.scope))
    if not fault.status:
        return None
    message = CODES.get(fault.code, (0, f"{fault.status}: injected by the test"))[1]
    return Answer(fault.status, {"message": message, "code": fault.code})
