"""Which waiting job goes to which backend next. Pure: no clock, no I/O, the same answer for the same question.

First come, first served for now; a job whose checkpoint is only on a busy backend does not hold up those behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.webui.catalog import Catalog, find_checkpoint


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """What the scheduler has to know of a queued job; kept in memory, so it is small."""

    job_id: str
    owner_id: str
    checkpoint: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """What the scheduler has to know of a backend that is up. `catalog` is what it offered when last asked."""

    key: str
    idle: bool
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Assignment:
    """This job goes to that backend."""

    job_id: str
    backend: str


def choose(waiting: Sequence[WaitingJob], backends: Sequence[BackendFacts]) -> list[Assignment]:
    """One assignment for each idle backend that a job can use; `waiting` is in the order of arrival."""
    free = [backend for backend in backends if backend.idle]
    chosen: list[Assignment] = []
    for job in waiting:
        if not free:
            break
        if (backend := _best(job, free, backends)) is not None:
            free.remove(backend)
            chosen.append(Assignment(job.job_id, backend.key))
    return chosen


def _best(job: WaitingJob, free: list[BackendFacts], backends: Sequence[BackendFacts]) -> BackendFacts | None:
    """An idle backend that has the checkpoint, rather one that has it loaded.

    Where no backend that is up has it, any may take the job: building the payload will then find that out and say so
    with the nearest names, which is better than waiting for ever.
    """
    if job.checkpoint is None:
        return free[0]
    able = [backend for backend in free if find_checkpoint(backend.catalog, job.checkpoint)]
    if not able:
        nobody = not any(find_checkpoint(backend.catalog, job.checkpoint) for backend in backends)
        return free[0] if nobody else None
    return next((backend for backend in able if _is_loaded(backend.catalog, job.checkpoint)), able[0])


def _is_loaded(catalog: Catalog, checkpoint: str) -> bool:
    loaded = None if catalog.loaded_checkpoint is None else find_checkpoint(catalog, catalog.loaded_checkpoint)
    return loaded is not None and loaded == find_checkpoint(catalog, checkpoint)
