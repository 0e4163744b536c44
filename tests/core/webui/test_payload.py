"""Request in, exact JSON out."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.request import GenerationRequest
from core.webui.assets import Assets, Lora
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.dialects import DIALECTS, OVERRIDE_KEYS, Speech
from core.webui.lacking import check_needs
from core.webui.payload import build_payload

CATALOG = Catalog(
    checkpoints=(
        Checkpoint("dream_8.safetensors [0a1b2c3d4e]", "dream_8", "0a1b2c3d4e", None, "dream_8"),
        Checkpoint("xl/photon.safetensors", "xl_photon", None, None, "photon"),
    ),
    samplers=(Named("DPM++ 2M", ("k_dpmpp_2m",)), Named("Euler a", ("k_euler_a",)), Named("Euler")),
    schedulers=(Named("Automatic", ("automatic",)), Named("SGM Uniform", ("sgm_uniform",))),
    capabilities=Capabilities(task_progress=True, progress=True, override_settings=True, clip_skip=1),
)
BARE = Catalog()
TAIL: dict[str, Any] = {"send_images": True, "save_images": False}


def _asking(fields: dict[str, str]) -> GenerationRequest:
    return msgspec.convert({"prompt": "x", "seed": 1, **fields}, GenerationRequest)


def _overrides(**settings: Any) -> dict[str, Any]:
    return {"override_settings": settings, "override_settings_restore_afterwards": True}


@pytest.mark.parametrize(
    ("request_", "catalog", "task_id", "expected"),
    [
        pytest.param(
            GenerationRequest(prompt="a fox", seed=5), BARE, None, {"prompt": "a fox", "seed": 5, **TAIL}, id="bare"
        ),
        pytest.param(
            GenerationRequest(prompt="", seed=0, negative_prompt=""),
            CATALOG,
            "t1",
            {
                "prompt": "",
                "negative_prompt": "",
                "seed": 0,
                **TAIL,
                **_overrides(CLIP_stop_at_last_layers=1),
                "force_task_id": "t1",
            },
            id="unset is omitted, empty is sent, CLIP skip is the webui's own",
        ),
        pytest.param(
            GenerationRequest(
                prompt="a fox",
                negative_prompt="blurry",
                checkpoint="PHOTON",
                width=832,
                height=1216,
                steps=25,
                cfg_scale=7,
                sampler="k_euler_a",
                scheduler="sgm_uniform",
                seed=2**40,
                count=4,
                clip_skip=2,
            ),
            CATALOG,
            None,
            {
                "prompt": "a fox",
                "negative_prompt": "blurry",
                "seed": 2**40,
                "width": 832,
                "height": 1216,
                "steps": 25,
                "cfg_scale": 7.0,
                "sampler_name": "Euler a",
                "scheduler": "SGM Uniform",
                "n_iter": 4,
                "batch_size": 1,
                **TAIL,
                **_overrides(sd_model_checkpoint="xl/photon.safetensors", CLIP_stop_at_last_layers=2),
            },
            id="everything",
        ),
        pytest.param(
            GenerationRequest(prompt="x", seed=1, count=4),
            Catalog(capabilities=Capabilities(n_iter=False)),
            None,
            {"prompt": "x", "seed": 1, "batch_size": 4, **TAIL},
            id="several at once where the webui doesn't draw one after the other",
        ),
        pytest.param(
            GenerationRequest(prompt="x", seed=1, checkpoint="dream_8", clip_skip=2),
            Catalog(checkpoints=CATALOG.checkpoints),
            None,
            {"prompt": "x", "seed": 1, **TAIL},
            id="no overrides where the webui ignores or refuses them",
        ),
        pytest.param(
            GenerationRequest(prompt="x", seed=1, clip_skip=2),
            Catalog(capabilities=Capabilities(override_settings=True)),
            None,
            {"prompt": "x", "seed": 1, **TAIL},
            id="no CLIP skip where there is no such option: an unknown key is a 500",
        ),
    ],
)
def test_the_payload_is_exactly_this(
    request_: GenerationRequest, catalog: Catalog, task_id: str | None, expected: dict[str, Any]
) -> None:
    payload = build_payload(request_, catalog, task_id=task_id)
    assert json.dumps(payload, sort_keys=True) == json.dumps(expected, sort_keys=True)
    assert OVERRIDE_KEYS.issuperset(payload.get("override_settings", {}))


def test_a_payload_is_not_built_before_the_seed_is_drawn() -> None:
    with pytest.raises(ValueError, match="seed"):
        build_payload(GenerationRequest(prompt="x"), BARE, task_id=None)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            GenerationRequest(prompt="x", seed=1, checkpoint="fotn"),
            'The webui has no checkpoint called "fotn". The nearest are "photon" and "dream_8".',
        ),
        (
            GenerationRequest(prompt="x", seed=1, sampler="Eular a"),
            'The webui has no sampler called "Eular a". The nearest are "Euler a", "Euler" and "DPM++ 2M".',
        ),
        (
            GenerationRequest(prompt="x", seed=1, scheduler="sgm\nuni"),
            'The webui has no scheduler called "sgm uni". The nearest are "SGM Uniform" and "Automatic".',
        ),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(request_: GenerationRequest, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        check_needs(request_, CATALOG, lambda: ["dream_8", "photon"])
    assert str(caught.value) == sentence
    with pytest.raises(UserError):
        build_payload(request_, CATALOG, task_id=None)


@pytest.mark.parametrize("kind", ["checkpoint", "sampler", "scheduler"])
@pytest.mark.parametrize("named", [Named("known"), None])
def test_a_name_is_refused_while_the_webui_can_not_list_that_kind(kind: str, named: Named | None) -> None:
    lists: dict[str, Any] = {f"{other}s": (named,) for other in ("sampler", "scheduler") if named and other != kind}
    catalog = Catalog(capabilities=Capabilities(override_settings=True), **lists)
    request = _asking({kind: "https://host.example/remote/name"})
    sentence = (
        f"The webui can't list its {kind}s at the moment, so none can be chosen; leave it out or try again later."
    )
    with pytest.raises(UserError) as caught:
        check_needs(request, catalog)
    assert str(caught.value) == sentence
    with pytest.raises(UserError) as caught:
        build_payload(request, catalog, task_id=None)
    assert str(caught.value) == sentence


_name = st.text(max_size=12) | st.sampled_from(["dream", "k_euler_a", "SGM Uniform", "photon ", "xl\\\\photon"])


@given(_name, _name, _name, st.sampled_from([CATALOG, BARE, Catalog(checkpoints=CATALOG.checkpoints)]))
def test_no_name_is_sent_that_the_webui_did_not_list(
    checkpoint: str, sampler: str, scheduler: str, catalog: Catalog
) -> None:
    for wanted in ({"checkpoint": checkpoint}, {"sampler": sampler}, {"scheduler": scheduler}):
        request = _asking(wanted)
        with contextlib.suppress(UserError):
            payload = build_payload(request, catalog, task_id=None)
            overrides = payload.get("override_settings", {})
            sent = {overrides.get("sd_model_checkpoint"), payload.get("sampler_name"), payload.get("scheduler")}
            listed = {one.title for one in catalog.checkpoints}
            assert sent - {None} <= listed.union(one.name for one in (*catalog.samplers, *catalog.schedulers))


def test_a_single_name_gets_a_singular_sentence() -> None:
    catalog = Catalog(samplers=(Named("Euler"),))
    with pytest.raises(UserError, match=r'The nearest is "Euler"\.$'):
        check_needs(GenerationRequest(prompt="x", sampler="y"), catalog)


def test_a_very_long_name_is_shortened_in_the_sentence() -> None:
    with pytest.raises(UserError) as caught:
        check_needs(GenerationRequest(prompt="x", sampler="y" * 6000), CATALOG)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("prompts", [{}, {"prompts": ("a fox", "<lora:ink:1>"), "count": 2}])
def test_tags_alone_are_no_prompt_where_they_are_taken_out(prompts: dict[str, Any]) -> None:
    """stable-diffusion.cpp refuses an empty one, and only once the job has waited for its turn."""
    alone = GenerationRequest(prompt="<lora:ink:1> <lyco:ink:0.5>", seed=1, **prompts)
    a1111, sdcpp = (
        Catalog(assets=Assets(loras=(Lora("ink"),)), capabilities=Capabilities(speech=one, fields=DIALECTS[one].fields))
        for one in (Speech.A1111, Speech.SDCPP)
    )
    check_needs(alone, a1111)
    with pytest.raises(UserError, match="can't draw from LoRAs alone; say in the prompt"):
        check_needs(alone, sdcpp)
    check_needs(GenerationRequest(prompt="a fox <lora:ink:1>"), sdcpp)
