"""The local KoboldCpp draws one picture a request, says little, and closes without an answer when it stumbles."""

import asyncio
import base64
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from PIL import Image

from playground.webui import Fault, LocalKobold
from tests.playground.webui.conftest import Client

INFO_KEYS = {
    *("prompt", "negative_prompt", "all_prompts", "all_negative_prompts", "seed", "all_seeds", "width", "height"),
    *("sampler_name", "cfg_scale", "steps", "sd_model_name", "extra_generation_params", "infotexts", "version"),
    "job_timestamp",
}


@pytest.fixture
async def webui() -> AsyncIterator[LocalKobold]:
    """A quick one."""
    async with LocalKobold(seconds_per_step=0.0, cheap_pictures=True) as running:
        yield running


@pytest.fixture
def client(webui: LocalKobold) -> Client:
    """A client for it."""
    return Client(webui)


def picture() -> str:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


async def test_the_probe_finds_what_it_can_do(client: Client) -> None:
    version = (await client.ask("GET", "/api/extra/version")).json()
    assert (version["result"], version["txt2img"], version["vision"]) == ("KoboldCpp", True, False)
    perf = (await client.ask("GET", "/api/extra/perf")).json()
    assert (perf["idle"], perf["queue"], perf["total_img_gens"]) == (1, 0, 0)
    await client.draw()
    assert (await client.ask("GET", "/api/extra/perf")).json()["total_img_gens"] == 1


async def test_one_picture_comes_however_many_are_asked_for(client: Client, webui: LocalKobold) -> None:
    reply = await client.draw(n_iter=3, batch_size=2)
    assert list(reply.json()) == ["images", "parameters", "info", "animated"]
    assert reply.json()["parameters"] == {}
    assert len(reply.files()) == 1
    assert set(reply.info()) == INFO_KEYS
    assert webui.renders[0].ignored == ("n_iter", "batch_size")


async def test_the_infotext_stands_between_bars_in_info_and_in_the_png(client: Client) -> None:
    reply = await client.draw(negative_prompt="blurry", cfg_scale=7, sampler_name="DPM++ 2M", scheduler="Karras")
    (text,) = reply.info()["infotexts"]
    assert text == (
        "Prompt: a red fox,  | NegativePrompt: blurry | Steps: 2 | CFGScale: 7 | Guidance: 3.5 | Seed: 7 | "
        "Size: 64x64 | Sampler: dpm++2m karras | Clip skip: -1 | Model: dreamLandscapes_v4.safetensors | "
        "Version: KoboldCpp"
    )
    assert reply.pictures()[0].info["parameters"] == text


async def test_text_that_is_not_latin_is_written_raw(client: Client) -> None:
    reply = await client.draw(prompt="лиса 🦊")
    assert b"tEXtparameters\0" + reply.info()["infotexts"][0].encode() in reply.files()[0]


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({"steps": 500}, "steps", 80),
        ({"steps": 0}, "steps", 1),
        ({"steps": None}, "steps", 20),
        ({"steps": "many"}, "steps", 20),
        ({"cfg_scale": 0}, "cfg_scale", 1),
        ({"cfg_scale": 99}, "cfg_scale", 25),
        ({"sampler_name": "NoSuchSampler"}, "sampler_name", "euler_a"),
        ({"sampler_name": None}, "sampler_name", "euler_a"),
        ({"scheduler": "NoSuch"}, "extra_generation_params", {"Schedule type": "nosuch"}),
        ({"negative_prompt": None}, "negative_prompt", ""),
        ({"prompt": ""}, "prompt", ", "),
    ],
)
async def test_what_is_wrong_becomes_something_it_can_do(
    client: Client, change: dict[str, Any], key: str, value: Any
) -> None:
    assert (await client.draw(**change)).info()[key] == value


async def test_a_random_seed_has_six_digits_and_a_prompt_2048_bytes(client: Client) -> None:
    info = (await client.draw(seed=-1, prompt="ü" * 2000)).info()
    assert 100_000 <= info["seed"] <= 999_999
    assert len(info["prompt"].encode()) == 2048


@pytest.mark.parametrize(
    "body",
    [{"steps": 2}, {"prompt": 5}, {"prompt": None}, {"prompt": "x", "sampler_name": 3}, ["prompt"], "prompt"],
)
async def test_it_closes_without_an_answer_when_it_fails_inside(client: Client, webui: LocalKobold, body: Any) -> None:
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.post("txt2img", body)
    assert webui.renders == []
    assert (await client.draw()).status == 200


async def test_a_broken_body_is_a_500_with_a_message(client: Client) -> None:
    for data in (b"", b'{"prompt": '):
        reply = await client.ask("POST", "/sdapi/v1/txt2img", data=data)
        assert reply.status == 500
        assert reply.json() == {"detail": {"msg": "Error parsing input.", "type": "bad_input"}}


@pytest.mark.parametrize("fault", [Fault.OUT_OF_MEMORY, Fault.MODEL_NOT_FOUND])
async def test_a_failure_is_a_200_with_an_empty_image(client: Client, webui: LocalKobold, fault: Fault) -> None:
    webui.fault(fault)
    reply = await client.draw()
    assert (reply.status, reply.json()["images"]) == (200, [""])
    assert set(reply.info()) == {"job_timestamp"}
    assert webui.renders[0].state == "failed"


async def test_without_an_image_model_the_lists_are_empty_and_so_is_the_image() -> None:
    async with LocalKobold(checkpoints=[]) as webui:
        client = Client(webui)
        assert (await client.get("sd-models")).json() == []
        assert (await client.ask("GET", "/api/extra/version")).json()["txt2img"] is False
        assert (await client.draw()).json()["images"] == [""]


async def test_the_lists_are_short_and_the_hash_is_a_placeholder(client: Client) -> None:
    (model,) = (await client.get("sd-models")).json()
    assert (model["title"], model["hash"], model["sha256"]) == ("dreamLandscapes_v4", "8" * 10, "8" * 64)
    assert (await client.get("options")).json() == {
        "samples_format": "png",
        "sd_model_checkpoint": "dreamLandscapes_v4",
    }
    assert set((await client.get("samplers")).json()[0]) == {"name", "aliases", "options"}
    schedulers = (await client.get("schedulers")).json()
    assert all(each["name"] == each["label"] for each in schedulers)
    assert (await client.get("loras")).json()[0] == {"name": "inkwash", "path": "inkwash.safetensors"}
    assert (await client.get("upscalers")).json() == (await client.get("latent-upscale-modes")).json() == []


async def test_an_unknown_path_is_a_page(client: Client) -> None:
    for method, name in [("GET", "progress"), ("POST", "interrupt"), ("POST", "options"), ("GET", "txt2img")]:
        reply = await client.ask(method, f"/sdapi/v1/{name}")
        assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html")


async def test_only_the_end_of_a_path_counts(client: Client) -> None:
    assert (await client.ask("GET", "/any/where/sdapi/v1/sd-models/")).status == 200
    assert (await client.ask("GET", "/any/where/sdapi/v1/nope")).status == 404


async def test_it_is_busy_when_too_many_wait() -> None:
    async with LocalKobold(seconds_per_step=0.0, cheap_pictures=True, queue_limit=1) as webui:
        client = Client(webui)
        webui.hold()
        jobs = [asyncio.create_task(client.draw())]
        await webui.until(lambda: webui.running)
        jobs.append(asyncio.create_task(client.draw(seed=8)))
        await webui.until(lambda: webui.waiting)
        busy = await client.draw()
        assert busy.status == 503
        assert busy.json() == {
            "detail": {"msg": "Server is busy; please try again later.", "type": "service_unavailable"}
        }
        webui.release()
        assert [reply.status for reply in await asyncio.gather(*jobs)] == [200, 200]


async def test_every_answer_ends_its_connection_and_nothing_is_compressed(webui: LocalKobold) -> None:
    async with (
        aiohttp.ClientSession(headers={"Accept-Encoding": "gzip"}) as session,
        session.get(f"{webui.url}/sdapi/v1/samplers") as reply,
    ):
        assert reply.headers["Connection"] == "close"
        assert "Content-Encoding" not in reply.headers


async def test_hires_fix_doubles_and_only_with_an_upscaler(client: Client) -> None:
    assert (await client.draw(enable_hr=True)).pictures()[0].size == (64, 64)
    async with LocalKobold(seconds_per_step=0.0, cheap_pictures=True, esrgan=True) as webui:
        with_one = Client(webui)
        assert (await with_one.draw(enable_hr=True, hr_upscaler="Nope")).pictures()[0].size == (128, 128)
        assert [each["name"] for each in (await with_one.get("upscalers")).json()] == ["ESRGAN_4x"]
        upscaled = await with_one.post("extra-single-image", {"image": picture(), "upscaling_resize": 2})
        with Image.open(io.BytesIO(base64.b64decode(upscaled.json()["image"]))) as image:
            assert image.size == (128, 128)


async def test_img2img_uses_its_first_image_and_fails_on_a_broken_one() -> None:
    async with LocalKobold(seconds_per_step=0.0) as webui:
        client = Client(webui)
        body = {"prompt": "fox", "steps": 1, "width": 64, "height": 64, "denoising_strength": 0.0}
        kept = await client.post("img2img", {**body, "init_images": [picture(), "broken"]})
        assert kept.pictures()[0].convert("RGB").getpixel((5, 5)) == (200, 30, 30)
        assert kept.info()["denoising_strength"] == 0.0
        assert (await client.post("img2img", body)).status == 200
        broken = await client.post("img2img", {**body, "init_images": ["bm90IGFuIGltYWdl"]})
        assert (broken.status, broken.json()["images"]) == (200, [""])


async def test_a_picture_is_described_only_with_a_vision_model(client: Client) -> None:
    refused = await client.post("interrogate", {"image": picture(), "model": "clip"})
    assert refused.status == 503
    assert refused.json()["detail"] == {"msg": "No Vision model loaded", "type": "service_unavailable"}
    async with LocalKobold(seconds_per_step=0.0, vision=True) as webui:
        seeing = Client(webui)
        drawn = (await seeing.draw(prompt="a lighthouse")).json()["images"][0]
        assert (await seeing.post("interrogate", {"image": drawn})).json() == {"caption": "a lighthouse"}


async def test_faults_of_the_answer_reach_it(client: Client, webui: LocalKobold) -> None:
    webui.fault(Fault.INFO_EMPTY)
    webui.fault(Fault.LEAKY_ERROR)
    assert (await client.draw()).json()["info"] == ""
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.draw()
    assert re.fullmatch(r"\d{14}", json.loads((await client.draw()).json()["info"])["job_timestamp"])


async def test_loras_are_named_in_the_prompt_or_in_a_list(client: Client, webui: LocalKobold) -> None:
    await client.draw(prompt="fox <lora:inkwash:0.8> <lora:unknown:1>", lora=[{"path": "add_detail.safetensors"}])
    assert webui.renders[0].loras == ["inkwash", "add_detail"]
