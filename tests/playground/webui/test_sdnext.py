"""The local SD.Next differs from A1111 where the contract says so: defaults, shapes, errors, hires fix, routes."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import ExifTags, Image

from playground.webui import Checkpoint, Fault, LocalSdNext
from playground.webui.sdnext_fields import SdNextCheckpoint
from tests.playground.webui.conftest import Client, Reply

PNG = {"samples_format": "png"}
INFO_KEYS = [
    *("prompt", "all_prompts", "negative_prompt", "all_negative_prompts", "seed", "all_seeds", "subseed"),
    *("all_subseeds", "subseed_strength", "width", "height", "sampler_name", "cfg_scale", "steps", "batch_size"),
    *("detailer", "detailer_model", "seed_resize_from_w", "seed_resize_from_h", "sd_model_hash"),
    *("denoising_strength", "extra_generation_params", "index_of_first_image", "infotexts", "styles"),
    *("job_timestamp", "clip_skip"),
]


@pytest.fixture
async def webui() -> AsyncIterator[LocalSdNext]:
    """A quick one that draws nothing and writes PNGs."""
    async with LocalSdNext(seconds_per_step=0.0, cheap_pictures=True, options=PNG) as running:
        yield running


@pytest.fixture
def client(webui: LocalSdNext) -> Client:
    """A client for it."""
    return Client(webui)


def picture(colour: tuple[int, int, int] = (200, 30, 30)) -> str:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def check_error(reply: Reply, status: int, kind: str, text: str) -> None:
    assert reply.status == status
    body = reply.json()
    assert list(body) == ["error", "code", "detail", "body", "errors"]
    assert (body["error"], body["code"]) == (kind, status)
    assert text in body["errors"]


async def test_pictures_are_jpeg_with_the_infotext_in_exif_unless_told_otherwise() -> None:
    async with LocalSdNext(seconds_per_step=0.0) as webui:
        reply = await Client(webui).draw(prompt="лиса")
    (made,) = reply.pictures()
    comment = made.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert made.format == "JPEG"
    assert comment == b"UNICODE\0" + reply.info()["infotexts"][0].encode("utf-16-be")


async def test_what_is_left_out_has_other_defaults_than_elsewhere(client: Client) -> None:
    reply = await client.post("txt2img", {"prompt": "a fox"})
    echo = reply.json()["parameters"]
    assert (echo["width"], echo["height"], echo["steps"], echo["cfg_scale"]) == (1024, 1024, 20, 6.0)
    assert reply.pictures()[0].size == (1024, 1024)
    assert list(reply.info()) == INFO_KEYS


async def test_the_infotext_is_written_in_its_own_dialect(client: Client) -> None:
    reply = await client.draw(sampler_name="euler A", cfg_scale=6.0)
    info = reply.info()
    assert info["infotexts"] == [
        "a red fox\nNegative prompt: \nSteps: 2, Size: 64x64, Sampler: Euler a, "
        "Scheduler: EulerAncestralDiscreteScheduler, Seed: 7, CFG scale: 6.0, App: SD.Next, Version: 1f2e3d4c, "
        "Pipeline: StableDiffusionXLPipeline, Operations: txt2img, Model: dreamLandscapes_v4, "
        f"Model hash: {info['sd_model_hash']}"
    ]
    assert reply.pictures()[0].info["parameters"] == info["infotexts"][0]


async def test_clip_skip_stands_on_top_and_the_option_has_no_effect(client: Client) -> None:
    assert ", CLiP-skip: 2, " in (await client.draw(clip_skip=2)).info()["infotexts"][0]
    option = await client.draw(override_settings={"CLIP_stop_at_last_layers": 2})
    assert "skip" not in option.info()["infotexts"][0]


async def test_styles_leave_the_template_behind_the_negative_prompt(client: Client) -> None:
    text = (await client.draw(styles=["watercolour", "unknown"])).info()["infotexts"][0]
    assert text.startswith("a red fox, watercolour painting, soft edges\nNegative prompt: photo\nTemplate: a red fox\n")


async def test_batches_count_the_seeds(client: Client) -> None:
    info = (await client.draw(n_iter=2, batch_size=2)).info()
    assert info["all_seeds"] == [7, 8, 9, 10]
    varied = await client.draw(subseed=5, subseed_strength=0.5, n_iter=2)
    assert (varied.info()["all_seeds"], varied.info()["all_subseeds"]) == ([7, 7], [5, 6])
    assert varied.files()[0] != varied.files()[1]


@pytest.mark.parametrize("name", ["Nope", "DPM++ 2M Karras", "──────"])
async def test_an_unknown_sampler_is_a_404(client: Client, name: str) -> None:
    check_error(await client.draw(sampler_name=name), 404, "HTTPException", "Sampler not found")


@pytest.mark.parametrize(("name", "found"), [("UNIPC", "UniPC"), ("euler_a", "Euler a"), (None, "Default")])
async def test_samplers_are_found_whatever_their_case(client: Client, name: str | None, found: str) -> None:
    assert (await client.draw(sampler_name=name, scheduler="ignored")).info()["sampler_name"] == found


async def test_a_type_error_is_a_bare_string_and_other_exceptions_have_five_keys(client: Client) -> None:
    reply = await client.draw(steps=None)
    assert reply.status == 500
    assert isinstance(reply.json(), str)
    check_error(await client.get("schedulers"), 500, "ResponseValidationError", "cls")
    wrong: list[tuple[dict[str, Any], str]] = [({"steps": 12.5}, "int_from_float"), ({"prompt": 5}, "string_type")]
    for body, kind in wrong:
        invalid = await client.draw(**body)
        assert (invalid.status, invalid.json()["detail"][0]["type"]) == (422, kind)


async def test_unknown_scripts_are_ignored_or_refused(client: Client) -> None:
    assert (await client.draw(script_name="nope")).status == 200
    refused = await client.draw(alwayson_scripts={"ADetailer": {"args": []}})
    check_error(refused, 422, "HTTPException", "Always on script not found: ADetailer")


async def test_long_arguments_of_scripts_are_not_echoed(client: Client) -> None:
    echo = (await client.draw(script_args=["x" * 2000, "y"])).json()["parameters"]
    assert echo["script_args"] == ["<str 2000>", "y"]


@pytest.mark.parametrize("name", ["interrupt", "skip", "refresh-checkpoints", "refresh-loras", "refresh-vae"])
async def test_actions_answer_204_without_a_body(client: Client, name: str) -> None:
    reply = await client.post(name)
    assert (reply.status, reply.body) == (204, b"")
    assert "Content-Type" not in reply.headers


async def test_unloading_and_loading_again_say_nothing(client: Client) -> None:
    assert [(await client.post(f"{verb}-checkpoint")).status for verb in ("unload", "reload")] == [204, 204]
    assert (await client.draw()).status == 200


async def test_options_say_what_was_taken(client: Client, webui: LocalSdNext) -> None:
    reply = await client.post("options", {"sd_model_checkpoint": "paperCutout_v12", "nope": 1, "jpeg_quality": 70})
    assert reply.json() == {"updated": [{"sd_model_checkpoint": True}, {"nope": False}, {"jpeg_quality": True}]}
    assert webui.swaps == ["paperCutout_v12"]
    unknown = await client.post("options", {"sd_model_checkpoint": "nope"})
    assert (unknown.status, unknown.json()) == (200, {"updated": [{"sd_model_checkpoint": False}]})
    assert (await client.get("options")).json()["sd_model_checkpoint"].startswith("paperCutout_v12 [")


async def test_a_checkpoint_that_does_not_load_is_taken_back() -> None:
    files: list[str | Checkpoint] = ["good.safetensors", SdNextCheckpoint("bad.safetensors", broken=True)]
    async with LocalSdNext(checkpoints=files, seconds_per_step=0.0, cheap_pictures=True) as webui:
        client = Client(webui)
        reply = await client.post("options", {"sd_model_checkpoint": "bad"})
        assert reply.json() == {"updated": [{"sd_model_checkpoint": False}]}
        assert webui.options["sd_model_checkpoint"].startswith("good")
        assert (await client.post("checkpoint?sd_model_checkpoint=bad")).json() == {"ok": False}


async def test_the_checkpoint_route_shows_and_switches(client: Client, webui: LocalSdNext) -> None:
    shown = (await client.get("checkpoint")).json()
    assert shown["name"] == "dreamLandscapes_v4"
    assert (await client.post("checkpoint?sd_model_checkpoint=paperCutout_v12")).json() == {"ok": True}
    assert (await client.post("checkpoint?sd_model_checkpoint=nope")).json() == {"ok": False}
    assert (await client.post("checkpoint")).status == 422
    assert (await client.get("checkpoint")).json()["name"] == "paperCutout_v12"
    assert webui.swaps == ["paperCutout_v12"]


async def test_an_overridden_checkpoint_is_loaded_and_the_old_one_at_once_again(
    client: Client, webui: LocalSdNext
) -> None:
    reply = await client.draw(override_settings={"sd_model_checkpoint": "paperCutout_v12", "nope": 1})
    assert "Model: paperCutout_v12" in reply.info()["infotexts"][0]
    assert webui.swaps == ["paperCutout_v12", "dreamLandscapes_v4"]
    kept = {"sd_model_checkpoint": "paperCutout_v12"}
    await client.draw(override_settings=kept, override_settings_restore_afterwards=False)
    assert webui.swaps[2:] == ["paperCutout_v12"]
    assert "paperCutout_v12" in (await client.draw()).info()["infotexts"][0]


async def test_a_checkpoint_on_top_stays_and_an_unknown_one_gives_the_job_up(
    client: Client, webui: LocalSdNext
) -> None:
    assert "paperCutout_v12" in (await client.draw(sd_model_checkpoint="paperCutout_v12")).info()["infotexts"][0]
    assert "paperCutout_v12" in (await client.draw()).info()["infotexts"][0]
    given_up = await client.draw(sd_model_checkpoint="nope")
    assert (given_up.status, given_up.json()["images"], given_up.json()["info"]) == (200, [], "")
    assert webui.renders[-1].state == "failed"


@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY, Fault.MODEL_NOT_FOUND])
async def test_a_failure_while_drawing_is_a_200_without_pictures(
    client: Client, webui: LocalSdNext, fault: Fault
) -> None:
    webui.fault(fault)
    reply = await client.draw()
    assert (reply.status, reply.json()["images"], reply.json()["info"]) == (200, [], "")
    assert (await client.draw()).files()


async def test_nan_is_a_black_picture(client: Client, webui: LocalSdNext) -> None:
    webui.fault(Fault.NAN)
    assert (await client.draw()).pictures()[0].convert("RGB").getextrema() == ((0, 0),) * 3


async def test_hires_fix_needs_its_own_fields(client: Client) -> None:
    hires = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "ESRGAN_4x"}
    assert (await client.draw(**hires)).pictures()[0].size == (64, 64)
    plain = await client.draw(**hires, hr_resize_mode=1)
    assert plain.pictures()[0].size == (128, 128)
    assert "Hires steps" not in plain.info()["infotexts"][0]
    forced = await client.draw(**hires, hr_resize_mode=1, hr_force=True, denoising_strength=0.6)
    assert "Hires force: True, Hires steps: 2, Hires strength: 0.6" in forced.info()["infotexts"][0]
    own = await client.draw(**hires, hr_resize_mode=1, hr_force=True, hr_denoising_strength=0.4)
    assert "Hires strength: 0.4" in own.info()["infotexts"][0]
    latent = await client.draw(**{**hires, "hr_upscaler": "Latent Nearest"}, hr_resize_mode=1)
    assert "Hires steps: 2" in latent.info()["infotexts"][0]


@pytest.mark.parametrize(
    ("mode", "size", "left", "edge"),
    [
        (0, (128, 64), (200, 30, 30), (30, 200, 30)),  # the image as it is
        (1, (64, 64), (200, 30, 30), (30, 200, 30)),  # stretched
        (2, (64, 64), (30, 200, 30), (30, 200, 30)),  # cut to the shape
        (3, (64, 64), (200, 30, 30), (30, 30, 200)),  # with edges that are filled
    ],
)
async def test_the_modes_of_resizing_have_numbers_of_their_own(
    mode: int, size: tuple[int, int], left: tuple[int, int, int], edge: tuple[int, int, int]
) -> None:
    wide, out = Image.new("RGB", (128, 64), (200, 30, 30)), io.BytesIO()
    wide.paste((30, 200, 30), (32, 0, 96, 64))
    wide.paste((30, 30, 200), (32, 0, 96, 16))
    wide.save(out, "PNG")
    body = {"prompt": "a fox", "steps": 1, "width": 64, "height": 64, "denoising_strength": 0, "resize_mode": mode}
    async with LocalSdNext(seconds_per_step=0.0, options=PNG) as drawing:
        images = [base64.b64encode(out.getvalue()).decode()]
        (made,) = (await Client(drawing).post("img2img", {**body, "init_images": images})).pictures()
    assert (made.size, made.getpixel((2, 40)), made.getpixel((32, 20))) == (size, left, edge)


async def test_img2img_wants_an_init_image_and_fetches_none(client: Client) -> None:
    body = {"prompt": "fox", "steps": 1, "width": 64, "height": 64}
    none = await client.post("img2img", body)
    assert (none.status, none.json()) == (400, {"error": "Init image is none"})
    assert (await client.post("img2img", {**body, "init_images": []})).status == 200
    for image in ("bm90IGFuIGltYWdl", "https://example.com/fox.png"):
        broken = await client.post("img2img", {**body, "init_images": [image]})
        check_error(broken, 500, "HTTPException", "Invalid encoded image")
    check_error(await client.post("img2img", {**body, "init_images": ["upload:1"]}), 400, "HTTPException", "upload:1")
    done = await client.post("img2img", {**body, "init_images": [f"data:image/png;base64,{picture()}"]})
    assert done.json()["parameters"]["init_images"] is None
    assert "Operations: img2img" in done.info()["infotexts"][0]


async def test_only_the_white_of_a_mask_is_painted() -> None:
    async with LocalSdNext(seconds_per_step=0.0, options=PNG) as webui:
        client = Client(webui)
        body = {"prompt": "fox", "steps": 1, "width": 64, "height": 64, "denoising_strength": 1.0}
        body |= {"init_images": [picture()], "mask": picture((0, 0, 0)), "mask_blur": 0}
        kept = await client.post("img2img", body)
        assert kept.pictures()[0].getpixel((5, 5)) == (200, 30, 30)
        assert "Operations: inpaint" in kept.info()["infotexts"][0]


async def test_an_interrupt_leaves_the_small_preview_or_nothing(client: Client, webui: LocalSdNext) -> None:
    for keep, sizes in [(True, [(8, 8)]), (False, [])]:
        webui.options.set("keep_incomplete", keep)
        webui.hold(1)
        job = asyncio.create_task(client.draw(n_iter=3, steps=4))
        await webui.until(lambda: webui.running and webui.step == 1)
        await client.post("interrupt")
        reply = await job
        assert [made.size for made in reply.pictures()] == sizes
        assert (len(reply.info()["all_seeds"]), len(reply.info()["infotexts"])) == (3, len(sizes))
        assert webui.renders[-1].state == "interrupted"


async def test_the_lists_have_its_shapes(client: Client) -> None:
    (model, *_) = (await client.get("sd-models")).json()
    assert set(model) == {"title", "model_name", "filename", "type", "hash", "sha256", "config"}
    assert model["title"].startswith("dreamLandscapes_v4 [")
    assert (await client.get("embeddings")).json() == {"loaded": ["EasyNegative"], "skipped": []}
    assert set((await client.get("samplers")).json()[0]) == {"name", "options"}
    assert (await client.get("face-restorers")).json() == (await client.get("detailers")).json()
    assert set((await client.get("prompt-styles")).json()[0]) == {
        *("name", "prompt", "negative_prompt", "extra", "filename", "preview")
    }
    assert set((await client.get("scripts")).json()) == {"txt2img", "img2img", "control"}
    for name in ("latent-upscale-modes", "hypernetworks", "sd-modules", "realesrgan-models"):
        assert (await client.get(name)).status == 404


async def test_the_probe_finds_its_name_and_its_state(client: Client, webui: LocalSdNext) -> None:
    assert (await client.get("version")).json()["app"] == "sd.next"
    assert (await client.get("status")).json()["status"] == "idle"
    webui.hold(1)
    job = asyncio.create_task(client.draw(steps=4))
    await webui.until(lambda: webui.step == 1)
    progress = (await client.get("progress")).json()
    assert (progress["progress"], progress["state"]["job"]) == (0.25, "API-TXT")
    assert "stopping_generation" not in progress["state"]
    assert progress["id"] == webui.renders[0].task_id
    assert (await client.get("status")).json()["status"] == "running"
    task = await client.ask("POST", "/internal/progress", json={"id_task": "undefined", "live_preview": False})
    assert (task.json()["active"], task.json()["progress"]) == (True, 0.25)
    own = await client.ask("POST", "/internal/progress", json={"id_task": webui.renders[0].task_id})
    assert own.json()["active"] is False
    webui.release()
    await job
    assert (await client.get("progress")).json()["progress"] == 0


async def test_captions_come_from_another_route(client: Client) -> None:
    drawn = (await client.draw(prompt="a lighthouse")).json()["images"][0]
    assert (await client.post("interrogate", {"image": drawn, "model": "clip"})).status == 404
    said = (await client.post("caption", {"backend": "openclip", "image": drawn})).json()
    assert (said["backend"], said["caption"], said["tags"]) == ("openclip", "a lighthouse", None)
    assert (await client.post("caption", {"backend": "tagger", "image": drawn})).json()["tags"] == "a lighthouse"
    assert (await client.post("vqa", {"image": drawn})).json()["answer"] == "a lighthouse"
    assert (await client.post("tagger", {"image": drawn})).json()["tags"] == "a lighthouse"
    check_error(await client.post("caption", {"backend": "vlm", "image": ""}), 404, "HTTPException", "Image not found")
    assert (await client.post("caption", {"backend": "nope", "image": drawn})).status == 422


async def test_upscaling_has_two_names_and_its_own_range(client: Client) -> None:
    body = {"image": picture(), "upscaler_1": "Lanczos", "upscaling_resize": 2}
    for name in ("process", "extra-single-image"):
        reply = await client.post(name, body)
        with Image.open(io.BytesIO(base64.b64decode(reply.json()["image"]))) as image:
            assert image.size == (128, 128)
    assert (await client.post("process", {**body, "upscaling_resize": 9})).status == 422
    assert (await client.post("process", {**body, "upscaler_1": "Nope"})).status == 500


async def test_png_info_reads_its_own_pictures(client: Client) -> None:
    reply = await client.draw()
    said = (await client.post("png-info", {"image": reply.json()["images"][0]})).json()
    assert said["info"] == reply.info()["infotexts"][0]
    assert said["parameters"]["App"] == "SD.Next"
    assert (await client.post("png-info", {"image": " "})).json() == {"info": "", "items": {}, "parameters": {}}


async def test_a_rate_limit_counts_costs_for_each_path() -> None:
    options = {**PNG, "server_rate_limit": 10}
    async with LocalSdNext(seconds_per_step=0.0, cheap_pictures=True, options=options) as webui:
        client = Client(webui)
        assert [(await client.draw()).status for _ in range(3)] == [200, 200, 429]
        check_error(await client.draw(), 429, "HTTPException", "/sdapi/v1/txt2img: rate limit exceeded")
        assert [(await client.get("options")).status for _ in range(11)] == [200] * 10 + [429]
        assert len(webui.renders) == 2


async def test_a_path_outside_the_subpath_is_sent_on() -> None:
    async with LocalSdNext(base_path="/sub", seconds_per_step=0.0, cheap_pictures=True, options=PNG) as webui:
        bare = Client(webui, f"http://127.0.0.1:{webui.port}")
        reply = await bare.get("options", allow_redirects=False)
        assert (reply.status, reply.headers["Location"]) == (308, "/sub/sdapi/v1/options")
        assert (await bare.draw()).status == 200


async def test_every_api_route_asks_for_credentials() -> None:
    async with LocalSdNext(auth=("ann", "secret")) as webui:
        assert (await Client(webui).get("loras")).status == 200
        bare = Client(webui, f"http://127.0.0.1:{webui.port}")
        for method, path in [("GET", "/sdapi/v1/loras"), ("POST", "/internal/progress"), ("GET", "/sdapi/v1/version")]:
            assert (await bare.ask(method, path)).status == 401
        wrong = await bare.get("options", headers={"Authorization": "Basic YW5uOm5v"})
        check_error(wrong, 401, "HTTPException", "Unauthorized")


async def test_bodies_are_compressed_from_2048_bytes(client: Client, webui: LocalSdNext) -> None:
    webui.catalog.loras.append("charcoal")
    async with aiohttp.ClientSession(headers={"Accept-Encoding": "gzip"}) as session:
        encodings = {}
        for name, low, high in [("loras", 1000, 2047), ("options", 2048, 1 << 20)]:
            async with session.get(f"{client.base}/sdapi/v1/{name}") as reply:
                assert low <= len(await reply.read()) <= high
                encodings[name] = reply.headers.get("Content-Encoding")
    assert encodings == {"loras": None, "options": "gzip"}


async def test_a_grid_comes_first_when_pictures_are_saved(client: Client) -> None:
    reply = await client.draw(n_iter=4, save_images=True)
    assert reply.info()["index_of_first_image"] == 1
    assert [made.size for made in reply.pictures()] == [(128, 128), *[(64, 64)] * 4]
    assert len(reply.info()["infotexts"]) == 5


async def test_the_render_remembers_what_was_sent(client: Client, webui: LocalSdNext) -> None:
    await client.draw(prompt="fox <lora:inkwash:0.8>", no_such_field=1, restore_faces=True)
    render = webui.renders[0]
    assert render.ignored == ("no_such_field", "restore_faces")
    assert render.loras == ["inkwash"]
    assert json.loads(json.dumps(dict(render.sent)))["seed"] == 7
