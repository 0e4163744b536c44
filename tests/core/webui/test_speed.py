"""What a webui's jobs teach about its speed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.webui.speed import SAMPLES, Speed

seconds = st.floats(min_value=1e-3, max_value=1e5)
work = st.floats(min_value=1e-3, max_value=1e5)
any_number = st.floats(allow_nan=True, allow_infinity=True)


def test_nothing_is_known_before_the_first_job() -> None:
    assert Speed().per_work is None
    assert Speed().load_seconds is None


def test_one_job_is_enough() -> None:
    assert Speed().learn(12.0, 24.0, changed=False).per_work == 0.5


def test_what_a_change_of_the_checkpoint_adds_is_learned_apart() -> None:
    speed = Speed().learn(10.0, 10.0, changed=False).learn(25.0, 20.0, changed=True)
    assert speed.per_work == 1.0
    assert speed.load_seconds == 5.0


def test_a_change_teaches_nothing_while_the_speed_is_unknown() -> None:
    assert Speed().learn(25.0, 20.0, changed=True) == Speed()


def test_a_change_that_cost_nothing_is_one_of_no_seconds() -> None:
    speed = Speed().learn(10.0, 10.0, changed=False).learn(3.0, 10.0, changed=True)
    assert speed.load_seconds == 0.0


@given(true=st.floats(0.01, 100), noise=st.lists(st.floats(0.9, 1.1), min_size=1, max_size=30))
def test_it_comes_near_the_truth_through_noise(true: float, noise: list[float]) -> None:
    speed = Speed()
    for factor in noise:
        speed = speed.learn(true * 20 * factor, 20.0, changed=False)
    assert speed.per_work == pytest.approx(true, rel=0.11)


@given(before=seconds, after=seconds)
def test_another_speed_is_learned_within_five_jobs(before: float, after: float) -> None:
    speed = Speed()
    for _ in range(SAMPLES):
        speed = speed.learn(before, 1.0, changed=False)
    for _ in range(SAMPLES // 2 + 1):
        speed = speed.learn(after, 1.0, changed=False)
    assert speed.per_work == after


@given(
    usual=st.lists(st.floats(0.9, 1.1), min_size=2, max_size=20), absurd=st.floats(1e-9, 1e12), place=st.integers(0, 20)
)
def test_one_absurd_job_among_others_does_not_wreck_it(usual: list[float], absurd: float, place: int) -> None:
    usual.insert(min(place, len(usual)), absurd)
    speed = Speed()
    for sample in usual:
        speed = speed.learn(sample, 1.0, changed=False)
    assert speed.per_work is not None
    assert 0.9 <= speed.per_work <= 1.1


@given(jobs=st.lists(st.tuples(any_number, any_number, st.booleans()), max_size=30))
def test_it_is_never_negative_infinite_or_no_number(jobs: list[tuple[float, float, bool]]) -> None:
    speed = Speed()
    for took, done, changed in jobs:
        speed = speed.learn(took, done, changed=changed)
        assert speed.per_work is None or 0 < speed.per_work < math.inf
        assert speed.load_seconds is None or 0 <= speed.load_seconds < math.inf
        assert len(speed.draws) <= SAMPLES
        assert len(speed.loads) <= SAMPLES


@given(known=seconds, load=seconds, took=seconds, done=work)
def test_what_was_restored_outlives_one_odd_job(known: float, load: float, took: float, done: float) -> None:
    speed = Speed.restored(known, load)
    assert (speed.per_work, speed.load_seconds) == (known, load)
    assert speed.learn(took, done, changed=False).per_work == known
    assert speed.learn(took, done, changed=True).load_seconds == load


@given(speed=st.none() | any_number, load=st.none() | any_number)
def test_estimates_that_can_not_be_true_are_not_restored(speed: float | None, load: float | None) -> None:
    restored = Speed.restored(speed, load)
    assert restored.per_work == (speed if speed is not None and 0 < speed < math.inf else None)
    assert restored.load_seconds == (load if load is not None and 0 <= load < math.inf else None)


def test_of_two_jobs_the_quicker_one_is_believed() -> None:
    assert Speed().learn(60.0, 1.0, changed=False).learn(1.0, 1.0, changed=False).per_work == 1.0
