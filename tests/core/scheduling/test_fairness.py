"""Shares over time: simulated studios, in which people come in any order and ask for anything."""

from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scheduling.cost import patience, rank_of
from core.scheduling.facts import Account, BackendFacts, Reason, WaitingJob
from tests.core.scheduling.simulation import NAMES, Given, Studio, backend, given_to, job

PEOPLE = ("ann", "ben", "cy", "dee")
ROUNDING = 1e-6


@st.composite
def arrivals(draw: st.DrawFn, *, weighted: bool = False) -> list[WaitingJob]:
    weights = {person: draw(st.sampled_from([0.5, 1.0, 3.0])) if weighted else 1.0 for person in PEOPLE}
    return [
        job(
            f"{number:03}",
            owner := draw(st.sampled_from(PEOPLE)),
            draw(st.sampled_from([None, *NAMES])),
            at=draw(st.floats(0, 60)),
            work=draw(st.sampled_from([0.5, 1.0, 7.0]) | st.floats(0.1, 10)),
            pictures=draw(st.integers(1, 4)),
            weight=weights[owner],
        )
        for number in range(draw(st.integers(1, 25)))
    ]


@st.composite
def equal_backends(draw: st.DrawFn) -> list[BackendFacts]:
    load = draw(st.sampled_from([0.0, 5.0, 20.0]))
    return [backend(f"webui {number}", *NAMES, load=load) for number in range(draw(st.integers(1, 3)))]


def largest_difference(log: list[Given], one: str, other: str) -> float:
    """The most that two people's shares differ over any stretch of time in which both had something waiting."""
    worst, gap, low, high = 0.0, 0.0, 0.0, 0.0
    both: tuple[int | None, int | None] = None, None
    for entry in log:
        before, both = both, (entry.backlogged.get(one), entry.backlogged.get(other))
        if None in both or both != before:
            gap = low = high = 0.0
        if None in both:
            continue
        if entry.job.owner_id in (one, other):
            gap += entry.charged if entry.job.owner_id == one else -entry.charged
        worst = max(worst, gap - low, high - gap)
        low, high = min(low, gap), max(high, gap)
    return worst


def check_shares(log: list[Given]) -> None:
    largest = max((entry.charged for entry in log), default=0.0)
    for one, other in combinations(PEOPLE, 2):
        assert largest_difference(log, one, other) <= 2 * largest + ROUNDING


@settings(max_examples=60, deadline=None)
@given(arrivals(), equal_backends())
def test_two_people_who_wait_differ_by_two_largest_pictures_at_most(
    coming: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    log = Studio(backends).run(coming)
    assert len(log) == sum(one.pictures for one in coming)
    check_shares(log)


@settings(max_examples=40, deadline=None)
@given(arrivals(weighted=True), equal_backends())
def test_shares_are_counted_in_each_persons_own_weight(coming: list[WaitingJob], backends: list[BackendFacts]) -> None:
    check_shares(Studio(backends).run(coming))


def test_twice_the_weight_is_twice_the_pictures() -> None:
    studio = Studio([backend("a")])
    studio.ask(job("1", "ann", pictures=100, weight=2.0), job("2", "ben", pictures=100))
    for _ in range(90):
        studio.step()
    assert 59 <= Counter(entry.job.owner_id for entry in studio.log)["ann"] <= 61


def test_ten_people_with_a_hundred_jobs_each_are_served_in_turn() -> None:
    studio = Studio([backend("a", *NAMES)])
    for number in range(1000):
        studio.ask(job(f"{number:04}", f"person {number // 100}", at=float(number)))
    for _ in range(500):
        studio.step()
    served = Counter(entry.job.owner_id for entry in studio.log)
    assert len(served) == 10
    assert all(49 <= times <= 51 for times in served.values())
    assert len({entry.job.owner_id for entry in studio.log[:10]}) == 10


def test_a_flood_counts_as_one_person() -> None:
    studio = Studio([backend("a")])
    studio.ask(*(job(f"{number:03}", "flood", at=float(number)) for number in range(900)))
    studio.step()
    studio.ask(*(job(f"b{number}", "ben", at=1000.0) for number in range(50)))
    studio.ask(*(job(f"c{number}", "cy", at=1000.0) for number in range(50)))
    turns = 0
    while {"ben", "cy"} & {one.owner_id for one in studio.jobs.values()}:
        studio.step()
        turns += 1
    assert turns <= 151


def test_a_small_picture_goes_before_the_batch_that_its_owner_sent_just_before() -> None:
    def ranked(job_id: str, at: float, pictures: int) -> WaitingJob:
        return WaitingJob(job_id, "ann", None, at, rank_of(at, 5.0, pictures), 5.0, pictures)

    studio = Studio([backend("a")])
    studio.ask(ranked("batch", 0.0, 10), ranked("single", 1.0, 1))
    studio.step()
    studio.step()
    assert [entry.job.job_id for entry in studio.log] == ["single", "batch"]


def test_whoever_comes_back_has_saved_up_nothing() -> None:
    studio = Studio([backend("a")])
    studio.ask(job("0", "idle"), *(job(f"{number}", "busy", at=1.0) for number in range(1, 100)))
    for _ in range(60):
        studio.step()
    studio.ask(*(job(f"late {number}", "idle", at=60.0) for number in range(10)))
    for _ in range(10):
        studio.step()
    assert 4 <= sum(entry.job.owner_id == "idle" for entry in studio.log[-10:]) <= 6


def test_who_waits_for_a_webui_that_is_away_holds_up_nobody_and_gains_nothing() -> None:
    here, away = backend("here", "paper"), backend("away", "dream", up=False)
    studio = Studio([here, away])
    studio.ask(job("blocked", "ann", "dream"), *(job(f"{number}", "ben", "paper", at=1.0) for number in range(99)))
    for _ in range(50):
        studio.step()
    assert len(studio.log) == 50
    assert studio.accounts.get("ann", Account()) == Account()
    studio.ask(*(job(f"ann {number}", "ann", "paper", at=60.0) for number in range(20)))
    for _ in range(20):
        studio.step()
    assert 9 <= sum(entry.job.owner_id == "ann" for entry in studio.log[-20:]) <= 11


def test_who_waits_for_a_busy_webui_does_not_hold_up_the_others() -> None:
    studio = Studio([backend("slow", "dream", idle=False), backend("fast", "paper")])
    studio.ask(job("blocked", "ann", "dream"), *(job(f"{number}", "ben", "paper", at=1.0) for number in range(9)))
    assert len(studio.run()) == 9


def test_a_rare_checkpoint_of_ones_own_is_not_passed_over_for_ever() -> None:
    studio = Studio([backend("a", *NAMES, loaded="dream", load=5.0)])
    studio.ask(job("rare", "ann", "ink"))
    studio.ask(*(job(f"{number:03}", "ann", "dream", at=float(number + 1)) for number in range(400)))
    log = studio.run()
    rare = next(entry for entry in log if entry.job.job_id == "rare")
    assert patience(5.0) <= rare.at <= patience(5.0) + 1.0
    assert rare.reason is Reason.PATIENCE
    assert studio.loads == 2


@pytest.mark.parametrize("after", [119.0, 120.0])
def test_patience_ends_on_the_second(after: float) -> None:
    studio = Studio([backend("a", *NAMES, loaded="dream")], accounts={"ann": Account(0.0, "rare", 1000.0)})
    studio.now = 1000.0 + after
    studio.ask(job("rare", "ann", "ink", at=900.0), job("usual", "ann", "dream", at=901.0))
    studio.step()
    assert studio.log[0].job.job_id == ("usual" if after < 120 else "rare")


def test_a_note_ends_with_the_picture_it_was_for() -> None:
    studio = Studio([backend("a", *NAMES, loaded="dream")])
    studio.ask(job("rare", "ann", "ink"), job("usual", "ann", "dream", at=1.0))
    studio.step()
    assert studio.accounts["ann"] == Account(1.0, "rare", 0.0)
    studio.step()
    assert studio.accounts["ann"] == Account(2.0)


def test_a_note_for_a_job_that_is_gone_makes_room_for_another() -> None:
    studio = Studio([backend("a", *NAMES, loaded="dream")], accounts={"ann": Account(0.0, "cancelled", 5.0)})
    studio.now = 1000.0
    studio.ask(job("rare", "ann", "ink"), job("usual", "ann", "dream", at=1.0))
    studio.step()
    assert studio.accounts["ann"] == Account(1.0, "rare", 1000.0)


@settings(max_examples=60, deadline=None)
@given(arrivals(weighted=True), equal_backends())
def test_after_its_patience_a_picture_waits_for_two_of_each_other_person_at_most(
    coming: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    """And for none of its owner's own."""
    log = Studio(backends).run(stretched(coming))
    check_patience(log, patience(backends[0].load_seconds))


def check_patience(log: list[Given], lasts: float) -> None:
    largest = max(entry.charged for entry in log)
    for number, entry in enumerate(log):
        if entry.passed_since is None:
            continue
        late = [one for one in log[:number] if one.at >= (entry.passed_since or 0.0) + lasts]
        assert given_to(late, entry.job.owner_id) == 0
        assert all(given_to(late, person) <= 2 * largest + ROUNDING for person in PEOPLE)


def stretched(coming: list[WaitingJob]) -> list[WaitingJob]:
    """The same with long pictures, so that patience ends."""
    return [replace(one, work=30 * one.work) for one in coming]


@settings(max_examples=30, deadline=None)
@given(arrivals(), equal_backends())
def test_once_patience_is_over_nothing_goes_first_for_being_loaded(
    coming: list[WaitingJob], backends: list[BackendFacts]
) -> None:
    """While a picture that is within its owner's share has been passed over for too long, only such pictures go."""
    hasty = [backend(one.key, *NAMES, load=0.0) for one in backends]
    studio = Studio(hasty)
    studio.ask(*stretched(coming))
    while studio.jobs or studio.busy:
        lowest = (
            min(
                (max(studio.accounts.get(one.owner_id, Account()).given, studio.clock), one.owner_id)
                for one in studio.jobs.values()
            )
            if studio.jobs
            else (0.0, "")
        )
        account, now = studio.accounts.get(lowest[1], Account()), studio.now
        waits = account.head in studio.jobs and account.passed_since is not None
        overdue = waits and now - (account.passed_since or 0.0) >= patience(0.0)
        decision = studio.step()
        if overdue and decision.assignments:
            assert decision.assignments[0].reason is Reason.PATIENCE


def test_what_is_loaded_saves_loading() -> None:
    studio = Studio([backend("a", *NAMES, load=5.0)])
    for number in range(90):
        studio.ask(job(f"{number:02}", PEOPLE[number % 3], NAMES[number // 3 % 3], at=float(number)))
    log = studio.run()
    assert studio.loads == 3
    assert abs(given_to(log, "ann") - given_to(log, "ben")) < ROUNDING
