"""stable-diffusion.cpp's server: few routes, JSON of its own strictness, one checkpoint. No sockets.

Source: recorded answers of sd-server 97d29908; `/sdcpp/v1/capabilities` from its documentation.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from playground.webui.bare import Bare, run_drawing
from playground.webui.catalog import Checkpoint
from playground.webui.dialect import Answer, Call, Dialect, Handler, Route
from playground.webui.drawing import Commission, Draft
from playground.webui.errors import CrashError, InvalidError, RefusedError
from playground.webui.inpaint import Inputs
from playground.webui.inputs import open_base64, raw_text_encoder
from playground.webui.plan import Hires
from playground.webui.sdcpp_params import (
    KEYS,
    LATENT_MODES,
    METHODS,
    SCHEDULERS,
    Body,
    as_text,
    read_loras,
    read_params,
)
from playground.webui.sdcpp_text import Params, dump, info, write_parameters
from playground.webui.server import LocalWebui
from playground.webui.setup import Setup
from playground.webui.spoil import spoil

_RESIZERS = ("None", "Lanczos", "Nearest")
_NOTHING_DRAWN = ("OutOfMemoryError", "Exception")


class SdCpp(Bare):
    """The one checkpoint is given when it is started. LoRAs are known once they were listed."""

    headers: ClassVar[Mapping[str, str]] = {
        "Access-Control-Allow-Methods": "*",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Allow-Origin": "*",
    }
    requests_per_connection = 100

    _loras_known: tuple[str, ...] = ()

    def routes(self) -> list[Route]:
        """All it answers; everything else is 404."""
        lists = ("samplers", "schedulers", "latent-upscale-modes", "upscalers", "sd-models")
        return [
            Route("GET", "/", self.page),
            Route("GET", "/sdcpp/v1/capabilities", self.capabilities),
            Route("POST", "/sdapi/v1/txt2img", self.txt2img),
            Route("POST", "/sdapi/v1/img2img", self.img2img),
            Route("GET", "/sdapi/v1/loras", self.loras),
            Route("GET", "/sdapi/v1/options", self.options),
            *(Route("GET", f"/sdapi/v1/{name}", self._list(name)) for name in lists),
        ]

    # Errors

    def not_found(self) -> Answer:
        """404 without a body."""
        return Answer(404, b"", content_type="")

    def refused(self, error: RefusedError) -> Answer:
        """One key."""
        return _answer({"error": error.detail}, error.status)

    def crashed(self, error: CrashError) -> Answer:
        """500; a failure while drawing has one key, everything else two."""
        if error.kind in _NOTHING_DRAWN:
            return _answer({"error": "generate_image returned no results"}, 500)
        return _answer({"error": "server_error", "message": error.text}, 500)

    def invalid(self, error: InvalidError) -> Answer:
        """It knows no validation errors: a wrong type is an exception like any other."""
        return _answer({"error": "server_error", "message": dump(error.items)}, 500)

    # Lists

    async def page(self, _: Call) -> Answer:
        """`GET /`."""
        return Answer(200, b"Stable Diffusion Server is running", "text/html")

    def _list(self, name: str) -> Handler:
        async def answer(_: Call) -> Answer:
            return _answer(self._lists()[name])

        return answer

    def _lists(self) -> dict[str, Any]:
        plain = {"model_name": None, "model_path": None, "model_url": None, "scale": 4}
        models = [each for each in self.machine.catalog.upscalers if each.model is not None]
        return {
            "samplers": [{"name": name, "aliases": [name], "options": {}} for name in ("default", *METHODS)],
            "schedulers": [{"name": name, "label": name} for name in ("default", *SCHEDULERS)],
            "latent-upscale-modes": [{"name": name} for name in LATENT_MODES],
            "upscalers": [{"name": name, **plain} for name in _RESIZERS]
            + [
                {"name": each.name, **plain, "model_name": "ESRGAN_4x", "model_path": each.model, "scale": each.scale}
                for each in models
            ],
            "sd-models": [
                {
                    "title": self._model.stem,
                    "model_name": self._model.stem,
                    "filename": self._model.file,
                    "hash": "8" * 10,
                    "sha256": "8" * 64,
                    "config": None,
                }
            ],
        }

    async def loras(self, _: Call) -> Answer:
        """`GET /loras`: reads the folder; only what was read can be asked for."""
        return _answer(self._read_loras())

    def _read_loras(self) -> list[dict[str, str]]:
        names = sorted(self.machine.catalog.loras)
        self._loras_known = tuple(f"{name}.safetensors" for name in names)
        return [{"name": name, "path": f"{name}.safetensors"} for name in names]

    async def options(self, _: Call) -> Answer:
        """`GET /options`: two keys."""
        return _answer({"samples_format": "png", "sd_model_checkpoint": self._model.stem})

    async def capabilities(self, _: Call) -> Answer:
        """`GET /sdcpp/v1/capabilities`: reads the LoRAs, too."""
        model, loras = self._model, self._read_loras()
        features = ("init_image", "mask_image", "control_image", "ref_images", "lora", "vae_tiling", "hires", "cache")
        flags = {**dict.fromkeys(features, True), "cancel_queued": True, "cancel_generating": False}
        defaults = {"width": 512, "height": 512, "strength": 0.75, "seed": -1, "batch_count": 1, "clip_skip": -1}
        upscalers = [each.name for each in self.machine.catalog.upscalers if each.model is not None]
        return _answer(
            {
                "model": {"name": model.file, "stem": model.stem, "path": model.file},
                "current_mode": "img_gen",
                "supported_modes": ["img_gen"],
                "defaults": defaults,
                "defaults_by_mode": {"img_gen": defaults},
                "limits": {
                    "min_width": 64,
                    "max_width": 4096,
                    "min_height": 64,
                    "max_height": 4096,
                    "max_batch_count": 8,
                    "max_queue_size": 8,
                },
                "samplers": METHODS,
                "schedulers": SCHEDULERS,
                "output_formats": ["png"],
                "output_formats_by_mode": {"img_gen": ["png"]},
                "features": flags,
                "features_by_mode": {"img_gen": flags},
                "loras": loras,
                "upscalers": [{"name": name, "model": False} for name in (*_RESIZERS, *LATENT_MODES)]
                + [{"name": name, "model": True} for name in upscalers],
            }
        )

    @property
    def _model(self) -> Checkpoint:
        return self.machine.catalog.checkpoints[0]

    # Pictures

    async def txt2img(self, call: Call) -> Answer:
        """`POST /txt2img`."""
        return await self._generate(call, img2img=False)

    async def img2img(self, call: Call) -> Answer:
        """`POST /img2img`; without a readable init image it is txt2img."""
        return await self._generate(call, img2img=True)

    async def _generate(self, call: Call, *, img2img: bool) -> Answer:
        if not call.body:
            raise RefusedError(400, "empty body")
        body = Body(call.body)
        names = [*_RESIZERS, *(each.name for each in self.machine.catalog.upscalers)]
        params = read_params(body, img2img=img2img, upscalers=names)
        loras = read_loras(body, self._loras_known)
        inputs = await asyncio.to_thread(_read_inputs, body) if img2img else None
        texts = [write_parameters(params, self._model.file, index) for index in range(params.batch_size)]

        async def prepare() -> Draft:
            return _draft(params, inputs, texts, loras)

        commission = Commission("img_gen", body.object, body.object, call.fault, self.site.cheap, KEYS)
        encoder = raw_text_encoder(call.fault, cheap=self.site.cheap)
        drawn = await run_drawing(self.site, call, commission, prepare, encoder)
        infotexts = [each.infotext for each in drawn.made]
        reply = {
            "images": [base64.b64encode(file).decode() for file in drawn.files],
            "parameters": body.object,
            "info": dump(info(params, self._model.file, infotexts, img2img=img2img)),
        }
        return _answer(spoil(reply, call.fault))


class LocalSdCpp(LocalWebui):
    """A local stable-diffusion.cpp server; of several checkpoints it serves the first."""

    dialect: ClassVar[type[Dialect]] = SdCpp

    def __init__(self, **setup: Unpack[Setup]) -> None:
        given: Setup = {"threads": 8, **setup}
        super().__init__(**given)


def _answer(payload: Any, status: int = 200) -> Answer:
    return Answer(status, dump(payload).encode("utf-8", "replace"))


def _read_inputs(body: Body) -> Inputs | None:
    """The init image, if it can be read, and its mask; what cannot be read is passed over."""
    images = body.items("init_images")
    init = open_base64(as_text(images[0])) if images else None
    mask_text = body.object.get("mask")
    mask = open_base64(mask_text) if isinstance(mask_text, str) else None
    if mask is not None and body.whole("inpainting_mask_invert", 0):
        mask = mask.convert("L").point(lambda level: 255 - level)
    return None if init is None else Inputs(init, mask)


def _draft(params: Params, inputs: Inputs | None, texts: list[str], loras: list[str]) -> Draft:
    width, height = _up64(params.width), _up64(params.height)
    hires = None
    if params.hires is not None:
        asked = params.hires
        hires = Hires(
            asked.steps or params.steps,
            _up64(asked.width or int(width * asked.scale)),
            _up64(asked.height or int(height * asked.scale)),
        )
    seeds = [params.seed + index for index in range(params.batch_size)]
    return Draft(
        params.prompt,
        seeds,
        params.steps,
        width,
        height,
        texts,
        hires=hires,
        inputs=inputs,
        denoising=params.strength,
        loras=loras,
    )


def _up64(pixels: int) -> int:
    return max(-(-pixels // 64) * 64, 64)
