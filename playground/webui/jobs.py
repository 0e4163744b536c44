"""The A1111 routes that work on pictures: txt2img, img2img, extras, png-info, interrogate, previews. No sockets."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from PIL import Image

from playground.webui import lists
from playground.webui.dialect import Answer, Call, Dialect, json_answer
from playground.webui.errors import RefusedError
from playground.webui.extras import check_upscalers, upscale
from playground.webui.fields import Field
from playground.webui.generate import Generation, Order, Outcome
from playground.webui.images import decode_input, encode_image, read_metadata
from playground.webui.infotext import read_infotext
from playground.webui.inpaint import prepare
from playground.webui.models import EXTRA_SINGLE_IMAGE, IMG2IMG, INTERROGATE, PNG_INFO, TXT2IMG
from playground.webui.plan import Route
from playground.webui.rendering import Inputs, Shot, draw
from playground.webui.spoil import spoil

_ECHOED_AS_NULL = ("init_images", "mask")


class Jobs(Dialect):
    """The handlers of those routes; the dialect that inherits them says how a body is read."""

    txt2img_fields: ClassVar[tuple[Field, ...]] = TXT2IMG
    img2img_fields: ClassVar[tuple[Field, ...]] = IMG2IMG
    alwayson: ClassVar[tuple[str, ...]] = lists.ALWAYSON_SCRIPTS
    live_format: ClassVar[tuple[str, int]] = ("", 75)
    """Of the live previews of tasks: the format ("": as the option says) and the quality of a JPEG."""

    def read(self, fields: tuple[Field, ...], call: Call) -> dict[str, Any]:
        """The body by its model. Raises InvalidError."""
        raise NotImplementedError

    async def txt2img(self, call: Call) -> Answer:
        """`POST /txt2img`: blocks until the pictures are there."""
        payload = self.read(self.txt2img_fields, call)
        self._check_scripts(payload, (*lists.TXT2IMG_SCRIPTS,))
        return await self._generate("txt2img", payload, call, lambda: None)

    async def img2img(self, call: Call) -> Answer:
        """`POST /img2img`: the init image is decoded once the lock is taken."""
        payload = self.read(self.img2img_fields, call)
        if payload["init_images"] is None:
            raise RefusedError(404, "Init image not found")
        self._check_scripts(payload, lists.IMG2IMG_SCRIPTS)
        mask = await asyncio.to_thread(decode_input, payload["mask"]) if payload["mask"] else None
        return await self._generate("img2img", payload, call, lambda: self._decode(payload, mask))

    def _decode(self, payload: dict[str, Any], mask: Image.Image | None) -> Inputs:
        images = [decode_input(str(image)) for image in payload["init_images"]]
        return prepare(images, mask, payload, str(self.machine.options["img2img_background_color"]))

    def _check_scripts(self, payload: dict[str, Any], selectable: tuple[str, ...]) -> None:
        name = payload["script_name"]
        if name and name.lower() not in selectable:
            raise RefusedError(422, f"Script '{name}' not found")
        for title in payload["alwayson_scripts"]:
            if title.lower() in selectable:
                raise RefusedError(422, "Cannot have a selectable script in the always on scripts params")
            if title.lower() not in (*self.alwayson, *self.machine.scripts.titles()):
                raise RefusedError(422, f"Script '{title}' not found")

    async def _generate(
        self, route: Route, payload: dict[str, Any], call: Call, decode: Callable[[], Inputs | None]
    ) -> Answer:
        order = Order(route, payload, call.fault, decode, self.site.cheap, _sent(call))
        outcome = await self.site.run(Generation(self.machine, order).run())
        if call.client_gone():
            outcome.render.state = "discarded"
            self.machine.changes.notify()
        reply = await asyncio.to_thread(self._reply, payload, outcome)
        return json_answer(spoil(reply, call.fault))

    def _reply(self, payload: dict[str, Any], outcome: Outcome) -> dict[str, Any]:
        hidden = () if payload.get("include_init_images") else _ECHOED_AS_NULL
        images = [base64.b64encode(file).decode() for file in outcome.files] if payload["send_images"] else []
        info = outcome.plan.info(outcome.infotexts, outcome.timestamp, first=outcome.first)
        return {
            "images": images,
            "parameters": {key: None if key in hidden else value for key, value in payload.items()},
            "info": json.dumps(info),
        }

    def note_preview(self) -> Shot | None:
        """The preview that there is, a new one once enough steps were done since the last."""
        state, options = self.machine.state, self.machine.options
        every = int(options["show_progress_every_n_steps"])
        is_due = every != -1 and state.sampling_step - state.shown_step >= every
        if options["live_previews_enable"] and state.preview is not None and is_due:
            state.show(Shot(state.preview, 1 - state.sampling_step / max(state.sampling_steps, 1)))
        shown: Shot | None = state.shown
        return shown

    async def current_image(self) -> str | None:
        """The running picture so far as base64, as pictures are saved."""
        shot, options = self.note_preview(), self.machine.options
        if shot is None:
            return None
        return await _encoded(shot, str(options["samples_format"]), int(options["jpeg_quality"]))

    async def live_preview(self, known: int) -> str | None:
        """The same as a data URI in a format of its own, if it is another one than `known`."""
        if not self.machine.options["live_previews_enable"]:
            return None
        shot = self.note_preview()
        if shot is None or self.machine.state.preview_id == known:
            return None
        kind, quality = self.live_format
        kind = kind or str(self.machine.options["live_previews_image_format"])
        return f"data:image/{kind};base64,{await _encoded(shot, kind, quality)}"

    async def png_info(self, call: Call) -> Answer:
        """`POST /png-info`: does not wait for the lock."""
        image = await asyncio.to_thread(decode_input, self.read(PNG_INFO, call)["image"].strip())
        text, items = read_metadata(image)
        return json_answer({"info": text, "items": items, "parameters": self.parse_infotext(text)})

    def parse_infotext(self, text: str) -> dict[str, Any]:
        """The `parameters` of /png-info."""
        return read_infotext(text, self.machine.flavour.read_defaults)

    async def interrogate(self, call: Call) -> Answer:
        """`POST /interrogate`: a caption; for this webui's own pictures it is made of their prompt."""
        query = self.read(INTERROGATE, call)
        if query["image"] == "":
            raise RefusedError(404, "Image not found")
        image = await asyncio.to_thread(decode_input, query["image"])
        if query["model"] not in ("clip", "deepdanbooru"):
            raise RefusedError(404, "Model not found")
        async with self.machine.job("interrogate"):
            await asyncio.sleep(self.machine.pace.seconds_per_step)
        prompt = read_infotext(read_metadata(image)[0])["Prompt"] or "a picture"
        tags = prompt.lower().replace(" ", "_").split(",_")
        caption = f"{prompt}, digital art, trending on artstation"
        return json_answer({"caption": caption if query["model"] == "clip" else ", ".join(tags)})

    async def extra_single_image(self, call: Call) -> Answer:
        """`POST /extra-single-image`: upscales with Lanczos whatever the upscaler's name is (but "Nearest")."""
        query = self.read(EXTRA_SINGLE_IMAGE, call)
        image = await asyncio.to_thread(decode_input, query["image"])
        return json_answer(await self.site.run(self._upscale(query, image)))

    async def _upscale(self, query: dict[str, Any], image: Image.Image) -> dict[str, Any]:
        async with self.machine.job("extras"):
            await asyncio.sleep(self.machine.pace.seconds_per_step)
            check_upscalers(query, self.machine.catalog)
            upscaled, note = await asyncio.to_thread(upscale, query, image)
        text, items = read_metadata(image)
        texts = ({"parameters": text} if text else {}) | items | ({"postprocessing": note} if note else {})
        options = self.machine.options
        if not options["enable_pnginfo"]:
            texts = {}
        kind, quality = str(options["samples_format"]), int(options["jpeg_quality"])
        file = await asyncio.to_thread(encode_image, upscaled, kind, texts, quality=quality)
        return {"html_info": f"<p>{note}</p>" if note else "", "image": base64.b64encode(file).decode()}


async def _encoded(shot: Shot, kind: str, quality: int) -> str:
    file = await asyncio.to_thread(lambda: encode_image(draw(shot), kind, {}, quality=quality, level=1))
    return base64.b64encode(file).decode()


def _sent(call: Call) -> Mapping[str, Any]:
    try:
        body = json.loads(call.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
