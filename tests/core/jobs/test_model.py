"""What a job's result looks like in its row."""

import msgspec

from core.jobs.model import ENDED, Drawing, JobState
from tests.core.jobs.conftest import DRAWING


def test_a_drawing_comes_back_from_its_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(DRAWING), type=Drawing) == DRAWING


def test_a_drawing_of_an_older_bot_without_newer_facts_can_be_read() -> None:
    drawing = msgspec.json.decode(b'{"pictures": [], "seeds": [7]}', type=Drawing)
    assert (drawing.seeds, drawing.checkpoint, drawing.warnings) == ((7,), None, ())


def test_three_states_are_an_end() -> None:
    assert set(JobState) - ENDED == {JobState.QUEUED, JobState.RUNNING, JobState.DRAWN}
