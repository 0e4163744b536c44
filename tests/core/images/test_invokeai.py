"""InvokeAI's three manners, newest to oldest."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images.generation import Metadata
from core.images.invokeai import read

NEWEST: dict[str, Any] = {
    "app_version": "5.4.2",
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "a lighthouse",
    "negative_prompt": "people",
    "positive_style_prompt": "a lighthouse",
    "negative_style_prompt": "photo",
    "width": 1024,
    "height": 768,
    "seed": 3456789012,
    "rand_device": "cpu",
    "cfg_scale": 7.5,
    "steps": 30,
    "scheduler": "dpmpp_2m_k",
    "clip_skip": 0,
    "model": {"key": "1", "hash": "blake3:ab", "name": "demoXL", "base": "sdxl", "type": "main"},
    "vae": None,
    "loras": [
        {"model": {"name": "ink"}, "weight": 0.75},
        {"lora": {"model_name": "wash", "base_model": "sdxl"}},
        {"weight": 1},
        "x",
    ],
    "controlnets": [],
}
OLD: dict[str, Any] = {
    "model": "stable diffusion",
    "model_weights": "demo-1.5",
    "model_hash": "cc6cb27103",
    "app_id": "invoke-ai/InvokeAI",
    "app_version": "2.3.0",
    "image": {
        "prompt": [{"prompt": "a cat [blurry, dog]", "weight": 1}, {"prompt": "a hat", "weight": 0.5}],
        "steps": 50,
        "cfg_scale": 7.5,
        "seed": 12,
        "width": 512,
        "height": 640,
        "sampler": "k_lms",
        "type": "img2img",
        "strength": 0.7,
    },
}


def tell(key: str, value: Any) -> Metadata:
    found = read({key: value if isinstance(value, str) else json.dumps(value)})
    assert found is not None
    assert found.source == "InvokeAI"
    return found


def test_the_newest_is_read() -> None:
    found = tell("invokeai_metadata", NEWEST)
    assert (found.prompt, found.negative_prompt) == ("a lighthouse", "people\nphoto")
    assert list(found.fields.items()) == [
        ("Steps", "30"),
        ("Sampler", "dpmpp_2m_k"),
        ("CFG scale", "7.5"),
        ("Seed", "3456789012"),
        ("Size", "1024x768"),
        ("Model", "demoXL"),
        ("Model hash", "blake3:ab"),
        ("LoRA", "ink: 0.75, wash: 1"),
        ("RNG", "cpu"),
        ("Mode", "sdxl_txt2img"),
        ("Version", "InvokeAI 5.4.2"),
    ]
    assert json.loads(found.raw) == NEWEST


def test_models_had_other_names_before() -> None:
    values = NEWEST | {"model": {"model_name": "demo"}, "vae": {"model_name": "fix"}, "clip_skip": 2}
    fields = tell("invokeai_metadata", values).fields
    assert (fields["Model"], fields["VAE"], fields["Clip skip"]) == ("demo", "fix", "2")


def test_the_old_one_is_read_and_brackets_are_its_negative_prompt() -> None:
    found = tell("sd-metadata", OLD)
    assert (found.prompt, found.negative_prompt) == ("a cat, a hat", "blurry, dog")
    assert list(found.fields.items()) == [
        ("Steps", "50"),
        ("Sampler", "k_lms"),
        ("CFG scale", "7.5"),
        ("Seed", "12"),
        ("Size", "512x640"),
        ("Model", "demo-1.5"),
        ("Model hash", "cc6cb27103"),
        ("Version", "InvokeAI 2.3.0"),
        ("Denoising strength", "0.7"),
        ("Mode", "img2img"),
    ]


def test_the_old_ones_prompt_may_be_a_text() -> None:
    assert tell("sd-metadata", OLD | {"image": {"prompt": "a cat"}}).prompt == "a cat"


@pytest.mark.parametrize("key", ["Dream", "dream"])
def test_the_oldest_is_a_command_line(key: str) -> None:
    found = tell(key, '"a "real" cat -s 9 [ugly]" -s 50 -S 1234 -W 512 -H 768 -C 7.5 -A k_euler -f0.6 --grid')
    assert (found.prompt, found.negative_prompt) == ('a "real" cat -s 9', "ugly")
    assert dict(found.fields) == {
        "Steps": "50",
        "Sampler": "k_euler",
        "CFG scale": "7.5",
        "Seed": "1234",
        "Size": "512x768",
        "Denoising strength": "0.6",
    }


@pytest.mark.parametrize(
    ("text", "prompt", "fields"),
    [
        ("a cat -s 5", "a cat", {"Steps": "5"}),
        ('"a cat"', "a cat", {}),
        ('"', "", {}),
        ("a cat", "a cat", {}),
    ],
)
def test_a_command_line_in_pieces(text: str, prompt: str, fields: dict[str, str]) -> None:
    found = tell("Dream", text)
    assert (found.prompt, dict(found.fields)) == (prompt, fields)


def test_a_newer_key_that_cannot_be_read_leaves_the_older_one() -> None:
    found = read({"invokeai_metadata": "{" * 100_000, "sd-metadata": "{}", "Dream": '"a cat" -s 5'})
    assert found is not None
    assert found.prompt == "a cat"


@pytest.mark.parametrize("texts", [{}, {"Dream": " "}, {"invokeai_metadata": "[1]"}, {"sd-metadata": "null"}])
def test_no_key_is_none(texts: dict[str, str]) -> None:
    assert read(texts) is None


@pytest.mark.parametrize("part", ["[", "-s ", "-s5", '" -', "[]", "[ ,]", " "], ids=repr)
def test_a_long_command_line_is_read_in_linear_time(part: str) -> None:
    began = time.process_time()
    tell("Dream", '"a' + part * (1_000_000 // len(part)) + "-")
    assert time.process_time() - began < 5  # 0.2 here


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*NEWEST, *OLD, *OLD["image"], "name", "lora"]), inner)
    ),
    max_leaves=10,
)


@given(key=st.sampled_from(["invokeai_metadata", "sd-metadata"]), value=_JSON)
def test_any_json_is_read_without_an_error(key: str, value: Any) -> None:
    found = read({key: json.dumps(value)})
    assert found is None or all(isinstance(text, str) and text for text in found.fields.values())
