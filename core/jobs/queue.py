"""The waiting jobs in memory, in the order of arrival, and the bell that wakes the dispatcher. Rows are the truth."""

from __future__ import annotations

import asyncio
import bisect

from msgspec import UNSET, UnsetType

from core.jobs.model import Job, NewJob
from core.jobs.scheduler import WaitingJob


class WaitingQueue:
    """Small entries for queued rows, so that choosing the next job reads no database."""

    def __init__(self) -> None:
        self._jobs: list[WaitingJob] = []
        self._bell = asyncio.Event()

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job | NewJob) -> None:
        """Put a job where its time of arrival puts it; one that is there already stays as it is."""
        if self.place(job.id) is not None:
            return
        request = job.request
        entry = WaitingJob(
            job_id=job.id,
            owner_id=job.owner_id,
            created_at=job.created_at,
            checkpoint=_said(request.checkpoint),
            sampler=_said(request.sampler),
            scheduler=_said(request.scheduler),
        )
        bisect.insort(self._jobs, entry, key=lambda waiting: waiting.created_at)
        self.ring()

    def remove(self, job_id: str) -> None:
        """Forget a job that is queued no longer."""
        self._jobs = [job for job in self._jobs if job.job_id != job_id]

    def place(self, job_id: str) -> int | None:
        """1 for the next in line; None for a job that isn't waiting."""
        return next((place for place, job in enumerate(self._jobs, 1) if job.job_id == job_id), None)

    def snapshot(self) -> tuple[WaitingJob, ...]:
        """The jobs as they wait now."""
        return tuple(self._jobs)

    def ring(self) -> None:
        """Something changed: a job came, a backend is free or back."""
        self._bell.set()

    async def wait(self) -> None:
        """Until the next ring; rings in between count as one."""
        await self._bell.wait()
        self._bell.clear()


def _said(name: str | UnsetType) -> str | None:
    return None if name is UNSET else name
