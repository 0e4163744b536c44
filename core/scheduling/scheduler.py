"""Which waiting picture goes to which backend next. Pure: no clock, no I/O, the same answer for the same question.

Everybody is given the same (times their weight), counted in the seconds their pictures take: `board.py` says how, and
how far what is loaded may change the order.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.scheduling.board import Board
from core.scheduling.facts import Account, Assignment, BackendFacts, Decision, Lane, Reason, Waiting, WaitingJob
from core.scheduling.matching import can_draw

__all__ = [
    "Account",
    "Assignment",
    "BackendFacts",
    "Decision",
    "Lane",
    "Reason",
    "Waiting",
    "WaitingJob",
    "can_draw",
    "choose",
]


def choose(waiting: Waiting, backends: Sequence[BackendFacts], now: float) -> Decision:
    """At most one picture for each idle backend; as many pictures of one job as there are backends for them.

    `backends` are all that there are: also one that is down may be the only one for a job, which then waits for it.
    `now` is compared with what accounts remember, nothing else.
    """
    board = Board(waiting, backends)
    return Decision(tuple(board.give(now)), board.changed(), board.clock)
