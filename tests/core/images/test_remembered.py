"""From a picture's generation data to a request."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from msgspec import UNSET

from core.images.generation import Metadata
from core.images.infotext import parse
from core.images.remembered import remember
from core.request import GenerationRequest
from core.understanding import Understanding


def told(text: str) -> Metadata:
    read = parse(text)
    return Metadata("AUTOMATIC1111", read.prompt, read.negative_prompt, read.fields, text)


def test_an_infotext_becomes_its_request() -> None:
    found = remember(
        told(
            "a fox <lora:ink:0.8>\nNegative prompt: fog\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, "
            "CFG scale: 6.5, Seed: 7, Size: 832x1216, Model hash: abc, Model: dream_v4, Clip skip: 2, "
            "Variation seed: 9, Variation seed strength: 0.1, Denoising strength: 0.4, Hires upscale: 2, "
            "Hires steps: 10, Hires upscaler: Latent, Version: v1.10.1"
        )
    )
    assert found is not None
    assert found.request == GenerationRequest(
        prompt="a fox <lora:ink:0.8>",
        negative_prompt="fog",
        steps=20,
        sampler="DPM++ 2M",
        scheduler="Karras",
        cfg_scale=6.5,
        seed=7,
        width=832,
        height=1216,
        checkpoint="dream_v4",
        clip_skip=2,
        subseed=9,
        subseed_strength=0.1,
        hires_scale=2.0,
        hires_steps=10,
        hires_upscaler="Latent",
        hires_denoising_strength=0.4,
    )
    assert (found.seed, found.checkpoint) == (7, "dream_v4")


WHOLE: dict[str, dict[str, Any]] = {
    "VAE: ft-mse.safetensors": {"vae": "ft-mse.safetensors"},
    "Module 1: ae, Module 2: clip_l": {"vae": "ae, clip_l"},
    'Module 1: "a, b"': {"vae": '"a, b"'},
    "Refiner: xl_refiner [abcdef0123], Refiner switch at: 0.7": {
        "refiner_checkpoint": "xl_refiner [abcdef0123]",
        "refiner_switch_at": 0.7,
    },
    "Hires upscale: 2, Hires sampler: DPM++ 2M, Hires schedule type: Karras": {
        "hires_scale": 2.0,
        "hires_sampler": "DPM++ 2M",
        "hires_scheduler": "Karras",
    },
    "Hires upscale: 2, Hires sampler: Use same sampler, Hires schedule type: Use same scheduler": {"hires_scale": 2.0},
    "Hires resize: 1024x1536, Denoising strength: 0.4": {"hires_scale": 2.0, "hires_denoising_strength": 0.4},
    "Hires resize: 1024x0": {"hires_scale": 2.0},
    "Hires resize: 0x0": {},
    "Hires scale: 2.0, Hires strength: 0.4, Hires force: True": {"hires_scale": 2.0, "hires_denoising_strength": 0.4},
    "CLiP-skip: 2, Variation seed: 5, Variation strength: 0.2": {
        "clip_skip": 2,
        "subseed": 5,
        "subseed_strength": 0.2,
    },
    "Tiling: True, Eta: 0.5, Face restoration: CodeFormer": {"tiling": True, "eta": 0.5, "face_fix": True},
    "Tiling: False, Eta: inf, Face restoration: None": {},
    "ADetailer model: face_yolov8n.pt": {"face_fix": True},
    "ADetailer model: hand_yolov8n.pt": {},
    "Denoising strength: 0.6": {"denoising_strength": 0.6},
}
"""What stands in an infotext, and what it says beside its other settings."""


@pytest.mark.parametrize("said", WHOLE)
def test_everything_that_has_a_setting_of_its_own_is_remembered(said: str) -> None:
    found = remember(told(f"a fox\nSteps: 20, CFG scale: 7.0, Seed: 7, Size: 512x768, {said}"))
    assert found is not None
    plain = GenerationRequest(prompt="a fox", steps=20, cfg_scale=7.0, seed=7, width=512, height=768)
    assert found.request == replace(plain, **WHOLE[said])


@pytest.mark.parametrize("name", ["NONE", "default", "Undefined"])
def test_what_names_no_sampler_names_none(name: str) -> None:
    found = remember(told(f"a fox\nSteps: 20, CFG scale: 7.0, Seed: 7, Sampler: {name}"))
    assert found is not None
    assert found.request.sampler is UNSET


def test_two_names_in_one_value_are_sampler_and_scheduler() -> None:
    for text in (
        "a fox\nSteps: 2, CFG scale: 7.0, Seed: 7, Sampler: dpm++2m karras, Version: stable-diffusion.cpp",
        "Prompt: a fox | NegativePrompt: | Steps: 2 | Seed: 7 | Sampler: dpm++2m karras | Version: KoboldCpp",
    ):
        found = remember(told(text))
        assert found is not None
        assert (found.request.sampler, found.request.scheduler) == ("dpm++2m", "karras")


def test_a_prompt_is_remembered_as_it_was_drawn() -> None:
    found = remember(told("a {red|blue} fox\nNegative prompt: {a|b\nSteps: 20, CFG scale: 7.0, Seed: 7"))
    assert found is not None
    queued = Understanding().read(found.request, None, None).request.of(0)
    assert (queued.prompt, queued.negative_prompt) == ("a {red|blue} fox", "{a|b")


def test_a_schedule_behind_the_sampler_s_name_is_one() -> None:
    found = remember(told("a fox\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1"))
    assert found is not None
    assert (found.request.sampler, found.request.scheduler) == ("DPM++ 2M", "Karras")


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("Steps", "many", "steps"),
        ("Steps", "-3", "steps"),
        ("Seed", "99999999999999999999", "seed"),
        ("CFG scale", "nan", "cfg_scale"),
        ("CFG scale", "inf", "cfg_scale"),
        ("Size", "0", "width"),
        ("Size", "123456x7", "width"),
    ],
)
def test_what_can_not_be_read_is_left_out(key: str, value: str, name: str) -> None:
    found = remember(Metadata("?", "a fox", "", MappingProxyType({key: value, "Clip skip": "2"})))
    assert found is not None
    assert getattr(found.request, name) is UNSET
    assert found.request.clip_skip == 2


def test_nothing_is_nothing() -> None:
    fields: Any = MappingProxyType({"Version": "x"})
    assert remember(Metadata("?", " ", "", fields)) is None
