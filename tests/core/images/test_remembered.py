"""From a picture's generation data to a request."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from msgspec import UNSET

from core.images.generation import Metadata
from core.images.infotext import parse
from core.images.remembered import remember
from core.request import GenerationRequest


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
