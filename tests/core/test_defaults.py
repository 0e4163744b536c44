"""Who decides what nobody said."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.defaults import SEED_MAX, merge
from core.request import GenerationRequest
from tests.core.requests import anything_asked


def chance(start: int) -> random.Random:
    return random.Random(start)  # noqa: S311  # a seed is no secret


LAYER = st.fixed_dictionaries(
    {},
    optional={
        "steps": st.integers(1, 150),
        "cfg_scale": st.floats(1, 30),
        "sampler": st.text(min_size=1),
        "count": st.integers(1, 10),
        "seed": st.integers(-1, SEED_MAX),
    },
)


@given(anything_asked, st.lists(LAYER, max_size=3), st.integers())
def test_the_nearest_layer_that_says_something_decides(
    request: GenerationRequest, layers: list[dict[str, Any]], start: int
) -> None:
    merged = merge(request, *layers, rng=chance(start))
    for name in ("steps", "cfg_scale", "sampler", "count", "width", "checkpoint", "negative_prompt", "clip_skip"):
        asked = getattr(request, name)
        offers = [layer[name] for layer in layers if name in layer] + ([1] if name == "count" else [])
        expected = asked if asked is not UNSET else next(iter(offers), UNSET)
        assert getattr(merged, name) is expected


@given(anything_asked, st.lists(LAYER, max_size=3), st.integers())
def test_a_merged_request_always_has_a_seed(
    request: GenerationRequest, layers: list[dict[str, Any]], start: int
) -> None:
    seed = merge(request, *layers, rng=chance(start)).seed
    assert isinstance(seed, int)
    assert seed != -1
    if request.seed is not UNSET and request.seed != -1:
        assert seed == request.seed


@given(st.integers())
def test_a_drawn_seed_leaves_room_for_the_pictures_after_the_first(start: int) -> None:
    seed = merge(GenerationRequest(prompt="a fox", seed=-1), rng=chance(start)).seed
    assert isinstance(seed, int)
    assert 0 <= seed <= seed + 99 <= SEED_MAX


def test_the_seed_comes_from_the_given_source_of_chance() -> None:
    request = GenerationRequest(prompt="a fox")
    assert merge(request, rng=chance(7)) == merge(request, rng=chance(7))
    assert merge(request, rng=chance(7)) != merge(request, rng=chance(8))


def test_prompt_and_privacy_are_nobody_elses_to_decide() -> None:
    merged = merge(GenerationRequest(prompt="a fox"), {"private": True, "spoiler": True}, rng=chance(1))
    assert (merged.prompt, merged.private, merged.spoiler) == ("a fox", False, False)
