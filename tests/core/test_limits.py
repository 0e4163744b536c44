"""What is clamped with a note, and what is refused with a sentence."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.errors import UserError
from core.limits import NUMBERS, Limits, Range, check
from core.request import ControlUse, GenerationRequest, LoraUse
from tests.core.requests import anything_asked

LIMITS = Limits()


def some_limits(low: int, extra: int, pixels: int, multiple: int) -> Limits:
    return Limits(side=Range(low, low + extra), pixels=(low + multiple) ** 2 + pixels, side_multiple=multiple)


limits_of_a_server = st.just(LIMITS) | st.builds(
    some_limits, st.integers(64, 512), st.integers(64, 3900), st.integers(0, 2**22), st.sampled_from([1, 8, 64])
)


def assert_within(request: GenerationRequest, limits: Limits) -> None:
    for name, _, limit in NUMBERS:
        value = getattr(request, name)
        assert value is UNSET or value in getattr(limits, limit)
    assert request.loras is UNSET or all(use.weight in limits.lora_weight for use in request.loras)
    sides = [side for side in (request.width, request.height) if side is not UNSET]
    assert all(side in limits.side and side % limits.side_multiple == 0 for side in sides)
    assert math.prod(sides) <= limits.pixels or len(sides) < 2
    if request.hires_scale is not UNSET and len(sides) == 2:
        assert math.prod(sides) * request.hires_scale**2 <= limits.hires_pixels
    assert 0 < len(request.prompt) <= limits.prompt_characters
    assert request.negative_prompt is UNSET or 0 < len(request.negative_prompt) <= limits.prompt_characters
    assert request.seed is UNSET or -1 <= request.seed < 2**32


@given(anything_asked, limits_of_a_server)
def test_whatever_is_asked_is_refused_or_comes_out_within_the_limits(
    request: GenerationRequest, limits: Limits
) -> None:
    try:
        checked = check(request, limits)
    except UserError as error:
        assert str(error).endswith(".")
        return
    assert_within(checked.request, limits)
    assert check(checked.request, limits).request == checked.request
    assert check(checked.request, limits).notes == ()


@given(anything_asked)
def test_whatever_was_changed_is_noted(request: GenerationRequest) -> None:
    try:
        checked = check(request, LIMITS)
    except UserError:
        return
    numbers = (*(name for name, _, _ in NUMBERS), "width", "height", "seed", "subseed", "loras")
    said = [name for name in numbers if getattr(request, name) is not UNSET]
    changed = [name for name in said if getattr(checked.request, name) != getattr(request, name)]
    assert bool(changed) == bool(checked.notes)
    assert len(checked.notes) <= len(NUMBERS) + 3


@pytest.mark.parametrize(
    ("asked", "allowed", "note"),
    [
        ({"steps": 0}, {"steps": 1}, "Steps set to 1: 1 to 150 are allowed here."),
        ({"steps": 9000}, {"steps": 150}, "Steps set to 150: 1 to 150 are allowed here."),
        ({"cfg_scale": 0.5}, {"cfg_scale": 1.0}, "CFG scale set to 1: 1 to 30 are allowed here."),
        ({"cfg_scale": math.inf}, {"cfg_scale": 30.0}, "CFG scale set to 30: 1 to 30 are allowed here."),
        ({"clip_skip": 99}, {"clip_skip": 12}, "CLIP skip set to 12: 1 to 12 are allowed here."),
        ({"count": 100}, {"count": 10}, "Count set to 10: 1 to 10 are allowed here."),
        (
            {"width": 833, "height": 1217},
            {"width": 832, "height": 1216},
            "Size set to 832x1216 instead of 833x1217.",
        ),
        (
            {"width": 4096, "height": 2048},
            {"width": 2048, "height": 1024},
            "Size set to 2048x1024 instead of 4096x2048.",
        ),
        ({"width": 8, "height": 8}, {"width": 64, "height": 64}, "Size set to 64x64 instead of 8x8."),
    ],
)
def test_a_number_out_of_range_is_clamped_with_a_note(
    asked: dict[str, Any], allowed: dict[str, Any], note: str
) -> None:
    request = GenerationRequest(prompt="a fox")
    checked = check(replace(request, **asked), LIMITS)
    assert checked.request == replace(request, **allowed)
    assert checked.notes == (note,)
    assert {name: type(getattr(checked.request, name)) for name in allowed} == {
        name: type(value) for name, value in allowed.items()
    }


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"prompt": ""}, "The prompt is empty"),
        ({"prompt": " \n\t\u0000 "}, "The prompt is empty"),
        ({"prompt": "x" * 6001}, "The prompt has 6,001 characters; at most 6,000 are allowed here."),
        ({"negative_prompt": "x" * 6001}, "The negative prompt has 6,001 characters"),
        ({"prompt": "a <sd_cpp_extra_args>{}</sd_cpp_extra_args>"}, "<sd_cpp_extra_args> is not allowed"),
        ({"negative_prompt": "<SD_CPP_EXTRA_ARGS>"}, "<sd_cpp_extra_args> is not allowed"),
        ({"seed": 2**32}, "from 0 to 4294967295"),
        ({"seed": -2}, "from 0 to 4294967295"),
        ({"seed": 2**32 - 1, "count": 3}, "with 3 pictures the first can be 4294967293"),
        ({"subseed": 2**32 - 2, "subseed_strength": 0.5, "count": 3}, "with 3 pictures the first can be 4294967293"),
        ({"cfg_scale": math.nan}, "CFG scale must be a number."),
        ({"width": 0, "height": 512}, "0x512 is not a size for a picture."),
        ({"width": 512, "height": -1}, "512x-1 is not a size for a picture."),
        ({"width": 99999, "height": 9}, "99999x9 is not a size for a picture."),
        ({"width": 10**9, "height": 10**9}, "is not a size for a picture."),
    ],
)
def test_what_has_no_nearby_meaning_is_refused(asked: dict[str, Any], sentence: str) -> None:
    request = replace(GenerationRequest(prompt="a fox"), **asked)
    with pytest.raises(UserError, match=r".") as refused:
        check(request, LIMITS)
    assert sentence in str(refused.value)


def test_a_prompt_of_six_thousand_characters_is_allowed() -> None:
    request = GenerationRequest(prompt="x" * 6000, seed=0)
    assert check(request, LIMITS).request == request


def test_an_empty_negative_prompt_counts_as_not_said() -> None:
    assert check(GenerationRequest(prompt="a fox", negative_prompt="  "), LIMITS).request.negative_prompt is UNSET


@pytest.mark.parametrize("asked", [{"width": 512}, {"height": 512}])
def test_one_side_alone_is_a_square(asked: dict[str, int]) -> None:
    checked = check(replace(GenerationRequest(prompt="a fox"), **asked), LIMITS)  # type: ignore[arg-type]  # sides
    assert (checked.request.width, checked.request.height, checked.notes) == (512, 512, ())


def test_a_size_is_never_larger_than_the_pixels_allowed_however_long_it_is() -> None:
    narrow = Limits(pixels=128 * 128)
    fitted = check(GenerationRequest(prompt="a fox", width=2048, height=64), narrow).request
    assert (fitted.width, fitted.height) == (256, 64)


def test_the_shape_of_a_size_that_is_too_large_is_kept() -> None:
    fitted = check(GenerationRequest(prompt="a fox", width=6000, height=4000), LIMITS).request
    assert (fitted.width, fitted.height) == (2048, 1360)


def test_a_control_is_brought_within_what_controlnet_takes() -> None:
    wild = ControlUse(type="depth", weight=7, start=-1, end=9)
    checked = check(GenerationRequest(prompt="a fox", control=(wild,)), LIMITS)
    assert checked.request.control == (ControlUse(type="depth", weight=2, start=0, end=1),)
    assert checked.notes == ("A control's weight is 0 to 2 here, its start and end 0 to 1.",)
    assert check(checked.request, LIMITS).notes == ()


@pytest.mark.parametrize(("start", "end"), [(0.6, 0.4), (0.5, 0.5), (1, 1), (2, 0.5), (0, math.nan), (math.nan, 1)])
def test_a_control_that_would_never_count_is_refused(start: float, end: float) -> None:
    request = GenerationRequest(prompt="a fox", control=(ControlUse(type="depth", start=start, end=end),))
    with pytest.raises(UserError, match="A control"):
        check(request, LIMITS)


def test_a_map_takes_the_place_of_a_picture() -> None:
    shown = GenerationRequest(prompt="a fox", count=10, control=(ControlUse(type="depth", save_map=True),))
    checked = check(shown, LIMITS)
    assert (checked.request.count, checked.notes) == (9, ("Count set to 9: the map takes the place of a picture.",))
    hidden = replace(shown, control=(ControlUse(type="depth"),))
    assert check(hidden, LIMITS).request.count == 10


def test_a_lora_s_weight_is_brought_inside_wherever_it_stands() -> None:
    checked = check(GenerationRequest(prompt="a fox <lora:ink:50>"), LIMITS)
    assert checked.request.prompt == "a fox <lora:ink:4>"
    assert checked.notes == ("LoRA weights are -4 to 4 here.",)


def test_loras_are_counted_wherever_they_stand() -> None:
    tags = "".join(f"<lora:tag{number}:1>" for number in range(LIMITS.loras))
    both = GenerationRequest(prompt=f"a fox {tags}<lora:tag1:0.5>", loras=(LoraUse("tag0"),))
    assert check(both, LIMITS).notes == ()
    with pytest.raises(UserError, match=f"At most {LIMITS.loras} LoRAs"):
        check(replace(both, loras=(LoraUse("another"),)), LIMITS)
    with pytest.raises(UserError, match=f"At most {LIMITS.loras} LoRAs"):
        check(replace(both, prompt=f"{both.prompt}<lora:eleventh:1>"), LIMITS)
    each = replace(both, prompt="{" + tags + "|<lora:other:1>}", prompts=(f"a fox {tags}", "a fox"), count=2)
    assert check(each, LIMITS).request.prompts == each.prompts


def test_tags_are_looked_at_once_their_choices_are_made() -> None:
    with pytest.raises(UserError, match="no name"):
        check(GenerationRequest(prompt="a fox <lora::1>"), LIMITS)
    each = GenerationRequest(prompt="a fox <lora:{a=1|b}>", prompts=("a fox <lora:b>",), count=1)
    assert check(each, LIMITS).request == each
    with pytest.raises(UserError, match="no name"):
        check(replace(each, prompts=("a fox <lora:a=1>",)).of(0), LIMITS)
