"""The named points of the pipeline, for those who watch it: between any two of them a process may die.

The crash tests listen here and kill the process at each point; nothing else does, and without a listener a point
costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

Point = Literal[
    "submitted",  # the row is written, the person has no answer yet
    "replied",  # the reply is out
    "assigned",  # the row says running, the engine does not know yet
    "started",  # the engine has recorded the job
    "sending",  # the webui's task id is noted, the payload is not sent
    "rendered",  # the webui's answer is complete, the step is not recorded
    "kept",  # the files are in place, the row does not say so
    "drawn",  # the row says drawn, the step is not recorded
    "delivering",  # the pictures are about to be sent to Discord
    "delivered",  # Discord has them, the row does not say so
    "done",  # the row says done, the step is not recorded
]
POINTS: tuple[Point, ...] = get_args(Point)

_listeners: list[Callable[[Point, str], None]] = []


def listen(listener: Callable[[Point, str], None]) -> None:
    """Call `listener(point, job id)` at every point from now on."""
    _listeners.append(listener)


def reached(point: Point, job_id: str) -> None:
    """Say that `job_id` is at `point`."""
    for listener in _listeners:
        listener(point, job_id)
