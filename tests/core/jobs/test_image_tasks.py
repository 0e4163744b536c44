"""Upscales and descriptions on every kind of webui, from the request to what the owner is shown, and how they fail."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.errors import NotOffered, UserError
from core.images.inbound import InboundLimits, prepare
from core.images.infotext import parse
from core.jobs.model import JobState, PartState
from core.request import GenerationRequest
from core.store.inputs import InputRows
from playground.webui import Fault, LocalKobold, LocalSdNext, LocalWebui
from tests.core.ground import Ground, Shown, fast_webui, opened_ground
from tests.core.webui.features import WEBUIS, local, works

EVERY = pytest.mark.parametrize("name", WEBUIS)
EXTRAS = "/sdapi/v1/extra-single-image"
INTERROGATE = "/sdapi/v1/interrogate"
UPSCALE: dict[str, Any] = {"task": "upscale", "upscale_factor": 2.0}
DESCRIBE: dict[str, Any] = {"task": "describe"}


def picture(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, "PNG")
    return file.getvalue()


@asynccontextmanager
async def ground_with(folder: Path, webui: LocalWebui) -> AsyncIterator[tuple[Ground, dict[str, Any]]]:
    """The core with this webui, and the fields that name an image that was sent in."""
    async with webui, opened_ground(folder, webui) as ground:
        image = prepare(picture(), InboundLimits())
        await InputRows(ground.parts._engine).put(image.key, image.png, 1.0)
        yield ground, {"prompt": "", "image": image.key, "width": image.width, "height": image.height}


async def ended(ground: Ground, **asked: Any) -> Shown:
    ticket = await ground.submit(**asked)
    shown = await ground.until_delivered(ticket.job_id)
    await ground.until_state(ticket.job_id, JobState.FAILED if shown.what == "sentence" else JobState.DONE)
    return shown


@EVERY
async def test_an_image_is_enlarged_or_that_is_refused_beforehand(tmp_path: Path, name: str) -> None:
    async with ground_with(tmp_path, local(name)) as (ground, image):
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        if not works(catalog, GenerationRequest(**{"prompt": "", **UPSCALE})):
            with pytest.raises(NotOffered, match="no upscaler"):
                await ground.submit(**image, **UPSCALE)
            assert ground.webui.count(EXTRAS) == 0 or ground.webui.requests[-1].method == "GET"
            return
        shown = await ended(ground, **image, **UPSCALE)
        assert shown.what == "pictures"
        assert shown.drawing is not None
        (kept,) = shown.drawing.pictures
        assert (kept.width, kept.height) == (128, 96)
        assert shown.drawing.warnings == ()
        assert shown.drawing.upscaler == ("ESRGAN_4x" if name == "KoboldCpp" else "R-ESRGAN 4x+")
        assert kept.extension != "png" or parse(kept.infotext or "").fields["Postprocess upscale by"] == "2"


@EVERY
async def test_an_image_is_described_or_that_is_refused_beforehand(tmp_path: Path, name: str) -> None:
    async with ground_with(tmp_path, local(name)) as (ground, image):
        catalog = ground.pool.views()[0].catalog
        assert catalog is not None
        if not works(catalog, GenerationRequest(**{"prompt": "", **DESCRIBE})):
            with pytest.raises(NotOffered, match="no way to describe"):
                await ground.submit(**image, **DESCRIBE)
            return
        shown = await ended(ground, **image, **DESCRIBE)
        assert shown.what == "pictures"
        assert shown.drawing is not None
        assert shown.drawing.pictures == ()
        assert "a picture" in (shown.drawing.caption or "")
        part = await ground.part(shown.job.id)
        assert part.state is PartState.SHOWN


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.HTML_200, "could not be read"),
        (Fault.TRUNCATED_JSON, "could not be read"),
        (Fault.VALIDATION_ECHO, "refused"),
    ],
)
@pytest.mark.parametrize("task", ["upscale", "describe"])
async def test_a_failure_ends_in_a_sentence(tmp_path: Path, fault: Fault, words: str, task: str) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        ground.webui.fault(fault, route=EXTRAS if task == "upscale" else INTERROGATE, times=None)
        shown = await ended(ground, **image, **(UPSCALE if task == "upscale" else DESCRIBE))
        assert shown.what == "sentence"
        assert words in shown.sentence


@pytest.mark.parametrize("fault", [Fault.CLOSE_UNREAD, Fault.CLOSE_BEFORE_ANSWER, Fault.CLOSE_MID_BODY])
async def test_a_broken_connection_is_an_unknown_outcome_and_tried_again(tmp_path: Path, fault: Fault) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        ground.webui.fault(fault, route=EXTRAS, times=1)
        shown = await ended(ground, **image, **UPSCALE)
        assert shown.what == "pictures"
        assert (await ground.part(shown.job.id)).breaks == 1


async def test_an_upscaler_that_went_away_after_the_look_is_said(tmp_path: Path) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        ground.webui.catalog.upscalers = ()
        shown = await ended(ground, **image, **UPSCALE)
        assert shown.what == "sentence"
        assert "could not find or load the model" in shown.sentence


async def test_koboldcpp_without_its_upscaler_or_eyes_is_said_before_queueing(tmp_path: Path) -> None:
    async with ground_with(tmp_path, LocalKobold(seconds_per_step=0.0, cheap_pictures=True)) as (ground, image):
        for task in (UPSCALE, DESCRIBE):
            with pytest.raises(NotOffered, match="This server's webui has no"):
                await ground.submit(**image, **task)


async def test_what_would_be_too_large_is_refused_before_queueing(tmp_path: Path) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        with pytest.raises(UserError, match="The picture would be 40000x64"):
            await ground.submit(**image, task="upscale", upscale_width=40_000, upscale_height=64)
        assert await ground.rows.fetch_of("42") == []


async def test_a_job_waits_for_the_webui_that_can(tmp_path: Path) -> None:
    able, unable = LocalSdNext(seconds_per_step=0.0, cheap_pictures=True), LocalKobold(seconds_per_step=0.0)
    async with able, unable, opened_ground(tmp_path, unable, able) as ground:
        image = prepare(picture(), InboundLimits())
        await InputRows(ground.parts._engine).put(image.key, image.png, 1.0)
        known = {"prompt": "", "image": image.key, "width": 64, "height": 48}
        for task in (UPSCALE, DESCRIBE):
            shown = await ended(ground, **known, **task)
            assert (await ground.part(shown.job.id)).backend == able.url
        assert not [request for request in unable.requests if request.method == "POST" and request.path == EXTRAS]


async def test_other_work_teaches_nothing_of_how_long_a_step_takes(tmp_path: Path) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        for task in (UPSCALE, DESCRIBE):
            await ended(ground, **image, **task)
        assert ground.pool.views()[0].speed is None


async def test_a_cancelled_upscale_is_thrown_away_and_the_webui_is_not_interrupted(tmp_path: Path) -> None:
    async with ground_with(tmp_path, fast_webui()) as (ground, image):
        ground.webui.fault(Fault.HANG, route=EXTRAS)
        ticket = await ground.submit(**image, **UPSCALE)
        await ground.webui.until(lambda: ground.webui.hanging)
        await ground.studio.cancel(ticket.job_id, "42")
        ground.webui.unhang()
        await ground.until(lambda: not ground.engine.running)
        assert ground.webui.interrupts == []
        assert ground.delivery.of("pictures", ticket.job_id) == []
        assert (await ground.job(ticket.job_id)).state is JobState.CANCELLED
