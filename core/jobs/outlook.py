"""What is to be expected: whose turn it is, and when a job begins. It joins the queue and the webuis; no I/O."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence

from core.fleet import Fleet
from core.jobs.model import Job
from core.jobs.queue import WaitingQueue, entry
from core.scheduling.cost import NOMINAL_SECONDS
from core.scheduling.forecast import Expectation, Running, Turn, expect, foresee
from core.scheduling.scheduler import BackendFacts, can_draw
from core.webui.pool import BackendView, Health

TURNS = 25
LOOKED_AT = 10
"""Jobs whose end is worked out for one answer, at most."""
SHORT = 50
"""Jobs in a queue that is thought through at once."""
NO_WEBUI = "No webui that can draw this is there at the moment; the job waits for one."


def facts_of(view: BackendView, *, mine: bool = True) -> BackendFacts:
    """A webui as the scheduler sees it; one of another worker is never idle for us."""
    return BackendFacts(
        key=view.key,
        up=view.health is Health.UP,
        idle=view.idle and mine,
        catalog=view.catalog,
        accepts=view.accepts,
        speed=view.speed,
        load_seconds=view.load_seconds,
        default_checkpoint=view.default_checkpoint,
    )


class Outlook:
    """Forecasts from what jobs really took."""

    def __init__(self, queue: WaitingQueue, fleet: Fleet) -> None:
        self._queue = queue
        self._fleet = fleet

    def of_job(self, job_id: str, turns: Sequence[Turn] | None = None) -> Expectation | None:
        """Its place and when it begins; None for a job that isn't waiting.

        As long as few wait, the scheduler itself is asked (or `turns`, which it has just said); a long queue is worked
        out by arithmetic.
        """
        if len(self._queue) <= TURNS:
            for place, turn in enumerate(self._turns(TURNS) if turns is None else turns, 1):
                if turn.job_id == job_id:
                    return Expectation(place, turn.starts_at)
        return expect(self._queue.waiting(), self._facts(), self._running(), time.time(), job_id)

    def obstacle(self, expectation: Expectation | None) -> str | None:
        """Why nothing of the job that this is expected of can be drawn now, as a sentence; None where something can."""
        if (general := self._fleet.explain()) is not None:
            return general
        return NO_WEBUI if expectation is not None and expectation.starts_at is None else None

    def first_end(self, job_ids: Sequence[str]) -> float | None:
        """When the first of these jobs is likely to be done (unix seconds); None where nobody can say."""
        holders = {view.key: view.job_id for view in self._fleet.views()}
        at_work = {(holders[running.backend] or "").partition(":")[0]: running.ends_at for running in self._running()}
        ends = [at_work[job_id] for job_id in job_ids if job_id in at_work and self._queue.get(job_id) is None]
        for job_id in itertools.islice(job_ids, LOOKED_AT):
            job, expectation = self._queue.get(job_id), self.of_job(job_id)
            if job is not None and expectation is not None and expectation.starts_at is not None:
                ends.append(expectation.starts_at + job.work * job.pictures * self._speed())
        return min(ends, default=None)

    async def turns(self, limit: int = TURNS) -> list[Turn]:
        """Who comes next, where and why. A long queue is thought through in a thread: that takes a while."""
        if len(self._queue) <= SHORT:
            return self._turns(limit)
        arguments = self._queue.snapshot(), self._facts(), self._running(), time.time(), limit
        return await asyncio.to_thread(foresee, *arguments)

    def _turns(self, limit: int) -> list[Turn]:
        return foresee(self._queue.waiting(), self._facts(), self._running(), time.time(), limit)

    def elsewhere(self, job: Job, key: str) -> bool:
        """Whether a webui other than the one of this key could draw it now, and has not failed at it."""
        wanted = entry(job, 1)
        return any(
            view.accepts
            and view.key not in {key, *job.avoid}
            and view.catalog is not None
            and can_draw(wanted, view.catalog)
            for view in self._fleet.views()
        )

    def _speed(self) -> float:
        """Seconds for a megapixel-step, of the webuis that are there."""
        known = [view.speed for view in self._fleet.views() if view.accepts and view.speed is not None]
        return statistics.median(known) if known else NOMINAL_SECONDS

    def _facts(self) -> list[BackendFacts]:
        return [facts_of(view) for view in self._fleet.views()]

    def _running(self) -> list[Running]:
        return [
            Running(view.key, view.since + view.work * (view.speed or NOMINAL_SECONDS))
            for view in self._fleet.views()
            if view.job_id is not None and view.since is not None
        ]
