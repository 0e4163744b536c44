"""The global progress state and the list of tasks, as webui 1.10.1 keeps them. No HTTP, no drawing."""

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINISHED_REMEMBERED = 16  # modules/progress.py keeps that many


@dataclass(slots=True)
class JobState:
    """What `/progress` shows: global, overwritten by each job, without any id."""

    job: str = ""
    job_count: int = 0
    job_no: int = 0
    job_timestamp: str = "0"
    sampling_step: int = 0
    sampling_steps: int = 0
    skipped: bool = False
    interrupted: bool = False
    textinfo: str | None = None
    began: float = 0.0
    preview: Any = None
    shown: Any = None
    shown_step: int = 0
    preview_id: int = 0

    def begin(self, job: str) -> None:
        """A job took the lock: flags are cleared, sampling_steps keeps the last job's number."""
        self.job, self.job_count, self.job_no = job, -1, 0
        self.job_timestamp = datetime.now().astimezone().strftime("%Y%m%d%H%M%S")
        self.sampling_step = 0
        self.skipped = self.interrupted = False
        self.textinfo = None
        self.began = time.monotonic()
        self.preview = self.shown = None
        self.shown_step = self.preview_id = 0

    def next_job(self) -> None:
        """One pass of the job is finished."""
        self.job_no += 1
        self.sampling_step = self.shown_step = 0

    def show(self, shot: Any) -> None:
        """A new preview, which stays until the next one."""
        self.shown, self.shown_step = shot, self.sampling_step
        self.preview_id += 1

    def end(self) -> None:
        """The job let go of the lock; what happened to it stays readable."""
        self.job, self.job_count = "", 0

    def fraction(self) -> float:
        """Passes done plus the share of the present one, 0..1."""
        if self.job_count <= 0:
            return 0.0
        share = self.sampling_step / self.sampling_steps if self.sampling_steps > 0 else 0.0
        return min((self.job_no + share) / self.job_count, 1.0)

    def as_json(self) -> dict[str, Any]:
        """The `state` object of `/progress`."""
        return {
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "stopping_generation": False,
            "job": self.job,
            "job_count": self.job_count,
            "job_timestamp": self.job_timestamp,
            "job_no": self.job_no,
            "sampling_step": self.sampling_step,
            "sampling_steps": self.sampling_steps,
        }

    def global_progress(self) -> tuple[float, float]:
        """`progress` and `eta_relative` (seconds): 0 when idle, 0.01 before the first step, absurd ETAs at first."""
        if self.job_count == 0:
            return 0.0, 0.0
        progress = 0.01 + self.fraction()
        elapsed = time.monotonic() - self.began
        return min(progress, 1.0), elapsed / progress - elapsed

    def task_progress(self) -> tuple[float, float | None]:
        """`progress` and `eta` (seconds) of `/internal/progress` for the running task."""
        fraction = self.fraction()
        if fraction <= 0:
            return 0.0, None
        elapsed = time.monotonic() - self.began
        return fraction, elapsed / fraction - elapsed


@dataclass(slots=True)
class Tasks:
    """Which task waits, runs or is finished. A task that fails stays `current` until another one starts."""

    pending: list[str] = field(default_factory=list)
    current: str | None = None
    finished: deque[str] = field(default_factory=lambda: deque(maxlen=FINISHED_REMEMBERED))

    def add(self, task_id: str) -> None:
        """A request began to wait for the lock."""
        self.pending.append(task_id)

    def leave(self, task_id: str) -> None:
        """A waiting request gave up."""
        if task_id in self.pending:
            self.pending.remove(task_id)

    def start(self, task_id: str) -> None:
        """The task runs now."""
        self.current = task_id
        self.leave(task_id)

    def finish(self, task_id: str) -> None:
        """The task ended without an exception."""
        if self.current == task_id:
            self.current = None
        self.finished.append(task_id)

    def place(self, task_id: str) -> str:
        """The text for a task that does not run."""
        if task_id not in self.pending:
            return "Waiting..."
        return f"In queue: {self.pending.index(task_id) + 1}/{len(self.pending)}"
