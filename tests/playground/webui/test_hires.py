"""The second pass, the refiner, LoRAs, styles and embeddings: what is done, and what the infotext says of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground.webui import LocalForge, LocalReForge, LocalWebui
from tests.playground.webui.conftest import FLUX, QUICK, Client, files

HIRES = {"enable_hr": True, "hr_scale": 2, "denoising_strength": 0.5}
SAME = {"hr_additional_modules": ["Use same choices"]}


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    """An A1111 with those checkpoints."""
    async with LocalWebui(**QUICK, checkpoints=files()) as running:
        yield running


async def test_forge_fails_after_the_first_pass_without_its_modules(forge: LocalForge) -> None:
    client = Client(forge)
    failed = await client.draw(**HIRES)
    assert failed.json() == {
        "error": "TypeError",
        "detail": "",
        "body": "",
        "message": "argument of type 'NoneType' is not iterable",
    }
    assert forge.step == 2
    reply = await client.draw(**HIRES, **SAME)
    assert reply.pictures()[0].size == (128, 128)
    assert "Hires CFG Scale: 1.0" in reply.info()["infotexts"][0]
    own = await client.draw(**HIRES, hr_cfg=5, hr_additional_modules=["ae.safetensors"])
    assert "Hires Module 1: ae, Hires CFG Scale: 5.0" in own.info()["infotexts"][0]


@pytest.mark.parametrize(("given", "said"), [({}, 1.0), ({"hr_cfg": 0}, 7.0), ({"hr_cfg": 4}, 4.0)])
async def test_reforge_has_a_second_cfg_scale_and_0_is_the_first(
    reforge: LocalReForge, given: dict[str, Any], said: float
) -> None:
    reply = await Client(reforge).draw(**HIRES, **given)
    assert reply.info()["extra_generation_params"]["Hires CFG Scale"] == said


async def test_a1111_knows_no_second_cfg_scale(client: Client, webui: LocalWebui) -> None:
    reply = await client.draw(**HIRES, **SAME, hr_cfg=5)
    assert reply.status == 200
    assert "Hires CFG Scale" not in reply.info()["infotexts"][0]
    assert webui.renders[-1].ignored == ("hr_additional_modules", "hr_cfg")
    assert webui.renders[-1].sent["hr_cfg"] == 5


async def test_hires_fix_needs_a_denoising_strength_and_a_known_sampler(client: Client) -> None:
    assert (await client.draw(**{**HIRES, "denoising_strength": None})).json()["error"] == "TypeError"
    unknown = await client.draw(**HIRES, hr_sampler_name="Nope")
    assert unknown.json()["errors"] == "bad sampler name: Nope"
    reply = await client.draw(**HIRES, hr_sampler_name="Heun", hr_prompt="b, c")
    assert 'Hires sampler: Heun, Hires prompt: "b, c"' in reply.info()["infotexts"][0]


async def test_the_old_manner_of_hires_fix_gives_the_final_size(client: Client) -> None:
    sizes = {"width": 128, "height": 96, "firstphase_width": 64, "firstphase_height": 48}
    reply = await client.draw(**HIRES, **sizes)
    assert reply.pictures()[0].size == (128, 96)
    assert (reply.info()["width"], reply.info()["height"]) == (64, 48)


@pytest.mark.parametrize(
    ("payload", "pair"),
    [
        ({**HIRES, "hr_checkpoint_name": FLUX}, "Hires checkpoint: fluxDemo"),
        ({"refiner_checkpoint": FLUX, "refiner_switch_at": 0.8}, "Refiner switch at: 0.8"),
    ],
)
async def test_a_second_checkpoint_is_loaded_within_the_job_and_left_after_it(
    client: Client, webui: LocalWebui, payload: dict[str, Any], pair: str
) -> None:
    before = await client.option()
    reply = await client.draw(**payload, n_iter=2)
    assert pair in reply.info()["infotexts"][0]
    assert webui.swaps == ["fluxDemo", "plain", "fluxDemo"]
    assert await client.option() == before
    await client.draw()
    assert webui.swaps[-1] == "plain"
    key = "hr_checkpoint_name" if "enable_hr" in payload else "refiner_checkpoint"
    unknown = await client.draw(**{**payload, key: "nobody"})
    assert unknown.json()["errors"] == "Could not find checkpoint with name nobody"


async def test_an_unknown_lora_is_ignored_by_a1111_and_ends_the_step_on_forge(
    client: Client, webui: LocalWebui, forge: LocalForge
) -> None:
    for speaker in (client, Client(forge)):
        await speaker.draw(prompt="fox <lora:pixel_art:1>")
        await speaker.draw(prompt="fox <lora:inkwash:1> <lora:unknown:1>")
    assert [render.loras for render in webui.renders] == [["pixel_art"], ["inkwash"]]
    assert [render.loras for render in forge.renders] == [["pixel_art"], ["pixel_art"]]
    await client.draw(prompt="fox <lora:inkwash:1>", disable_extra_networks=True)
    assert webui.renders[-1].loras == []


async def test_styles_and_embeddings_are_in_the_infotext(client: Client) -> None:
    reply = await client.draw(prompt="fox", negative_prompt="EasyNegative, fog", styles=["watercolour", "unknown"])
    text = reply.info()["infotexts"][0]
    assert text.startswith("fox, watercolour painting, soft edges\nNegative prompt: EasyNegative, fog, photo\n")
    assert 'TI hashes: "EasyNegative: ' in text


async def test_tiling_and_the_samplers_numbers_are_said(client: Client) -> None:
    text = (await client.draw(tiling=True, eta=0.5)).info()["infotexts"][0]
    assert "Tiling: True, Eta: 0.5, " in text
