"""Reads a webui's two kinds of progress. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NO_PREVIEW = -1
"""What counts as the number of the last live preview where none was seen."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running job is: `fraction` 0 to 1, the sampling `step` of `steps`, picture `batch` of `batches`.

    None is what the webui did not say. Its estimates of the time left are not read (contract 11.2.8).
    """

    fraction: float
    step: int | None = None
    steps: int | None = None
    batch: int | None = None
    batches: int | None = None


@dataclass(frozen=True, slots=True)
class LivePreview:
    """A half-done picture as the webui wrote it, a data URI; another `number` is another picture."""

    number: int
    uri: str = field(repr=False)


def read_live_preview(task: dict[str, Any]) -> LivePreview | None:
    """The half-done picture in a task's progress; None where there is none, and while the task isn't at work."""
    number, uri = task.get("id_live_preview"), task.get("live_preview")
    if task.get("queued") or not task.get("active") or not isinstance(uri, str) or not uri:
        return None
    return LivePreview(number if isinstance(number, int) else NO_PREVIEW, uri)


def read_progress(answer: Any, *, task: dict[str, Any] | None = None) -> Progress | None:
    """The global progress, with the fraction of the task where that is known; None while nothing runs."""
    if not isinstance(answer, dict) or (task is None and is_idle(answer)):
        return None
    state = _state(answer)
    fraction = _number((answer if task is None else task).get("progress"))
    steps = _whole(state, "sampling_steps") or None
    batches = _whole(state, "job_count")
    batch = _whole(state, "job_no")
    several = batches is not None and batches > 1 and batch is not None
    return Progress(
        fraction=min(max(fraction or 0.0, 0.0), 1.0),
        step=_whole(state, "sampling_step") if steps else None,
        steps=steps,
        batch=min(batch + 1, batches) if several and batch is not None and batches is not None else None,
        batches=batches if several else None,
    )


def is_idle(answer: Any) -> bool:
    """Whether a global progress says that no job runs; False where it doesn't say."""
    state = _state(answer)
    # job_count is -1 while a checkpoint loads, and 0 only between jobs.
    return "job_count" in state and state["job_count"] == 0 and not state.get("job")


def _state(answer: Any) -> dict[str, Any]:
    state = answer.get("state") if isinstance(answer, dict) else None
    return state if isinstance(state, dict) else {}


def _whole(state: dict[str, Any], key: str) -> int | None:
    number = _number(state.get(key))
    return None if number is None else int(number)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < float("inf") else None
