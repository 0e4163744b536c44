"""Families as layers of defaults, and shapes in their pixels."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.defaults import merge
from core.families.defaults import MEGAPIXEL, defaults_for, fit
from core.families.family import UNKNOWN, Family
from core.families.table import load_table
from core.limits import Limits
from core.request import GenerationRequest
from core.size import SHAPES, shape

TABLE = load_table(None)
KEYS = st.sampled_from(TABLE.keys)
FOX = GenerationRequest(prompt="a fox")


def family(key: str) -> Family:
    found = TABLE.family(key)
    assert found is not None
    return found


def test_an_unknown_family_says_nothing() -> None:
    assert defaults_for(UNKNOWN) == {}


def test_a_family_says_what_it_knows_and_no_more() -> None:
    assert defaults_for(family("pony")) == {
        "width": 1024,
        "height": 1024,
        "steps": 25,
        "cfg_scale": 7.0,
        "sampler": "Euler a",
        "clip_skip": 2,
    }
    assert defaults_for(family("flux"))["distilled_cfg"] == 3.5


def test_a_size_is_left_alone_for_who_gave_a_shape() -> None:
    layer = defaults_for(family("sdxl"), size=False)
    assert not {"width", "height"} & set(layer)
    assert layer["steps"] == 25


def test_a_persons_word_counts_more_than_the_family() -> None:
    layer = defaults_for(family("pony"))
    merged = merge(replace(FOX, steps=7, clip_skip=1), layer, rng=random.Random(1))  # noqa: S311  # a seed is no secret
    assert (merged.steps, merged.clip_skip, merged.cfg_scale, merged.sampler) == (7, 1, 7.0, "Euler a")
    assert merged.scheduler is UNSET


@given(KEYS)
def test_every_value_is_within_the_limits(key: str) -> None:
    layer: dict[str, Any] = dict(defaults_for(family(key)))
    limits = Limits()
    for name in ("steps", "cfg_scale", "clip_skip"):
        assert layer.get(name, 1) in getattr(limits, name)
    assert layer.get("width", 64) * layer.get("height", 64) <= limits.pixels


@pytest.mark.parametrize(
    ("key", "ratio", "size"),
    [
        ("sdxl", 1, (1024, 1024)),
        ("sdxl", 16 / 9, (1344, 768)),
        ("sdxl", 3 / 4, (896, 1152)),
        ("sd15", 16 / 9, (680, 384)),
        ("sd15", 3 / 4, (440, 592)),
        ("sdxl_turbo", 1, (512, 512)),
        ("qwen", 16 / 9, (1776, 992)),
        ("unknown", 16 / 9, (1344, 768)),
    ],
)
def test_a_shape_has_about_the_familys_pixels(key: str, ratio: float, size: tuple[int, int]) -> None:
    assert fit(ratio, family(key)) == size


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_of_an_unknown_family_are_what_they_were_before_there_were_families(name: str) -> None:
    across, down = SHAPES[name]
    size = shape(across, down)
    assert fit(across / down, UNKNOWN) == (size.width, size.height)


@given(KEYS, st.floats(0.0001, 10_000))
def test_a_shape_is_in_the_familys_multiples_and_near_its_pixels(key: str, ratio: float) -> None:
    chosen = family(key)
    width, height = fit(ratio, chosen)
    pixels = chosen.pixels or MEGAPIXEL
    assert width % chosen.multiple == height % chosen.multiple == 0
    assert 0.8 * pixels <= width * height <= 1.2 * pixels
    assert (width >= height) == (ratio >= 1) or width == height


@given(st.floats(0.01, 100), st.sampled_from([8, 16, 64, 128]), st.integers(8, 256), st.integers(8, 256))
def test_a_shape_never_has_a_side_of_nothing(ratio: float, multiple: int, across: int, down: int) -> None:
    small = Family(name="x", title="x", multiple=multiple, width=across * 8, height=down * 8)
    assert min(fit(ratio, small)) >= multiple
