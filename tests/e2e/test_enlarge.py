"""“Upscale” under a result: the very picture, wherever it is still to be had."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from playground.discord import Interaction, Member, Message
from tests.buttons import button_id
from tests.core.images.pictures import as_png, noise
from tests.e2e.harness import Stage, until
from tests.e2e.test_acts import forget

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2, "seed": 40}


async def result(stage: Stage, prompt: str = "a red fox", **options: Any) -> tuple[Interaction, Message]:
    interaction = await stage.draw(prompt, **{**SMALL, **options})
    message = await stage.delivered(interaction, options.get("count") or 1)
    await stage.reaches(interaction, "done")
    return interaction, message


async def press(stage: Stage, message: Message, member: Member | None = None) -> Interaction:
    return await stage.discord.press(member or stage.ada, message, button_id(message, "upscale"))


def lose_files(stage: Stage) -> None:
    """As where the disk was full, or the picture was drawn on another machine."""
    for path in (stage.bot.data_dir / "pictures").rglob("*.png"):
        path.unlink()


def body(stage: Stage) -> dict[str, Any]:
    """What a webui was sent last for enlarging."""
    return next(one.body for one in reversed(stage.webui.requests) if one.path.endswith("extra-single-image"))


def pixels(data: bytes) -> bytes:
    """The pixels of a picture."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


async def test_the_very_picture_is_enlarged_wherever_it_is(stage: Stage) -> None:
    asked, message = await result(stage)
    await stage.restart()
    upscale = await press(stage, message)
    shown = await stage.delivered(upscale)
    assert "Enlarged from [another picture]" in shown.content
    assert "128×128" in shown.content
    assert stage.row(upscale)["origin_verb"] == "upscale"
    assert stage.row(upscale)["origin_job"] == str(asked.id)
    sent = body(stage)["image"]
    lose_files(stage)
    await stage.delivered(await press(stage, message))
    assert body(stage)["image"] == sent, "the attachment of the message is the same picture"
    files, message.attachments = message.attachments, []
    refusal = await press(stage, message)
    said = await stage.discord.until(lambda: [one for one in refusal.messages if one.content], what="a sentence")
    assert "This picture is gone" in said[-1].content
    assert said[-1].ephemeral
    message.attachments = files


async def test_of_a_copy_without_the_files_the_job_s_own_message_is_read(stage: Stage) -> None:
    _, message = await result(stage, count=2)
    lose_files(stage)
    question = await stage.answered(await press(stage, message))
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    chosen = await stage.discord.select(stage.ada, question, menu["custom_id"], ["1"])
    assert "128×128" in (await stage.delivered(chosen)).content
    assert stage.row(chosen)["origin_number"] == 1


async def test_spoiler_and_privacy_are_inherited(stage: Stage) -> None:
    _, message = await result(stage, spoiler=True, private=True)
    upscale = await press(stage, message)
    shown = await until(lambda: stage.uploads(upscale), what="the upscale")
    assert shown[0].filename.startswith("SPOILER_")
    answer = await stage.answered(upscale)
    assert answer.ephemeral


async def test_a_lost_row_is_no_obstacle_where_the_message_shows_the_picture(stage: Stage) -> None:
    _, message = await result(stage)
    _, two = await result(stage, count=2)
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    lose_files(stage)
    await stage.start()
    assert "128×128" in (await stage.delivered(await press(stage, message))).content
    question = await stage.answered(await press(stage, two))
    (menu,) = [part for part in question.parts() if part.get("custom_id")]
    chosen = await stage.discord.select(stage.ada, question, menu["custom_id"], ["1"])
    assert "128×128" in (await stage.delivered(chosen)).content
    second = next(one.data for one in two.attachments if "-2." in one.filename)
    assert pixels(second) == pixels(base64.b64decode(body(stage)["image"]))


async def test_a_picture_that_says_nothing_of_itself_is_enlarged_all_the_same(stage: Stage) -> None:
    _, message = await result(stage)
    await stage.kill()
    forget(stage, "jobs", "parts", "gallery")
    await stage.start()
    object.__setattr__(message.attachments[0], "data", as_png(noise(64, 64)))  # as if it had been posted without
    assert "128×128" in (await stage.delivered(await press(stage, message))).content


async def test_what_is_too_large_to_be_enlarged_is_refused(stage: Stage) -> None:
    _, message = await result(stage, size="2048x2048")
    first = await stage.delivered(await press(stage, message))
    refusal = await press(stage, first)
    said = await stage.discord.until(lambda: [one for one in refusal.messages if one.content], what="a sentence")
    assert "4096×4096 pixels" in said[-1].content
    assert said[-1].ephemeral
    assert not stage.row(refusal)


async def test_a_second_press_while_the_first_is_at_work_is_another_job(stage: Stage) -> None:
    _, message = await result(stage)
    first, second = await press(stage, message), await press(stage, message)
    await stage.delivered(first)
    await stage.delivered(second)
    assert stage.row(first)["id"] != stage.row(second)["id"]
