"""The jobs with pictures that wait, in memory, each person's in a lane; and the bell. Rows are the truth."""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, replace

from msgspec import UNSET, UnsetType

from core.jobs.model import Job, NewJob
from core.request import GenerationRequest
from core.scheduling.cost import rank_of, work_of
from core.scheduling.scheduler import Account, Lane, Waiting, WaitingJob
from core.webui.needs import Need, needs_of

NOTHING_GIVEN = Account()


def entry(job: Job | NewJob, pictures: int) -> WaitingJob:
    """What the scheduler has to know of a job `pictures` of whose pictures wait. Names are shared, to be small.

    A comparison is as its first picture is, and needs what all of them need.
    """
    request = job.request
    said = (request if request.comparison is UNSET else request.of(0)).as_said
    work = work_of(request)
    return WaitingJob(
        job_id=job.id,
        owner_id=sys.intern(job.owner_id),
        guild_id=None if job.guild_id is None else sys.intern(job.guild_id),
        created_at=job.created_at,
        rank=rank_of(job.created_at, work, request.pictures),
        work=work,
        pictures=pictures,
        weight=job.weight,
        checkpoint=_said(said.checkpoint),
        sampler=_said(said.sampler),
        scheduler=_said(said.scheduler),
        needs=tuple(need for need in needs_of(request) if need not in _own_needs(said)),
        avoid=job.avoid if isinstance(job, Job) else frozenset(),
    )


@dataclass(frozen=True, slots=True)
class Books:
    """What was read of the accounts of `owner_ids`: who is in them and in no account was given nothing yet.

    Of whoever came after that was read, nobody knows: they have to wait for the next time.
    """

    accounts: Mapping[str, Account]
    clock: float
    owner_ids: frozenset[str]


class WaitingQueue:
    """Small entries, so that choosing the next picture reads no database, and what people were given when last read."""

    def __init__(self) -> None:
        self._jobs: dict[str, WaitingJob] = {}
        self._lanes: dict[str, list[WaitingJob]] = {}
        self._accounts: dict[str, Account] = {}
        self._clock = 0.0
        self._bell = asyncio.Event()

    def __len__(self) -> int:
        """How many jobs have pictures that wait."""
        return len(self._jobs)

    @property
    def owner_ids(self) -> list[str]:
        """Whose jobs wait."""
        return list(self._lanes)

    def get(self, job_id: str) -> WaitingJob | None:
        """The job as it waits now."""
        return self._jobs.get(job_id)

    @property
    def job_ids(self) -> list[str]:
        """All that wait, in the order in which they became known."""
        return list(self._jobs)

    def first_of_guild(self, guild_id: str | None) -> list[str]:
        """The job of this server that comes first in each of its members' own order."""
        lanes = ([job.job_id for job in lane if job.guild_id == guild_id] for lane in self._lanes.values())
        return [jobs[0] for jobs in lanes if jobs]

    def put(self, job: WaitingJob) -> None:
        """Let this be what is known of the job; one without waiting pictures is forgotten. Rings."""
        self.remove(job.job_id)
        if job.pictures > 0:
            self._jobs[job.job_id] = job
            insort(self._lanes.setdefault(job.owner_id, []), job, key=_order)
        self.ring()

    def take(self, job_id: str) -> None:
        """One picture of the job waits no longer."""
        if (job := self._jobs.get(job_id)) is None:
            return
        if job.pictures == 1:
            self.remove(job_id)
            return
        lane = self._lanes[job.owner_id]
        taken = replace(job, pictures=job.pictures - 1)
        self._jobs[job_id] = lane[bisect_left(lane, _order(job), key=_order)] = taken

    def remove(self, job_id: str) -> None:
        """Forget a job none of whose pictures waits."""
        if (job := self._jobs.pop(job_id, None)) is None:
            return
        lane = self._lanes[job.owner_id]
        del lane[bisect_left(lane, _order(job), key=_order)]
        if not lane:
            del self._lanes[job.owner_id]

    def know(self, accounts: Mapping[str, Account], clock: float) -> None:
        """What these people were given so far; of people who wait for nothing, nothing is kept."""
        merged = self._accounts | dict(accounts)
        self._accounts = {owner: merged[owner] for owner in self._lanes if owner in merged}
        self._clock = clock

    def snapshot(self) -> Waiting:
        """The lanes as they are now, for a thread: whatever changes here afterwards does not change them."""
        waiting = self.waiting()
        return Waiting(tuple(replace(lane, jobs=tuple(lane.jobs)) for lane in waiting.lanes), waiting.clock)

    def waiting(self, books: Books | None = None) -> Waiting:
        """The lanes as they are now: of everybody, with the accounts that were known last, or of those in `books`."""
        known = self._accounts if books is None else books.accounts
        lanes = tuple(
            Lane(owner_id=owner, jobs=lane, account=known.get(owner, NOTHING_GIVEN))
            for owner, lane in self._lanes.items()
            if books is None or owner in books.owner_ids
        )
        return Waiting(lanes=lanes, clock=self._clock if books is None else books.clock)

    def ring(self) -> None:
        """Something changed: a job came, a backend is free or back."""
        self._bell.set()

    async def wait(self) -> None:
        """Until the next ring; rings in between count as one."""
        await self._bell.wait()
        self._bell.clear()


def _order(job: WaitingJob) -> tuple[float, str]:
    return job.rank, job.job_id


def _own_needs(request: GenerationRequest) -> set[Need]:
    """What the entry says in fields of its own."""
    own = (("checkpoint", request.checkpoint), ("sampler", request.sampler), ("scheduler", request.scheduler))
    return {Need(kind, name) for kind, name in own if name is not UNSET}


def _said(name: str | UnsetType) -> str | None:
    return None if name is UNSET else sys.intern(name)
