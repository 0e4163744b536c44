"""Everything a webui's answer can be: the job waits, ends with a true sentence, or brings what there is."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import ExifTags, Image

from playground.webui import Fault
from tests.buttons import cancels
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEBUI = {"seconds_per_step": 0.002}
OPTIONS: dict[str, Any] = {"size": "128x64", "steps": 2, "seed": 40}
PNG_LIMIT = 10 * 2**20


async def serves_the_next(stage: Stage) -> None:
    await stage.drawn("the next one", size="64x64", steps=1)


def infotext_of(data: bytes) -> str:
    """What the file itself carries: PNG's text chunk or EXIF's UserComment."""
    with Image.open(io.BytesIO(data)) as image:
        if image.format == "PNG":
            return str(image.info["parameters"])
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment[:8] == b"UNICODE\0"
    text: str = comment[8:].decode("utf-16-be")
    return text


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.OUT_OF_MEMORY, "ran out of memory"),
        (Fault.OUT_OF_MEMORY_200, "answered without a picture"),
        (Fault.NAN, "empty (black) picture"),
        (Fault.BLANK_IMAGE, "answered without a picture"),
        (Fault.NULL_IMAGES, "answered without a picture"),
        (Fault.GARBAGE_BASE64, "could not be read as a picture"),
        (Fault.NOT_AN_IMAGE, "could not be read as a picture"),
        (Fault.HTML_200, "could not be read as a picture"),
        (Fault.TRUNCATED_JSON, "could not be read as a picture"),
        (Fault.MODEL_NOT_FOUND, "could not find or load the model"),
        (Fault.LEAKY_ERROR, "failed while drawing"),
        (Fault.VALIDATION_ECHO, "refused this combination of settings"),
    ],
)
async def test_the_job_ends_with_a_sentence_after(stage: Stage, fault: Fault, words: str) -> None:
    stage.webui.fault(fault)
    interaction = await stage.draw("a red fox", **OPTIONS)
    message = await stage.says(interaction, "**No picture**")
    assert words in message.content.partition("\n")[0]
    assert "a red fox" in message.content
    assert not message.buttons()
    assert not message.attachments
    row = await stage.reaches(interaction, "failed")
    assert words in row["sentence"]
    await serves_the_next(stage)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.HTML_502, "can't be reached"),
        (Fault.UNAVAILABLE, "can't be reached"),
        (Fault.TOO_MANY_REQUESTS, "busy with other work"),
        (Fault.UNAUTHORIZED, "refuses the bot's login"),
        (Fault.NO_API, "without its API"),
        (Fault.CLOSE_UNREAD, "connection to the webui broke"),
        (Fault.CLOSE_BEFORE_ANSWER, "connection to the webui broke"),
        (Fault.CLOSE_MID_BODY, "connection to the webui broke"),
        (Fault.HTML_504, "connection to the webui broke"),
        (Fault.HTML_524, "connection to the webui broke"),
    ],
)
async def test_the_job_waits_says_so_and_is_drawn_after(stage: Stage, fault: Fault, words: str) -> None:
    await stage.restart()  # a bot that has not yet seen this webui fail asks again at once
    stage.webui.fault(fault)
    interaction = await stage.draw("a red fox", **OPTIONS)
    message = await stage.delivered(interaction)
    waited = [edit.content for edit in message.edits if edit.content.startswith("**Waiting**")]
    assert any(words in content for content in waited)
    stage.arrived_once(interaction)
    await serves_the_next(stage)


@pytest.mark.parametrize("fault", [Fault.CLOSE_UNREAD, Fault.CLOSE_BEFORE_ANSWER, Fault.CLOSE_MID_BODY])
async def test_the_third_broken_connection_ends_the_job(stage: Stage, fault: Fault) -> None:
    stage.webui.fault(fault, times=3)
    requests = stage.webui.count("/sdapi/v1/txt2img")
    interaction = await stage.draw("a red fox", **OPTIONS)
    message = await stage.says(interaction, "**No picture**")
    assert "broke 3 times" in message.content
    assert stage.webui.count("/sdapi/v1/txt2img") == requests + 3
    await serves_the_next(stage)


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.TRICKLE])
async def test_the_picture_arrives_from_a_webui_that_is(stage: Stage, fault: Fault) -> None:
    stage.webui.fault(fault, amount=0.5)
    interaction = await stage.draw("a red fox", **OPTIONS)
    await stage.delivered(interaction)
    stage.arrived_once(interaction)
    assert len([request for request in stage.webui.requests if interaction_id(request.body) == interaction.id]) == 1


def interaction_id(body: Any) -> int:
    """Which job a request belongs to; 0 for others."""
    task = body.get("force_task_id", "") if isinstance(body, dict) else ""
    return int(task.split("-")[1]) if task.startswith("easel-") else 0


@pytest.mark.parametrize("fault", [Fault.INFO_EMPTY, Fault.INFO_NOT_JSON, Fault.INFO_MISSING, Fault.NO_METADATA])
async def test_the_infotext_is_in_the_picture_also_after(stage: Stage, fault: Fault) -> None:
    stage.webui.fault(fault)
    message = await stage.drawn("a red fox", **OPTIONS)
    assert infotext_of(message.attachments[0].data) == stage.webui.renders[-1].infotexts[0]
    assert "seed 40" in message.content
    assert "128×64" in message.content


@pytest.mark.parametrize("fault", [Fault.INFO_EMPTY, Fault.INFO_NOT_JSON, Fault.INFO_MISSING])
async def test_an_infotext_is_written_from_the_request_where_the_webui_gives_none(stage: Stage, fault: Fault) -> None:
    stage.webui.options.set("enable_pnginfo", False)
    stage.webui.fault(fault)
    try:
        message = await stage.drawn("a red fox", negative_prompt="snow", **OPTIONS)
    finally:
        stage.webui.options.set("enable_pnginfo", True)
    first, second, last = infotext_of(message.attachments[0].data).split("\n")
    assert (first, second) == ("a red fox", "Negative prompt: snow")
    for pair in ("Steps: 2", "Seed: 40", "Size: 128x64", "Version: Easel"):
        assert pair in last


@pytest.mark.parametrize(("fault", "extension"), [(Fault.JPEG, "jpg"), (Fault.WEBP, "webp")])
async def test_other_formats_are_named_for_what_they_are_and_keep_their_exif(
    stage: Stage, fault: Fault, extension: str
) -> None:
    stage.webui.fault(fault)
    message = await stage.drawn("a red fox", **OPTIONS)
    (picture,) = message.attachments
    assert picture.filename.endswith(f"-1.{extension}")
    assert infotext_of(picture.data) == stage.webui.renders[-1].infotexts[0]


async def test_a_black_picture_is_shown_and_said_to_be_one(stage: Stage) -> None:
    stage.webui.fault(Fault.BLACK_IMAGE)
    message = await stage.drawn("a red fox", **OPTIONS)
    assert "one colour all over" in message.content


async def test_a_picture_that_fails_is_the_last_one_and_the_others_are_shown(stage: Stage) -> None:
    stage.webui.hold(1)
    interaction = await stage.draw("a red fox", count=4, **OPTIONS)
    await stage.webui.until(lambda: stage.webui.step == 1)
    stage.webui.fault(Fault.OUT_OF_MEMORY)  # the second one
    stage.webui.release()
    await stage.reaches(interaction, "done")
    (message,) = stage.carriers(interaction)
    states = {part["number"]: part["state"] for part in stage.parts(interaction)}
    assert (states[0], states[1]) == ("shown", "failed")
    assert [state for number, state in states.items() if number > 1] in ([], ["shown"])  # it was begun meanwhile
    assert len(message.attachments) == list(states.values()).count("shown")
    assert message.content.startswith(f"**{len(message.attachments)} of 4 pictures** · The webui ran out of memory")
    assert not cancels(message)
    await serves_the_next(stage)


async def test_a_grid_is_no_picture(stage: Stage) -> None:
    stage.webui.fault(Fault.GRID_FIRST)
    interaction = await stage.draw("a red fox", count=2, **OPTIONS)
    message = await stage.delivered(interaction, 2)
    await stage.reaches(interaction, "done")
    sizes = [Image.open(io.BytesIO(one.data)).size for one in message.attachments]
    assert sizes == [(128, 64), (128, 64)]
    assert "seed 40–41" in message.content


async def test_another_checkpoint_than_asked_for_is_said(stage: Stage) -> None:
    stage.webui.fault(Fault.WRONG_CHECKPOINT)
    message = await stage.drawn("a red fox", checkpoint="paperCutout_v12", **OPTIONS)
    assert 'instead of "paperCutout_v12"' in message.content.replace("\\", "")


async def test_a_picture_over_ten_mebibytes_is_made_smaller_and_says_so(stage: Stage) -> None:
    stage.webui.fault(Fault.HUGE_PNG)
    interaction = await stage.draw("a red fox", size="64x64", steps=2, seed=40)
    message = await stage.delivered(interaction)
    (picture,) = message.attachments
    assert not picture.filename.endswith(".png")
    assert picture.size <= PNG_LIMIT
    assert infotext_of(picture.data) == stage.webui.renders[-1].infotexts[0]
    assert "-# " in message.content.rpartition("\n")[2]
    assert stage.row(interaction)["delivered_to"] in (None, "reply")


async def test_nothing_a_webui_says_reaches_a_person_but_everything_the_log(stage: Stage) -> None:
    stage.webui.fault(Fault.LEAKY_ERROR)
    interaction = await stage.draw("a red fox", **OPTIONS)
    await stage.says(interaction, "**No picture**")
    told = [event for event in stage.bot.events() if event.get("job") == str(interaction.id)]
    assert any("gpu-box" in str(event) for event in told)
