"""What a job's result looks like in its row."""

import msgspec

from core.images.store import Kept
from core.jobs.model import ENDED, Drawing, JobState, join
from tests.core.jobs.conftest import DRAWING

FIRST, SECOND, THIRD = (Kept(name, "png", 1, 1, 1, None) for name in "abc")


def test_a_drawing_comes_back_from_its_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(DRAWING), type=Drawing) == DRAWING


def test_a_drawing_of_an_older_bot_without_newer_facts_can_be_read() -> None:
    drawing = msgspec.json.decode(b'{"pictures": [], "seeds": [7]}', type=Drawing)
    assert (drawing.seeds, drawing.checkpoint, drawing.warnings) == ((7,), None, ())


def test_three_states_are_an_end() -> None:
    assert set(JobState) - ENDED == {JobState.QUEUED, JobState.RUNNING, JobState.DRAWN}


def test_pictures_are_in_the_order_of_their_numbers_and_so_are_their_seeds() -> None:
    drawing = Drawing(pictures=(THIRD, FIRST), seeds=(9, 7), numbers=(2, 0))
    assert drawing.numbered() == [(0, FIRST), (2, THIRD)]
    assert drawing.ordered_seeds() == [7, 9]


def test_pictures_without_numbers_count_from_nought() -> None:
    drawing = Drawing(pictures=(FIRST, SECOND), seeds=(7, 8))
    assert drawing.numbered() == [(0, FIRST), (1, SECOND)]
    assert drawing.ordered_seeds() == [7, 8]


def test_a_row_that_knows_no_numbers_can_be_read() -> None:
    old = msgspec.json.encode({"pictures": [FIRST], "seeds": [7]})
    assert msgspec.json.decode(old, type=Drawing).numbered() == [(0, FIRST)]


def test_drawings_are_joined_in_the_order_of_their_numbers() -> None:
    first = Drawing(pictures=(FIRST,), seeds=(7,), numbers=(0,), warnings=("A.", "B."), checkpoint="ink", seconds=1.5)
    third = Drawing(pictures=(THIRD,), seeds=(9,), numbers=(2,), warnings=("B.", "C."), checkpoint="ash", seconds=2.0)
    joined = join([third, first])
    assert joined is not None
    assert joined.numbered() == [(0, FIRST), (2, THIRD)]
    assert (joined.seeds, joined.numbers, joined.warnings) == ((7, 9), (0, 2), ("A.", "B.", "C."))
    assert (joined.checkpoint, joined.seconds) == ("ink", 3.5)


def test_nothing_joined_is_nothing_and_one_is_itself() -> None:
    assert join([]) is None
    one = Drawing(pictures=(FIRST,), seeds=(7,), numbers=(1,))
    assert join([one]) == one


def test_a_map_is_shown_behind_the_last_picture_that_was_asked_for() -> None:
    first = Drawing(pictures=(FIRST,), seeds=(7,), numbers=(0,), maps=(SECOND,))
    joined = join([Drawing(pictures=(THIRD,), seeds=(9,), numbers=(2,)), first])
    assert joined is not None
    assert joined.numbered() == [(0, FIRST), (2, THIRD)]
    assert joined.shown(4) == [(0, FIRST), (2, THIRD), (4, SECOND)]
    assert joined.ordered_seeds() == [7, 9]
