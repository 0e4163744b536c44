"""The same wishes to every kind of webui: each is drawn as that kind takes it, or refused before it is queued."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import NotOffered
from core.images.inbound import InboundLimits, prepare
from core.request import GenerationRequest, LoraUse
from core.store.inputs import InputRows
from core.webui.dialects import DIALECTS
from playground.webui import Fault, LocalWebui
from tests.core.ground import Ground, opened_ground
from tests.core.webui.features import WEBUIS, works

EVERY = pytest.mark.parametrize("name", WEBUIS)
SMALL: dict[str, Any] = {"width": 128, "height": 128, "steps": 2, "seed": 7}
FORGES_OWN = {"hr_additional_modules", "hr_cfg"}
"""What Forge needs for a second pass, and others of its family pass over."""
WISHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "negative": {"negative_prompt": "blurry", "cfg_scale": 5},
    "clip_skip": {"clip_skip": 2},
    "loras": {"loras": (LoraUse("inkwash", 0.8),)},
    "tag": {"prompt": "a fox <lora:inkwash:0.8>"},
    "hires": {"hires_scale": 2.0, "hires_steps": 2, "hires_denoising_strength": 0.4},
    "face_fix": {"face_fix": True},
    "tiling": {"tiling": True},
    "distilled_cfg": {"distilled_cfg": 3.0},
    "image": {"image": "image", "denoising_strength": 0.5},
    "fill": {"image": "wide", "resize_mode": "fill"},
    "latent": {"image": "wide", "resize_mode": "latent"},
    "mask": {"image": "image", "mask": "mask", "denoising_strength": 0.5},
    "masked area": {"image": "image", "mask": "mask", "inpaint_area": "masked", "mask_blur": 2},
}


def picture(mode: str, size: tuple[int, int] = (128, 128)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, "PNG")
    return file.getvalue()


@asynccontextmanager
async def ground_with(folder: Path, name: str) -> AsyncIterator[tuple[Ground, LocalWebui, dict[str, str]]]:
    """The core with one webui of that kind, and the keys of an image and a mask that were sent in."""
    webui = WEBUIS[name](seconds_per_step=0.0, cheap_pictures=True)
    async with webui, opened_ground(folder, webui) as ground:
        keys: dict[str, str] = {}
        for what, mode, size in (("image", "RGB", (128, 128)), ("wide", "RGB", (192, 64)), ("mask", "L", (128, 128))):
            prepared = prepare(picture(mode, size), InboundLimits())
            await InputRows(ground.parts._engine).put(prepared.key, prepared.png, 1.0)
            keys[what] = prepared.key
        yield ground, webui, keys


@EVERY
@pytest.mark.parametrize("wish", WISHES)
async def test_a_wish_is_drawn_or_refused_beforehand(tmp_path: Path, name: str, wish: str) -> None:
    async with ground_with(tmp_path, name) as (ground, webui, keys):
        asked = {**SMALL, **{field: keys.get(str(value), value) for field, value in WISHES[wish].items()}}
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        if not works(catalog, GenerationRequest(**{"prompt": "a fox", **asked})):
            with pytest.raises(NotOffered):
                await ground.submit(**asked)
            assert webui.renders == []
            return
        ticket = await ground.submit(**asked)
        shown = await ground.until_delivered(ticket.job_id)
        assert (shown.what, shown.sentence) == ("pictures", "")
        (render,) = webui.renders
        assert set(render.ignored) <= (FORGES_OWN if wish == "hires" else set())
        dialect = DIALECTS[catalog.capabilities.speech]
        assert shown.drawing is not None
        assert [said for said in shown.drawing.warnings if said.startswith("The picture is")] == []
        sent = {dialect.keys[field].removeprefix("@") for field in asked if field in dialect.keys}
        told = render.sent.keys() | render.sent.get("override_settings", {}).keys()
        assert sent <= told, f"{sent - told} never reached the webui"
        assert None not in render.sent.values()


@EVERY
@pytest.mark.parametrize("prompt", ["a fox # red", "# a fox\nin the snow #", "a fox\n# the end"])
async def test_a_comment_in_the_prompt_hides_no_lora(tmp_path: Path, name: str, prompt: str) -> None:
    async with ground_with(tmp_path, name) as (ground, webui, _):
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        if works(catalog, GenerationRequest(prompt="a fox", loras=(LoraUse("inkwash"),))):
            ticket = await ground.submit(**SMALL, prompt=prompt, loras=(LoraUse("inkwash"),))
            await ground.until_delivered(ticket.job_id)
            (lora,) = webui.renders[-1].loras
            assert "inkwash" in str(lora)


@EVERY
async def test_a_lora_is_applied_wherever_it_is_said(tmp_path: Path, name: str) -> None:
    async with ground_with(tmp_path, name) as (ground, webui, _):
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        for asked in (WISHES["loras"], WISHES["tag"]):
            if works(catalog, GenerationRequest(**{"prompt": "a fox", **asked})):
                ticket = await ground.submit(**SMALL, **asked)
                await ground.until_delivered(ticket.job_id)
                (lora,) = webui.renders[-1].loras
                assert "inkwash" in str(lora)


@EVERY
@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY, Fault.NAN, Fault.BLANK_IMAGE])
async def test_a_failure_ends_in_a_sentence(tmp_path: Path, name: str, fault: Fault) -> None:
    async with ground_with(tmp_path, name) as (ground, webui, _):
        webui.fault(fault, times=None)
        ticket = await ground.submit(**SMALL)
        shown = await ground.until_delivered(ticket.job_id)
        told = shown.sentence or " ".join(shown.drawing.warnings if shown.drawing is not None else ())
        assert told.endswith("."), shown


@EVERY
async def test_a_webui_that_is_away_for_a_moment_is_waited_for(tmp_path: Path, name: str) -> None:
    async with ground_with(tmp_path, name) as (ground, webui, _):
        webui.fault(Fault.UNAVAILABLE, times=1)
        ticket = await ground.submit(**SMALL)
        shown = await ground.until_delivered(ticket.job_id)
        assert shown.what == "pictures"
