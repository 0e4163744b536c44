"""Everything that `/draw` can be told, through a real Discord client to the payload that arrives at the webui."""

from __future__ import annotations

import asyncio
import base64
import copy
import io
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from playground.discord import Interaction, Message
from tests.core.images.pictures import as_png, noise
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKPOINTS = ("dreamLandscapes_v4.safetensors", "paperCutout_v12.safetensors")
LORAS = ("inkwash", "add_detail", "pixel_art", *(f"style_{number:03}" for number in range(60)))
WEBUI = {
    "seconds_per_step": 0.002,
    "cheap_pictures": True,
    "adetailer": True,
    "checkpoints": CHECKPOINTS,
    "loras": LORAS,
}
SMALL: dict[str, Any] = {"size": "64x64", "steps": 2}
TAIL = {"send_images": True, "save_images": False, "override_settings_restore_afterwards": True}
IMAGE = as_png(noise(64, 96))
MASK = as_png(Image.linear_gradient("L").resize((64, 96)))


def see_through() -> bytes:
    """An image whose left half isn't there."""
    image = noise(64, 96, "RGBA")
    image.putalpha(Image.new("L", (64, 96), 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 96))
    return as_png(image)


def sent(stage: Stage) -> dict[str, Any]:
    """The last payload as it arrived, but for the task's id."""
    payload = copy.deepcopy(dict(stage.webui.renders[-1].sent))
    assert payload.pop("force_task_id") == stage.webui.renders[-1].task_id
    return payload


def decoded(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def in_public(stage: Stage, interaction: Interaction) -> list[Message]:
    """What others see of this command in the channel."""
    own = {message.id for message in interaction.messages}
    eve = stage.discord.member("eve")
    return [one for one in stage.discord.messages() if one.id in own and one.visible_to(eve)]


def inputs(stage: Stage) -> int:
    """How many images that were sent in are kept."""
    with closing(sqlite3.connect(f"file:{stage.bot.data_dir / 'easel.db'}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM inputs").fetchone()[0])


async def refused_after_image(stage: Stage, **options: Any) -> tuple[Interaction, Message]:
    """A command with an image that can't be carried out, and the sentence about it."""
    interaction = await stage.draw(**options)
    return interaction, await sentence(stage, interaction)


async def sentence(stage: Stage, interaction: Interaction) -> Message:
    """What the bot says after it put its answer off: in its place, or once that is deleted."""
    return await stage.discord.until(
        lambda: next((said for said in interaction.messages if not (said.thinking or said.deleted)), None),
        what=f"a sentence for {interaction.id}",
    )


# Payloads


EVERYTHING: dict[str, Any] = {
    "prompt": "a red fox <lora:add_detail:0.6>",
    "negative_prompt": "snow",
    "checkpoint": "papercutout",
    "size": "128x128",
    "steps": 4,
    "cfg_scale": 5.5,
    "sampler": "euler a",
    "scheduler": "karras",
    "seed": 11,
    "clip_skip": 2,
    "styles": "Watercolour",
    "loras": "inkwash:0.8, PIXEL_ART",
    "vae": "vae-ft-mse-840000-ema-pruned",
    "hires": 1.5,
    "hires_upscaler": "r-esrgan 4x+",
    "face_fix": True,
    "extra": 'hires_steps:3 hires_denoise:0.4 hires_sampler:"DPM++ 2M" hires_scheduler:Karras tiling:yes '
    "refiner:dreamLandscapes_v4 refiner_at:0.8 subseed:7 subseed_strength:0.2 eta:0.5",
}
EVERYTHING_SENT = {
    "prompt": "<lora:inkwash:0.8> <lora:pixel_art:1> a red fox <lora:add_detail:0.6>",
    "negative_prompt": "snow",
    "styles": ["watercolour"],
    "seed": 11,
    "subseed": 7,
    "subseed_strength": 0.2,
    "width": 128,
    "height": 128,
    "steps": 4,
    "cfg_scale": 5.5,
    "sampler_name": "Euler a",
    "scheduler": "Karras",
    "eta": 0.5,
    "tiling": True,
    "refiner_switch_at": 0.8,
    "enable_hr": True,
    "hr_additional_modules": ["Use same choices"],
    "hr_cfg": 5.5,
    "hr_scale": 1.5,
    "hr_upscaler": "R-ESRGAN 4x+",
    "hr_second_pass_steps": 3,
    "hr_sampler_name": "DPM++ 2M",
    "hr_scheduler": "Karras",
    "denoising_strength": 0.4,
    "alwayson_scripts": {"adetailer": {"args": [True, False, {"ad_model": "face_yolov8n.pt"}]}},
    "override_settings": {
        "sd_vae": "vae-ft-mse-840000-ema-pruned.safetensors",
        "CLIP_stop_at_last_layers": 2,
    },
    **TAIL,
}


async def test_everything_at_once_arrives_exactly_as_it_was_said(stage: Stage) -> None:
    message = await stage.drawn(**EVERYTHING)
    payload = sent(stage)
    checkpoints = payload.pop("refiner_checkpoint"), payload["override_settings"].pop("sd_model_checkpoint")
    # A webui adds the hash to a title once it has loaded the file.
    assert tuple(name.partition(" [")[0] for name in checkpoints) == CHECKPOINTS
    assert payload == EVERYTHING_SENT
    assert sorted(stage.webui.renders[-1].loras) == ["add_detail", "inkwash", "pixel_art"]
    for words in ("192×192", "hires ×1.5", "LoRA `inkwash 0.8`", "style `Watercolour`", "faces fixed"):
        assert words in message.content
    assert "instead of" not in message.content


async def test_an_image_with_a_mask_and_its_settings_arrives_exactly_as_it_was_said(stage: Stage) -> None:
    drawn = stage.webui.count("/sdapi/v1/img2img")
    message = await stage.drawn(
        "a red fox",
        size="128x192",
        steps=3,
        seed=5,
        image=IMAGE,
        mask=MASK,
        denoising_strength=0.6,
        extra="resize:crop area:masked padding:16 masked:noise mask_blur:2 mask_invert:yes",
    )
    payload = sent(stage)
    (image,), mask = payload.pop("init_images"), payload.pop("mask")
    assert payload == {
        "prompt": "a red fox",
        "seed": 5,
        "width": 128,
        "height": 192,
        "steps": 3,
        "denoising_strength": 0.6,
        "resize_mode": 1,
        "mask_blur": 2,
        "inpaint_full_res": True,
        "inpaint_full_res_padding": 16,
        "inpainting_fill": 2,
        "inpainting_mask_invert": 1,
        "override_settings": {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"},
        **TAIL,
    }
    assert decoded(image).tobytes() == noise(64, 96).tobytes()
    assert (decoded(mask).mode, decoded(mask).size) == ("L", (64, 96))
    assert stage.webui.count("/sdapi/v1/img2img") > drawn
    assert "over a part of your image at 0.6" in message.content


async def test_where_an_image_is_transparent_it_is_drawn_anew(stage: Stage) -> None:
    message = await stage.drawn("a red fox", steps=2, image=see_through())
    payload = sent(stage)
    mask = decoded(payload["mask"])
    assert mask.size == (64, 96)
    assert (mask.getpixel((5, 50)), mask.getpixel((60, 50))) == (255, 0)
    assert (payload["width"], payload["height"]) == (64, 96)
    assert (payload["inpainting_fill"], payload["inpaint_full_res"]) == (1, False)
    assert "over a part of your image" in message.content


async def test_an_opaque_image_has_no_mask_and_gives_its_size(stage: Stage) -> None:
    await stage.drawn("a red fox", steps=2, image=IMAGE)
    payload = sent(stage)
    assert "mask" not in payload
    assert (payload["width"], payload["height"]) == (64, 96)


async def test_several_pictures_over_one_image_draw_their_own_choices(stage: Stage) -> None:
    before = len(stage.webui.renders)
    interaction = await stage.draw("a {red|blue|green|amber} fox", seed=3, count=4, image=IMAGE, **SMALL)
    await stage.delivered(interaction, 4)
    stage.arrived_once(interaction, 4)
    renders = stage.webui.renders[before:]
    assert len({render.sent["prompt"] for render in renders}) > 1
    assert not any("{" in render.sent["prompt"] for render in renders)
    assert len({tuple(render.sent["init_images"]) for render in renders}) == 1


async def test_what_has_no_effect_is_left_out_and_said(stage: Stage) -> None:
    message = await stage.drawn("a red fox", image=IMAGE, hires=2.0, extra="mask_blur:4", **SMALL)
    assert "hires ×2" not in message.content
    assert "no second pass" in message.content
    assert "there is no mask" in message.content
    assert not {"hr_scale", "enable_hr", "mask_blur"} & sent(stage).keys()


# Who sees what


async def test_a_private_picture_over_an_image_stays_private(stage: Stage) -> None:
    interaction = await stage.draw("a red fox", image=IMAGE, private=True, **SMALL)
    message = await stage.delivered(interaction)
    assert message.ephemeral
    assert in_public(stage, interaction) == []
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)


async def test_a_public_one_is_one_message_that_everybody_sees(stage: Stage) -> None:
    interaction = await stage.draw("a red fox", image=IMAGE, **SMALL)
    message = await stage.delivered(interaction)
    assert in_public(stage, interaction) == [message]
    assert interaction.follow_ups == []


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image": b"no picture at all"}, "no image that is taken here"),
        ({"image": IMAGE, "mask": as_png(noise(96, 64, "L"))}, "has another shape"),
        ({"mask": MASK}, "send the image with it"),
        ({"image": IMAGE, "loras": "inkwush"}, "no lora called"),
        ({"image": IMAGE, "extra": "hires_steps:3 nonsense"}, "no key:value"),
    ],
    ids=["no image", "mask", "mask alone", "LoRA", "extra"],
)
async def test_a_refusal_after_an_image_is_for_its_sender_alone(
    stage: Stage, options: dict[str, Any], words: str, private: bool
) -> None:
    jobs = len(stage.rows())
    if "extra" in options:  # refused before the image is looked at
        assert words in (await stage.refused("a secret fox", private=private, **options)).replace("\\", "")
        return
    interaction, answer = await refused_after_image(stage, prompt="a secret fox", private=private, **options)
    assert words in answer.content.replace("\\", "")
    assert "a secret fox" in answer.content
    assert answer.ephemeral
    assert in_public(stage, interaction) == []
    assert not any(message.thinking for message in interaction.messages if not message.deleted)
    assert len(stage.rows()) == jobs


# Deaths


async def test_a_job_over_an_image_survives_the_bot_and_is_drawn_once(stage: Stage) -> None:
    stage.webui.refuse_connections()
    try:
        interaction = await stage.draw("a red fox", image=see_through(), seed=9, denoising_strength=0.5, **SMALL)
        await stage.says(interaction, "seed 9")
        assert stage.row(interaction)["state"] == "queued"
        assert inputs(stage) >= 2
        await stage.kill()
    finally:
        await stage.webui.accept_connections()
    await stage.start()
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    (render,) = [one for one in stage.webui.renders if f"-{interaction.id}-" in one.task_id]
    assert decoded(render.sent["init_images"][0]).size == (64, 96)
    assert decoded(render.sent["mask"]).getpixel((5, 50)) == 255
    assert render.sent["denoising_strength"] == 0.5


async def test_a_job_over_an_image_survives_the_bot_while_it_is_drawn(stage: Stage) -> None:
    stage.webui.hold(1)
    interaction = await stage.draw("a red fox", image=IMAGE, seed=10, **SMALL)
    await stage.webui.until(lambda: stage.webui.running, what="the picture to be begun")
    await stage.kill()
    stage.webui.release()
    await stage.start()
    await stage.delivered(interaction)
    await stage.reaches(interaction, "done")
    stage.arrived_once(interaction)
    images = [one.sent["init_images"] for one in stage.webui.renders if f"-{interaction.id}-" in one.task_id]
    assert all(image == images[0] for image in images)


# Autocomplete


@pytest.mark.parametrize(
    ("option", "typed", "expected"),
    [
        ("loras", "ink", "inkwash"),
        ("loras", "inkwash:0.8, pix", "inkwash:0.8, pixel_art"),
        ("loras", "inkwash:0.8", "inkwash:0.8"),
        ("styles", "water", "watercolour"),
        ("vae", "mse", "vae-ft-mse-840000-ema-pruned.safetensors"),
        ("hires_upscaler", "anime", "R-ESRGAN 4x+ Anime6B"),
        ("extra", "til", "tiling:"),
        ("extra", "tiling:yes are", "tiling:yes area:"),
        ("extra", 'hires_sampler:"dpm++ 2m', 'hires_sampler:"DPM++ 2M"'),
        ("extra", "refiner:paper", "refiner:paperCutout"),
    ],
)
async def test_what_is_being_typed_is_completed(stage: Stage, option: str, typed: str, expected: str) -> None:
    choices = await stage.discord.autocomplete(stage.ada, "draw", option, typed)
    assert str(choices[0].value).replace('"', "").startswith(expected.replace('"', ""))


@pytest.mark.parametrize("typed", ["", "style", "inkwash:1, " * 12, "x" * 6000, "🦊:1,", ":", ",", '"', "a:b:c"])
@pytest.mark.parametrize("option", ["loras", "styles", "vae", "hires_upscaler", "extra"])
async def test_there_are_never_more_choices_than_discord_takes(stage: Stage, option: str, typed: str) -> None:
    choices = await stage.discord.autocomplete(stage.ada, "draw", option, typed)
    assert len(choices) <= 25
    assert all(1 <= len(str(choice.value)) <= 100 for choice in choices)


async def test_what_is_offered_can_be_drawn_with(stage: Stage) -> None:
    (lora, *_) = await stage.discord.autocomplete(stage.ada, "draw", "loras", "inkwash:0.5, style_0")
    (extra, *_) = await stage.discord.autocomplete(stage.ada, "draw", "extra", "tiling:")
    await stage.drawn(loras=str(lora.value), extra=str(extra.value), **SMALL)
    assert stage.webui.renders[-1].loras == ["inkwash", "style_000"]
    assert sent(stage)["tiling"] is True


async def test_a_lora_that_has_come_since_is_found_once_somebody_names_it(stage: Stage) -> None:
    stage.webui.catalog.loras.append("brand_new")
    assert "no lora called" in (await stage.refused(loras="brand_new")).replace("\\", "")
    async with asyncio.timeout(20):
        while True:
            interaction = await stage.draw(loras="brand_new", **SMALL)
            if not (await stage.answered(interaction)).ephemeral:
                break
    await stage.delivered(interaction)
    assert stage.webui.renders[-1].loras == ["brand_new"]


# The bot's own pictures


async def test_the_bot_reads_what_is_in_its_own_picture(stage: Stage) -> None:
    message = await stage.drawn("a red fox in snow", negative_prompt="blurry", seed=77, sampler="Euler a", **SMALL)
    (picture,) = message.attachments
    interaction = await stage.discord.slash(stage.ada, "pnginfo", image=picture.data)
    answer = await stage.says(interaction, "Generation data")
    assert answer.ephemeral
    for words in ("a red fox in snow", "blurry", "77", "Euler a"):
        assert words in answer.content


async def test_the_bot_says_when_there_is_nothing(stage: Stage) -> None:
    interaction = await stage.discord.slash(stage.ada, "pnginfo", image=IMAGE)
    answer = await sentence(stage, interaction)
    assert "no generation data" in answer.content
    assert answer.ephemeral
    assert in_public(stage, interaction) == []
