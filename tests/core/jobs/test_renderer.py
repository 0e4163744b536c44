"""Drawing over images that were sent in: read from the database, fitted where a webui wants that, or missed."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from core.images.inbound import InboundLimits, prepare
from core.jobs.model import JobState
from core.store.inputs import InputRows
from core.store.schema import inputs
from playground.webui import LocalDrawThings, LocalWebui
from tests.core.ground import Ground, fast_webui, opened_ground
from tests.core.images.pictures import as_png, noise

NOT_SENT = "not there any more; send it again."


async def send_in(ground: Ground, width: int = 64, height: int = 64) -> str:
    """The key of an image in the database."""
    prepared = prepare(as_png(noise(width, height)), InboundLimits())
    await InputRows(ground.rows._engine).put(prepared.key, prepared.png, 1.0)
    return prepared.key


def first_image(webui: LocalWebui) -> Image.Image:
    (encoded,) = webui.renders[-1].sent["init_images"]
    return Image.open(io.BytesIO(base64.b64decode(encoded)))


async def test_every_picture_of_a_job_is_drawn_over_the_image(tmp_path: Path) -> None:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        key = await send_in(ground)
        ticket = await ground.submit(image=key, mask=key, denoising_strength=0.5, count=3)
        shown = await ground.until_delivered(ticket.job_id)
        assert shown.what == "pictures"
        assert len(webui.renders) == 3
        sent = [(render.sent["init_images"], render.sent["mask"]) for render in webui.renders]
        assert sent[0] == sent[1] == sent[2]
        assert {request.path for request in webui.requests if "2img" in request.path} == {"/sdapi/v1/img2img"}


@pytest.mark.parametrize("gone", ["image", "mask"])
async def test_an_image_that_is_gone_ends_in_a_sentence(tmp_path: Path, gone: str) -> None:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        keys: dict[str, Any] = {"image": await send_in(ground), "mask": await send_in(ground, 32, 32)}
        async with ground.rows._engine.begin() as connection:
            await connection.execute(sa.delete(inputs).where(inputs.c.key == keys[gone]))
        ticket = await ground.submit(**keys)
        shown = await ground.until_delivered(ticket.job_id)
        assert shown.what == "sentence"
        assert shown.sentence.endswith(NOT_SENT)
        assert (await ground.job(ticket.job_id)).state is JobState.FAILED
        assert webui.renders == []


async def test_an_image_is_brought_to_the_picture_s_size_where_a_webui_takes_no_other(tmp_path: Path) -> None:
    async with (
        LocalDrawThings(seconds_per_step=0.0, cheap_pictures=True) as webui,
        opened_ground(tmp_path, webui) as ground,
    ):
        ticket = await ground.submit(image=await send_in(ground, 96, 32), width=128, height=128)
        assert (await ground.until_delivered(ticket.job_id)).what == "pictures"
        assert first_image(webui).size == (128, 128)


async def test_elsewhere_the_image_is_sent_as_it_is(tmp_path: Path) -> None:
    async with fast_webui() as webui, opened_ground(tmp_path, webui) as ground:
        ticket = await ground.submit(image=await send_in(ground, 96, 32), width=128, height=128, resize_mode="crop")
        assert (await ground.until_delivered(ticket.job_id)).what == "pictures"
        assert first_image(webui).size == (96, 32)
        assert webui.renders[-1].sent["resize_mode"] == 1
