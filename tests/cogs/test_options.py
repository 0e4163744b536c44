"""From the options of `/draw` as Discord hands them over to a request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from cogs.draw import DrawCog
from cogs.options import READ, read_control, read_options, wants_permutations
from core.errors import UserError
from core.request import GenerationRequest, LoraUse

NOTHING = {
    name: None for name in GenerationRequest.__dataclass_fields__ if name not in ("prompt", "spoiler", "private")
}


def read(**said: Any) -> GenerationRequest:
    return read_options({"prompt": "a fox", "spoiler": False, "private": False, **said})


def test_what_nobody_said_is_unset() -> None:
    asked = read(size=None, steps=None, loras=None, hires=None, extra=None, face_fix=None)
    assert asked == GenerationRequest(prompt="a fox")


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"size": "832x1216"}, {"width": 832, "height": 1216}),
        ({"size": "16:9"}, {"width": 1344, "height": 768}),
        ({"styles": "noir, watercolour"}, {"styles": ("noir", "watercolour")}),
        ({"loras": "ink:0.8, b"}, {"loras": (LoraUse("ink", 0.8), LoraUse("b"))}),
        ({"vae": "a, b"}, {"vae": "a, b"}),
        ({"hires": 1.5}, {"hires_scale": 1.5}),
        ({"hires_upscaler": "Latent"}, {"hires_upscaler": "Latent", "hires_scale": 2.0}),
        ({"hires_upscaler": "Latent", "hires": 3.0}, {"hires_upscaler": "Latent", "hires_scale": 3.0}),
        ({"face_fix": False}, {"face_fix": False}),
        ({"steps": 0, "seed": 0, "cfg_scale": 0.0}, {"steps": 0, "seed": 0, "cfg_scale": 0.0}),
        (
            {"extra": "hires_steps:12 tiling:yes", "hires": 2.0},
            {"hires_steps": 12, "tiling": True, "hires_scale": 2.0},
        ),
        ({"extra": "image_url:https://a.example/b.png?key=c mask_url:https://a.example"}, {}),
        ({"extra": "permutations:yes tiling:no"}, {"tiling": False}),
        ({"spoiler": True, "private": True}, {"spoiler": True, "private": True}),
    ],
)
def test_an_option_becomes_its_fields(said: dict[str, Any], fields: dict[str, Any]) -> None:
    assert read(**said) == GenerationRequest(**{"prompt": "a fox", **fields})


@pytest.mark.parametrize("empty", ["", " ", ",", " , ,"])
def test_an_empty_list_is_none(empty: str) -> None:
    asked = read(styles=empty, loras=empty, extra="")
    assert (asked.styles, asked.loras) == (UNSET, UNSET)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"size": "banana"}, "not a size I understand"),
        ({"loras": "ink:strong"}, "The weight of a LoRA is a number"),
        ({"loras": ":0.8"}, "names no LoRA"),
        ({"loras": "a, : , b"}, "names no LoRA"),
        ({"extra": "nonsense"}, "is no key:value"),
    ],
)
def test_what_can_not_be_read_is_said(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read(**said)


@given(st.fixed_dictionaries({}, optional={name: st.text(max_size=40) for name in ("size", *READ, "vae")}))
def test_any_texts_are_a_request_or_a_sentence(said: dict[str, Any]) -> None:
    said.pop("hires", None)
    try:
        assert isinstance(read(**said), GenerationRequest)
    except UserError as error:
        assert str(error)


def test_every_option_of_the_command_is_read() -> None:
    fields = {*GenerationRequest.__dataclass_fields__, *READ}
    names = {option.name for option in DrawCog.draw.parameters}
    assert names - fields == {"preset"}  # it says more than one thing
    assert len(names) <= 25


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [(None, False), ("", False), ("tiling:yes", False), ("permutations:no", False), ("eta:1 Permutations: yes", True)],
)
def test_a_word_of_extra_asks_for_each_permutation(extra: str | None, wanted: bool) -> None:
    assert wants_permutations(extra) is wanted


def test_a_control_image_guides_no_permutations() -> None:
    with pytest.raises(UserError, match="permutations is a word of /draw alone"):
        read_control({"prompt": "a {red|blue} fox", "type": "depth", "extra": "permutations:yes"})


def test_a_preset_speaks_where_nobody_said_anything() -> None:
    preset = GenerationRequest(prompt="{prompt}, in ink", steps=20, hires_scale=1.5, denoising_strength=0.4)
    said = {"prompt": "a fox", "steps": 8, "hires_upscaler": "Latent"}
    asked = read_options(said, preset)
    assert (asked.prompt, asked.steps, asked.hires_scale) == ("a fox, in ink", 8, 1.5)
    assert read_options(said, GenerationRequest(prompt="")).hires_scale == 2.0
    over = {"prompt": "a fox"}
    kept = GenerationRequest(prompt="", denoising_strength=0.4)
    assert read_options(over, kept).denoising_strength is UNSET
    assert read_options(over, kept, image=True).denoising_strength == 0.4


@pytest.mark.parametrize(
    ("compare", "kept", "left"),
    [
        ("cfg=5,7 steps=10,20", {"cfg_scale": 7.0, "steps": 9, "sampler": "Euler"}, {"sampler": "Euler"}),
        ("Size=64x64,1:1", {"width": 832, "height": 1216, "count": 3}, {}),
        ("hires=1.5,2", {"hires_scale": 2.0, "hires_upscaler": "Latent"}, {"hires_upscaler": "Latent"}),
        ("what?", {"steps": 9}, {"steps": 9}),
    ],
)
def test_what_is_compared_is_no_setting_of_the_preset(compare: str, kept: dict[str, Any], left: dict[str, Any]) -> None:
    said = {"prompt": "a fox", "extra": f'compare:"{compare}"'}
    assert read_options(said, GenerationRequest(prompt="", **kept)) == GenerationRequest(prompt="a fox", **left)


def test_permutations_are_counted_whatever_the_preset_counts() -> None:
    kept = GenerationRequest(prompt="", count=3)
    assert read_options({"prompt": "a fox", "extra": "permutations:yes"}, kept).count is UNSET
    assert read_options({"prompt": "a fox", "extra": "permutations:no"}, kept).count == 3
    assert read_options({"prompt": "a fox", "count": 2, "extra": "permutations:yes"}, kept).count == 2


def test_an_upscaler_asks_for_no_scale_where_scales_are_compared() -> None:
    assert read(hires_upscaler="Latent", extra='compare:"hires=1.5,2"').hires_scale is UNSET
    assert read(hires_upscaler="Latent", extra='compare:"cfg=5,7"').hires_scale == 2.0
