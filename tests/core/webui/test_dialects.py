"""What each way of speaking sends: exact payloads, and nothing that a webui of that kind doesn't take."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.request import GenerationRequest, LoraUse
from core.webui.assets import Assets, Lora
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.dialects import DIALECTS, OVERRIDE_KEYS, Speech
from core.webui.lacking import check_needs
from core.webui.needs import first_lack, needs_of
from core.webui.payload import build_payload
from core.webui.sending import Base64

IMAGE, MASK = b"an image", b"a mask"
INPUTS = {"key-of-image": IMAGE, "key-of-mask": MASK}
ASSETS = Assets(
    loras=(Lora("inkwash", path="inkwash.safetensors"), Lora("detail")),
    vaes=("vae-ft.safetensors",),
    upscalers=("R-ESRGAN 4x+",),
    latent_upscalers=("Latent",),
    styles=("Cinematic",),
)


def catalog(speech: Speech, **assets: Any) -> Catalog:
    overrides = speech in (Speech.A1111, Speech.FORGE, Speech.SDNEXT)
    can = Capabilities(
        override_settings=overrides,
        clip_skip=1 if speech in (Speech.A1111, Speech.FORGE) else None,
        n_iter=overrides,
        speech=speech,
        fields=DIALECTS[speech].fields | ({"face_fix"} if assets.get("face_models") else set()),
    )
    return Catalog(
        checkpoints=(Checkpoint("dream.safetensors [0a1b2c3d4e]", "dream", "0a1b2c3d4e", None, "dream"),),
        samplers=(Named("Euler a"),),
        schedulers=(Named("Karras"),),
        capabilities=can,
        assets=replace(ASSETS, **assets),
    )


def asked(**fields: Any) -> GenerationRequest:
    return GenerationRequest(prompt="a fox", seed=5, **fields)


A_TAIL = {"send_images": True, "save_images": False}


def overriding(**settings: Any) -> dict[str, Any]:
    return {"override_settings": settings, "override_settings_restore_afterwards": True}


CLIP = {"CLIP_stop_at_last_layers": 1}
HIRES: dict[str, Any] = {
    "hires_scale": 1.5,
    "hires_upscaler": "r-esrgan 4x+",
    "hires_steps": 10,
    "hires_denoising_strength": 0.4,
}
A_HIRES = {
    "enable_hr": True,
    "hr_additional_modules": ["Use same choices"],
    "hr_cfg": 7.0,
    "hr_scale": 1.5,
    "hr_upscaler": "R-ESRGAN 4x+",
    "hr_second_pass_steps": 10,
    "denoising_strength": 0.4,
}
ENCODED = Base64(IMAGE)
PAYLOADS: list[tuple[str, Speech, dict[str, Any], dict[str, Any]]] = [
    ("hires on A1111", Speech.A1111, HIRES, {**A_HIRES, **A_TAIL, **overriding(**CLIP)}),
    (
        "hires on Forge has its own CFG",
        Speech.FORGE,
        {**HIRES, "cfg_scale": 2, "distilled_cfg": 3},
        {
            **A_HIRES,
            "hr_cfg": 2.0,
            "hr_distilled_cfg": 3.0,
            "cfg_scale": 2.0,
            "distilled_cfg_scale": 3.0,
            **A_TAIL,
            **overriding(**CLIP),
        },
    ),
    (
        "hires on SD.Next is switched on three times",
        Speech.SDNEXT,
        HIRES,
        {
            "enable_hr": True,
            "hr_resize_mode": 1,
            "hr_force": True,
            "hr_scale": 1.5,
            "hr_upscaler": "R-ESRGAN 4x+",
            "hr_second_pass_steps": 10,
            "hr_denoising_strength": 0.4,
            **A_TAIL,
        },
    ),
    (
        "hires on sd.cpp",
        Speech.SDCPP,
        HIRES,
        {
            "enable_hr": True,
            "hr_scale": 1.5,
            "hr_upscaler": "R-ESRGAN 4x+",
            "hr_steps": 10,
            "denoising_strength": 0.4,
        },
    ),
    (
        "LoRAs are tags",
        Speech.A1111,
        {"loras": (LoraUse("INKWASH", 0.8), LoraUse("detail"))},
        {"prompt": "<lora:inkwash:0.8> <lora:detail:1> a fox", **A_TAIL, **overriding(**CLIP)},
    ),
    (
        "LoRAs are an array on sd.cpp",
        Speech.SDCPP,
        {"loras": (LoraUse("inkwash", 0.8),)},
        {"lora": [{"path": "inkwash.safetensors", "multiplier": 0.8}]},
    ),
    (
        "a VAE",
        Speech.A1111,
        {"vae": "vae-ft"},
        {**A_TAIL, **overriding(sd_vae="vae-ft.safetensors", **CLIP)},
    ),
    ("styles", Speech.SDNEXT, {"styles": ("cinematic",)}, {"styles": ["Cinematic"], **A_TAIL}),
    ("CLIP skip on top", Speech.SDNEXT, {"clip_skip": 2}, {"clip_skip": 2, **A_TAIL}),
    ("CLIP skip on top of sd.cpp", Speech.SDCPP, {"clip_skip": 2}, {"clip_skip": 2}),
    (
        "an image",
        Speech.A1111,
        {"image": "key-of-image", "denoising_strength": 1, "resize_mode": "crop"},
        {"init_images": [ENCODED], "denoising_strength": 1.0, "resize_mode": 1, **A_TAIL, **overriding(**CLIP)},
    ),
    (
        "an image for SD.Next always gets the picture's size",
        Speech.SDNEXT,
        {"image": "key-of-image"},
        {"init_images": [ENCODED], "resize_mode": 1, **A_TAIL},
    ),
    *(
        (f"SD.Next's number for {mode}", Speech.SDNEXT, {"image": "key-of-image", "resize_mode": mode}, expected)
        for mode, expected in (
            ("stretch", {"init_images": [ENCODED], "resize_mode": 1, **A_TAIL}),
            ("crop", {"init_images": [ENCODED], "resize_mode": 2, **A_TAIL}),
            ("fill", {"init_images": [ENCODED], "resize_mode": 3, **A_TAIL}),
        )
    ),
    (
        "a mask goes with what the page would send",
        Speech.A1111,
        {"image": "key-of-image", "mask": "key-of-mask", "inpaint_area": "masked", "mask_invert": True},
        {
            "init_images": [ENCODED],
            "mask": Base64(MASK),
            "inpainting_fill": 1,
            "inpaint_full_res": True,
            "inpaint_full_res_padding": 32,
            "inpainting_mask_invert": 1,
            **A_TAIL,
            **overriding(**CLIP),
        },
    ),
    ("faces are restored", Speech.A1111, {"face_fix": True}, {"restore_faces": True, **A_TAIL, **overriding(**CLIP)}),
    ("faces are restored in Draw Things", Speech.DRAWTHINGS, {"face_fix": True}, {"restore_faces": True}),
    (
        "nothing but what Draw Things knows",
        Speech.DRAWTHINGS,
        {"steps": 8, "clip_skip": 1},
        {"steps": 8, "clip_skip": 1},
    ),
]


@pytest.mark.parametrize(
    ("speech", "fields", "expected"), [row[1:] for row in PAYLOADS], ids=[row[0] for row in PAYLOADS]
)
def test_the_payload_is_exactly_this(speech: Speech, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    payload = build_payload(asked(**fields), catalog(speech), task_id=None, inputs=INPUTS)
    assert as_sent(payload) == as_sent({"prompt": "a fox", "seed": 5, **expected})


def as_sent(payload: dict[str, Any]) -> str:
    """Where 1 and 1.0 and true differ."""
    return json.dumps(payload, sort_keys=True, default=repr)


def test_forge_takes_modules_in_place_of_a_vae() -> None:
    here = catalog(Speech.FORGE, vaes=(), modules=("ae.safetensors", "clip_l.safetensors"))
    payload = build_payload(asked(vae="AE, clip_l"), here, task_id=None)
    assert payload["override_settings"]["forge_additional_modules"] == ["ae.safetensors", "clip_l.safetensors"]
    assert "sd_vae" not in payload["override_settings"]


def test_adetailer_is_told_its_model_and_nothing_that_it_forbids() -> None:
    here = catalog(Speech.A1111, face_models=("face_yolov8n.pt",))
    payload = build_payload(asked(face_fix=True), here, task_id=None)
    assert payload["alwayson_scripts"] == {"adetailer": {"args": [True, False, {"ad_model": "face_yolov8n.pt"}]}}
    assert "restore_faces" not in payload


def test_tags_in_the_prompt_become_part_of_the_array() -> None:
    request = GenerationRequest(prompt="a <lora:inkwash:0.5> fox", seed=5)
    payload = build_payload(request, catalog(Speech.SDCPP), task_id=None)
    assert payload["prompt"] == "a fox"
    assert payload["lora"] == [{"path": "inkwash.safetensors", "multiplier": 0.5}]


@pytest.mark.parametrize(
    ("speech", "fields", "sentence"),
    [
        (Speech.KOBOLD, {"hires_scale": 2.0}, "This server's webui has no hires fix; leave it out."),
        (Speech.A1111, {"distilled_cfg": 3.5}, "This server's webui has no distilled CFG scale; leave it out."),
        (
            Speech.SDNEXT,
            {"image": "key-of-image", "resize_mode": "latent"},
            "This server's webui has no way to resize latents; leave it out.",
        ),
        (Speech.SDNEXT, {"face_fix": True}, "This server's webui has no way to fix faces; leave it out."),
        (
            Speech.DRAWTHINGS,
            {"mask": "m"},
            "This server's webui has no way to draw only a part of an image",
        ),
        (Speech.A1111, {"loras": (LoraUse("inkwhash"),)}, 'The webui has no lora called "inkwhash". The nearest are'),
        (Speech.A1111, {"styles": ("noir",)}, 'The webui has no style called "noir". The nearest is "Cinematic".'),
        (Speech.A1111, {"vae": "other"}, 'The webui has no VAE called "other".'),
        (Speech.A1111, {"hires_upscaler": "x4"}, 'The webui has no upscaler called "x4".'),
    ],
)
def test_what_a_webui_lacks_is_said(speech: Speech, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        check_needs(asked(**fields), catalog(speech))
    assert str(caught.value).startswith(sentence)


def test_an_unknown_tag_in_the_prompt_is_refused_too() -> None:
    with pytest.raises(UserError, match='no lora called "nothing"'):
        check_needs(GenerationRequest(prompt="a <lora:nothing:1> fox", seed=1), catalog(Speech.A1111))


def test_an_image_that_is_gone_is_a_sentence() -> None:
    with pytest.raises(UserError, match="send it again"):
        build_payload(asked(image="other"), catalog(Speech.A1111), task_id=None, inputs=INPUTS)


OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "steps": st.integers(1, 50),
    "cfg_scale": st.floats(1, 20),
    "hires_scale": st.floats(1, 2),
    "hires_steps": st.integers(0, 20),
    "distilled_cfg": st.floats(0, 10),
    "tiling": st.booleans(),
    "face_fix": st.booleans(),
    "eta": st.floats(0, 1),
    "subseed": st.integers(0, 9),
    "image": st.just("key-of-image"),
    "mask": st.just("key-of-mask"),
    "mask_blur": st.integers(0, 9),
    "masked_content": st.sampled_from(["fill", "original", "noise", "nothing"]),
    "loras": st.just((LoraUse("inkwash"),)),
    "styles": st.just(("Cinematic",)),
    "clip_skip": st.integers(1, 3),
    "checkpoint": st.just("dream"),
}


@given(st.sampled_from(list(Speech)), st.dictionaries(st.sampled_from(sorted(OPTIONS)), st.none()), st.data())
def test_nothing_is_null_and_every_key_is_in_the_table(
    speech: Speech, chosen: dict[str, None], data: st.DataObject
) -> None:
    request = asked(**{name: data.draw(OPTIONS[name]) for name in chosen})
    here = catalog(speech)
    if first_lack(here, needs_of(request)) is not None:
        return
    payload = build_payload(request, here, task_id=None, inputs=INPUTS)
    dialect = DIALECTS[speech]
    known = {key for key in dialect.keys.values() if not key.startswith("@")} | dialect.always.keys()
    known |= (
        dialect.hires.keys() | dialect.inpaint.keys() | {"lora", "n_iter", "batch_size", "hr_cfg", "hr_distilled_cfg"}
    )
    known |= (
        {"override_settings", "override_settings_restore_afterwards"} if here.capabilities.override_settings else set()
    )
    assert payload.keys() <= known
    assert None not in payload.values()
    assert OVERRIDE_KEYS.issuperset(payload.get("override_settings", {}))


@pytest.mark.parametrize("speech", [Speech.A1111, Speech.FORGE])
def test_a_refiner_begins_where_the_page_would_have_it_begin(speech: Speech) -> None:
    """The API alone takes no word for "from the first step on"."""
    said = build_payload(asked(refiner_checkpoint="dream"), catalog(speech), task_id=None)
    assert said["refiner_switch_at"] == 0.8
    said = build_payload(asked(refiner_checkpoint="dream", refiner_switch_at=0.5), catalog(speech), task_id=None)
    assert said["refiner_switch_at"] == 0.5
    assert "refiner_switch_at" not in build_payload(asked(), catalog(speech), task_id=None)
