"""What other processes changed, passed on to whoever has to know. On one machine there is no news."""

from __future__ import annotations

from collections.abc import Callable

from core.fleet import Fleet
from core.jobs.gallery import DELETED_SIGNAL
from core.jobs.mirror import Mirror
from core.jobs.rows import CANCELLED_SIGNAL, QUEUED_SIGNAL
from core.store.backends import BACKENDS_SIGNAL, MODE_SIGNAL
from core.store.notes import NOTES_SIGNAL
from core.store.signals import Signal
from core.store.switches import SWITCH_SIGNAL


class News:
    """Quick, since it is called for every ring. `on_cancelled` is told the id of each job that anybody cancelled.

    `on_deleted` is told the file of each picture that was deleted. `on_switch` and `on_notes` are called where
    something changed of what admins wish of webuis, or call checkpoints.
    """

    def __init__(self, mirror: Mirror, fleet: Fleet) -> None:
        self._mirror = mirror
        self._fleet = fleet
        self.on_cancelled: Callable[[str], None] = _ignore
        self.on_deleted: Callable[[str], None] = _ignore
        self.on_switch: Callable[[], None] = _do_nothing
        self.on_notes: Callable[[], None] = _do_nothing

    def hear(self, signal: Signal) -> None:
        """One ring."""
        if signal.kind == QUEUED_SIGNAL:
            self._mirror.note(signal.subject)
        elif signal.kind == CANCELLED_SIGNAL:
            self._mirror.note(signal.subject)
            self.on_cancelled(signal.subject)
        elif signal.kind == DELETED_SIGNAL:
            self.on_deleted(signal.subject)
        elif signal.kind in (BACKENDS_SIGNAL, MODE_SIGNAL):
            self._fleet.note_others()
        elif signal.kind == SWITCH_SIGNAL:
            self.on_switch()
        elif signal.kind == NOTES_SIGNAL:
            self.on_notes()

    def resync(self) -> None:
        """Rings may have been missed."""
        self._mirror.miss()
        self._fleet.note_others()
        self.on_switch()
        self.on_notes()


def _ignore(_subject: str) -> None:
    """Nobody draws here."""


def _do_nothing() -> None:
    """Nobody listens here."""
