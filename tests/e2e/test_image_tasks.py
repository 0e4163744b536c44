"""`/upscale` and `/describe` through the real bot: what people see, what webuis are sent, and what a crash changes."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground.discord import Interaction, Message
from playground.webui import Fault, LocalKobold, LocalSdCpp, LocalSdNext, LocalWebui
from playground.webui.a1111 import A1111
from playground.webui.dialect import Answer, Call, json_answer
from tests.buttons import cancels
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import Stage
from tests.e2e.test_crash_points import give_order, survive

CRASHING = ROOT / "tests" / "e2e" / "crashing_bot.py"
EXTRAS = "/sdapi/v1/extra-single-image"
INTERROGATE = "/sdapi/v1/interrogate"
AT_WORK = ("assigned", "started", "sending", "rendered", "kept", "drawn", "delivering", "delivered", "done")
QUICK: dict[str, Any] = {"seconds_per_step": 0.002, "cheap_pictures": True}
BACKTICKS = "```"


def picture(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, "PNG")
    return file.getvalue()


async def asked(stage: Stage, command: str, image: bytes | None = None, **options: Any) -> Interaction:
    return await stage.discord.slash(stage.ada, command, files={"image": image or picture()}, **options)


async def described(stage: Stage, **options: Any) -> tuple[Interaction, Message]:
    """Send `/describe` and wait for its words."""
    interaction = await asked(stage, "describe", **options)
    message = await stage.says(interaction, BACKTICKS)
    await stage.reaches(interaction, "done")
    return interaction, message


async def refusal(stage: Stage, command: str, **options: Any) -> str:
    """Send a command that must not become a job; the sentence that only its sender sees."""
    interaction = await asked(stage, command, **options)

    def told() -> Message | None:
        return next((one for one in interaction.messages if one.ephemeral and one.content), None)

    message = await stage.discord.until(told, what=f"a refusal of {interaction.id}")
    assert stage.row(interaction) == {}
    return message.content


def posted(webui: LocalWebui, path: str) -> list[dict[str, Any]]:
    return [one.body for one in webui.requests if one.path == path and one.method == "POST"]


async def test_an_upscale_arrives_once_and_says_what_it_is(new_stage: OpenStage) -> None:
    stage = await new_stage()
    interaction = await asked(stage, "upscale", factor=3.0, gfpgan=0.5)
    message = await stage.delivered(interaction)
    row = await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    (body,) = posted(stage.webui, EXTRAS)
    sent = {key: value for key, value in body.items() if key != "image"}
    assert sent == {"resize_mode": 0, "upscaling_resize": 3.0, "upscaler_1": "R-ESRGAN 4x+", "gfpgan_visibility": 0.5}
    with Image.open(io.BytesIO(message.attachments[0].data)) as shown:
        assert shown.size == (192, 144)
        assert "Postprocess upscaler: R-ESRGAN 4x+" in shown.info["parameters"]
    assert "64×48 → 192×144" in message.content
    assert "`R-ESRGAN 4x+`" in message.content
    assert "seed" not in message.content
    assert not cancels(message)
    assert row["pictures"] == 1

    sized = await asked(stage, "upscale", size="128x128", upscaler="lanczos", upscaler_2="Nearest")
    message = await stage.delivered(sized)
    body = posted(stage.webui, EXTRAS)[-1]
    assert (body["resize_mode"], body["upscaling_resize_w"], body["upscaling_resize_h"]) == (1, 128, 128)
    assert (body["upscaler_1"], body["upscaler_2"]) == ("Lanczos", "Nearest")
    with Image.open(io.BytesIO(message.attachments[0].data)) as shown:
        assert shown.size == (128, 128)


async def test_what_can_not_be_enlarged_is_refused_with_a_sentence(new_stage: OpenStage) -> None:
    stage = await new_stage()
    for options, words in (
        ({"factor": 2.0, "size": "128x128"}, "a factor or a size"),
        ({"size": "banana"}, "not a size I understand"),
        ({"upscaler": "None"}, "no upscaler called"),
        ({"upscaler": "R-ESGRAN 4x"}, "R-ESRGAN 4x+"),
        ({"upscaler": "@everyone"}, "no upscaler called"),
        ({"upscaler_2_visibility": 0.5}, "choose that, too"),
        ({"size": "9000x9000"}, "at most 8192 pixels a side"),
        ({"image": b"no image at all", "factor": 2.0}, "no image that is taken here"),
    ):
        assert words in (await refusal(stage, "upscale", **options)).replace("\\", "")
    assert posted(stage.webui, EXTRAS) == []
    offers = await stage.discord.autocomplete(stage.ada, "upscale", "upscaler", "esrgan")
    assert "R-ESRGAN 4x+" in [offer.value for offer in offers]
    offers = await stage.discord.autocomplete(stage.ada, "upscale", "upscaler_2", "laten")
    assert offers == []


async def test_failures_are_told_and_the_next_one_is_served(new_stage: OpenStage) -> None:
    stage = await new_stage()
    stage.webui.fault(Fault.HTML_200, route=EXTRAS)
    interaction = await asked(stage, "upscale")
    message = await stage.says(interaction, "could not be read as a picture")
    assert "**No picture**" in message.content
    assert "64×48 → 128×96" in message.content
    stage.webui.fault(Fault.TRUNCATED_JSON, route=INTERROGATE)
    interaction = await asked(stage, "describe")
    await stage.says(interaction, "**No description**")
    await stage.reaches(interaction, "failed")
    await stage.delivered(await asked(stage, "upscale"))


async def test_they_wait_in_the_queue_and_can_be_cancelled(new_stage: OpenStage) -> None:
    stage = await new_stage()
    stage.webui.fault(Fault.HANG, route=EXTRAS)
    working = await asked(stage, "upscale", factor=4.0)
    await stage.webui.until(lambda: stage.webui.hanging)
    waiting = await asked(stage, "describe")
    reply = await stage.says(waiting, "Next in line")
    page = await stage.answered(await stage.discord.slash(stage.ada, "queue"))
    assert "being drawn · Upscale your image ×4" in page.content
    assert "Describe your image" in page.content
    await stage.presses_cancel(reply)
    await stage.says(waiting, "Cancelled before it was begun.")
    await stage.discord.slash(stage.ada, "queue", cancel=str(working.id))
    await stage.says(working, "Cancelled while it was being drawn.")
    stage.webui.unhang()
    await stage.delivered(await asked(stage, "upscale"))
    assert stage.uploads(working) == []
    assert stage.webui.interrupts == []
    assert posted(stage.webui, INTERROGATE) == []


async def test_a_description_is_the_message_s_words(new_stage: OpenStage) -> None:
    stage = await new_stage()
    interaction, message = await described(stage, model="clip")
    assert "a picture, digital art, trending on artstation" in message.content
    assert "with CLIP" in message.content
    assert message.attachments == []
    assert not cancels(message)
    assert posted(stage.webui, INTERROGATE)[0]["model"] == "clip"
    assert stage.carriers(interaction) == []
    _, message = await described(stage, model="deepdanbooru", private=True)
    assert message.ephemeral
    assert posted(stage.webui, INTERROGATE)[1]["model"] == "deepdanbooru"
    assert "no captioning model" in await refusal(stage, "describe", model="caption")


class Talkative(A1111):
    """Finds many words, and such as would ring if they were let."""

    words = "@everyone <@80351110224678912> ``` [a](https://evil.example) " + "tag, " * 2000 + "the end"

    async def interrogate(self, _: Call) -> Answer:
        """`POST /interrogate`."""
        async with self.machine.job("interrogate"):
            return json_answer({"caption": self.words})


class TalkativeWebui(LocalWebui):
    dialect = Talkative


async def test_many_words_are_in_a_file_too_and_ring_for_nobody(new_stage: OpenStage) -> None:
    stage = await new_stage(TalkativeWebui(**QUICK))
    interaction, message = await described(stage)
    (file,) = message.attachments
    assert file.filename == f"easel-{interaction.id}-1.txt"
    assert file.data.decode() == Talkative.words
    assert message.content.count(BACKTICKS) == 2
    assert not message.pinged
    stage.arrived_once(interaction)


@pytest.mark.parametrize("late", [False, True])
async def test_words_find_their_way_when_the_token_is_over(new_stage: OpenStage, late: bool) -> None:
    stage = await new_stage()
    stage.webui.fault(Fault.HANG, route=INTERROGATE)
    interaction = await asked(stage, "describe", private=late)
    await stage.webui.until(lambda: stage.webui.hanging)
    interaction.expire()
    stage.webui.unhang()
    row = await stage.reaches(interaction, "done")
    assert row["delivered_to"] == ("dm" if late else "channel")
    place = stage.ada.dm if late else interaction.channel
    found = [message for message in stage.discord.messages(place) if "a picture, digital art" in message.content]
    assert len(found) == 1


async def test_sd_next_has_captions_of_its_own(new_stage: OpenStage) -> None:
    stage = await new_stage(LocalSdNext(**QUICK))
    await described(stage)
    assert [body["backend"] for body in posted(stage.webui, "/sdapi/v1/caption")] == ["vlm"]
    interaction = await asked(stage, "upscale", upscaler="Lanczos")
    await stage.delivered(interaction)
    body = posted(stage.webui, EXTRAS)[0]
    assert body.keys() == {"image", "resize_mode", "upscaling_resize", "upscaler_1"}
    assert "no GFPGAN" in await refusal(stage, "upscale", gfpgan=1.0)


async def test_koboldcpp_enlarges_with_what_it_has(new_stage: OpenStage) -> None:
    stage = await new_stage(LocalKobold(**QUICK, esrgan=True))
    interaction = await asked(stage, "upscale", factor=8.0)
    message = await stage.delivered(interaction)
    assert posted(stage.webui, EXTRAS)[0].keys() == {"image", "upscaling_resize"}
    assert "The picture is 256x192 instead of 512x384." in message.content
    assert "only by a factor" in await refusal(stage, "upscale", size="128x128")
    assert "no way to describe an image" in await refusal(stage, "describe")


async def test_a_webui_that_only_draws_is_asked_for_nothing_else(new_stage: OpenStage) -> None:
    stage = await new_stage(LocalSdCpp(**QUICK))
    assert "This server's webui has no upscaler." in await refusal(stage, "upscale")
    assert "no way to describe an image" in await refusal(stage, "describe")


@pytest.mark.parametrize("first", ["upscale", "describe"])
async def test_each_arrives_once_though_the_bot_dies_at_any_point(
    new_stage: OpenStage, tmp_path: Path, first: str
) -> None:
    commands = itertools.cycle(("upscale", "describe") if first == "upscale" else ("describe", "upscale"))
    stage = await new_stage(cheap_webui(), entry=CRASHING, CRASH_AT=str(tmp_path / "point"))
    for point, command in zip(AT_WORK, commands, strict=False):
        messages = len(stage.discord.messages())
        give_order(stage, point)
        interaction = await asked(stage, command)
        await survive(stage)
        row = await stage.reaches(interaction, "done", 30)
        assert (point, row["delivered_to"]) == (point, "reply")
        assert len(stage.discord.messages()) == messages + 1
        if command == "upscale":
            stage.arrived_once(interaction)
        else:
            assert interaction.response is not None
            assert interaction.response.content.count("a picture, digital art") == 1
