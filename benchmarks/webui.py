"""A webui that has drawn everything already: it answers with one picture, and knows when its bytes left. No drawing.

`drawn` holds, for every txt2img in order, monotonic times: the request's arrival, the answer's first byte and its last
byte handed to the socket. The socket's own buffer is kept small and the transport's empty, so that "handed over" can't
run ahead of the client by more than the kernel's receive buffer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from benchmarks.pictures import infotext, sign

CHECKPOINT = "v1-5-pruned-emaonly"
SEND_BUFFER = 128 * 1024


@dataclass(frozen=True, slots=True)
class Drawn:
    """One txt2img; times are monotonic seconds."""

    arrived: float
    first_byte: float
    last_byte: float


@dataclass(slots=True)
class ReadyWebui:
    """Answers `/sdapi/v1/txt2img` after `render_seconds` with as many signed copies of `pixels` as were asked for."""

    pixels: bytes
    side: int
    render_seconds: float = 0.0
    drawn: list[Drawn] = field(default_factory=list)
    url: str = ""
    _seed: int = 0

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[ReadyWebui]:
        """Listen on a free port of loopback."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/sdapi/v1/txt2img", self._txt2img)
        for name, body in self._lists().items():
            app.router.add_get(f"/sdapi/v1/{name}", _say(body))
        app.router.add_post("/internal/progress", _say({"active": False, "queued": False, "completed": False}))
        app.router.add_post("/sdapi/v1/interrupt", _say({}))
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
        body = self._answer(await request.json())
        await asyncio.sleep(self.render_seconds)
        if request.transport is not None:
            request.transport.set_write_buffer_limits(0)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body)
        await response.prepare(request)
        first_byte = time.monotonic()
        await response.write(body)  # returns once the transport holds nothing any more
        self.drawn.append(Drawn(arrived, first_byte, time.monotonic()))
        await response.write_eof()
        return response

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
            "progress": {"progress": 0.0, "eta_relative": 0.0, "state": {"job_count": 0}, "current_image": None},
        }


def _say(body: Any) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(body)

    return answer
