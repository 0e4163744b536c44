"""The routes that ADetailer and ControlNet add to a webui; none of them asks for credentials. No sockets.

Shapes after section 8 of the contract.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

from playground.webui import adetailer
from playground.webui.controlnet import UNITS, ControlNet, detect
from playground.webui.controlnet_lists import MODELS, control_types
from playground.webui.dialect import Answer, Call, Handler, Route, json_answer
from playground.webui.errors import RefusedError
from playground.webui.fields import Field
from playground.webui.images import decode_input, encode_image
from playground.webui.jobs import Jobs

_DETECT = (
    Field("controlnet_module", "str", "none", nullable=False),
    Field("controlnet_input_images", "list", [], nullable=False),
    Field("controlnet_processor_res", "int", 512, nullable=False),
    Field("controlnet_threshold_a", "float", 64, nullable=False),
    Field("controlnet_threshold_b", "float", 64, nullable=False),
)
_POSE = {"people": [{"pose_keypoints_2d": [0.5, 0.2, 1.0]}], "canvas_width": 512, "canvas_height": 512}


class Extensions(Jobs):
    """Their handlers; which routes there are depends on what is installed."""

    def extension_routes(self) -> list[Route]:
        """The routes of the installed extensions."""
        scripts = self.machine.scripts
        routes: list[Route] = []
        if scripts.adetailer:
            answers: Mapping[str, Any] = {
                "version": {"version": adetailer.VERSION},
                "schema": adetailer.schema(),
                "ad_model": {"ad_model": list(adetailer.MODELS)},
            }
            routes += [Route("GET", f"/adetailer/v1/{name}", _fixed(body), open=True) for name, body in answers.items()]
        if scripts.controlnet is not None:
            bodies = _readings(scripts.controlnet)
            routes += [Route("GET", f"/controlnet/{name}", _fixed(body), open=True) for name, body in bodies.items()]
            routes.append(Route("POST", "/controlnet/detect", self.detect, open=True))
        return routes

    async def detect(self, call: Call) -> Answer:
        """`POST /controlnet/detect`: the maps of the images, without drawing a picture."""
        query = self.read(_DETECT, call)
        control = self.machine.scripts.controlnet
        name = query["controlnet_module"]
        module = None if control is None else control.find(name)
        if module is None:
            raise RefusedError(422, "Module not available")
        if not module.image:
            raise RefusedError(422, "Module not supported")
        if not query["controlnet_input_images"]:
            raise RefusedError(422, "No image selected")
        maps = await asyncio.to_thread(_maps, name, query["controlnet_input_images"])
        poses = {"poses": [_POSE for _ in maps]} if "openpose" in name else {}
        return json_answer({"info": "Success", **poses, "images": maps})


def _readings(control: ControlNet) -> dict[str, Any]:
    detail = {"module_detail": {module.name: module.detail() for module in control.modules}}
    bodies: dict[str, Any] = {
        "model_list": {"model_list": list(MODELS)},
        "module_list": {
            "module_list": [module.name for module in control.modules],
            **(detail if control.has_detail else {}),
        },
        "control_types": {"control_types": control_types(control.modules)},
    }
    if control.has_detail:
        bodies |= {"version": {"version": 3}, "settings": {"control_net_unit_count": UNITS}}
    return bodies


def _fixed(body: Any) -> Handler:
    async def answer(_: Call) -> Answer:
        return json_answer(body)

    return answer


def _maps(module: str, images: list[Any]) -> list[str]:
    drawn = [detect(module, decode_input(str(image))) for image in images]
    return [base64.b64encode(encode_image(each, "png", {})).decode() for each in drawn]
