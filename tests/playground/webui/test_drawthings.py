"""The local Draw Things knows four routes, a list of keys, and one answer for everything else: 422."""

import base64
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image

from playground.webui import Fault, LocalDrawThings
from tests.playground.webui.conftest import Client, Reply

SIZE = {"width": 128, "height": 192}


@pytest.fixture
async def webui() -> AsyncIterator[LocalDrawThings]:
    """A quick one."""
    async with LocalDrawThings(seconds_per_step=0.0, cheap_pictures=True) as running:
        yield running


@pytest.fixture
def client(webui: LocalDrawThings) -> Client:
    """A client for it."""
    return Client(webui)


def picture(size: tuple[int, int] = (128, 192)) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


async def draw(client: Client, **change: Any) -> Reply:
    return await client.post("txt2img", {"prompt": "a fox", "steps": 2, **SIZE, **change})


def check_refused(reply: Reply, detail: str) -> None:
    assert reply.status == 422
    body = reply.json()
    assert list(body) == ["error", "detail", "body", "errors"]
    assert (body["error"], body["body"], body["errors"]) == ("HTTPException", "", "")
    assert detail in body["detail"]


async def test_the_answer_is_pictures_alone_without_any_text(client: Client) -> None:
    reply = await draw(client, seed=7)
    assert list(reply.json()) == ["images"]
    (made,) = reply.pictures()
    assert (made.format, made.size, made.info) == ("PNG", (128, 192), {})


async def test_slashes_stand_behind_backslashes(client: Client) -> None:
    body = (await draw(client, seed=7)).body
    assert body.count(b"/") == body.count(b"\\/") > 0


@pytest.mark.parametrize(
    "key",
    [
        "scheduler",
        "styles",
        "override_settings",
        "alwayson_scripts",
        "send_images",
        "subseed",
        "tiling",
        "mask",
        "force_task_id",
        "infotext",
        "hr_scale",
        "distilled_cfg_scale",
        "lora",
        "script_name",
    ],
)
async def test_a_key_that_it_does_not_know_is_refused(client: Client, webui: LocalDrawThings, key: str) -> None:
    check_refused(await draw(client, **{key: None}), f'Unrecognized keys: ["{key}"]')
    assert webui.renders == []


async def test_all_unknown_keys_are_named(client: Client) -> None:
    check_refused(await draw(client, a=1, b=2), 'Unrecognized keys: ["a", "b"]')


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cfg_scale", 7),
        ("guidance_scale", 7.5),
        ("sampler_name", "Euler a"),
        ("sampler_index", "DDIM"),
        ("sampler", "UniPC"),
        ("n_iter", 2),
        ("batch_count", 2),
        ("denoising_strength", 0.4),
        ("strength", 0.4),
        ("clip_skip", 2),
        ("refiner_model", "xl_refiner.ckpt"),
        ("refiner_start", 0.8),
        ("restore_faces", False),
        ("loras", [{"file": "inkwash.safetensors", "weight": 0.8}]),
        ("controls", []),
        ("enable_hr", True),
        ("hires_fix_strength", 0.5),
        ("negative_prompt", "blurry"),
        ("seed", 4_294_967_295),
        ("model", "paperCutout_v12.safetensors"),
    ],
)
async def test_its_own_keys_and_their_aliases_are_taken(
    client: Client, webui: LocalDrawThings, key: str, value: Any
) -> None:
    assert (await draw(client, **{key: value})).status == 200
    assert webui.renders[-1].payload[key] == value


async def test_a_key_and_its_alias_together_are_refused(client: Client) -> None:
    check_refused(await draw(client, cfg_scale=7, guidance_scale=7), "More than one key")
    check_refused(await draw(client, sampler_name="DDIM", sampler_index="DDIM"), "More than one key")


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("width", (127, 8193)),
        ("height", (0, 8193)),
        ("batch_size", (0, 5)),
        ("n_iter", (0, 101)),
        ("steps", (0, 151)),
        ("seed", (-2, 2**32)),
        ("cfg_scale", (-0.1, 50.1)),
        ("clip_skip", (0, 24)),
        ("strength", (-0.1, 1.1)),
    ],
)
async def test_a_number_out_of_its_range_is_refused(client: Client, key: str, wrong: tuple[float, float]) -> None:
    for value in wrong:
        check_refused(await draw(client, **{key: value}), f"inclusive (was {value})")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"steps": "many"}, "typeMismatch(Swift.Int"),
        ({"steps": 12.5}, "does not fit in Int"),
        ({"prompt": 5}, "typeMismatch(Swift.String"),
        ({"restore_faces": "yes"}, "typeMismatch(Swift.Bool"),
        ({"sampler_name": "DPM++ 2M"}, "Invalid value for sampler_name (options: "),
        ({"sampler_name": None}, "typeMismatch(Swift.String"),
        ({"prompt": None}, "Missing prompt"),
        ({"model": "nope.ckpt"}, 'Unrecognized model name "nope.ckpt"'),
        ({"loras": [{"file": "nope.ckpt"}]}, "Missing file: nope.ckpt"),
        ({"init_images": []}, "init_images is not supported for text-to-image"),
    ],
)
async def test_whatever_is_wrong_is_a_422(client: Client, change: dict[str, Any], detail: str) -> None:
    check_refused(await draw(client, **change), detail)


async def test_a_broken_body_is_a_422_too(client: Client) -> None:
    for data in (b"", b'{"prompt": ', b"[]", b"\xff"):
        check_refused(await client.ask("POST", "/sdapi/v1/txt2img", data=data), "")


async def test_null_keeps_a_numbers_default_and_sizes_are_cut_to_64(client: Client) -> None:
    reply = await draw(client, steps=None, width=None, height=200)
    assert reply.pictures()[0].size == (512, 192)


async def test_count_times_size_pictures_come(client: Client, webui: LocalDrawThings) -> None:
    assert len((await draw(client, n_iter=2, batch_size=3, seed=2**32 - 1)).files()) == 6
    assert webui.renders[0].seed == 2**32 - 1


@pytest.mark.parametrize(
    ("images", "detail"),
    [
        (None, "exactly one image"),
        ([], "exactly one image"),
        ([picture(), picture()], "exactly one image"),
        ([picture((64, 192))], "init_images width doesn't match 64 from the parameter 128"),
        ([picture((128, 128))], "init_images height doesn't match 128 from the parameter 192"),
        ([f"data:image/png;base64,{picture()}"], "did not represent a valid image"),
        (["bm90IGFuIGltYWdl"], "did not represent a valid image"),
        (picture(), "typeMismatch"),
    ],
)
async def test_img2img_takes_one_raw_image_of_just_the_size(client: Client, images: Any, detail: str) -> None:
    body = {"prompt": "a fox", "steps": 1, **SIZE}
    if images is not None:
        body["init_images"] = images
    check_refused(await client.post("img2img", body), detail)


async def test_img2img_draws_over_the_init_image() -> None:
    async with LocalDrawThings(seconds_per_step=0.0) as webui:
        body = {"prompt": "a fox", "steps": 1, **SIZE, "strength": 0.0, "init_images": [picture()]}
        reply = await Client(webui).post("img2img", body)
        assert reply.pictures()[0].convert("RGB").getpixel((9, 9)) == (200, 30, 30)


async def test_the_settings_are_its_own_and_every_other_route_is_an_empty_404(client: Client) -> None:
    options = (await client.get("options")).json()
    assert options == (await client.ask("GET", "/")).json()
    assert options["model"] == "dreamLandscapes_v4.safetensors"
    assert "guidance_scale" in options
    assert "samples_format" not in options
    for method, name in [("GET", "sd-models"), ("GET", "progress"), ("POST", "interrupt"), ("POST", "options")]:
        reply = await client.ask(method, f"/sdapi/v1/{name}")
        assert (reply.status, reply.body) == (404, b"")
    assert (await client.get("txt2img")).status == 404


async def test_a_failure_while_drawing_is_a_422_and_nan_a_black_picture(client: Client, webui: LocalDrawThings) -> None:
    webui.fault(Fault.OUT_OF_MEMORY)
    webui.fault(Fault.NAN)
    check_refused(await draw(client), "out of memory")
    assert (await draw(client)).pictures()[0].convert("RGB").getextrema() == ((0, 0),) * 3


async def test_pictures_can_be_missing_from_a_200(client: Client, webui: LocalDrawThings) -> None:
    webui.fault(Fault.OUT_OF_MEMORY_200)
    webui.fault(Fault.INFO_EMPTY)
    assert (await draw(client)).json() == {"images": []}
    assert list(json.loads((await draw(client)).body)) == ["images"]
