"""A quick webui and a plain HTTP client for it."""

import base64
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from PIL import Image

from playground.webui import Checkpoint, LocalForge, LocalReForge, LocalWebui


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, with the body read."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def info(self) -> dict[str, Any]:
        """The JSON inside the `info` string."""
        info: dict[str, Any] = json.loads(self.json()["info"])
        return info

    def files(self) -> list[bytes]:
        """The image files."""
        return [base64.b64decode(image) for image in self.json()["images"]]

    def pictures(self) -> list[Image.Image]:
        """The image files, opened."""
        return [Image.open(io.BytesIO(file)) for file in self.files()]


class Client:
    """Speaks raw HTTP to one webui; a fresh connection for every request."""

    def __init__(self, webui: LocalWebui, base: str | None = None) -> None:
        self.base = webui.url if base is None else base

    async def ask(self, method: str, path: str, **options: Any) -> Reply:
        """Any request to a path of the webui."""
        async with (
            aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}) as session,
            session.request(method, f"{self.base}{path}", **options) as response,
        ):
            return Reply(response.status, dict(response.headers), await response.read())

    async def get(self, name: str, **options: Any) -> Reply:
        """GET /sdapi/v1/..."""
        return await self.ask("GET", f"/sdapi/v1/{name}", **options)

    async def post(self, name: str, body: Any = None, **options: Any) -> Reply:
        """POST /sdapi/v1/... with JSON."""
        return await self.ask("POST", f"/sdapi/v1/{name}", json=body, **options)

    async def option(self, key: str = "sd_model_checkpoint") -> Any:
        """One option's present value."""
        return (await self.get("options")).json()[key]

    async def draw(self, **payload: Any) -> Reply:
        """A small txt2img."""
        return await self.post("txt2img", {"prompt": "a red fox", "seed": 7, "steps": 2, **SMALL, **payload})

    async def task(self, task_id: str) -> dict[str, Any]:
        """One task's own progress."""
        reply = await self.ask("POST", "/internal/progress", json={"id_task": task_id, "live_preview": False})
        progress: dict[str, Any] = reply.json()
        return progress


SMALL = {"width": 64, "height": 64}
QUICK: dict[str, Any] = {"seconds_per_step": 0.0, "cheap_pictures": True}
MODULES = ("ae.safetensors", "clip_l.safetensors", "t5xxl_fp16.safetensors")
FLUX = "fluxDemo.safetensors"


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    """A webui whose steps take no time and whose pictures cost nothing."""
    async with LocalWebui(seconds_per_step=0.0, cheap_pictures=True) as running:
        yield running


@pytest.fixture
def client(webui: LocalWebui) -> Client:
    """A client for that webui."""
    return Client(webui)


def files() -> list[Checkpoint]:
    """An ordinary checkpoint, one whose load fails, one that needs modules."""
    flux = Checkpoint(FLUX, distilled=True, modules=MODULES)
    return [Checkpoint("plain.safetensors"), Checkpoint("broken.safetensors", broken=True), flux]


@pytest.fixture
async def forge() -> AsyncIterator[LocalForge]:
    """A Forge with them."""
    async with LocalForge(**QUICK, checkpoints=files()) as running:
        yield running


@pytest.fixture
async def reforge() -> AsyncIterator[LocalReForge]:
    """A reForge with them."""
    async with LocalReForge(**QUICK, checkpoints=files()) as running:
        yield running
