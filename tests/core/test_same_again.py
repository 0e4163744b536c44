"""What is made from a picture asks its webui for the very same, but for what is changed: here, for nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.derive import Source, the_same
from core.forms import edit_form, read_edit
from core.recall import Recall
from core.request import GenerationRequest, LoraUse
from core.studio import Order
from tests.core.ground import Ground
from tests.core.webui.features import works
from tests.core.webui.test_every_webui import EVERY, SMALL, ground_with

WISHES: dict[str, dict[str, Any]] = {
    "choices": {"prompt": r"a {red|blue} fox \{in\|on\} snow", "negative_prompt": "{fog|rain}", "cfg_scale": 5.0},
    "second pass": {"hires_scale": 1.5, "hires_steps": 2, "hires_denoising_strength": 0.4, "clip_skip": 2},
    "variation": {"subseed": 5, "subseed_strength": 0.2, "tiling": True},
    "loras": {"loras": (LoraUse("inkwash", 0.8),), "face_fix": True},
    "image": {"image": "image", "mask": "mask", "denoising_strength": 0.5, "mask_blur": 2},
}


async def told(ground: Ground, request: GenerationRequest, job_id: str) -> dict[str, Any]:
    """What the webui is told for one picture, but for the task's name, and the checkpoint that is said from now on."""
    before = len(ground.webui.renders)
    order = Order(job_id=job_id, owner_id="42", guild_id=None, request=request, reply="{}")
    assert await ground.studio.submit(order) is not None
    assert (await ground.until_delivered(job_id)).what == "pictures"
    (render,) = ground.webui.renders[before:]
    sent = {key: value for key, value in render.sent.items() if key not in ("force_task_id", "override_settings")}
    overrides = render.sent.get("override_settings", {})
    return sent | {key: value for key, value in overrides.items() if key != "sd_model_checkpoint"}


async def source_of(ground: Ground, job_id: str) -> Source:
    result = await Recall(ground.parts).result(job_id)
    assert result is not None
    return result.source(None)


@EVERY
async def test_the_same_picture_is_asked_for_in_the_same_words(tmp_path: Path, name: str) -> None:
    async with ground_with(tmp_path, name) as (ground, _webui, keys):
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        for number, wish in enumerate(WISHES.values()):
            fields = {field: keys.get(str(value), value) for field, value in wish.items()}
            asked = GenerationRequest(**{"prompt": "a fox", **SMALL, **fields})
            if not works(catalog, asked):
                continue
            first = await told(ground, asked, f"1{number}")
            source = await source_of(ground, f"1{number}")
            assert await told(ground, the_same(source), f"2{number}") == first
            assert await told(ground, read_edit(source, edit_form(source)).request, f"3{number}") == first
