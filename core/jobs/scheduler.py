"""Which waiting job goes to which backend next. Pure: no clock, no I/O, the same answer for the same question.

First come, first served for now; a job that only a busy or absent backend can draw does not hold up those behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.webui.catalog import Catalog, find_checkpoint
from core.webui.match import offers


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """What the scheduler has to know of a queued job; kept in memory, so it is small. None: nobody chose one."""

    job_id: str
    owner_id: str
    created_at: float
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """What the scheduler has to know of a backend. `catalog` is what it offered when it last answered, if ever."""

    key: str
    up: bool
    idle: bool
    catalog: Catalog | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """This job goes to that backend."""

    job_id: str
    backend: str


def choose(waiting: Sequence[WaitingJob], backends: Sequence[BackendFacts]) -> list[Assignment]:
    """One assignment for each idle backend that a job can use; `waiting` is in the order of arrival.

    `backends` are all that there are: also one that is down may be the only one for a job, which then waits for it.
    """
    free = [backend for backend in backends if backend.up and backend.idle and backend.catalog is not None]
    chosen: list[Assignment] = []
    for job in waiting:
        if not free:
            break
        if (backend := _best(job, free, backends)) is not None:
            free.remove(backend)
            chosen.append(Assignment(job.job_id, backend.key))
    return chosen


def can_draw(job: WaitingJob, catalog: Catalog) -> bool:
    """Whether a backend has every name that the job asks for."""
    return offers(catalog, checkpoint=job.checkpoint, sampler=job.sampler, scheduler=job.scheduler)


def _best(job: WaitingJob, free: list[BackendFacts], backends: Sequence[BackendFacts]) -> BackendFacts | None:
    """A free backend that has what the job asks for, rather one that has its checkpoint loaded.

    Where every backend is known and none has it, any may take the job: building the payload will then find that out
    and say so with the nearest names, which is better than waiting for ever.
    """
    able = [backend for backend in free if backend.catalog is not None and can_draw(job, backend.catalog)]
    if not able:
        hopeless = all(backend.catalog is not None and not can_draw(job, backend.catalog) for backend in backends)
        return free[0] if hopeless else None
    return next((backend for backend in able if _has_loaded(backend.catalog, job.checkpoint)), able[0])


def _has_loaded(catalog: Catalog | None, checkpoint: str | None) -> bool:
    if catalog is None or catalog.loaded_checkpoint is None or checkpoint is None:
        return False
    loaded = find_checkpoint(catalog, catalog.loaded_checkpoint)
    return loaded is not None and loaded == find_checkpoint(catalog, checkpoint)
