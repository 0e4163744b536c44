"""What may be set for good on a webui, and whether it was, against every kind of local webui."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from core.errors import NotOffered
from core.webui.assets import Assets
from core.webui.catalog import Capabilities, Catalog, Checkpoint
from core.webui.dialects import DIALECTS, LASTING_KEYS, OVERRIDE_KEYS, Speech
from core.webui.options import (
    Change,
    Setting,
    build_change,
    fetch_options,
    is_at_work,
    is_set,
    loads_later,
    refresh_lists,
    refused_keys,
)
from playground.webui import (
    Fault,
    LocalDrawThings,
    LocalForge,
    LocalForgeNeo,
    LocalKobold,
    LocalReForge,
    LocalSdCpp,
    LocalSdNext,
    LocalWebui,
)
from tests.core.webui.conftest import client_for

MODULES = ("ae.safetensors", "clip_l.safetensors")


def catalog(speech: Speech = Speech.A1111, **capabilities: Any) -> Catalog:
    known = {
        "override_settings": True,
        "clip_skip": 1,
        "speech": speech,
        "fields": DIALECTS[speech].fields,
        **capabilities,
    }
    return Catalog(
        checkpoints=(
            Checkpoint("sub/night_v2.safetensors [0123456789]", "sub_night_v2", "0123456789", stem="night_v2"),
            Checkpoint("day.safetensors", "day", stem="day"),
        ),
        capabilities=Capabilities(**known),
        assets=Assets(modules=MODULES) if speech is Speech.FORGE else Assets(vaes=("soft.pt",)),
    )


def test_no_other_option_can_be_set_than_a_request_may_override() -> None:
    assert LASTING_KEYS <= OVERRIDE_KEYS


@pytest.mark.parametrize("key", ["outdir_samples", "api_forbid_local_requests", "samples_format", "temp_dir", ""])
async def test_another_key_never_leaves_the_bot(session: aiohttp.ClientSession, key: str) -> None:
    async with LocalWebui() as webui:
        with pytest.raises(ValueError, match="nobody may set"):
            await client_for(webui.url, session).set_options({key: "x", "sd_vae": "None"}, 5.0)
        assert webui.requests == []


@pytest.mark.parametrize(
    ("speech", "setting", "wanted", "change"),
    [
        (
            Speech.A1111,
            Setting.CHECKPOINT,
            "NIGHT_v2",
            Change("sd_model_checkpoint", "sub/night_v2.safetensors [0123456789]", "night_v2"),
        ),
        (Speech.A1111, Setting.VAE, "SOFT", Change("sd_vae", "soft.pt", "soft.pt")),
        (Speech.SDNEXT, Setting.VAE, "none", Change("sd_vae", "None", "None")),
        (
            Speech.FORGE,
            Setting.VAE,
            "ae, CLIP_L",
            Change("forge_additional_modules", list(MODULES), ", ".join(MODULES)),
        ),
        (Speech.FORGE, Setting.VAE, "Automatic", Change("forge_additional_modules", [], "built-in")),
        (Speech.A1111, Setting.CLIP_SKIP, "2", Change("CLIP_stop_at_last_layers", 2, "2")),
    ],
)
def test_values_are_the_webui_s_own_with_exact_types(
    speech: Speech, setting: Setting, wanted: str, change: Change
) -> None:
    built = build_change(setting, wanted, catalog(speech))
    assert built == change
    assert type(built.value) is type(change.value)
    assert built.key in LASTING_KEYS


@pytest.mark.parametrize(
    ("known", "setting", "wanted", "words"),
    [
        (catalog(), Setting.CHECKPOINT, "/etc/passwd", "no checkpoint called"),
        (catalog(), Setting.CHECKPOINT, "", "no checkpoint called"),
        (catalog(), Setting.VAE, "http://evil/x.pt", "no VAE called"),
        (catalog(), Setting.VAE, " , ", "Say which VAE."),
        (catalog(), Setting.VAE, "soft, none", "no way to take several VAEs"),
        (catalog(), Setting.CLIP_SKIP, "13", "from 1 to 12"),
        (catalog(), Setting.CLIP_SKIP, "0", "from 1 to 12"),
        (catalog(), Setting.CLIP_SKIP, "²", "from 1 to 12"),
        (catalog(), Setting.CLIP_SKIP, "-1", "from 1 to 12"),
        (catalog(clip_skip=None), Setting.CLIP_SKIP, "2", "no lasting CLIP skip"),
        (catalog(Speech.SDCPP), Setting.CHECKPOINT, "day", "stable-diffusion.cpp"),
        (catalog(Speech.KOBOLD), Setting.CHECKPOINT, "day", "KoboldCpp"),
        (catalog(Speech.DRAWTHINGS), Setting.VAE, "soft", "Draw Things"),
        (catalog(override_settings=False), Setting.CHECKPOINT, "day", "nobody set its options"),
    ],
)
def test_what_can_t_be_set_is_a_sentence(known: Catalog, setting: Setting, wanted: str, words: str) -> None:
    with pytest.raises(NotOffered, match=words):
        build_change(setting, wanted, known)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"updated": [{"sd_vae": False}, {"sd_model_checkpoint": True}]}, {"sd_vae"}),
        ({"updated": [{"sd_vae": None}, "odd"]}, set()),
        ({"updated": "odd"}, set()),
        (None, set()),
        ([], set()),
    ],
)
def test_only_a_plain_false_is_a_refusal(answer: Any, refused: set[str]) -> None:
    assert refused_keys(answer) == refused


@pytest.mark.parametrize(
    ("change", "found", "is_there"),
    [
        (Change("sd_model_checkpoint", "day.safetensors", ""), "day.safetensors [aaaaaaaaaa]", True),
        (Change("sd_model_checkpoint", "day.safetensors", ""), "day", True),
        (Change("sd_model_checkpoint", "day.safetensors", ""), "night_v2", False),
        (Change("sd_model_checkpoint", "day.safetensors", ""), None, False),
        (Change("CLIP_stop_at_last_layers", 2, ""), 2.0, True),
        (Change("CLIP_stop_at_last_layers", 1, ""), True, False),
        (Change("CLIP_stop_at_last_layers", 2, ""), "2", False),
        (Change("forge_additional_modules", ["ae.safetensors"], ""), ["C:\\models\\VAE\\ae.safetensors"], True),
        (Change("forge_additional_modules", [], ""), ["ae.safetensors"], False),
        (Change("forge_additional_modules", [], ""), None, True),
        (Change("sd_vae", "soft.pt", ""), "Automatic", False),
    ],
)
def test_what_the_options_say_is_understood_as_each_spells_it(change: Change, found: Any, is_there: bool) -> None:
    assert is_set(change, {change.key: found}, catalog()) is is_there


@pytest.mark.parametrize("kind", [LocalWebui, LocalForge, LocalReForge, LocalSdNext])
async def test_a_checkpoint_is_set_and_seen_to_be(session: aiohttp.ClientSession, kind: type[LocalWebui]) -> None:
    async with kind() as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        change = build_change(Setting.CHECKPOINT, "paperCutout_v12", known)
        assert not is_set(change, await fetch_options(client), known)
        answer = await client.set_options({change.key: change.value}, 5.0)
        now = await client.fetch_catalog(known)
        assert refused_keys(answer) == frozenset()
        assert is_set(change, await fetch_options(client), now)
        assert webui.swaps == ([] if loads_later(now) else ["paperCutout_v12"])


EVERYTHING = {Setting.CHECKPOINT, Setting.VAE, Setting.CLIP_SKIP}
VALUES = {Setting.CHECKPOINT: "paperCutout_v12", Setting.VAE: "None", Setting.CLIP_SKIP: "2"}


@pytest.mark.parametrize(
    ("kind", "can"),
    [
        (LocalWebui, EVERYTHING),
        (LocalReForge, EVERYTHING),
        (LocalForge, EVERYTHING),
        (LocalForgeNeo, EVERYTHING),
        (LocalSdNext, EVERYTHING),
        (LocalSdCpp, set()),
        (LocalKobold, set()),
        (LocalDrawThings, set()),
    ],
)
async def test_the_readme_s_table_of_what_can_be_set(
    session: aiohttp.ClientSession, kind: type[LocalWebui], can: set[Setting]
) -> None:
    async with kind() as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        for setting, value in VALUES.items():
            if setting not in can:
                with pytest.raises(NotOffered):
                    build_change(setting, value, known)
                continue
            change = build_change(setting, value, known)
            assert refused_keys(await client.set_options({change.key: change.value}, 5.0)) == frozenset()
            assert is_set(change, await fetch_options(client), await client.fetch_catalog(known))


@pytest.mark.parametrize("kind", [LocalSdCpp, LocalKobold, LocalDrawThings])
async def test_webuis_that_can_t_be_switched_are_known_by_what_they_answered(
    session: aiohttp.ClientSession, kind: type[LocalWebui]
) -> None:
    async with kind() as webui:
        known = await client_for(webui.url, session).fetch_catalog()
        with pytest.raises(NotOffered, match="It can't be switched from here"):
            build_change(Setting.CHECKPOINT, known.checkpoints[0].title if known.checkpoints else "x", known)


async def test_a_lasting_clip_skip_is_not_taken_for_a_leaked_one(session: aiohttp.ClientSession) -> None:
    async with LocalWebui() as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        client._sent = {"CLIP_stop_at_last_layers": 2}
        await client.set_options({"CLIP_stop_at_last_layers": 2}, 5.0)
        assert (await client.fetch_catalog(known)).capabilities.clip_skip == 2


async def draw(session: aiohttp.ClientSession, webui: LocalWebui) -> None:
    """As somebody at the webui's own page does."""
    async with session.post(f"{webui.url}/sdapi/v1/txt2img", json={"prompt": "a", "steps": 4}) as answer:
        await answer.read()


async def test_a_webui_at_work_for_somebody_else_is_seen(session: aiohttp.ClientSession) -> None:
    async with LocalWebui() as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        assert not await is_at_work(client, known)
        webui.hold(1)
        drawing = asyncio.create_task(draw(session, webui))
        await webui.until(lambda: webui.running is not None)
        assert await is_at_work(client, known)
        webui.release()
        await drawing


@pytest.mark.parametrize("kind", [LocalWebui, LocalForge, LocalSdNext, LocalKobold])
async def test_lists_are_refreshed_where_there_is_a_way_and_nothing_is_raised(
    session: aiohttp.ClientSession, kind: type[LocalWebui]
) -> None:
    async with kind() as webui:
        client = client_for(webui.url, session)
        known = await client.fetch_catalog()
        webui.catalog.arrive("checkpoints", "newcomer_v1.safetensors")
        await refresh_lists(client, 5.0)
        found = (await client.fetch_catalog(known)).checkpoints
        if kind is not LocalKobold:
            assert any(one.stem == "newcomer_v1" for one in found)
        webui.fault(Fault.HANG, route="/sdapi/v1/refresh-*", times=None)
        await refresh_lists(client, 0.1)
