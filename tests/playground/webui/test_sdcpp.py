"""The local stable-diffusion.cpp server answers as the recorded one does, capture by capture."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from playground.webui import Fault, LocalSdCpp
from playground.webui.catalog import Upscaler
from tests.playground.webui.conftest import Client, Reply

CAPTURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "captures" / "sdcpp.json").read_text(encoding="utf-8")
)
DRAWN = [name for name, capture in CAPTURES.items() if "sizes" in capture]
PLAIN = [name for name, capture in CAPTURES.items() if "sizes" not in capture]
CORS = "Access-Control-Allow-Origin"


@pytest.fixture
async def webui() -> AsyncIterator[LocalSdCpp]:
    """The server as it was when the captures were made."""
    async with LocalSdCpp(
        checkpoints=["random-sd15.safetensors"],
        loras=["random_style", "random_char"],
        seconds_per_step=0.0,
        cheap_pictures=True,
    ) as running:
        path = "/srv/webui/models/ESRGAN/random_4x.safetensors"
        running.catalog.upscalers = [Upscaler("random_4x", path)]
        yield running


@pytest.fixture
def client(webui: LocalSdCpp) -> Client:
    """A client for that server."""
    return Client(webui)


def picture(size: tuple[int, int] = (64, 64), colour: tuple[int, int, int] = (200, 30, 30)) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def filled(body: Any) -> Any:
    """The recorded body with real images where the recording has placeholders."""
    if isinstance(body, dict):
        return {key: filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value) for value in body]
    return {"png": picture(), "data-uri": f"data:image/png;base64,{picture()}"}.get(str(body), body)


async def replay(client: Client, capture: dict[str, Any]) -> tuple[Any, Reply]:
    request = filled(capture["request"])
    if isinstance(request, dict):
        return request, await client.ask(capture["method"], capture["path"], json=request)
    return request, await client.ask(capture["method"], capture["path"], data=(request or "").encode())


def check_status_and_headers(reply: Reply, capture: dict[str, Any]) -> None:
    assert reply.status == capture["status"]
    kept = {key: value for key, value in reply.headers.items() if key not in ("Content-Length", "Connection")}
    assert kept == capture["headers"]


@pytest.mark.parametrize("name", PLAIN)
async def test_what_is_no_picture_is_answered_as_recorded(client: Client, name: str) -> None:
    capture = CAPTURES[name]
    _, reply = await replay(client, capture)
    check_status_and_headers(reply, capture)
    if name == "err-malformed-json":  # the parser's own words about the place
        recorded, answer = capture["body"], reply.json()
        assert (answer["error"], list(answer)) == (recorded["error"], list(recorded))
        assert answer["message"].startswith(recorded["message"].partition(" parse error at")[0])
    elif isinstance(capture["body"], str):
        assert reply.body.decode() == capture["body"]
    else:
        assert reply.json() == capture["body"]


@pytest.mark.parametrize("name", DRAWN)
async def test_a_picture_comes_with_the_recorded_text_size_and_echo(client: Client, name: str) -> None:
    capture = CAPTURES[name]
    request, reply = await replay(client, capture)
    check_status_and_headers(reply, capture)
    assert list(reply.json()) == list(capture["body"])
    assert reply.json()["parameters"] == request
    assert [list(each.size) for each in reply.pictures()] == capture["sizes"]
    recorded = capture["body"]["info"]
    info = json.loads(reply.json()["info"])
    seed, texts = recorded["seed"], recorded["infotexts"]
    if request["seed"] == -1:
        assert info["seed"] == info["all_seeds"][0] >= 0
        seed = info["seed"]
        texts = [text.replace(str(recorded["seed"]), str(seed)) for text in texts]
    assert info["infotexts"] == texts
    assert info == {**recorded, "seed": seed, "all_seeds": info["all_seeds"], "infotexts": texts}
    assert list(info) == list(recorded)
    for file, text in zip(reply.files(), texts, strict=True):
        assert b"tEXtparameters\0" + text.encode() in file


async def test_only_the_recorded_routes_exist(client: Client, webui: LocalSdCpp) -> None:
    served = {name for name in PLAIN if CAPTURES[name]["status"] == 200}
    assert served == {
        f"get-{name}"
        for name in ("root", "loras", "upscalers", "latent-upscale-modes", "samplers", "schedulers", "sd-models")
    } | {"get-options"}
    assert webui.requests == []
    capabilities = (await client.ask("GET", "/sdcpp/v1/capabilities")).json()
    assert capabilities["model"]["stem"] == "random-sd15"
    assert capabilities["samplers"][:2] == ["euler", "euler_a"]
    assert capabilities["limits"]["max_batch_count"] == 8


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"steps": None}, "number, but is null"),
        ({"prompt": None}, "string, but is null"),
        ({"seed": "7"}, "number, but is string"),
        ({"negative_prompt": 5}, "string, but is number"),
        ({"enable_hr": None}, "boolean, but is null"),
        ({"width": []}, "number, but is array"),
    ],
)
async def test_null_and_wrong_types_are_server_errors(client: Client, change: dict[str, Any], kind: str) -> None:
    reply = await client.draw(**change)
    assert reply.status == 500
    message = f"[json.exception.type_error.302] type must be {kind}"
    assert reply.json() == {"error": "server_error", "message": message}


async def test_fractions_are_cut_off_and_counts_are_limited(client: Client, webui: LocalSdCpp) -> None:
    assert (await client.draw(steps=12.9)).info()["steps"] == 12
    assert (await client.draw(steps=500)).info()["steps"] == 100
    assert len((await client.draw(batch_size=20, steps=1)).files()) == 8
    assert len((await client.draw(batch_size=0, n_iter=3)).files()) == 1
    assert webui.renders[-1].ignored == ("n_iter",)


async def test_a_lora_is_unknown_until_the_loras_were_listed(client: Client, webui: LocalSdCpp) -> None:
    asked = {"lora": [{"path": "random_style.safetensors", "multiplier": 0.8}]}
    reply = await client.draw(**asked)
    assert (reply.status, reply.json()) == (400, {"error": "invalid lora path"})
    await client.get("loras")
    assert (await client.draw(**asked)).status == 200
    assert webui.renders[-1].loras == ["random_style.safetensors"]
    assert (await client.draw(lora=[{"path": "../secret.safetensors"}])).status == 400
    assert (await client.draw(lora=[{"multiplier": 1}])).json() == {"error": "lora.path required"}


async def test_capabilities_make_loras_known_too(client: Client) -> None:
    await client.ask("GET", "/sdcpp/v1/capabilities")
    assert (await client.draw(lora=[{"path": "random_char.safetensors"}])).status == 200


@pytest.mark.parametrize(
    ("name", "method"),
    [("Euler a", "euler_a"), ("k_dpmpp_2m", "dpm++2m"), ("lms", "lms"), ("default", "NONE"), ("PLMS", "NONE")],
)
async def test_some_foreign_sampler_names_are_known_and_all_others_mean_the_default(
    client: Client, name: str, method: str
) -> None:
    assert (await client.draw(sampler_name=name)).info()["sampler_name"] == method


async def test_the_init_image_and_the_mask_are_used_when_they_can_be_read() -> None:
    async with LocalSdCpp(seconds_per_step=0.0) as webui:
        client = Client(webui)
        body = {"prompt": "fox", "width": 64, "height": 64, "steps": 1, "denoising_strength": 0.0}
        kept = await client.post("img2img", {**body, "init_images": [picture()]})
        assert kept.pictures()[0].convert("RGB").getpixel((5, 5)) == (200, 30, 30)
        white = picture(colour=(255, 255, 255))
        masked = {**body, "denoising_strength": 1.0, "init_images": [picture()], "mask": white}
        drawn = await client.post("img2img", masked)
        assert drawn.pictures()[0].convert("RGB").getpixel((5, 5)) != (200, 30, 30)
        inverted = await client.post("img2img", {**masked, "inpainting_mask_invert": 1})
        assert inverted.pictures()[0].convert("RGB").getpixel((5, 5)) == (200, 30, 30)


async def test_arguments_inside_the_prompt_are_obeyed_and_taken_out(client: Client) -> None:
    tag = '<sd_cpp_extra_args>{"seed": 99}</sd_cpp_extra_args>'
    info = (await client.draw(prompt=f"a fox{tag}")).info()
    assert (info["prompt"], info["seed"]) == ("a fox", 99)
    broken = await client.draw(prompt="fox <sd_cpp_extra_args>{</sd_cpp_extra_args>")
    assert (broken.status, broken.json()) == (400, {"error": "invalid sd_cpp_extra_args"})


async def test_no_memory_is_a_500_with_one_key_and_nan_a_black_picture(client: Client, webui: LocalSdCpp) -> None:
    webui.fault(Fault.OUT_OF_MEMORY)
    webui.fault(Fault.NAN)
    reply = await client.draw()
    assert (reply.status, reply.json()) == (500, {"error": "generate_image returned no results"})
    assert webui.renders[0].state == "failed"
    black = await client.draw()
    assert black.pictures()[0].convert("RGB").getextrema() == ((0, 0), (0, 0), (0, 0))


async def test_requests_wait_for_each_other(client: Client, webui: LocalSdCpp) -> None:
    webui.hold()
    jobs = [asyncio.create_task(client.draw(seed=seed)) for seed in (1, 2)]
    await webui.until(lambda: webui.running and len(webui.waiting) == 1)
    webui.release()
    assert [reply.status for reply in await asyncio.gather(*jobs)] == [200, 200]


async def test_nothing_is_compressed_and_a_connection_serves_a_hundred_requests(webui: LocalSdCpp) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        closed = []
        for _ in range(101):
            async with session.get(f"{webui.url}/sdapi/v1/samplers") as reply:
                assert "Content-Encoding" not in reply.headers
                closed.append(reply.headers.get("Connection") == "close")
                await reply.read()
    assert [index for index, last in enumerate(closed) if last] == [99]
