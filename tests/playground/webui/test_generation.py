"""What is drawn: seeds, counts, sizes, samplers, checkpoints, options, and what the infotext says about it."""

import hashlib
import io

import pytest
from PIL import ExifTags, Image

from playground.webui import LocalWebui
from tests.playground.webui.conftest import SMALL, Client


async def test_each_picture_has_the_next_seed(client: Client) -> None:
    reply = await client.draw(seed=1234, n_iter=2, batch_size=2)
    assert len(reply.files()) == 4
    assert reply.info()["all_seeds"] == [1234, 1235, 1236, 1237]
    texts = zip(range(1234, 1238), reply.info()["infotexts"], strict=True)
    assert all(f"Seed: {seed}," in text for seed, text in texts)


async def test_a_variation_keeps_the_seed_and_counts_the_subseed(client: Client) -> None:
    reply = await client.draw(seed=5, subseed=100, subseed_strength=0.3, n_iter=2)
    assert reply.info()["all_seeds"] == [5, 5]
    assert reply.info()["all_subseeds"] == [100, 101]
    assert "Variation seed: 101, Variation seed strength: 0.3" in reply.info()["infotexts"][1]
    first, second = reply.files()
    assert first != second


async def test_a_random_seed_is_said_in_info_and_not_in_parameters(client: Client) -> None:
    reply = await client.draw(seed=-1)
    assert reply.json()["parameters"]["seed"] == -1
    assert reply.info()["seed"] >= 0


async def test_the_infotext_is_written_by_the_grammar(client: Client) -> None:
    reply = await client.draw(prompt="a fox", negative_prompt="blurry", sampler_name="Euler a", cfg_scale=6.5)
    info = reply.info()
    assert info["infotexts"] == [
        "a fox\nNegative prompt: blurry\nSteps: 2, Sampler: Euler a, Schedule type: Automatic, CFG scale: 6.5, "
        f"Seed: 7, Size: 64x64, Model hash: {info['sd_model_hash']}, Model: dreamLandscapes_v4, Version: v1.10.1"
    ]
    assert info["extra_generation_params"] == {}


async def test_values_with_commas_or_colons_are_quoted(client: Client) -> None:
    text = (await client.draw(prompt="fox <lora:inkwash:0.8> <lora:add_detail:1> <lora:unknown:1>")).info()[
        "infotexts"
    ][0]
    assert ', Lora hashes: "inkwash: ' in text
    assert "unknown: " not in text


@pytest.mark.parametrize("prompt", ["plain ascii", 'лиса 🦊 \n second line, "quoted": yes'])
@pytest.mark.parametrize("cheap", [True, False])
async def test_pillow_reads_the_infotext_from_the_png(prompt: str, cheap: bool) -> None:
    async with LocalWebui(seconds_per_step=0, cheap_pictures=cheap) as webui:
        reply = await Client(webui).draw(prompt=prompt)
    (picture,) = reply.pictures()
    assert picture.format == "PNG"
    assert picture.info["parameters"] == reply.info()["infotexts"][0]
    assert (b"tEXtparameters" in reply.files()[0]) == prompt.isascii()
    assert (b"iTXtparameters" in reply.files()[0]) != prompt.isascii()


@pytest.mark.parametrize(("samples_format", "pillow"), [("jpg", "JPEG"), ("webp", "WEBP")])
async def test_other_formats_carry_the_infotext_in_exif(samples_format: str, pillow: str) -> None:
    async with LocalWebui(seconds_per_step=0, cheap_pictures=True, samples_format=samples_format) as webui:
        reply = await Client(webui).draw(prompt="лиса")
    (picture,) = reply.pictures()
    comment = picture.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert picture.format == pillow
    assert comment == b"UNICODE\0" + reply.info()["infotexts"][0].encode("utf-16-be")


@pytest.mark.parametrize(
    ("asked", "scheduler", "sampler", "schedule"),
    [
        ("NoSuchSampler", None, "DPM++ 2M", "Karras"),
        ("DPM++ 2M Karras", None, "DPM++ 2M", "Karras"),
        ("DPM++ 2M SDE Heun Exponential", None, "DPM++ 2M SDE Heun", "Exponential"),
        ("Euler a", "karras", "Euler a", "Karras"),
        ("Euler a", "NoSuchScheduler", "Euler a", "Automatic"),
        ("DPM++ 2M", "SGM Uniform", "DPM++ 2M", "SGM Uniform"),
        (None, None, "Euler", "Automatic"),
    ],
)
async def test_unknown_names_fall_back_and_old_names_are_split(
    client: Client, asked: str | None, scheduler: str | None, sampler: str, schedule: str
) -> None:
    reply = await client.draw(sampler_name=asked, scheduler=scheduler)
    assert reply.json()["parameters"]["sampler_name"] == asked
    assert reply.info()["sampler_name"] == sampler
    assert f"Sampler: {sampler}, Schedule type: {schedule}," in reply.info()["infotexts"][0]


async def test_sizes_are_cut_to_multiples_of_8_while_info_says_what_was_asked(client: Client) -> None:
    reply = await client.draw(width=72, height=100)
    assert reply.pictures()[0].size == (72, 96)
    assert (reply.info()["width"], reply.info()["height"]) == (72, 100)


async def test_hires_fix_enlarges_and_says_so(client: Client) -> None:
    reply = await client.draw(enable_hr=True, hr_scale=2, hr_upscaler="Latent", hr_second_pass_steps=1)
    assert reply.pictures()[0].size == (128, 128)
    text = reply.info()["infotexts"][0]
    assert "Denoising strength: 0.75, Hires upscale: 2.0, Hires steps: 1, Hires upscaler: Latent, Version" in text


async def test_a_grid_comes_first_when_pictures_are_saved(client: Client) -> None:
    reply = await client.draw(n_iter=2, save_images=True)
    assert len(reply.files()) == len(reply.info()["infotexts"]) == 3
    assert reply.info()["index_of_first_image"] == 1


async def test_send_images_false_sends_only_the_info(client: Client) -> None:
    reply = await client.draw(send_images=False)
    assert reply.json()["images"] == []
    assert reply.info()["infotexts"]


async def test_a_checkpoint_is_loaded_for_the_job_and_the_old_one_for_the_next(
    client: Client, webui: LocalWebui
) -> None:
    before = (await client.get("options")).json()["sd_model_checkpoint"]
    reply = await client.draw(override_settings={"sd_model_checkpoint": "paperCutout_v12"})
    assert reply.info()["sd_model_name"] == "paperCutout_v12"
    assert (await client.get("options")).json()["sd_model_checkpoint"] == before
    assert (await client.draw()).info()["sd_model_name"] == "dreamLandscapes_v4"
    assert webui.swaps == ["paperCutout_v12", "dreamLandscapes_v4"]


async def test_a_title_gets_its_hash_when_the_checkpoint_is_first_loaded(client: Client) -> None:
    before = (await client.get("sd-models")).json()[1]
    await client.draw(override_settings={"sd_model_checkpoint": before["title"]})
    after = (await client.get("sd-models")).json()[1]
    assert (before["hash"], before["title"]) == (None, "paperCutout_v12.safetensors")
    assert after["title"] == f"paperCutout_v12.safetensors [{after['hash']}]"


async def test_an_unknown_checkpoint_is_silently_ignored_in_a_job_but_not_in_options(client: Client) -> None:
    reply = await client.draw(override_settings={"sd_model_checkpoint": "no-such-model"})
    assert reply.info()["sd_model_name"] == "dreamLandscapes_v4"
    refused = await client.post("options", {"sd_model_checkpoint": "no-such-model"})
    assert refused.status == 500
    assert refused.json()["errors"] == "model 'no-such-model' not found"


async def test_overrides_are_put_back_and_change_the_format_of_no_reply(client: Client) -> None:
    overrides = {"CLIP_stop_at_last_layers": 2, "samples_format": "jpg"}
    reply = await client.draw(override_settings=overrides)
    assert "Clip skip: 2" in reply.info()["infotexts"][0]
    assert reply.pictures()[0].format == "PNG"
    assert "Clip skip" not in (await client.draw()).info()["infotexts"][0]


async def test_a_leaky_webui_keeps_overrides_until_the_option_was_saved_once() -> None:
    async with LocalWebui(seconds_per_step=0, cheap_pictures=True, leaky_overrides=True) as webui:
        client = Client(webui)
        await client.draw(override_settings={"samples_format": "jpg"})
        assert (await client.draw()).pictures()[0].format == "JPEG"
        assert (await client.post("options", {"samples_format": "png"})).json() is None
        await client.draw(override_settings={"samples_format": "jpg"})
        assert (await client.draw()).pictures()[0].format == "PNG"


async def test_png_info_reads_a_drawn_picture_back(client: Client) -> None:
    drawn = await client.draw(prompt="castle, sunrise", negative_prompt="fog")
    reply = await client.post("png-info", {"image": drawn.json()["images"][0]})
    assert reply.json()["info"] == drawn.info()["infotexts"][0]
    parameters = reply.json()["parameters"]
    assert parameters["Prompt"] == "castle, sunrise"
    assert parameters["Negative prompt"] == "fog"
    assert (parameters["Size-1"], parameters["Seed"], parameters["Clip skip"]) == ("64", "7", "1")
    garbage = await client.post("png-info", {"image": "bm90IGFuIGltYWdl"})
    assert (garbage.status, garbage.json()["detail"]) == (500, "Invalid encoded image")


async def test_img2img_is_made_from_the_init_image() -> None:
    async with LocalWebui(seconds_per_step=0) as webui:
        client = Client(webui)
        init = (await client.draw()).json()["images"][0]
        body = {"prompt": "a red fox", "seed": 7, "steps": 2, "denoising_strength": 0.0, **SMALL}
        same = await client.post("img2img", {**body, "init_images": [f"data:image/png;base64,{init}"]})
        assert same.json()["parameters"]["init_images"] is None
        assert "Denoising strength: 0.0" in same.info()["infotexts"][0]
        assert same.pictures()[0].tobytes() == (await client.draw()).pictures()[0].tobytes()
        assert (await client.post("img2img", body)).json()["detail"] == "Init image not found"
        garbage = await client.post("img2img", {**body, "init_images": ["bm90IGFuIGltYWdl"]})
        assert (garbage.status, garbage.json()["detail"]) == (500, "Invalid encoded image")
        assert webui.waiting == []


async def test_extras_enlarge_and_keep_the_infotext(client: Client) -> None:
    drawn = await client.draw()
    body = {"image": drawn.json()["images"][0], "upscaling_resize": 2, "upscaler_1": "Lanczos"}
    reply = await client.post("extra-single-image", body)
    note = "Postprocess upscale by: 2.0, Postprocess upscaler: Lanczos"
    assert reply.json()["html_info"] == f"<p>{note}</p>"
    body["image"] = reply.json()["image"]
    info = (await client.post("png-info", {"image": body["image"]})).json()
    assert info["info"] == drawn.info()["infotexts"][0]
    assert info["items"] == {"postprocessing": note}
    unknown = await client.post("extra-single-image", {**body, "upscaler_1": "Nope"})
    assert unknown.json()["errors"] == "could not find upscaler named Nope"


async def test_interrogate_describes_and_refuses_unknown_models(client: Client) -> None:
    image = (await client.draw(prompt="a lighthouse")).json()["images"][0]
    assert (await client.post("interrogate", {"image": image})).json()["caption"].startswith("a lighthouse")
    assert (await client.post("interrogate", {"image": image, "model": "x"})).status == 404


async def test_the_memory_knows_every_render_and_its_file(client: Client, webui: LocalWebui) -> None:
    reply = await client.draw(force_task_id="mine")
    (render,) = webui.renders
    assert (render.state, render.seed, render.task_id) == ("done", 7, "mine")
    assert render.digests == [hashlib.sha256(file).hexdigest() for file in reply.files()]
    assert render.finished is not None
    assert webui.requests[0].body["prompt"] == "a red fox"


async def test_a_picture_is_a_real_one_of_the_asked_size() -> None:
    async with LocalWebui(seconds_per_step=0) as webui:
        (file,) = (await Client(webui).draw(width=256, height=192)).files()
    with Image.open(io.BytesIO(file)) as picture:
        picture.load()
        assert picture.size == (256, 192)
        assert picture.getcolors(1000) is None
