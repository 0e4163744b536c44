"""The only module that speaks HTTP to the webui. It follows a fixed list of routes and raises only core.errors."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec

from core.errors import NoApi, UnreadableAnswer, WebuiError
from core.webui.address import WebuiAddress
from core.webui.answer import Answer, decode_caption
from core.webui.catalog import Capabilities, Catalog
from core.webui.dialects import LASTING_KEYS
from core.webui.faults import NETWORK_ERRORS, from_exception, from_status, tidy
from core.webui.own import said_in, without_leaks
from core.webui.probing import CAPTION, EXTRAS, INTERROGATE, probe
from core.webui.progress import NO_PREVIEW, LivePreview, Progress, is_idle, read_live_preview, read_progress
from core.webui.receiving import ANSWER_LIMIT, read_chunks, read_error, telling
from core.webui.sending import Base64, in_pieces, parts_of
from core.webui.stream import read_answer

log = logging.getLogger(__name__)

T = TypeVar("T")
Heard = Callable[[], None] | None

JOB_BUDGET = 3600.0
"""Seconds that one job may take, waiting in the webui's own queue and loading a checkpoint included."""

_LIST_LIMIT = 32 * 1024 * 1024
_CONNECT = 10.0
_LIST_TIMEOUT = aiohttp.ClientTimeout(total=15.0, connect=_CONNECT)
_LONG_LIST_TIMEOUT = aiohttp.ClientTimeout(total=60.0, connect=_CONNECT)

_TXT2IMG = "/sdapi/v1/txt2img"
_IMG2IMG = "/sdapi/v1/img2img"
PROGRESS = "/sdapi/v1/progress?skip_current_image=true"
_INTERRUPT = "/sdapi/v1/interrupt"
_OPTIONS = "/sdapi/v1/options"
_REFRESH = "/sdapi/v1/refresh-"
_PNG_INFO = "/sdapi/v1/png-info"
_TASK_PROGRESS = "/internal/progress"


def open_session() -> aiohttp.ClientSession:
    """A session for webuis: the caller closes it. No proxy or netrc from the environment, no cookies.

    uvicorn closes idle connections after 5 s, so ours are given up before that; identity, because gzip of base64
    costs a webui 0.3 s per 8 MB on its event loop and saves a quarter.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3.0),
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_LIST_TIMEOUT,
        trust_env=False,
        read_bufsize=128 * 1024,
    )


class WebuiClient:
    """One webui's HTTP API in the A1111 dialect. Whatever goes wrong there is raised as a WebuiError."""

    def __init__(self, address: WebuiAddress, session: aiohttp.ClientSession) -> None:
        self.address = address
        self._session = session
        self._headers = {} if address.login is None else {"Authorization": address.login.header}
        self._capabilities: Capabilities | None = None
        self._sent: dict[str, Any] = {}

    async def fetch_catalog(self, known: Catalog | None = None, *, whole: bool = True) -> Catalog:
        """Ask for every list, or (unless `whole`) only for those that change while it runs; the rest is as `known`.

        NotReady, NoApi or AuthenticationFailed where none at all can be read.
        """
        before = self._sent  # a picture may begin while the lists are read
        catalog = await probe(self, known, whole=whole)
        self._capabilities = without_leaks(catalog.capabilities, self._capabilities, before, self._sent)
        return replace(catalog, capabilities=self._capabilities)

    async def txt2img(
        self, payload: Mapping[str, Any], spool: Path, *, heard: Heard = None, budget: float = JOB_BUDGET
    ) -> Answer:
        """Draw, over an image where the payload has one. It takes minutes if need be.

        The images go to files `0.raw`, `1.raw`… in `spool` while they arrive. `heard` is called for every piece of the
        answer: a long one over a slow line is no lost job.
        OSError where the spool folder can't be written is passed on: that is no fault of the webui.
        """
        self._sent = self._sent | said_in(payload)
        route = _IMG2IMG if "init_images" in payload else _TXT2IMG
        return await self._work(route, payload, lambda chunks: read_answer(chunks, spool), heard, budget)

    async def upscale(self, payload: Mapping[str, Any], spool: Path, *, heard: Heard = None) -> Answer:
        """Enlarge an image; the same otherwise."""
        return await self._work(EXTRAS, payload, lambda chunks: read_answer(chunks, spool, "image"), heard)

    async def describe(self, payload: Mapping[str, Any], *, heard: Heard = None) -> Answer:
        """Words about an image; NoCaption where there are none. It may load a model of its own before."""
        route = CAPTION if "backend" in payload else INTERROGATE

        async def read(chunks: AsyncIterator[bytes]) -> Answer:
            return decode_caption(b"".join([chunk async for chunk in chunks]))

        return await self._work(route, payload, read, heard)

    async def has_route(self, route: str) -> bool:
        """Whether there is a POST route, asked by GET, which starts nothing: that is a 405, or a 404 where none is."""
        url = self.address.url + route
        try:
            async with self._session.get(url, headers=self._headers, allow_redirects=False) as answer:
                return answer.status != 404
        except NETWORK_ERRORS as error:
            raise from_exception(error, effect=False, login=self.address.login) from error

    async def fetch_progress(self, task_id: str | None) -> Progress | None:
        """How far the task is; None while it is queued, unknown or over, and where the webui can't tell.

        Without a per-task route this is the webui's global progress: ask only while one's own job runs there.
        """
        task = None
        if task_id is not None and self._can_ask_task():
            task = await self.task_progress(task_id)
            if not task.get("active"):
                return None
        elif self._capabilities is not None and not self._capabilities.progress:
            return None
        return read_progress(await self.get(PROGRESS), task=task)

    async def fetch_live_preview(self, task_id: str, known: int) -> LivePreview | None:
        """The task's half-done picture, if it is another one than `known`; None where the webui has none of that task.

        A global progress has one too, but doesn't say whose: it is never asked for.
        """
        if not self._can_ask_task():
            return None
        return read_live_preview(await self.task_progress(task_id, known=known))

    async def is_task_alive(self, task_id: str) -> bool | None:
        """Whether the webui still runs or queues this task; None where it can't tell.

        A task that failed stays "active" until another one starts, so an idle webui overrules it (contract 1.6).
        """
        if not self._can_ask_task():
            return None
        try:
            task = await self.task_progress(task_id)
        except NoApi:
            return None
        if task.get("queued") or not task.get("active"):
            return bool(task.get("queued"))
        return not is_idle(await self.get(PROGRESS))

    async def interrupt(self) -> None:
        """Stop whatever job runs now, anybody's: the caller makes sure that it is its own."""
        async with self._exchange("POST", _INTERRUPT):
            pass

    async def interrupt_task(self, task_id: str) -> bool:
        """Stop this task if it is the one that runs now; False while it isn't, and where the webui can't tell.

        Only a task that begins between the two requests could be hit in its place.
        """
        if not self._can_ask_task():
            return False
        try:
            task = await self.task_progress(task_id)
        except NoApi:
            return False
        if not task.get("active") or task.get("queued"):
            return False
        await self.interrupt()
        return True

    async def set_options(self, options: Mapping[str, Any], budget: float) -> Any:
        """Set options for good, which may load a checkpoint; what the webui answers, which on A1111 says nothing.

        ValueError for a key that is none of LASTING_KEYS: such a one could change files on the webui's machine.
        """
        if not LASTING_KEYS.issuperset(options):
            raise ValueError(f"options that nobody may set: {sorted(set(options) - LASTING_KEYS)}")
        timeout = aiohttp.ClientTimeout(total=budget, connect=_CONNECT)
        answer = await self._json("POST", _OPTIONS, options, timeout=timeout, effect=True)
        # What its options say of these from now on is its own.
        self._sent = {key: value for key, value in self._sent.items() if key not in options}
        return answer

    async def refresh(self, kind: str, budget: float) -> None:
        """Let it look for new files of a kind (checkpoints, vae, loras); on A1111 that waits behind the running job."""
        timeout = aiohttp.ClientTimeout(total=budget, connect=_CONNECT)
        async with self._exchange("POST", _REFRESH + kind, timeout=timeout):
            pass

    async def read_png_info(self, data: bytes) -> str | None:
        """The infotext that the webui finds in an image; None where it finds none or can't be asked."""
        try:
            answer = await self._json("POST", _PNG_INFO, {"image": Base64(data)})
        except WebuiError as error:
            log.info("png-info failed", extra={"webui": self.address.url, "error": str(error)})
            return None
        info = answer.get("info") if isinstance(answer, dict) else None
        return info if isinstance(info, str) and info else None

    def _can_ask_task(self) -> bool:
        return self._capabilities is None or self._capabilities.task_progress

    async def task_progress(self, task_id: str, *, known: int | None = None) -> dict[str, Any]:
        """One task's progress, with its live preview where the one that is `known` is named."""
        number = NO_PREVIEW if known is None else known
        question = {"id_task": task_id, "id_live_preview": number, "live_preview": known is not None}
        answer = await self._json("POST", _TASK_PROGRESS, question)
        if isinstance(answer, dict):
            return answer
        raise UnreadableAnswer("the task's progress is not an object")

    async def get(self, route: str) -> Any:
        """The JSON of a GET route."""
        return await self._json("GET", route)

    async def feed(self, route: str, take: Callable[[bytes], None]) -> None:
        """Hand a GET route's answer to `take` piece by piece: a list can be hundreds of megabytes."""
        async with self._exchange("GET", route, timeout=_LONG_LIST_TIMEOUT) as response:
            async for chunk in read_chunks(response, self.address.login, limit=ANSWER_LIMIT, effect=False):
                take(chunk)

    async def _json(self, method: str, route: str, body: Mapping[str, Any] | None = None, **how: Any) -> Any:
        async with self._exchange(method, route, body=body, **how) as response:
            data = bytearray()
            async for chunk in read_chunks(response, self.address.login, limit=_LIST_LIMIT, effect=False):
                data += chunk
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnreadableAnswer(f"{route}: {error}") from None

    async def _work(
        self,
        route: str,
        payload: Mapping[str, Any],
        read: Callable[[AsyncIterator[bytes]], Awaitable[T]],
        heard: Heard,
        budget: float = JOB_BUDGET,
    ) -> T:
        """Let the webui work, and `read` its answer while it arrives."""
        timeout = aiohttp.ClientTimeout(total=budget, connect=_CONNECT)
        async with self._exchange("POST", route, body=payload, timeout=timeout, effect=True) as response:
            try:
                chunks = read_chunks(response, self.address.login, limit=ANSWER_LIMIT, effect=True)
                return await read(chunks if heard is None else telling(chunks, heard))
            except UnreadableAnswer as error:
                raise UnreadableAnswer(tidy(f"{response.content_type}: {error.detail}", self.address.login)) from None

    @contextlib.asynccontextmanager
    async def _exchange(
        self,
        method: str,
        route: str,
        *,
        body: Mapping[str, Any] | None = None,
        timeout: aiohttp.ClientTimeout = _LIST_TIMEOUT,
        effect: bool = False,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request whose answer is a 200 (or SD.Next's 204); every other answer is raised as a WebuiError."""
        headers, begun = dict(self._headers), time.monotonic()
        sent: Any = None
        if body is not None:
            parts = parts_of(body)
            sent = parts[0] if len(parts) == 1 else in_pieces(parts)
            headers |= {"Content-Type": "application/json", "Content-Length": str(sum(map(len, parts)))}
        try:
            response = await self._session.request(
                method, self.address.url + route, data=sent, headers=headers, timeout=timeout, allow_redirects=False
            )
        except NETWORK_ERRORS as error:
            raise from_exception(error, effect=effect, login=self.address.login) from error
        # Errors of the block below are not mapped: a full disk is no fault of the webui's.
        async with response:
            if response.status not in (200, 204):
                told = await read_error(response, self.address.login)
                seconds = time.monotonic() - begun
                raise from_status(response.status, told, effect=effect, login=self.address.login, seconds=seconds)
            yield response
