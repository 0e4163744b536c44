"""`/control` through the real bot: the unit that arrives at the webui, and what people see of it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground.discord import Interaction, Message
from playground.webui import LocalReForge
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002, "cheap_pictures": True, "controlnet": True, "adetailer": True}
SMALL: dict[str, Any] = {"size": "64x64", "steps": 2}


def photo() -> bytes:
    """Wide, and partly transparent."""
    file = io.BytesIO()
    image = Image.effect_noise((192, 128), 60).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 8, 8))
    image.save(file, "PNG")
    return file.getvalue()


async def control(stage: Stage, image: bytes | None = None, **options: Any) -> Interaction:
    said = {"prompt": "a dancer", "type": "pose", **options}
    return await stage.discord.slash(stage.ada, "control", files={"image": image or photo()}, **said)


async def controlled(stage: Stage, pictures: int = 1, **options: Any) -> Message:
    return await stage.delivered(await control(stage, **options), pictures)


def unit(stage: Stage) -> dict[str, Any]:
    (args,) = stage.webui.renders[-1].sent["alwayson_scripts"]["ControlNet"]["args"]
    return dict(args)


async def test_the_unit_arrives_with_what_was_said_and_an_image_of_our_own(stage: Stage) -> None:
    reply = await controlled(stage, weight=0.7, start=0.1, end=0.9, seed=3, steps=2, preview=False)
    sent = unit(stage)
    with Image.open(io.BytesIO(base64.b64decode(sent.pop("image")))) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (192, 128))
    assert sent == {
        "enabled": True,
        "module": "openpose",
        "model": "control_v11p_sd15_openpose [cab727d4]",
        "weight": 0.7,
        "resize_mode": "Crop and Resize",
        "control_mode": "Balanced",
        "guidance_start": 0.1,
        "guidance_end": 0.9,
        "pixel_perfect": True,
        "processor_res": -1,
        "threshold_a": -1,
        "threshold_b": -1,
        "hr_option": "Both",
        "save_detected_map": False,
    }
    render = stage.webui.renders[-1]
    assert (render.sent["width"], render.sent["height"], render.sent["seed"]) == (192, 128, 3)
    assert "init_images" not in render.sent
    assert "ControlNet 0" in render.infotexts[0]
    assert "control `pose` 0.7 from 0.1 to 0.9" in reply.content


async def test_the_map_is_the_last_picture_of_the_answer(stage: Stage) -> None:
    message = await controlled(stage, 3, type="canny", preview=True, count=2, **SMALL)
    assert [one.filename.rpartition("-")[2] for one in message.attachments] == ["1.png", "2.png", "3.png"]
    texts = [Image.open(io.BytesIO(one.data)).info.get("parameters") for one in message.attachments]
    assert [text is None for text in texts] == [False, False, True]
    assert "left" not in message.content
    assert "3 pictures" not in message.content


async def test_options_of_draw_go_along(stage: Stage) -> None:
    await controlled(
        stage,
        preprocess=False,
        face_fix=True,
        denoising_strength=0.4,
        negative_prompt="blurry",
        cfg_scale=6,
        sampler="Euler a",
        loras="inkwash:0.5",
        extra="subseed:4 subseed_strength:0.2",
        **SMALL,
    )
    sent = stage.webui.renders[-1].sent
    assert sent["alwayson_scripts"].keys() == {"ControlNet", "adetailer"}
    assert (unit(stage)["module"], unit(stage)["image"]) == ("none", sent["init_images"][0])
    assert (sent["denoising_strength"], sent["negative_prompt"], sent["sampler_name"]) == (0.4, "blurry", "Euler a")
    assert (sent["subseed"], sent["prompt"]) == (4, "<lora:inkwash:0.5> a dancer")


async def test_a_spoiler_hides_the_map_too_and_private_is_private(stage: Stage) -> None:
    message = await controlled(stage, 2, preview=True, spoiler=True, private=True, **SMALL)
    assert message.ephemeral
    assert [one.spoiler for one in message.attachments] == [True, True]


async def test_types_are_offered_while_typing(stage: Stage) -> None:
    offered = await stage.discord.autocomplete(stage.ada, "control", "type", "line")
    assert [choice.value for choice in offered] == ["Lineart"]
    every = await stage.discord.autocomplete(stage.ada, "control", "type", "")
    assert {"Canny", "Depth", "OpenPose", "Tile", "IP-Adapter"} <= {choice.value for choice in every}
    assert "All" not in {choice.value for choice in every}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"type": "dance"}, 'no control type called "dance"'),
        ({"start": 0.6, "end": 0.4}, "A control starts before it ends"),
        ({"image": b"no image at all"}, "no image that is taken here"),
    ],
)
async def test_what_can_not_be_done_is_said_to_its_sender_alone(
    stage: Stage, options: dict[str, Any], words: str
) -> None:
    before = len(stage.webui.renders)
    interaction = await control(stage, **options)
    answer = await stage.discord.until(
        lambda: next((one for one in interaction.messages if words in one.content), None), what=words
    )
    assert answer.ephemeral
    assert len(stage.webui.renders) == before


async def test_a_weight_beyond_the_webui_s_is_brought_inside(stage: Stage) -> None:
    message = await controlled(stage, weight=7, **SMALL)
    assert unit(stage)["weight"] == 2.0
    assert "weight is 0 to 2 here" in message.content


async def test_without_controlnet_it_is_refused(tmp_path: Path) -> None:
    async with open_stage(tmp_path, cheap_webui(), kindly=False) as stage:
        interaction = await control(stage)
        words = "This server's webui has no ControlNet"
        await stage.discord.until(
            lambda: next((one for one in interaction.messages if words in one.content), None), what=words
        )
        assert stage.webui.renders == []
        stage.check()


async def test_a_webui_that_has_it_gets_the_job(tmp_path: Path) -> None:
    able = LocalReForge(seconds_per_step=0.002, cheap_pictures=True)
    async with open_stage(tmp_path, cheap_webui(), able, kindly=False) as stage:
        message = await controlled(stage, type="depth", preview=True, **SMALL)
        assert [len(webui.renders) for webui in stage.webuis] == [0, 1]
        assert "The webui sent no map of the control image." in message.content
        stage.check()
