"""What A1111, Forge and reForge do differently with checkpoints, options, modules and types."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.webui import Fault, LocalForge, LocalForgeNeo, LocalReForge, LocalWebui
from tests.playground.webui.conftest import FLUX, MODULES, QUICK, Client, files


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    """An A1111 with those checkpoints."""
    async with LocalWebui(**QUICK, checkpoints=files()) as running:
        yield running


# Checkpoints and options


async def test_a1111_answers_200_to_a_load_that_failed_and_keeps_the_old_one(client: Client, webui: LocalWebui) -> None:
    before = await client.option()
    reply = await client.post("options", {"sd_model_checkpoint": "broken", "CLIP_stop_at_last_layers": 2})
    assert (reply.status, reply.json()) == (200, None)
    assert await client.option() == before
    assert await client.option("CLIP_stop_at_last_layers") == 2
    assert webui.swaps == []
    failed = await client.draw(override_settings={"sd_model_checkpoint": "broken"})
    assert (failed.status, failed.json()["error"]) == (500, "SafetensorError")
    assert (await client.draw()).info()["sd_model_name"] == "plain"


async def test_forge_notes_a_checkpoint_at_once_and_loads_it_with_the_next_job(forge: LocalForge) -> None:
    client = Client(forge)
    forge.hold()
    job = asyncio.create_task(client.draw())
    await forge.until(lambda: forge.running)
    assert (await client.post("options", {"sd_model_checkpoint": FLUX})).json() is None
    assert (await client.option(), forge.swaps) == (FLUX, ["plain"])
    forge.release()
    await job
    assert (await client.draw()).info()["sd_model_name"] == "fluxDemo"
    assert await client.option() == FLUX
    assert (await client.get("sd-models")).json()[2]["title"].startswith(f"{FLUX} [")


async def test_forge_fails_with_the_job_when_the_noted_checkpoint_cannot_be_loaded(forge: LocalForge) -> None:
    client = Client(forge)
    assert (await client.post("options", {"sd_model_checkpoint": "broken"})).status == 200
    failed = await client.draw()
    assert (failed.status, failed.json()["message"]) == (500, "Failed to recognize model type!")


async def test_only_forge_lets_its_url_guard_be_switched_off(client: Client, forge: LocalForge) -> None:
    off = {"api_forbid_local_requests": False}
    await client.post("options", off)
    await Client(forge).post("options", off)
    assert await client.option("api_forbid_local_requests") is True
    assert await Client(forge).option("api_forbid_local_requests") is False


async def test_forge_knows_no_hash_before_the_first_job(forge: LocalForge) -> None:
    client = Client(forge)
    assert [item["hash"] for item in (await client.get("sd-models")).json()] == [None, None, None]
    assert await client.option() == "plain.safetensors"
    assert (await client.draw()).info()["sd_model_hash"]


async def test_without_any_checkpoint_forge_says_so() -> None:
    async with LocalForge(**QUICK, checkpoints=()) as empty:
        assert (await Client(empty).draw()).json()["message"] == "You do not have any model!"


async def test_a_fresh_reforge_names_no_checkpoint_though_one_is_loaded(reforge: LocalReForge) -> None:
    client = Client(reforge)
    assert await client.option() is None
    assert await client.option("sd_checkpoint_hash")
    await client.draw(override_settings={"sd_model_checkpoint": FLUX})
    assert await client.option() is None
    assert (await client.draw()).info()["sd_model_name"] == "plain"
    assert len((await client.get("samplers")).json()) == 76


async def test_new_files_are_there_after_a_refresh(client: Client, webui: LocalWebui) -> None:
    webui.catalog.arrive("loras", "newcomer")
    webui.catalog.arrive("checkpoints", "later.safetensors")
    assert "newcomer" not in [item["name"] for item in (await client.get("loras")).json()]
    assert (await client.post("refresh-loras")).json() is None
    assert (await client.post("refresh-checkpoints")).json() is None
    assert "newcomer" in [item["name"] for item in (await client.get("loras")).json()]
    assert "later" in [item["model_name"] for item in (await client.get("sd-models")).json()]


# Modules and VAEs


async def test_a_forge_has_modules_and_an_a1111_has_vaes(client: Client, forge: LocalForge) -> None:
    assert (await client.get("sd-vae")).json()
    assert (await client.get("sd-modules")).status == 404
    modules = (await Client(forge).get("sd-modules")).json()
    assert [item["model_name"] for item in modules] == list(MODULES)
    assert (await Client(forge).get("sd-vae")).status == 404


@pytest.mark.parametrize("kind", [LocalForge, LocalForgeNeo])
async def test_forge_draws_black_where_modules_are_missing(kind: type[LocalWebui]) -> None:
    async with kind(**QUICK, checkpoints=files()) as forge:
        client = Client(forge)
        overrides: dict[str, Any] = {"sd_model_checkpoint": FLUX, "forge_additional_modules": list(MODULES[:2])}
        (black,) = (await client.draw(override_settings=overrides)).pictures()
        assert black.convert("RGB").getextrema() == ((0, 0), (0, 0), (0, 0))
        overrides["forge_additional_modules"] = ["/models/VAE/ae.safetensors", "clip_l", "no_such", MODULES[2]]
        reply = await client.draw(override_settings=overrides, distilled_cfg_scale=2.5)
    assert reply.pictures()[0].convert("RGB").getextrema() != ((0, 0), (0, 0), (0, 0))
    text = reply.info()["infotexts"][0]
    assert "CFG scale: 7.0, Distilled CFG Scale: 2.5, Seed" in text
    assert "Model: fluxDemo, Module 1: ae, Module 2: clip_l, Module 3: t5xxl_fp16, Version: f2" in text


async def test_an_ordinary_checkpoint_has_no_distilled_guidance(forge: LocalForge) -> None:
    assert "Distilled" not in (await Client(forge).draw(distilled_cfg_scale=2.5)).info()["infotexts"][0]


async def test_a_vae_is_said_by_a1111_and_ignored_by_forge(client: Client, forge: LocalForge) -> None:
    overrides = {"sd_vae": "vae-ft-mse-840000-ema-pruned.safetensors"}
    assert ", VAE: vae-ft" in (await client.draw(override_settings=overrides)).info()["infotexts"][0]
    assert ", VAE: " not in (await Client(forge).draw(override_settings=overrides)).info()["infotexts"][0]


async def test_nans_are_an_error_on_a1111_and_a_black_picture_on_forge(
    client: Client, webui: LocalWebui, forge: LocalForge
) -> None:
    webui.fault(Fault.NAN)
    forge.fault(Fault.NAN)
    assert (await client.draw()).json()["error"] == "NansException"
    (black,) = (await Client(forge).draw()).pictures()
    assert black.getextrema() == ((0, 0), (0, 0), (0, 0))


async def test_forge_passes_over_null_for_an_option_that_it_has_not(client: Client, forge: LocalForge) -> None:
    nothing = {"no_such_option": None}
    assert (await Client(forge).post("options", nothing)).json() is None
    assert (await Client(forge).draw(override_settings=nothing)).status == 200
    assert (await client.post("options", nothing)).json()["error"] == "KeyError"
    assert (await client.draw(override_settings=nothing)).json()["error"] == "KeyError"


# Types and shapes


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"steps": 12.5}, "int_from_float"),
        ({"prompt": 5}, "string_type"),
        ({"cfg_scale": "high"}, "float_parsing"),
        ({"enable_hr": "perhaps"}, "bool_parsing"),
        ({"send_images": None}, "bool_type"),
        ({"styles": "a"}, "list_type"),
        ({"override_settings": []}, "dict_type"),
    ],
)
async def test_forge_refuses_what_a1111_would_coerce(forge: LocalForge, body: dict[str, Any], kind: str) -> None:
    reply = await Client(forge).draw(**body)
    ((key, value),) = body.items()
    item = reply.json()["detail"][0]
    assert reply.status == 422
    assert (item["type"], item["loc"], item["input"]) == (kind, ["body", key], value)
    assert item["url"].endswith(kind)


@pytest.mark.parametrize("value", ["42", 42.0, 42])
async def test_forge_takes_whole_numbers_however_they_are_written(forge: LocalForge, value: Any) -> None:
    assert (await Client(forge).draw(seed=value)).info()["seed"] == 42


async def test_forge_refuses_bad_credentials_in_its_own_shape() -> None:
    async with LocalForge(**QUICK, auth=("ann", "s3cret")) as guarded:
        bare = Client(guarded, f"http://127.0.0.1:{guarded.port}")
        reply = await bare.get("options")
        assert (reply.status, reply.json()) == (401, {"detail": "Not authenticated"})
        assert reply.headers["WWW-Authenticate"] == "Basic"
        assert (await bare.get("loras")).status == 200
        assert (await bare.ask("GET", "/controlnet/model_list")).status == 200
