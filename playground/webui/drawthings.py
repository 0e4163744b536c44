"""Draw Things' HTTP server: two ways to draw, its own settings, and 422 for everything it does not like. No sockets."""

import asyncio
import base64
import json
import random
from typing import Any, ClassVar, Unpack

from PIL import Image

from playground.webui.bare import Bare, run_drawing
from playground.webui.catalog import Checkpoint
from playground.webui.dialect import Answer, Call, Dialect, Route
from playground.webui.drawing import Commission, Draft
from playground.webui.drawthings_fields import PARAMETERS, read_body, refuse
from playground.webui.errors import CrashError, InvalidError, RefusedError
from playground.webui.inpaint import Inputs
from playground.webui.inputs import open_base64, raw_text_encoder
from playground.webui.server import LocalWebui
from playground.webui.setup import Setup
from playground.webui.spoil import spoil

_SEEDS = 2**32


class DrawThings(Bare):
    """The macOS app's server. It knows no lists, no progress, no infotext."""

    def routes(self) -> list[Route]:
        """All four."""
        return [
            Route("GET", "/", self.settings),
            Route("GET", "/sdapi/v1/options", self.settings),
            Route("POST", "/sdapi/v1/txt2img", self.txt2img),
            Route("POST", "/sdapi/v1/img2img", self.img2img),
        ]

    def not_found(self) -> Answer:
        """404 without a body."""
        return Answer(404, b"", content_type="")

    def refused(self, error: RefusedError) -> Answer:
        """The one shape of every failure."""
        return _answer({"error": "HTTPException", "detail": error.detail, "body": "", "errors": ""}, error.status)

    def crashed(self, error: CrashError) -> Answer:
        """A failure while drawing."""
        return self.refused(refuse(f"{error.kind}: {error.text}"))

    def invalid(self, error: InvalidError) -> Answer:
        """A request that it cannot read."""
        return self.refused(refuse(json.dumps(error.items)))

    async def settings(self, _: Call) -> Answer:
        """`GET /` and `GET /options`: what a request without that key would use."""
        return _answer(self._defaults())

    def _defaults(self) -> dict[str, Any]:
        loaded = self.machine.loaded
        defaults = {parameter.key: parameter.default for parameter in PARAMETERS}
        return {**defaults, "model": None if loaded is None else loaded.file}

    async def txt2img(self, call: Call) -> Answer:
        """`POST /txt2img`."""
        values = read_body(call.body, self._defaults())
        if "init_images" in values:
            raise refuse("init_images is not supported for text-to-image")
        return await self._generate(call, {**values, "strength": 1.0}, None)

    async def img2img(self, call: Call) -> Answer:
        """`POST /img2img`: one init image of just the size that is asked for."""
        values = read_body(call.body, self._defaults())
        images = [await asyncio.to_thread(_open, text) for text in values.get("init_images", ())]
        if len(images) != 1:
            raise refuse(f"init_images must hold exactly one image (was {len(images)})")
        for side, pixels in zip(("width", "height"), images[0].size, strict=True):
            if pixels != values[side]:
                raise refuse(f"init_images {side} doesn't match {pixels} from the parameter {values[side]}")
        return await self._generate(call, values, Inputs(images[0]))

    async def _generate(self, call: Call, values: dict[str, Any], inputs: Inputs | None) -> Answer:
        checkpoint = self._find_model(values)
        first = random.randrange(_SEEDS) if values["seed"] == -1 else values["seed"]
        seeds = [(first + index) % _SEEDS for index in range(values["batch_count"] * values["batch_size"])]
        draft = Draft(
            values["prompt"],
            seeds,
            values["steps"],
            values["width"] // 64 * 64,
            values["height"] // 64 * 64,
            [""] * len(seeds),
            batch_size=values["batch_size"],
            inputs=inputs,
            denoising=values["strength"],
            loras=[str(lora["file"]) for lora in values["loras"]],
        )

        async def prepare() -> Draft:
            await self.machine.load(checkpoint)
            return draft

        encoder = raw_text_encoder(call.fault, cheap=self.site.cheap, with_text=False)
        sent = json.loads(call.body)
        commission = Commission("draw things", sent, sent, call.fault, self.site.cheap)
        drawn = await run_drawing(self.site, call, commission, prepare, encoder)
        reply = spoil({"images": [base64.b64encode(file).decode() for file in drawn.files]}, call.fault)
        return _answer({"images": reply["images"]})

    def _find_model(self, values: dict[str, Any]) -> Checkpoint:
        """The checkpoint to draw with; every file that is named must be there."""
        if values["prompt"] is None:
            raise refuse("Missing prompt")
        model, catalog = values["model"], self.machine.catalog
        if model is None:
            raise refuse("Missing 'model' parameter")
        found = next((each for each in catalog.checkpoints if model in (each.file, each.stem)), None)
        if found is None:
            raise refuse(f'Unrecognized model name "{model}" (see --help for a list of available models)')
        for lora in values["loras"]:
            file = lora.get("file") if isinstance(lora, dict) else None
            if str(file).removesuffix(".ckpt").removesuffix(".safetensors") not in catalog.loras:
                raise refuse(f"Missing file: {file} (in CLI, see --help to see the lists of files)")
        return found


class LocalDrawThings(LocalWebui):
    """A local Draw Things."""

    dialect: ClassVar[type[Dialect]] = DrawThings

    def __init__(self, **setup: Unpack[Setup]) -> None:
        super().__init__(**setup)


def _open(text: str) -> Image.Image:
    image = open_base64(text, strict=True)
    if image is None:
        raise refuse("Data in init_images did not represent a valid image")
    return image


def _answer(payload: Any, status: int = 200) -> Answer:
    """JSON as its language's encoder writes it: every slash behind a backslash, also those of base64."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    return Answer(status, text.encode("utf-8", "replace"))
