"""When it will be whose turn: forecasts against what the scheduler then really does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scheduling.facts import Account, BackendFacts, Reason, WaitingJob
from core.scheduling.forecast import Expectation, Running, Turn, expect, foresee
from tests.core.scheduling.simulation import NAMES, Studio, backend, job, waiting

PEOPLE = ("ann", "ben", "cy")


@st.composite
def some_jobs(draw: st.DrawFn) -> list[WaitingJob]:
    return [
        job(
            f"{number:02}",
            draw(st.sampled_from(PEOPLE)),
            draw(st.sampled_from(NAMES)),
            at=float(draw(st.integers(0, 9))),
            work=draw(st.sampled_from([1.0, 2.0, 5.0])),
            pictures=draw(st.integers(1, 3)),
        )
        for number in range(draw(st.integers(1, 15)))
    ]


@st.composite
def some_backends(draw: st.DrawFn, most: int = 3) -> list[BackendFacts]:
    return [
        backend(
            f"webui {number}", *NAMES, load=draw(st.sampled_from([0.0, 5.0])), speed=draw(st.sampled_from([0.5, 1.0]))
        )
        for number in range(draw(st.integers(1, most)))
    ]


@settings(max_examples=40, deadline=None)
@given(some_jobs(), some_backends(most=3))
def test_what_is_foreseen_is_what_happens_if_nobody_comes(
    asked: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    studio = Studio(backends)
    studio.ask(*asked)
    foreseen = foresee(studio.waiting(), studio.facts(), (), 0.0)
    happened: dict[str, Turn] = {}
    for one in studio.run():
        turn = Turn(one.job.job_id, one.job.owner_id, one.backend, one.at, one.reason)
        happened.setdefault(one.job.job_id, turn)
    assert [turn.job_id for turn in foreseen] == list(happened)
    for turn in foreseen:
        assert turn == replace(happened[turn.job_id], starts_at=turn.starts_at)
        assert turn.starts_at == pytest.approx(happened[turn.job_id].starts_at)


def test_a_forecast_ends_after_as_many_jobs_as_asked_for() -> None:
    many = waiting(*(job(f"{number:02}", at=float(number), pictures=2) for number in range(40)))
    turns = foresee(many, [backend("a")], (), 0.0, limit=3)
    assert [(turn.job_id, turn.starts_at) for turn in turns] == [("00", 0.0), ("01", 2.0), ("02", 4.0)]


def test_a_busy_backend_draws_next_when_its_picture_ends() -> None:
    turns = foresee(waiting(job("1")), [backend("a", idle=False)], [Running("a", 130.0)], 100.0)
    assert turns == [Turn("1", "ann", "a", 130.0, Reason.ALONE)]


def test_a_picture_that_should_have_ended_is_taken_to_end_now() -> None:
    assert foresee(waiting(job("1")), [backend("a", idle=False)], [Running("a", 90.0)], 100.0)[0].starts_at == 100.0


@pytest.mark.parametrize("away", [backend("a", up=False), backend("a", accepts=False), backend("a", idle=False)])
def test_nothing_is_foreseen_on_a_backend_that_nobody_can_count_on(away: BackendFacts) -> None:
    running = [] if not away.idle else [Running("a", 110.0)]
    assert foresee(waiting(job("1")), [away], running, 100.0) == []


def test_loading_takes_its_time() -> None:
    both = waiting(job("1", "ann", "dream"), job("2", "ben", "ink", at=1.0))
    turns = foresee(both, [backend("a", *NAMES, loaded="dream", load=7.0)], (), 0.0)
    third = foresee(
        waiting(*both.lanes[0].jobs, *both.lanes[1].jobs, job("3", "cy", "paper", at=2.0)),
        [backend("a", *NAMES, loaded="dream", load=7.0)],
        (),
        0.0,
    )
    assert [turn.starts_at for turn in turns] == [0.0, 1.0]
    assert [turn.starts_at for turn in third] == [0.0, 1.0, 9.0]


def test_a_job_that_does_not_wait_has_no_place() -> None:
    assert expect(waiting(job("1")), [backend("a")], (), 0.0, "2") is None


def test_the_next_one_starts_as_soon_as_a_backend_is_free() -> None:
    assert expect(waiting(job("1")), [backend("a")], (), 100.0, "1") == Expectation(1, 100.0)
    busy = [backend("a", idle=False)]
    assert expect(waiting(job("1")), busy, [Running("a", 130.0)], 100.0, "1") == Expectation(1, 130.0)


def test_where_nothing_can_draw_it_nobody_knows_when() -> None:
    away = backend("a", "dream", up=False)
    both = waiting(job("1", "ann", "dream"), job("2", "ann", "dream", at=1.0))
    assert expect(both, [away, backend("b", "ink")], (), 100.0, "2") == Expectation(2, None)


def test_a_flood_counts_only_with_its_share() -> None:
    flood = [job(f"{number:03}", "flood", at=float(number)) for number in range(900)]
    mine = [job(f"mine {number}", "ann", at=1000.0) for number in range(3)]
    everybody = waiting(*flood, *mine, accounts={"flood": Account(0.0)})
    expected = expect(everybody, [backend("a")], (), 2000.0, "mine 2")
    assert expected is not None
    assert expected.place == 6
    assert expected.starts_at == 2005.0
    last = expect(everybody, [backend("a")], (), 2000.0, "899")
    assert last == Expectation(903, 2902.0)


def test_two_backends_are_twice_as_fast() -> None:
    many = waiting(*(job(f"{number:02}", at=float(number)) for number in range(21)))
    expected = expect(many, [backend("a"), backend("b")], (), 0.0, "20")
    assert expected == Expectation(21, 10.0)


def test_others_work_for_another_backend_is_not_counted() -> None:
    both = waiting(*(job(f"{number}", "ann", "ink", at=float(number)) for number in range(9)), job("x", "ben", "dream"))
    assert expect(both, [backend("a", "ink"), backend("b", "dream")], (), 0.0, "x") == Expectation(1, 0.0)


@settings(max_examples=60, deadline=None)
@given(some_jobs(), st.integers(1, 3))
def test_the_quick_answer_is_near_the_forecast_where_nothing_is_loaded(asked: list[WaitingJob], number: int) -> None:
    """What is loaded may change the order within the bound on shares: so many largest pictures for each person."""
    plain = waiting(*(replace(one, checkpoint=None) for one in asked))
    backends = [backend(f"webui {index}") for index in range(number)]
    for place, turn in enumerate(foresee(plain, backends, (), 0.0), 1):
        expected = expect(plain, backends, (), 0.0, turn.job_id)
        assert expected is not None
        assert expected.starts_at is not None
        assert abs(expected.starts_at - turn.starts_at) <= 2 * 5.0 * len(PEOPLE)
        assert abs(expected.place - place) <= 2 * number * len(PEOPLE)
