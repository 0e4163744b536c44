"""The way of a picture when nothing goes wrong."""

from __future__ import annotations

import hashlib
import io
import time

import pytest
from PIL import Image

from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_picture_arrives_byte_for_byte_with_its_infotext(stage: Stage) -> None:
    message = await stage.drawn("a lighthouse at dusk", seed=7, size="256x320", steps=4)
    (picture,) = message.attachments
    assert hashlib.sha256(picture.data).hexdigest() in stage.webui.renders[-1].digests
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (256, 320)
        assert image.info["parameters"] == stage.webui.renders[-1].infotexts[0]


async def test_the_reply_comes_at_once_and_says_what_was_understood(stage: Stage) -> None:
    stage.webui.hold()
    began = time.monotonic()
    interaction = await stage.draw("a red fox", size="832x1216", steps=9, cfg_scale=5.5, seed=11, sampler="Euler a")
    reply = await stage.answered(interaction)
    assert time.monotonic() - began < 3
    for words in ("Next in line", "a red fox", "832×1216", "9 steps", "CFG 5.5", "seed 11", "Euler a"):
        assert words in reply.content
    stage.webui.release()
    await stage.delivered(interaction)
