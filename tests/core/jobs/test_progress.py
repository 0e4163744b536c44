"""How far a job of several pictures is, from how far those are that are at work."""

from __future__ import annotations

import pytest

from core.jobs.engine import Piece
from core.jobs.model import Glimpse
from core.jobs.progress import JobProgress
from tests.core.jobs.conftest import job_of


def piece(number: int) -> Piece:
    return Piece("1", number, 1)


class Told:
    """A job's progress as its owner is told it."""

    def __init__(self, pictures: int) -> None:
        self.job = job_of(pictures)
        self.progress = JobProgress()
        self.fractions: list[float] = []

    def begin(self, *numbers: int) -> None:
        for number in numbers:
            self.progress.begin(piece(number))

    def see(self, number: int, fraction: float | None) -> Glimpse:
        glimpse = self.progress.of_job(self.job, piece(number), Glimpse(fraction, 3, 10, 1, 1))
        if glimpse.fraction is not None:
            self.fractions.append(round(glimpse.fraction, 6))
        return glimpse

    def end(self, number: int) -> None:
        self.progress.forget(piece(number))


def test_a_single_picture_s_progress_is_its_own() -> None:
    told = Told(1)
    told.begin(0)
    assert told.see(0, 0.25) == Glimpse(0.25, 3, 10, 1, 1)


def test_pictures_one_after_the_other_add_up() -> None:
    told = Told(3)
    for number in range(3):
        told.begin(number)
        told.see(number, 0.0)
        glimpse = told.see(number, 0.5)
        assert (glimpse.step, glimpse.steps, glimpse.picture, glimpse.pictures) == (3, 10, number + 1, 3)
        told.end(number)
    assert told.fractions == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6], abs=1e-5)


def test_pictures_side_by_side_count_together() -> None:
    told = Told(4)
    told.begin(0, 1)
    assert [told.see(0, 0.5).fraction, told.see(1, 0.5).fraction] == [0.125, 0.25]
    told.end(0)
    assert told.see(1, 0.75).fraction == (1 + 0.75) / 4
    told.begin(2)
    assert told.see(2, 0.25).picture == 2  # the second of the four is the first that isn't done
    assert told.fractions == [0.125, 0.25, 0.4375, 0.5]


def test_a_later_picture_that_is_heard_of_first_does_not_count_the_earlier_ones_as_done() -> None:
    told = Told(3)
    told.begin(0, 1, 2)
    for number in (2, 1, 0, 2):
        told.see(number, 0.3)
    assert told.fractions == [0.1, 0.2, 0.3, 0.3]


def test_a_picture_that_goes_back_into_the_queue_takes_nothing_back() -> None:
    told = Told(2)
    told.begin(0, 1)
    told.see(0, 0.8)
    told.see(1, 0.6)
    told.end(0)  # its connection broke
    told.begin(0)
    for fraction in (0.1, 0.5, 1.0):
        told.see(0, fraction)
    told.see(1, 1.0)
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0


def test_a_webui_that_can_not_say_how_far_it_is_says_nothing_of_the_job_either() -> None:
    told = Told(3)
    told.begin(0)
    assert told.see(0, None).fraction is None


def test_nothing_is_remembered_of_a_job_that_is_not_at_work() -> None:
    told = Told(2)
    told.begin(0, 1)
    told.see(1, 0.5)
    for number in (0, 1, 1):
        told.end(number)
    assert told.progress._jobs == {}


def test_an_attempt_that_ends_late_does_not_end_the_next_one() -> None:
    told = Told(2)
    told.begin(0)
    told.progress.begin(Piece("1", 0, 2))
    told.end(0)
    told.begin(1)
    assert told.see(1, 0.5).picture == 1
