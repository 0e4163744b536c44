"""What a picture is said to cost, and the order of a person's own jobs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.request import ControlUse, GenerationRequest
from core.scheduling.cost import (
    API_SIDE,
    API_STEPS,
    CONTROL_SHARE,
    NOMINAL_SECONDS,
    PATIENCE_FACTOR,
    PATIENCE_LOADS,
    PATIENCE_SECONDS,
    patience,
    rank_of,
    work,
    work_of,
)
from tests.core.requests import within_limits

SIDES = st.integers(64, 2048)
STEPS = st.integers(1, 150)


def test_work_is_megapixels_times_steps() -> None:
    assert work(1000, 500, 20) == 10.0


def test_the_second_pass_counts_with_its_own_size_and_steps() -> None:
    assert work(1000, 1000, 20, hires_scale=2.0, hires_steps=5) == 20 + 4 * 5


def test_a_second_pass_without_steps_of_its_own_takes_those_of_the_first() -> None:
    assert work(1000, 1000, 20, hires_scale=1.5) == 20 + 2.25 * 20


@given(SIDES, SIDES, STEPS, st.floats(1, 4), st.integers(0, 150))
def test_a_second_pass_never_makes_a_picture_cheaper(
    width: int, height: int, steps: int, scale: float, second: int
) -> None:
    assert work(width, height, steps, hires_scale=scale, hires_steps=second) > work(width, height, steps) > 0


@given(within_limits)
def test_the_work_of_a_request_is_that_of_one_picture(request: GenerationRequest) -> None:
    assert work_of(request) > 0
    width, height, steps = request.width, request.height, request.steps
    if isinstance(width, int) and isinstance(height, int) and isinstance(steps, int):
        alone = work(
            width,
            height,
            steps,
            hires_scale=None if request.hires_scale is UNSET else request.hires_scale,
            hires_steps=0 if request.hires_steps is UNSET else request.hires_steps,
        )
        assert work_of(replace(request, control=UNSET)) == alone
        assert work_of(request) >= alone


def test_what_nobody_said_costs_what_the_webui_takes_for_it() -> None:
    assert work_of(GenerationRequest(prompt="a fox")) == work(API_SIDE, API_SIDE, API_STEPS)
    assert work_of(GenerationRequest(prompt="a fox", steps=10)) == work(512, 512, 10)


@pytest.mark.parametrize(
    ("uses", "times"),
    [
        ((ControlUse(type="depth"),), 1 + CONTROL_SHARE),
        ((ControlUse(type="depth"), ControlUse(type="canny")), 1 + 2 * CONTROL_SHARE),
        ((ControlUse(type="depth", start=0.25, end=0.75),), 1 + CONTROL_SHARE / 2),
        ((), 1),
    ],
)
@pytest.mark.parametrize("hires", [{}, {"hires_scale": 2.0, "hires_steps": 8}])
def test_a_control_image_costs_its_share_of_both_passes_while_it_counts(
    uses: tuple[ControlUse, ...], times: float, hires: dict[str, Any]
) -> None:
    alone = GenerationRequest(prompt="a fox", width=512, height=512, steps=20, **hires)
    assert work_of(replace(alone, control=uses)) == pytest.approx(times * work_of(alone))


def test_a_small_job_goes_before_the_batch_that_its_owner_asked_for_a_little_earlier() -> None:
    assert rank_of(5.0, 5.0, 1) < rank_of(0.0, 5.0, 10)


def test_a_batch_goes_before_small_jobs_that_come_long_after_it() -> None:
    length = 5.0 * 10 * NOMINAL_SECONDS
    assert rank_of(0.0, 5.0, 10) < rank_of(PATIENCE_FACTOR * length, 5.0, 1)


@pytest.mark.parametrize("load", [None, 0.0, 1.0])
def test_patience_lasts_two_minutes_where_loading_is_quick_or_unknown(load: float | None) -> None:
    assert patience(load) == PATIENCE_SECONDS == 120


def test_patience_grows_with_what_loading_takes() -> None:
    assert patience(30.0) == 30.0 * PATIENCE_LOADS
