"""A webui that has drawn everything already: it answers with one picture, and knows when its bytes left. No drawing.

`drawn` holds, for every txt2img that was answered, in this order, monotonic times: the request's arrival, the answer's
first byte and its last byte handed to the socket. The socket's own buffer is kept small and the transport's empty, so
that "handed over" can't run ahead of the client by more than the kernel's receive buffer. What it is at work on it
knows by the request's task id, and an interrupt ends all of that, also where the client is gone by then.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from benchmarks.pictures import infotext, sign

CHECKPOINT = "v1-5-pruned-emaonly"
SEND_BUFFER = 128 * 1024
PATIENCE = 60.0
"""Seconds after which nobody waits any longer for something to happen here; no figure depends on it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One txt2img; times are monotonic seconds."""

    arrived: float
    first_byte: float
    last_byte: float


@dataclass(slots=True)
class ReadyWebui:
    """Answers `/sdapi/v1/txt2img` after `render_seconds` with as many signed copies of `pixels` as were asked for.

    `arrived` are the task ids of all requests and when they came, `interrupts` when it was told to stop something.
    """

    pixels: bytes
    side: int
    render_seconds: float = 0.0
    drawn: list[Drawn] = field(default_factory=list)
    arrived: list[tuple[str, float]] = field(default_factory=list)
    interrupts: list[float] = field(default_factory=list)
    url: str = ""
    _seed: int = 0
    _at_work: dict[str, asyncio.Event] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def at_work(self) -> list[str]:
        """The ids of the tasks that are being drawn now."""
        return list(self._at_work)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Until something of this webui is so; TimeoutError after PATIENCE."""
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise TimeoutError(f"waited {PATIENCE:g} s for {what}") from None

    async def until_at_work(self) -> None:
        """Until it draws."""
        await self.until(lambda: bool(self._at_work), "a picture to be begun")

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[ReadyWebui]:
        """Listen on a free port of loopback."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/sdapi/v1/txt2img", self._txt2img)
        for name, body in self._lists().items():
            app.router.add_get(f"/sdapi/v1/{name}", _say(body))
        app.router.add_post("/internal/progress", self._task_progress)
        app.router.add_get("/sdapi/v1/progress", self._progress)
        app.router.add_post("/sdapi/v1/interrupt", self._interrupt)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        await web.SockSite(runner, listener).start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _txt2img(self, request: web.Request) -> web.StreamResponse:
        arrived = time.monotonic()
        payload = await request.json()
        body = self._answer(payload)
        await self._draw(str(payload.get("force_task_id")), arrived)
        if request.transport is not None:
            request.transport.set_write_buffer_limits(0)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        with suppress(ConnectionError):  # the bot was killed meanwhile
            await response.prepare(request)
            first_byte = time.monotonic()
            await response.write(body)  # returns once the transport holds nothing any more
            self.drawn.append(Drawn(arrived, first_byte, time.monotonic()))
            await response.write_eof()
        return response

    async def _draw(self, task_id: str, arrived: float) -> None:
        """Be at work until it is time, or until somebody interrupts it."""
        ended = self._at_work[task_id] = asyncio.Event()
        self.arrived.append((task_id, arrived))
        await self._tell()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.render_seconds - (time.monotonic() - arrived)):
                await ended.wait()
        del self._at_work[task_id]
        await self._tell()

    def let_go(self) -> None:
        """End all renders now."""
        for ended in self._at_work.values():
            ended.set()

    async def _interrupt(self, _request: web.Request) -> web.Response:
        self.interrupts.append(time.monotonic())
        self.let_go()
        await self._tell()
        return web.json_response({})

    async def _task_progress(self, request: web.Request) -> web.Response:
        active = (await request.json()).get("id_task") in self._at_work
        return web.json_response({"active": active, "queued": False, "completed": False, "progress": 0.5})

    async def _progress(self, _request: web.Request) -> web.Response:
        state = {"job_count": len(self._at_work)}
        return web.json_response({"progress": 0.5, "eta_relative": 0.0, "state": state, "current_image": None})

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _answer(self, payload: dict[str, Any]) -> bytes:
        prompt = str(payload.get("prompt", ""))
        self._seed += 1
        count = int(payload.get("n_iter", 1)) * int(payload.get("batch_size", 1))
        seeds = [1000 * self._seed + number for number in range(count)]
        texts = [infotext(prompt, seed, self.side) for seed in seeds]
        info = {
            "prompt": prompt,
            "all_seeds": seeds,
            "seed": seeds[0],
            "sampler_name": "DPM++ 2M",
            "steps": 20,
            "cfg_scale": 7.0,
            "sd_model_name": CHECKPOINT,
            "index_of_first_image": 0,
            "infotexts": texts,
        }
        images = [base64.b64encode(sign(self.pixels, text)).decode() for text in texts]
        return json.dumps({"images": images, "parameters": payload, "info": json.dumps(info)}).encode()

    def _lists(self) -> dict[str, Any]:
        checkpoint = {"title": f"{CHECKPOINT}.safetensors [6ce0161689]", "model_name": CHECKPOINT, "hash": "6ce0161689"}
        return {
            "sd-models": [checkpoint],
            "samplers": [{"name": "DPM++ 2M", "aliases": ["k_dpmpp_2m"], "options": {}}],
            "schedulers": [{"name": "karras", "label": "Karras", "aliases": None}],
            "options": {
                "sd_model_checkpoint": checkpoint["title"],
                "CLIP_stop_at_last_layers": 1,
                "samples_save": True,
            },
        }


def _say(body: Any) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(body)

    return answer
