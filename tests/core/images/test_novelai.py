"""NovelAI's keys, of its first model and of its fourth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images.novelai import read

FIRST: dict[str, Any] = {
    "steps": 28,
    "sampler": "k_euler_ancestral",
    "seed": 2291187171,
    "strength": 0.69,
    "noise": 0.2,
    "scale": 11.0,
    "uc": "lowres, text",
}
FOURTH: dict[str, Any] = {
    "prompt": "two foxes",
    "steps": 23,
    "height": 1216,
    "width": 832,
    "scale": 5.0,
    "cfg_rescale": 0.0,
    "seed": 7,
    "noise_schedule": "karras",
    "sampler": "k_euler",
    "strength": 0.7,
    "noise": 0.1,
    "request_type": "Img2ImgRequest",
    "v4_prompt": {
        "caption": {
            "base_caption": "two foxes, snow",
            "char_captions": [
                {"char_caption": "red fox", "centers": [{"x": 0.5, "y": 0.5}]},
                {"char_caption": "white fox"},
            ],
        }
    },
    "v4_negative_prompt": {"caption": {"base_caption": "dogs", "char_captions": [{"char_caption": ""}, {}, 3]}},
    "uc": "other",
    "signed_hash": "abc",
}


def texts(comment: Any, **others: str) -> dict[str, str]:
    return {"Software": "NovelAI", "Comment": json.dumps(comment), **others}


def test_the_first_model_has_its_prompt_in_the_description() -> None:
    found = read(texts(FIRST, Description="1girl, fox ears ", Source="Stable Diffusion 1D44365E"))
    assert found is not None
    assert (found.source, found.prompt, found.negative_prompt) == ("NovelAI", "1girl, fox ears", "lowres, text")
    assert list(found.fields.items()) == [
        ("Steps", "28"),
        ("Sampler", "k_euler_ancestral"),
        ("CFG scale", "11.0"),
        ("Seed", "2291187171"),
        ("Model", "Stable Diffusion 1D44365E"),
    ]
    assert found.raw.startswith("Description: 1girl, fox ears \nSoftware: NovelAI\nSource: Stable")
    assert found.raw.endswith(json.dumps(FIRST))


def test_the_fourth_model_has_captions_and_characters() -> None:
    found = read(texts(FOURTH, Description="two foxes"))
    assert found is not None
    assert (found.prompt, found.negative_prompt) == ("two foxes, snow", "dogs")
    assert dict(found.fields) == {
        "Steps": "23",
        "Sampler": "k_euler",
        "Schedule type": "karras",
        "CFG scale": "5.0",
        "CFG rescale": "0.0",
        "Seed": "7",
        "Size": "832x1216",
        "Denoising strength": "0.7",
        "Noise": "0.1",
        "Character 1": "red fox",
        "Character 2": "white fox",
    }


def test_a_comment_of_its_kind_is_enough() -> None:
    found = read({"Comment": json.dumps(FIRST | {"prompt": "a fox"})})
    assert found is not None
    assert found.prompt == "a fox"


def test_its_name_and_a_description_are_enough() -> None:
    found = read({"Software": "NovelAI", "Description": "a fox", "Comment": "[" * 100_000})
    assert found is not None
    assert (found.prompt, dict(found.fields)) == ("a fox", {})


@pytest.mark.parametrize(
    "others",
    [{}, {"Comment": "Created with GIMP"}, {"Software": "Photoshop", "Description": "a fox", "Comment": "{}"}],
)
def test_what_other_programs_write_is_none(others: dict[str, str]) -> None:
    assert read(others) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FOURTH, "caption", "char_captions", "char_caption", "base_caption"]), inner)
    ),
    max_leaves=10,
)


@given(comment=_JSON)
def test_any_comment_is_read_without_an_error(comment: Any) -> None:
    found = read(texts(comment))
    assert found is not None
    assert all(isinstance(text, str) and text for text in found.fields.values())
