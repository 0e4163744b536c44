"""From an HTTP request to bytes on the wire: dispatch, gzip, headers, faults of the connection. No API fields."""

import asyncio
import gzip
import json
import time
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

from playground.webui.changes import Changes
from playground.webui.dialect import OUTSIDE, Answer, Call, Dialect
from playground.webui.early import early_answer
from playground.webui.errors import DroppedError
from playground.webui.faults import Fault, FaultBoard, Planned
from playground.webui.records import WebuiRequest

_SLICES = 10
_BEHIND_A_PROXY = (Fault.HTML_504, Fault.HTML_524)


class Transport:
    """Answers every request; remembers each in `requests`.

    `threads`: the real server's handlers run in a pool of 40 threads and block there while they wait for the lock,
    so with more requests than threads even `/progress` has to wait.
    """

    def __init__(self, dialect: Dialect, board: FaultBoard, changes: Changes, *, threads: int) -> None:
        self.requests: list[WebuiRequest] = []
        self.routes_missing = False
        self._dialect = dialect
        self._board = board
        self._changes = changes
        self._threads = asyncio.Semaphore(threads)
        self._routes = {(route.method, route.path): route for route in dialect.routes()}
        self._paths = {path for _, path in self._routes}
        self._unhung = asyncio.Event()
        self._behind: set[asyncio.Task[Answer | None]] = set()
        self._served: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()
        self.hanging = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The one handler of the server."""
        body = await request.read()
        path = self._remember(request, body)
        planned = self._board.take(path)
        began = time.monotonic()

        def gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        call = Call(request.method, path, dict(request.query), request.headers, body, planned, gone)
        try:
            answer = await self._answer(call)
        except DroppedError:
            return _close(request)
        headers = self._headers(answer, time.monotonic() - began)
        if planned is not None:
            return await self._send_with_fault(request, planned, answer, headers)
        return await self._send(request, answer, headers)

    def _remember(self, request: web.Request, body: bytes) -> str:
        path = request.path.removeprefix(self._dialect.site.base_path) or "/"
        now = asyncio.get_running_loop().time()
        record = WebuiRequest(request.method, path, dict(request.query), _parsed(body), request.headers, now)
        self.requests.append(record)
        self._changes.notify()
        return path if request.path.startswith(self._dialect.site.base_path) else request.path + OUTSIDE

    async def _answer(self, call: Call) -> Answer:
        planned = call.fault
        if planned is None:
            return await self._route(call)
        if planned.fault is Fault.CLOSE_UNREAD:
            raise DroppedError
        if planned.fault is Fault.HANG:
            await self._hang(call)
        if early := early_answer(planned, call, self._dialect):
            if planned.is_any(*_BEHIND_A_PROXY):
                self._go_on_behind(replace(call, fault=None, client_gone=lambda: True))
                await asyncio.sleep(planned.amount or 0)
            return early
        return await self._route(call)

    async def _route(self, call: Call) -> Answer:
        path = self._dialect.canonical(call.path)
        route = self._routes.get((call.method, path))
        if self.routes_missing or (route is None and path not in self._paths):
            outside = call.path.endswith(OUTSIDE)
            return self._dialect.outside(call.path.removesuffix(OUTSIDE)) if outside else self._dialect.not_found()
        if route is None:
            return self._dialect.method_not_allowed()
        async with self._threads:
            return await self._dialect.answer(route, call)

    async def _hang(self, call: Call) -> None:
        self.hanging += 1
        self._changes.notify()
        await self._unhung.wait()
        self.hanging -= 1
        self._changes.notify()
        if call.client_gone():
            raise DroppedError

    def unhang(self) -> None:
        """Let the requests that hang now go on; those whose client has left are dropped."""
        self._unhung.set()
        self._unhung = asyncio.Event()

    def _go_on_behind(self, call: Call) -> None:
        async def finish() -> Answer | None:
            try:
                return await self._route(call)
            except DroppedError:
                return None

        task = asyncio.create_task(finish())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    def _headers(self, answer: Answer, seconds: float) -> dict[str, str]:
        headers = {"Server": self._dialect.server, **self._dialect.headers, **answer.headers}
        if answer.content_type:
            headers["Content-Type"] = answer.content_type
        if self._dialect.process_time and answer.timed:
            headers[self._dialect.process_time] = str(round(seconds, 4))
        return headers

    async def _send(self, request: web.Request, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
        body, gzip_from = answer.body, self._dialect.gzip_from
        if gzip_from is not None and len(body) >= gzip_from and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = await asyncio.to_thread(gzip.compress, body, 9, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        response = web.Response(status=answer.status, body=body, headers=headers)
        if self._is_last(request):
            response.force_close()
        return response

    def _is_last(self, request: web.Request) -> bool:
        limit, transport = self._dialect.requests_per_connection, request.transport
        if limit is None or transport is None:
            return False
        self._served[transport] = self._served.get(transport, 0) + 1
        return self._served[transport] >= limit

    async def tidy(self, _: web.Request, response: web.StreamResponse) -> None:
        """Take out what aiohttp adds to an answer and this webui does not send."""
        if not self._dialect.server:
            del response.headers["Server"], response.headers["Date"]

    async def _send_with_fault(
        self, request: web.Request, planned: Planned, answer: Answer, headers: dict[str, str]
    ) -> web.StreamResponse:
        match planned.fault:
            case Fault.SLOW:
                await asyncio.sleep(1.0 if planned.amount is None else planned.amount)
            case Fault.CLOSE_BEFORE_ANSWER:
                return _close(request)
            case Fault.TRUNCATED_JSON:
                answer = replace(answer, body=answer.body[: len(answer.body) // 2])
            case Fault.CLOSE_MID_BODY:
                return await _send_half(request, answer, headers)
            case Fault.TRICKLE:
                pause = (1.0 if planned.amount is None else planned.amount) / _SLICES
                return await _send_slowly(request, answer, headers, pause)
        return await self._send(request, answer, headers)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body


def _close(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return web.Response()  # the library wants one; nothing of it reaches the closed socket


async def _send_half(request: web.Request, answer: Answer, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _send_slowly(
    request: web.Request, answer: Answer, headers: dict[str, str], pause: float
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    size = -(-len(answer.body) // _SLICES) or 1
    for start in range(0, len(answer.body), size):
        await asyncio.sleep(pause)
        await response.write(answer.body[start : start + size])
    await response.write_eof()
    return response
