"""SD.Next's routes that work on pictures. No sockets; the global routes are in `sdnext`."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from PIL import Image

from playground.webui import lists
from playground.webui.a1111 import A1111
from playground.webui.bare import run_drawing
from playground.webui.catalog import Checkpoint
from playground.webui.dialect import Answer, Call, json_answer
from playground.webui.drawing import Commission, Draft, Drawn, Made
from playground.webui.errors import CrashError, RefusedError
from playground.webui.faults import Fault
from playground.webui.flavour import Flavour
from playground.webui.images import read_metadata
from playground.webui.infotext import read_infotext
from playground.webui.inpaint import Inputs, prepare
from playground.webui.inputs import file_format, open_base64
from playground.webui.models import PNG_INFO
from playground.webui.rendering import Encoding, draw, encode, make_grid
from playground.webui.sdnext_fields import (
    NEEDED,
    SDNEXT_CAPTION,
    SDNEXT_EXTRAS,
    SDNEXT_IMAGE,
    SDNEXT_IMG2IMG,
    SDNEXT_TXT2IMG,
    SdNextFlavour,
)
from playground.webui.sdnext_plan import NextPlan, find_sampler, make_plan
from playground.webui.spoil import spoil
from playground.webui.validation import Pydantic1, Pydantic2

_LONG = 1000  # characters of a script's argument; a longer one is not echoed
_RESIZE_MODES = {1: 0, 2: 1, 3: 2}  # to A1111's: fixed, crop, fill; 0 leaves the image as it is
_SHORTEST_IMAGE = 64  # characters


class SdNextJobs(A1111):
    """txt2img, img2img, upscaling, captions. What fails while drawing is a 200 without pictures."""

    gzip_from = 2048
    flavour: ClassVar[Flavour] = SdNextFlavour()
    validation: ClassVar[Pydantic1] = Pydantic2()
    txt2img_fields = SDNEXT_TXT2IMG
    img2img_fields = SDNEXT_IMG2IMG

    async def txt2img(self, call: Call) -> Answer:
        """`POST /txt2img`."""
        payload = self.read(SDNEXT_TXT2IMG, call)
        sampler = self._check(payload)
        return await self._paint("txt2img", payload, sampler, None, call)

    async def img2img(self, call: Call) -> Answer:
        """`POST /img2img`: no init image is an error of yet another shape."""
        payload = self.read(SDNEXT_IMG2IMG, call)
        if payload["init_images"] is None:
            return json_answer({"error": "Init image is none"}, 400)
        mask = await asyncio.to_thread(_open, payload["mask"]) if payload["mask"] else None
        sampler = self._check(payload)
        return await self._paint("inpaint" if mask else "img2img", payload, sampler, mask, call)

    def _check(self, payload: Mapping[str, Any]) -> str:
        """The sampler's name. Raises what stops the request before it waits."""
        for title in payload["alwayson_scripts"]:
            if title.lower() in lists.IMG2IMG_SCRIPTS:
                raise RefusedError(422, "Cannot have a selectable script in the always on scripts params")
            if title.lower() not in (*self.alwayson, *self.machine.scripts.titles()):
                raise RefusedError(422, f"Always on script not found: {title}")
        asked = payload["sampler_name"] or payload["sampler_index"]
        sampler = find_sampler(asked, list(self.machine.samplers))
        for name in NEEDED:
            if payload[name] is None:
                raise CrashError("TypeError", "unsupported operand type(s) for *: 'NoneType' and 'int'")
        return sampler

    async def _paint(
        self, operation: str, payload: dict[str, Any], sampler: str, mask: Image.Image | None, call: Call
    ) -> Answer:
        machine = self.machine
        overrides = dict(payload["override_settings"] or {})
        before: dict[str, Any] = {}
        loaded: list[Checkpoint | None] = []
        plans: list[NextPlan] = []

        async def begin() -> Draft:
            before.update(machine.options.remembered(overrides))
            loaded.append(machine.loaded)
            await self._settle(payload["sd_model_checkpoint"], overrides, call)
            inputs = await asyncio.to_thread(_inputs, payload, mask)
            plan = make_plan(operation, payload, sampler, machine.catalog, machine.loaded, inputs)
            plans.append(plan)
            return plan.draft

        async def end() -> None:
            if not payload["override_settings_restore_afterwards"]:
                return
            machine.options.restore(before)
            if "sd_model_checkpoint" in overrides and loaded and loaded[0] is not None:
                await machine.load(loaded[0])  # at once, within this request

        job = "API-TXT" if operation == "txt2img" else "API-IMG"
        commission = Commission(job, payload, json.loads(call.body), call.fault, self.site.cheap)
        try:
            drawn = await run_drawing(self.site, call, commission, begin, self._encoder(commission), end)
        except CrashError:
            reply = {"images": [], "parameters": _echo(payload), "info": ""}
            return json_answer(spoil(reply, call.fault))
        reply = await asyncio.to_thread(self._tell, payload, plans[0], drawn, commission)
        return json_answer(spoil(reply, call.fault))

    async def _settle(self, top_level: str | None, overrides: Mapping[str, Any], call: Call) -> None:
        """Set what the request wants of options and checkpoints. Raises CrashError when the job is given up."""
        machine = self.machine
        if top_level:
            wanted = machine.catalog.find(top_level)
            if wanted is None:
                raise CrashError("Aborted", f"checkpoint not found: {top_level}")
            await machine.load(wanted)
        for key, value in overrides.items():
            # What it does not know is noted in the log alone.
            known = (
                machine.catalog.find(value) is not None if key == "sd_model_checkpoint" else machine.options.has(key)
            )
            if known:
                machine.options.set(key, value)
        if machine.catalog.checkpoints:
            configured = machine.configured()
            if call.fault is not None and call.fault.is_any(Fault.WRONG_CHECKPOINT):
                configured = next((each for each in machine.catalog.checkpoints if each is not configured), configured)
            await machine.load(configured)

    def _encoder(self, commission: Commission) -> Any:
        options = self.machine.options
        with_text = bool(options["enable_pnginfo"]) and not commission.has(Fault.NO_METADATA)
        kind = file_format(str(options["samples_format"]), commission.fault)
        encoding = Encoding(kind, int(options["jpeg_quality"]), with_text, self.site.cheap)
        return lambda made: encode(made.shot, made.picture, made.infotext, encoding)

    def _tell(self, payload: dict[str, Any], plan: NextPlan, drawn: Drawn, commission: Commission) -> dict[str, Any]:
        keep = self.machine.options["keep_incomplete"]
        pairs = [(made, file) for made, file in zip(drawn.made, drawn.files, strict=True) if keep or made.finished]
        texts, files = [made.infotext for made, _ in pairs], [file for _, file in pairs]
        first = 0
        grid = payload["save_images"] and self.machine.options["return_grid"] and len(pairs) > 1
        if pairs and (grid or commission.has(Fault.GRID_FIRST)):
            files.insert(0, self._grid([made for made, _ in pairs], commission))
            texts.insert(0, texts[0])
            first = 1
        info = plan.info(texts, drawn.timestamp, self.machine.options["detailer_models"], first=first)
        return {
            "images": [base64.b64encode(file).decode() for file in files] if payload["send_images"] else [],
            "parameters": _echo(payload),
            "info": json.dumps(info),
        }

    def _grid(self, made: list[Made], commission: Commission) -> bytes:
        grid = make_grid([each.picture or draw(each.shot) for each in made])
        file: bytes = self._encoder(commission)(replace(made[0], picture=grid))
        return file

    async def png_info(self, call: Call) -> Answer:
        """`POST /png-info`."""
        text = self.read(PNG_INFO, call)["image"].strip()
        if not text:
            return json_answer({"info": "", "items": {}, "parameters": {}})
        image = await asyncio.to_thread(_open, text)
        info, items = read_metadata(image)
        return json_answer({"info": info, "items": items, "parameters": self.parse_infotext(info)})

    async def extra_single_image(self, call: Call) -> Answer:
        """`POST /extra-single-image` and `/process`: factors of 1 to 8."""
        query = self.read(SDNEXT_EXTRAS, call)
        await asyncio.to_thread(_open, query["image"])
        body = {**query, "resize_mode": int(query["resize_mode"])}
        return await super().extra_single_image(replace(call, body=json.dumps(body).encode()))

    # Captions

    async def caption(self, call: Call) -> Answer:
        """`POST /caption`: one of four backends."""
        query = self.read(SDNEXT_CAPTION, call)
        caption = await self._describe(query["image"])
        texts = {"openclip": "caption", "tagger": "tags", "vlm": "answer", "analyze": "answer"}
        names = ("caption", "medium", "artist", "movement", "trending", "flavor", "tags", "scores", "answer")
        said = {**dict.fromkeys((*names, "annotated_image")), texts.get(query["backend"], "caption"): caption}
        return json_answer({"backend": query["backend"], **said})

    async def openclip(self, call: Call) -> Answer:
        """`POST /openclip`."""
        return json_answer({"caption": await self._describe(self.read(SDNEXT_IMAGE, call)["image"])})

    async def tagger(self, call: Call) -> Answer:
        """`POST /tagger`."""
        return json_answer({"tags": await self._describe(self.read(SDNEXT_IMAGE, call)["image"]), "scores": None})

    async def vqa(self, call: Call) -> Answer:
        """`POST /vqa`."""
        answer = await self._describe(self.read(SDNEXT_IMAGE, call)["image"])
        return json_answer({"answer": answer, "annotated_image": None})

    async def _describe(self, text: str) -> str:
        """A caption; for this webui's own pictures it is their prompt."""
        if len(text) < _SHORTEST_IMAGE:
            raise RefusedError(404, "Image not found")
        image = await asyncio.to_thread(_open, text)
        async with self.machine.job("caption"):
            await asyncio.sleep(self.machine.pace.seconds_per_step)
        return str(read_infotext(read_metadata(image)[0])["Prompt"] or "a picture")


def _open(text: str) -> Image.Image:
    if text.startswith("upload:"):
        raise RefusedError(400, f"Upload reference not found: {text}")
    image = open_base64(text)
    if image is None:
        raise RefusedError(500, "Invalid encoded image")
    return image


def _inputs(payload: Mapping[str, Any], mask: Image.Image | None) -> Inputs | None:
    images = [_open(str(text)) for text in payload.get("init_images") or []]
    if not images:
        return None
    mode = _RESIZE_MODES.get(payload["resize_mode"], 0)
    more = {
        "resize_mode": mode,
        "mask_round": False,
        "mask_blur_x": 4,
        "mask_blur_y": 4,
        "inpainting_fill": 1,
        "batch_size": len(images),
    }
    return prepare(images, mask, {**payload, **more}, "#ffffff")


def _echo(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it is sent back: no input images, no long arguments of scripts."""
    hidden = () if payload.get("include_init_images") else ("init_images", "mask")
    echo = {key: None if key in hidden else value for key, value in payload.items() if key != "include_init_images"}
    scripts = {
        title: {**script, "args": _shortened(script["args"])}
        for title, script in payload["alwayson_scripts"].items()
        if isinstance(script, dict) and isinstance(script.get("args"), list)
    }
    return {**echo, "script_args": _shortened(payload["script_args"]), "alwayson_scripts": scripts}


def _shortened(args: list[Any]) -> list[Any]:
    return [f"<str {len(arg)}>" if isinstance(arg, str) and len(arg) >= _LONG else arg for arg in args]
