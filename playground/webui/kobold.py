"""KoboldCpp with an image model: one picture a request, one connection a request, little to read. No sockets.

Source: KoboldCpp 1.115's public server script.
"""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Unpack

from PIL import Image

from playground.webui.bare import Bare, run_drawing
from playground.webui.catalog import INSTALL_DIR, Checkpoint
from playground.webui.dialect import OUTSIDE, Answer, Call, Dialect, Handler, Route, Site
from playground.webui.drawing import Commission, Draft, Made
from playground.webui.errors import CrashError, DroppedError, InvalidError, RefusedError
from playground.webui.images import encode_image
from playground.webui.infotext import read_infotext
from playground.webui.inpaint import Inputs
from playground.webui.inputs import open_base64, raw_text_encoder
from playground.webui.kobold_params import (
    KEYS,
    SAMPLERS,
    SCHEDULERS,
    VERSION,
    Params,
    UnansweredError,
    first_image,
    image_text,
    info,
    parse,
    read_loras,
    read_mask,
    read_params,
    write_infotext,
)
from playground.webui.plan import Hires
from playground.webui.server import CHECKPOINTS, LocalWebui
from playground.webui.setup import Setup
from playground.webui.spoil import spoil

_NO_SUCH_PATH = b"Error: KoboldCpp is running, but this endpoint does not exist. Please check the URL."


class Kobold(Bare):
    """`vision`: a model that describes images is loaded. `esrgan`: an upscaler is. `queue_limit`: who may wait."""

    server = "ConcedoLlamaForKoboldServer 1"
    headers: ClassVar[Mapping[str, str]] = {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "*",
        "cache-control": "no-store",
    }
    requests_per_connection = 1

    def __init__(self, site: Site, *, vision: bool, esrgan: bool, queue_limit: int) -> None:
        super().__init__(site)
        self.vision = vision
        self.esrgan = esrgan
        self.queue_limit = queue_limit
        self._began = time.monotonic()

    def routes(self) -> list[Route]:
        """The routes that have to do with pictures."""
        lists = ("sd-models", "options", "samplers", "schedulers", "loras", "upscalers", "latent-upscale-modes")
        return [
            Route("GET", "/", self.page),
            Route("GET", "/api/extra/version", self.version),
            Route("GET", "/api/extra/perf", self.perf),
            *(Route("GET", f"/sdapi/v1/{name}", self._list(name)) for name in lists),
            Route("POST", "/sdapi/v1/txt2img", self.txt2img),
            Route("POST", "/sdapi/v1/img2img", self.img2img),
            Route("POST", "/sdapi/v1/interrogate", self.interrogate),
            Route("POST", "/sdapi/v1/extra-single-image", self.extra_single_image),
        ]

    def canonical(self, path: str) -> str:
        """Only the end of a path counts."""
        path = path.removesuffix(OUTSIDE)
        start = max(path.rfind("/sdapi/v1/"), path.rfind("/api/extra/"))
        return path[start:].rstrip("/") if start > 0 else path

    # Errors

    def not_found(self) -> Answer:
        """404 in HTML."""
        return Answer(404, _NO_SUCH_PATH, "text/html")

    def refused(self, error: RefusedError) -> Answer:
        """A message with its type."""
        kind = "service_unavailable" if error.status == 503 else "bad_input"
        return _answer({"detail": {"msg": error.detail, "type": kind}}, error.status)

    def crashed(self, error: CrashError) -> Answer:
        """An exception that nobody caught is never answered."""
        raise DroppedError from error

    def invalid(self, error: InvalidError) -> Answer:
        """Nor is this."""
        raise DroppedError from error

    async def answer(self, route: Route, call: Call) -> Answer:
        """The route's answer. Raises DroppedError where the server would fail inside."""
        try:
            return await super().answer(route, call)
        except UnansweredError as error:
            raise DroppedError from error

    # Readings

    async def page(self, _: Call) -> Answer:
        """`GET /`."""
        return Answer(200, b"<!DOCTYPE html><html><head><title>KoboldAI Lite</title></head></html>", "text/html")

    async def version(self, _: Call) -> Answer:
        """`GET /api/extra/version`: what it can do."""
        off = ("protected", "llm", "audio", "transcribe", "multiplayer", "websearch", "tts", "embeddings", "savedata")
        flags = {**dict.fromkeys(off, False), "txt2img": self._model is not None, "vision": self.vision}
        return _answer({"result": "KoboldCpp", "version": VERSION, **flags, "admin": 0})

    async def perf(self, _: Call) -> Answer:
        """`GET /api/extra/perf`."""
        renders = self.machine.renders
        zeros = ("last_process", "last_eval", "last_token_count", "last_input_count", "total_gens", "total_tts_gens")
        return _answer(
            {
                **dict.fromkeys(zeros, 0),
                "last_seed": -1,
                "stop_reason": -1,
                "total_img_gens": sum(each.state in ("done", "discarded") for each in renders),
                "queue": len(self.machine.tasks.pending),
                "idle": 0 if self.machine.lock.locked() else 1,
                "hordeexitcounter": 0,
                "uptime": time.monotonic() - self._began,
                "quiet": False,
            }
        )

    def _list(self, name: str) -> Handler:
        async def answer(_: Call) -> Answer:
            return _answer(self._lists()[name])

        return answer

    def _lists(self) -> dict[str, Any]:
        model, loras = self._model, self.machine.catalog.loras
        upscaler = {"name": "ESRGAN_4x", "model_name": "ESRGAN_4x", "model_path": "esrgan_4x.gguf", "model_url": None}
        return {
            "sd-models": [] if model is None else [_model_item(model)],
            "options": {"samples_format": "png", "sd_model_checkpoint": "inactive" if model is None else model.stem},
            "samplers": [] if model is None else [each.as_json() for each in SAMPLERS],
            "schedulers": [] if model is None else [{"name": name, "label": name} for name in SCHEDULERS],
            "loras": [{"name": name, "path": f"{name}.safetensors"} for name in loras],
            "upscalers": [{**upscaler, "scale": 4}] if self.esrgan else [],
            "latent-upscale-modes": [],
        }

    @property
    def _model(self) -> Checkpoint | None:
        return self.machine.loaded

    # Pictures

    async def txt2img(self, call: Call) -> Answer:
        """`POST /txt2img`."""
        return await self._generate(call, img2img=False)

    async def img2img(self, call: Call) -> Answer:
        """`POST /img2img`; without an init image it is txt2img."""
        return await self._generate(call, img2img=True)

    async def _generate(self, call: Call, *, img2img: bool) -> Answer:
        self._check_busy()
        body = parse(call.body)
        params = read_params(body)
        text, model = first_image(body) if img2img else "", self._model
        init = await asyncio.to_thread(open_base64, text) if text else None
        if model is None or (text and init is None):
            return self._reply(call, params, None, img2img=img2img)
        inputs = None if init is None else Inputs(init, read_mask(body))
        draft = _draft(params, inputs, write_infotext(params, model.file), esrgan=self.esrgan)
        draft = replace(draft, loras=read_loras(body, params.prompt, self.machine.catalog.loras))

        async def prepare() -> Draft:
            return draft

        commission = Commission("sd_generate", body, body, call.fault, self.site.cheap, KEYS)
        encoder = raw_text_encoder(call.fault, cheap=self.site.cheap)
        try:
            drawn = await run_drawing(self.site, call, commission, prepare, encoder)
        except CrashError:
            return self._reply(call, params, None, img2img=img2img)
        return self._reply(call, params, (drawn.made[0], drawn.files[0]) if drawn.made else None, img2img=img2img)

    def _check_busy(self) -> None:
        if self.machine.lock.locked() and len(self.machine.tasks.pending) >= self.queue_limit:
            raise RefusedError(503, "Server is busy; please try again later.")

    def _reply(self, call: Call, params: Params, made: tuple[Made, bytes] | None, *, img2img: bool) -> Answer:
        texts = [] if made is None else [made[0].infotext]
        model = "" if self._model is None else self._model.file
        said = info(params, model, texts, self.machine.state.job_timestamp, img2img=img2img)
        image = "" if made is None else base64.b64encode(made[1]).decode()
        reply = {"images": [image], "parameters": {}, "info": json.dumps(said), "animated": False}
        return _answer(spoil(reply, call.fault))

    async def interrogate(self, call: Call) -> Answer:
        """`POST /interrogate`: of its own pictures it says the prompt."""
        self._check_busy()
        if not self.vision:
            raise RefusedError(503, "No Vision model loaded")
        image = await asyncio.to_thread(open_base64, image_text(parse(call.body)))
        if image is None:
            return _answer({"caption": ""})
        async with self.machine.job("interrogate"):
            await asyncio.sleep(self.machine.pace.seconds_per_step)
        text = str(image.info.get("parameters", ""))
        prompt = text.removeprefix("Prompt: ").partition(" | ")[0] if " | " in text else read_infotext(text)["Prompt"]
        return _answer({"caption": prompt.strip(" ,") or "a picture"})

    async def extra_single_image(self, call: Call) -> Answer:
        """`POST /extra-single-image`: always its own ESRGAN; reads the image and the factor."""
        self._check_busy()
        body = parse(call.body)
        image = await asyncio.to_thread(open_base64, image_text(body))
        factor = body.get("upscaling_resize", 2)
        if not self.esrgan or image is None or not isinstance(factor, (int, float)):
            return _answer({"image": "", "html_info": ""})
        async with self.machine.job("upscale"):
            await asyncio.sleep(self.machine.pace.seconds_per_step)
        file = await asyncio.to_thread(_upscale, image, min(max(factor, 1), 4))
        return _answer({"image": base64.b64encode(file).decode(), "html_info": ""})


class LocalKobold(LocalWebui):
    """A local KoboldCpp. No checkpoints: no image model is loaded; of several the first is."""

    dialect: ClassVar[type[Dialect]] = Kobold

    def __init__(
        self, *, vision: bool = False, esrgan: bool = False, queue_limit: int = 6, **setup: Unpack[Setup]
    ) -> None:
        self._vision = vision
        self._esrgan = esrgan
        self._queue_limit = queue_limit
        given: Setup = {"threads": 24, "checkpoints": CHECKPOINTS[:1], **setup}
        super().__init__(**given)

    def make_dialect(self, site: Site) -> Dialect:
        """With this installation's switches."""
        return Kobold(site, vision=self._vision, esrgan=self._esrgan, queue_limit=self._queue_limit)


def _draft(params: Params, inputs: Inputs | None, infotext: str, *, esrgan: bool) -> Draft:
    width, height = params.width, params.height
    # Its hires fix is one upscaling by two, without a second pass.
    hires = Hires(0, width * 2, height * 2) if params.hires and esrgan else None
    return Draft(
        params.prompt,
        [params.seed],
        params.steps,
        width,
        height,
        [infotext],
        hires=hires,
        inputs=inputs,
        denoising=params.denoising,
    )


def _upscale(image: Image.Image, factor: float) -> bytes:
    size = int(image.width * factor), int(image.height * factor)
    return encode_image(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), "png", {})


def _model_item(model: Checkpoint) -> dict[str, Any]:
    return {
        "title": model.stem,
        "model_name": model.stem,
        "hash": "8" * 10,
        "sha256": "8" * 64,
        "filename": f"{INSTALL_DIR}/{model.file}",
        "config": None,
    }


def _answer(payload: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(payload).encode())
