"""A request's JSON is what a job's row keeps."""

import dataclasses
import json
import math

import msgspec
import pytest
from hypothesis import assume, given
from msgspec import UNSET

from core.request import ControlUse, GenerationRequest
from tests.core.requests import anything_asked


@given(anything_asked)
def test_a_request_comes_back_from_its_json(request: GenerationRequest) -> None:
    numbers = [
        value for field in dataclasses.fields(request) if isinstance(value := getattr(request, field.name), float)
    ]
    numbers += [] if request.loras is UNSET else [use.weight for use in request.loras]
    assume(all(map(math.isfinite, numbers)))
    assert GenerationRequest.from_json(request.to_json()) == request


@given(anything_asked)
def test_only_what_was_said_is_in_the_json(request: GenerationRequest) -> None:
    written = json.loads(request.to_json())
    said = {field.name for field in dataclasses.fields(request) if getattr(request, field.name) is not UNSET}
    assert written.keys() == said


def test_one_picture_is_asked_for_where_nobody_said_a_number() -> None:
    assert GenerationRequest(prompt="a fox").pictures == 1
    assert GenerationRequest(prompt="a fox", count=4).pictures == 4


def test_a_request_is_frozen_and_named() -> None:
    request = GenerationRequest(prompt="a fox")
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.prompt = "a hare"  # type: ignore[misc]  # that this is refused is what is tested
    with pytest.raises(TypeError):
        GenerationRequest("a fox")  # type: ignore[call-arg]  # likewise


@pytest.mark.parametrize("text", ["{}", '{"prompt": 7}', '{"prompt": "a", "steps": "ten"}', "[]", "not JSON"])
def test_json_that_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        GenerationRequest.from_json(text)


def test_a_map_is_asked_for_with_the_first_picture_alone() -> None:
    use = ControlUse(type="depth", image="guide", save_map=True)
    request = GenerationRequest(prompt="a fox", seed=7, count=3, control=(use,))
    assert [request.of(number).control for number in range(3)] == [
        (use,),
        *[(dataclasses.replace(use, save_map=False),)] * 2,
    ]


def test_the_images_that_a_request_needs_are_named_once() -> None:
    uses = (ControlUse(type="depth", image="guide"), ControlUse(type="canny", image="over"))
    assert GenerationRequest(prompt="x", image="over", mask="mask", control=uses).input_keys == (
        "over",
        "mask",
        "guide",
    )
    assert GenerationRequest(prompt="x").input_keys == ()


def test_variations_share_a_seed_and_count_the_subseed_up() -> None:
    request = GenerationRequest(prompt="x", seed=100, subseed=7, subseed_strength=0.2, count=3)
    pictures = [request.of(number) for number in range(3)]
    assert [(one.seed, one.subseed) for one in pictures] == [(100, 7), (100, 8), (100, 9)]
    assert request.seeds == (100, 100, 100)
    plain = dataclasses.replace(request, subseed_strength=0.0)
    assert [plain.of(number).seed for number in range(3)] == [100, 101, 102] == list(plain.seeds)


def test_what_was_filled_in_was_not_said() -> None:
    request = GenerationRequest(prompt="x", sampler="Euler", scheduler="Karras", steps=4, filled=("scheduler",))
    assert request.as_said == GenerationRequest(prompt="x", sampler="Euler", steps=4)
    assert request.as_said.as_said == request.as_said
