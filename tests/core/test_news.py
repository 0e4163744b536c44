"""What other processes changed reaches whoever has to know, and nobody else."""

from __future__ import annotations

from typing import cast

import pytest

from core.fleet import Fleet
from core.jobs.gallery import DELETED_SIGNAL
from core.jobs.mirror import Mirror
from core.jobs.rows import CANCELLED_SIGNAL, QUEUED_SIGNAL
from core.news import News
from core.store.backends import BACKENDS_SIGNAL, MODE_SIGNAL
from core.store.notes import NOTES_SIGNAL
from core.store.signals import Signal
from core.store.switches import SWITCH_SIGNAL


class Ears:
    """Remembers who was told what, as a mirror and as a fleet."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.news = News(cast("Mirror", self), cast("Fleet", self))
        self.news.on_cancelled = lambda job_id: self.heard.append(f"cancelled {job_id}")
        self.news.on_switch = lambda: self.heard.append("switch")
        self.news.on_deleted = lambda name: self.heard.append(f"deleted {name}")
        self.news.on_notes = lambda: self.heard.append("notes")

    def note(self, job_id: str) -> None:
        self.heard.append(f"note {job_id}")

    def miss(self) -> None:
        self.heard.append("miss")

    def note_others(self) -> None:
        self.heard.append("others")


@pytest.mark.parametrize(
    ("signal", "heard"),
    [
        (Signal(QUEUED_SIGNAL, "7"), ["note 7"]),
        (Signal(CANCELLED_SIGNAL, "7"), ["note 7", "cancelled 7"]),
        (Signal(BACKENDS_SIGNAL, "w"), ["others"]),
        (Signal(MODE_SIGNAL, "w http://gpu"), ["others"]),
        (Signal(SWITCH_SIGNAL, "7"), ["switch"]),
        (Signal(NOTES_SIGNAL), ["notes"]),
        (Signal(DELETED_SIGNAL, "ab.png"), ["deleted ab.png"]),
        (Signal("later", "7"), []),
    ],
)
def test_each_ring_is_passed_on_to_whom_it_concerns(signal: Signal, heard: list[str]) -> None:
    ears = Ears()
    ears.news.hear(signal)
    assert ears.heard == heard


def test_after_missed_rings_everything_is_read() -> None:
    ears = Ears()
    ears.news.resync()
    assert ears.heard == ["miss", "others", "switch", "notes"]


def test_where_nobody_draws_a_cancellation_is_only_noted() -> None:
    ears = Ears()
    News(cast("Mirror", ears), cast("Fleet", ears)).hear(Signal(CANCELLED_SIGNAL, "7"))
    assert ears.heard == ["note 7"]
