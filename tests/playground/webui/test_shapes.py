"""The lists, the errors and the headers have the shapes recorded from real servers."""

from typing import Any

import pytest

from playground.webui import LocalWebui
from tests.playground.webui.conftest import SMALL, Client

ITEM_KEYS = {
    "sd-models": {"title", "model_name", "hash", "sha256", "filename", "config"},
    "sd-vae": {"model_name", "filename"},
    "samplers": {"name", "aliases", "options"},
    "schedulers": {"name", "label", "aliases", "default_rho", "need_inner_model"},
    "upscalers": {"name", "model_name", "model_path", "model_url", "scale"},
    "latent-upscale-modes": {"name"},
    "prompt-styles": {"name", "prompt", "negative_prompt"},
    "loras": {"name", "alias", "path", "metadata"},
    "face-restorers": {"name", "cmd_dir"},
    "script-info": {"name", "is_alwayson", "is_img2img", "args"},
}
OBJECT_KEYS = {
    "embeddings": {"loaded", "skipped"},
    "scripts": {"txt2img", "img2img"},
    "memory": {"ram", "cuda"},
    "progress": {"progress", "eta_relative", "state", "current_image", "textinfo"},
}
PARAMETER_KEYS = [
    "prompt",
    "negative_prompt",
    "styles",
    "seed",
    "subseed",
    "subseed_strength",
    "seed_resize_from_h",
    "seed_resize_from_w",
    "sampler_name",
    "scheduler",
    "batch_size",
    "n_iter",
    "steps",
    "cfg_scale",
    "width",
    "height",
    "restore_faces",
    "tiling",
    "do_not_save_samples",
    "do_not_save_grid",
    "eta",
    "denoising_strength",
    "s_min_uncond",
    "s_churn",
    "s_tmax",
    "s_tmin",
    "s_noise",
    "override_settings",
    "override_settings_restore_afterwards",
    "refiner_checkpoint",
    "refiner_switch_at",
    "disable_extra_networks",
    "firstpass_image",
    "comments",
    "enable_hr",
    "firstphase_width",
    "firstphase_height",
    "hr_scale",
    "hr_upscaler",
    "hr_second_pass_steps",
    "hr_resize_x",
    "hr_resize_y",
    "hr_checkpoint_name",
    "hr_sampler_name",
    "hr_scheduler",
    "hr_prompt",
    "hr_negative_prompt",
    "force_task_id",
    "sampler_index",
    "script_name",
    "script_args",
    "send_images",
    "save_images",
    "alwayson_scripts",
    "infotext",
]
INFO_KEYS = [
    "prompt",
    "all_prompts",
    "negative_prompt",
    "all_negative_prompts",
    "seed",
    "all_seeds",
    "subseed",
    "all_subseeds",
    "subseed_strength",
    "width",
    "height",
    "sampler_name",
    "cfg_scale",
    "steps",
    "batch_size",
    "restore_faces",
    "face_restoration_model",
    "sd_model_name",
    "sd_model_hash",
    "sd_vae_name",
    "sd_vae_hash",
    "seed_resize_from_w",
    "seed_resize_from_h",
    "denoising_strength",
    "extra_generation_params",
    "index_of_first_image",
    "infotexts",
    "styles",
    "job_timestamp",
    "clip_skip",
    "is_using_inpainting_conditioning",
    "version",
]


@pytest.mark.parametrize("name", ITEM_KEYS)
async def test_each_list_has_items_of_the_recorded_keys(client: Client, name: str) -> None:
    items = (await client.get(name)).json()
    assert items
    assert all(set(item) == ITEM_KEYS[name] for item in items)


@pytest.mark.parametrize("name", OBJECT_KEYS)
async def test_each_object_has_the_recorded_keys(client: Client, name: str) -> None:
    assert set((await client.get(name)).json()) == OBJECT_KEYS[name]


async def test_hypernetworks_is_an_empty_list(client: Client) -> None:
    assert (await client.get("hypernetworks")).json() == []


async def test_the_reply_echoes_the_whole_request_and_info_is_a_string_of_json(client: Client) -> None:
    reply = await client.draw(no_such_field=1)
    assert list(reply.json()) == ["images", "parameters", "info"]
    assert list(reply.json()["parameters"]) == PARAMETER_KEYS
    assert reply.json()["parameters"]["cfg_scale"] == 7.0
    assert list(reply.info()) == INFO_KEYS


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ({"steps": "many"}, [("steps", "value is not a valid integer", "type_error.integer")]),
        ({"cfg_scale": "high"}, [("cfg_scale", "value is not a valid float", "type_error.float")]),
        ({"prompt": {}}, [("prompt", "str type expected", "type_error.str")]),
        ({"send_images": None}, [("send_images", "none is not an allowed value", "type_error.none.not_allowed")]),
        (
            {"steps": [], "enable_hr": "perhaps"},
            [
                ("steps", "value is not a valid integer", "type_error.integer"),
                ("enable_hr", "value could not be parsed to a boolean", "type_error.bool"),
            ],
        ),
    ],
)
async def test_a_wrong_type_is_a_422_in_pydantic_1_style(
    client: Client, body: dict[str, Any], items: list[tuple[str, str, str]]
) -> None:
    reply = await client.post("txt2img", body)
    assert reply.status == 422
    wanted = [{"loc": ["body", field], "msg": message, "type": kind} for field, message, kind in items]
    assert reply.json() == {"detail": wanted}


async def test_numbers_are_coerced_as_pydantic_1_does(client: Client) -> None:
    echo = (await client.draw(seed="42", steps=2.9, prompt=5)).json()["parameters"]
    assert (echo["seed"], echo["steps"], echo["prompt"]) == (42, 2, "5")


async def test_an_empty_and_a_broken_body_are_422(client: Client) -> None:
    empty = await client.ask("POST", "/sdapi/v1/txt2img")
    assert empty.json() == {"detail": [{"loc": ["body"], "msg": "field required", "type": "value_error.missing"}]}
    headers = {"Content-Type": "application/json"}
    broken = await client.ask("POST", "/sdapi/v1/txt2img", data=b'{"prompt": "x", ', headers=headers)
    item = broken.json()["detail"][0]
    assert broken.status == 422
    assert item["loc"] == ["body", 16]
    assert item["type"] == "value_error.jsondecode"
    assert item["ctx"]["doc"] == '{"prompt": "x", '


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ({"steps": 0}, "ZeroDivisionError", "integer division or modulo by zero"),
        ({"steps": None}, "TypeError", "NoneType"),
        ({"width": 0}, "RuntimeError", "Kernel size can't be greater"),
        ({"prompt": None}, "AttributeError", "NoneType"),
        ({"prompt": "\ud800"}, "UnicodeEncodeError", "surrogates not allowed"),
        ({"enable_hr": True, "hr_upscaler": "Nope"}, "Exception", "could not find upscaler named Nope"),
        ({"override_settings": {"no_such_option": 1}}, "KeyError", "'no_such_option'"),
        ({"override_settings": {"CLIP_stop_at_last_layers": "two"}}, "TypeError", "not supported"),
    ],
)
async def test_a_crash_is_a_500_with_four_keys_and_no_timing(
    client: Client, body: dict[str, Any], kind: str, text: str
) -> None:
    reply = await client.draw(**body)
    assert reply.status == 500
    assert list(reply.json()) == ["error", "detail", "body", "errors"]
    assert reply.json()["error"] == kind
    assert text in reply.json()["errors"]
    assert "X-Process-Time" not in reply.headers
    assert (await client.draw()).status == 200


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"script_name": "nope"}, "Script 'nope' not found"),
        ({"alwayson_scripts": {"ControlNet": {"args": []}}}, "Script 'ControlNet' not found"),
        (
            {"alwayson_scripts": {"X/Y/Z plot": {"args": []}}},
            "Cannot have a selectable script in the always on scripts params",
        ),
    ],
)
async def test_unknown_scripts_are_refused_in_the_wrapped_shape(
    client: Client, body: dict[str, Any], text: str
) -> None:
    reply = await client.draw(**body)
    assert reply.status == 422
    assert reply.json() == {"error": "HTTPException", "detail": text, "body": "", "errors": ""}


async def test_unknown_paths_are_404_and_wrong_methods_405(client: Client) -> None:
    assert (await client.get("nope")).json() == {"detail": "Not Found"}
    wrong = await client.get("txt2img")
    assert (wrong.status, wrong.json()) == (405, {"detail": "Method Not Allowed"})


async def test_answers_come_from_uvicorn_with_their_time(client: Client) -> None:
    headers = (await client.get("samplers")).headers
    assert headers["Server"] == "uvicorn"
    assert float(headers["X-Process-Time"]) >= 0


async def test_only_who_asks_for_gzip_gets_it_and_only_for_long_bodies(client: Client) -> None:
    plain = await client.get("samplers")
    packed = await client.get("samplers", headers={"Accept-Encoding": "gzip, deflate"})
    short = await client.ask("GET", "/internal/ping", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in short.headers


async def test_without_its_web_ui_there_are_no_internal_routes_and_no_page() -> None:
    async with LocalWebui(internal=False) as webui:
        client = Client(webui)
        for method, path in [("GET", "/internal/ping"), ("POST", "/internal/progress"), ("GET", "/")]:
            assert (await client.ask(method, path)).status == 404
        assert (await client.get("cmd-flags")).json()["nowebui"] is True


async def test_under_a_base_path_only_that_path_answers() -> None:
    async with LocalWebui(base_path="/sub", cheap_pictures=True, seconds_per_step=0) as webui:
        client = Client(webui)
        assert webui.url.endswith("/sub")
        assert (await client.draw(**SMALL)).status == 200
        outside = Client(webui, f"http://127.0.0.1:{webui.port}")
        assert (await outside.get("options")).status == 404
        assert webui.requests[0].path == "/sdapi/v1/txt2img"


async def test_credentials_guard_the_api_but_not_the_extension_and_internal_routes() -> None:
    async with LocalWebui(auth=("ann", "s3:cret")) as webui:
        assert webui.url.startswith("http://ann:s3%3Acret@127.0.0.1:")
        client = Client(webui)
        assert (await client.get("options")).status == 200
        bare = Client(webui, f"http://127.0.0.1:{webui.port}")
        missing = await bare.get("options")
        assert missing.status == 401
        assert missing.json() == {"error": "HTTPException", "detail": "Not authenticated", "body": "", "errors": ""}
        assert "WWW-Authenticate" not in missing.headers
        wrong = await bare.get("options", headers={"Authorization": "Basic YW5uOm5v"})
        assert wrong.json()["detail"] == "Incorrect username or password"
        assert (await bare.get("loras")).status == 200
        assert (await bare.ask("GET", "/internal/ping")).status == 200
