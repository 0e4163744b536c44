"""ADetailer and ControlNet: their lists, what they write into the infotext, and how they fail without a word."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.webui import LocalForge, LocalReForge, LocalWebui
from tests.playground.webui.conftest import Client, Reply
from tests.playground.webui.test_img2img import RED, packed, plain, redraw

CANNY = "control_v11p_sd15_canny [d14c016b]"
FACE = {"ad_model": "face_yolov8n.pt"}


def unit(**fields: Any) -> dict[str, Any]:
    """A unit that works."""
    return {"enabled": True, "module": "canny", "model": CANNY, "image": packed(plain(RED)), **fields}


async def control(client: Client, *units: dict[str, Any], **payload: Any) -> Reply:
    return await client.draw(alwayson_scripts={"ControlNet": {"args": list(units)}}, **payload)


async def detail(client: Client, *args: Any) -> dict[str, Any]:
    """What is said of ADetailer."""
    reply = await client.draw(alwayson_scripts={"ADetailer": {"args": list(args)}})
    assert reply.status == 200
    return {key: value for key, value in reply.info()["extra_generation_params"].items() if "ADetailer" in key}


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    """An A1111 with both extensions."""
    async with LocalWebui(seconds_per_step=0.0, cheap_pictures=True, adetailer=True, controlnet=True) as running:
        yield running


async def test_installed_extensions_are_listed_as_scripts(client: Client) -> None:
    scripts = (await client.get("scripts")).json()
    assert {"adetailer", "controlnet"} <= set(scripts["txt2img"])
    assert {"adetailer", "controlnet"} <= set(scripts["img2img"])


async def test_extensions_that_are_missing_have_no_routes_and_refuse_the_job() -> None:
    async with LocalWebui(seconds_per_step=0.0, cheap_pictures=True) as bare:
        client = Client(bare)
        assert (await client.ask("GET", "/adetailer/v1/ad_model")).status == 404
        assert (await client.ask("GET", "/controlnet/model_list")).status == 404
        reply = await client.draw(alwayson_scripts={"ADetailer": {"args": [FACE]}})
        assert (reply.status, reply.json()["detail"]) == (422, "Script 'ADetailer' not found")


async def test_adetailer_tells_its_models_its_version_and_its_schema(client: Client) -> None:
    models = (await client.ask("GET", "/adetailer/v1/ad_model")).json()["ad_model"]
    schema = (await client.ask("GET", "/adetailer/v1/schema")).json()
    assert "face_yolov8n.pt" in models
    assert (await client.ask("GET", "/adetailer/v1/version")).json()["version"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["ad_confidence"]["default"] == 0.3


@pytest.mark.parametrize("args", [[True, False, FACE], [FACE], [True, FACE]])
async def test_an_enabled_unit_is_in_the_infotext(client: Client, args: list[Any]) -> None:
    said = await detail(client, *args)
    assert said["ADetailer model"] == "face_yolov8n.pt"
    assert said["ADetailer denoising strength"] == 0.4
    assert "ADetailer version" in said


async def test_a_second_unit_has_its_ordinal(client: Client) -> None:
    said = await detail(client, FACE, {"ad_model": "hand_yolov8n.pt", "ad_prompt": "hands"})
    assert said["ADetailer model 2nd"] == "hand_yolov8n.pt"
    assert said["ADetailer prompt 2nd"] == "hands"


@pytest.mark.parametrize(
    "args",
    [
        [False, False, FACE],
        [{**FACE, "ad_mask_k_largest": 0}],
        [{**FACE, "ad_confidence": 2}],
        [{"ad_model": "None"}],
        [{"ad_model": "nobody.pt"}],
        [],
    ],
)
async def test_a_unit_that_is_off_or_wrong_counts_for_nothing(client: Client, args: list[Any]) -> None:
    assert await detail(client, *args) == {}


async def test_controlnet_lists_what_it_has(client: Client) -> None:
    assert (await client.ask("GET", "/controlnet/version")).json() == {"version": 3}
    assert CANNY in (await client.ask("GET", "/controlnet/model_list")).json()["model_list"]
    modules = (await client.ask("GET", "/controlnet/module_list")).json()
    assert set(modules["module_list"]) == set(modules["module_detail"])
    types = (await client.ask("GET", "/controlnet/control_types")).json()["control_types"]
    assert types["Canny"]["default_option"] == "canny"
    assert types["Canny"]["default_model"] == CANNY
    assert types["IP-Adapter"]["model_list"] == ["None", "ip-adapter_sd15 [6a3f6166]"]
    assert (await client.ask("GET", "/controlnet/settings")).json() == {"control_net_unit_count": 3}


async def test_a_unit_is_said_and_its_map_comes_last_without_text(client: Client) -> None:
    reply = await control(client, unit(weight=0.7))
    assert 'ControlNet 0: "Module: canny, Model: ' in reply.info()["infotexts"][0]
    assert "Weight: 0.7" in reply.info()["extra_generation_params"]["ControlNet 0"]
    picture, detected = reply.pictures()
    assert (detected.size, "parameters" in detected.info) == ((64, 64), False)
    assert "parameters" in picture.info
    assert len(reply.info()["infotexts"]) == 1


async def test_a_unit_can_keep_its_map_to_itself(client: Client, webui: LocalWebui) -> None:
    assert len((await control(client, unit(save_detected_map=False))).files()) == 1
    webui.options.set("control_net_no_detectmap", True)
    assert len((await control(client, unit())).files()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"enabled": False},
        {"module": "cany"},
        {"model": "control_v11p_sd15_canny"},
        {"resize_mode": 1},
        {"control_mode": "balanced"},
        {"weight": 3},
        {"guidance_start": 0.8, "guidance_end": 0.2},
        {"image": None},
        {"image": "bm90IGFuIGltYWdl"},
    ],
)
async def test_a_wrong_unit_fails_without_a_word(client: Client, wrong: dict[str, Any]) -> None:
    reply = await control(client, unit(**wrong), unit())
    assert reply.status == 200
    assert "ControlNet 0" not in reply.info()["extra_generation_params"]
    assert "ControlNet 1" in reply.info()["extra_generation_params"]
    assert len(reply.files()) == 2


async def test_a_unit_is_off_unless_it_says_otherwise(client: Client) -> None:
    fields = unit()
    del fields["enabled"]
    assert "ControlNet 0" not in (await control(client, fields)).info()["extra_generation_params"]
    async with LocalForge(seconds_per_step=0.0, cheap_pictures=True) as forge:
        reply = await control(Client(forge), {**fields, "save_detected_map": False})
    assert "ControlNet 0" in reply.info()["extra_generation_params"]
    assert len(reply.files()) == 2  # the unit has no say there


async def test_forge_takes_numbers_for_modes_but_no_old_names() -> None:
    async with LocalForge(seconds_per_step=0.0, cheap_pictures=True) as forge:
        client = Client(forge)
        assert "module_detail" not in (await client.ask("GET", "/controlnet/module_list")).json()
        assert (await client.ask("GET", "/controlnet/version")).status == 404
        numbers = await control(client, unit(resize_mode=1, control_mode=2))
        old = await control(client, {**unit(), "image": None, "input_image": packed(plain(RED))})
    assert "Resize Mode: Crop and Resize" in numbers.info()["extra_generation_params"]["ControlNet 0"]
    assert "ControlNet 0" not in old.info()["extra_generation_params"]


async def test_reforge_sends_no_maps() -> None:
    async with LocalReForge(seconds_per_step=0.0, cheap_pictures=True) as reforge:
        reply = await control(Client(reforge), unit())
    assert "ControlNet 0" in reply.info()["extra_generation_params"]
    assert len(reply.files()) == 1


async def test_without_an_image_of_its_own_a_unit_takes_the_init_image(client: Client) -> None:
    scripts = {"controlnet": {"args": [unit(image=None)]}}
    reply = await redraw(client, plain(RED), alwayson_scripts=scripts)
    assert "ControlNet 0" in reply.info()["extra_generation_params"]


async def test_a_map_can_be_had_without_a_picture(client: Client, webui: LocalWebui) -> None:
    body = {"controlnet_module": "openpose", "controlnet_input_images": [packed(plain(RED))]}
    reply = (await client.ask("POST", "/controlnet/detect", json=body)).json()
    assert (len(reply["images"]), len(reply["poses"]), reply["info"]) == (1, 1, "Success")
    assert webui.renders == []
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"controlnet_module": "x"}, "Module not available"),
        ({"controlnet_module": "ip-adapter-auto"}, "Module not supported"),
        ({"controlnet_input_images": []}, "No image selected"),
    ]
    for wrong, why in wrongs:
        refused = await client.ask("POST", "/controlnet/detect", json={**body, **wrong})
        assert (refused.status, refused.json()["detail"]) == (422, why)
