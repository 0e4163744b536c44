"""The scheduler against first come, first served, in virtual time: no clock, no network, the same figures every time.

Mixed checkpoints: 200 single pictures of equal size of 8 people, each of one of 5 checkpoints, all waiting at once, and
a load takes as long as 5 pictures. Equal pictures are the hardest case, as shares then leave the least choice. The same
people and jobs with 50 seeds; the least possible number of loads is one for each checkpoint.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.figures import Figure, milliseconds, summary, table
from core.scheduling.cost import patience
from core.scheduling.facts import Account, BackendFacts, Lane, Waiting, WaitingJob
from core.scheduling.scheduler import choose
from core.webui.catalog import Catalog, Checkpoint

CHECKPOINTS = 5
PEOPLE = 8
JOBS = 200
PICTURE_SECONDS = 2.0
LOAD_SECONDS = 5 * PICTURE_SECONDS
SEEDS = 50
TIMES_FASTER = 3.0
FLOOD = 900
FEW = 50
MANY = 10_000
LANES = 100

Turns = list[tuple[str, int]]
"""Which job on which backend, by number."""


def _catalog(checkpoints: int) -> Catalog:
    names = [f"checkpoint {number}" for number in range(checkpoints)]
    return Catalog(checkpoints=tuple(Checkpoint(title=name, model_name=name) for name in names)).prepare()


@dataclass(slots=True)
class Studio:
    """Jobs that wait, and backends that draw, until nothing waits."""

    jobs: dict[str, WaitingJob]
    backends: int
    catalog: Catalog = field(default_factory=lambda: _catalog(CHECKPOINTS))
    loaded: list[str | None] = field(default_factory=list)
    free_at: list[float] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    clock: float = 0.0
    now: float = 0.0
    loads: int = 0
    longest_passed: float = 0.0

    def run(self, policy: Callable[[Studio], Turns]) -> Studio:
        """Draw everything; `now` is then when the last picture ends."""
        self.loaded, self.free_at = [None] * self.backends, [0.0] * self.backends
        while self.jobs:
            for job_id, number in policy(self):
                self._draw(self.jobs.pop(job_id), number)
            self.now = min(at for at in self.free_at if at > self.now)
        self.now = max(self.free_at)
        return self

    def facts(self) -> list[BackendFacts]:
        """The backends as they are now."""
        return [
            BackendFacts(
                key=str(number),
                up=True,
                idle=self.free_at[number] <= self.now,
                catalog=self.catalog.with_loaded(self.loaded[number]),
                speed=PICTURE_SECONDS,
                load_seconds=LOAD_SECONDS,
            )
            for number in range(self.backends)
        ]

    def waiting(self) -> Waiting:
        """Everybody who waits now."""
        lanes: dict[str, list[WaitingJob]] = {}
        for job in self.jobs.values():
            lanes.setdefault(job.owner_id, []).append(job)
        return Waiting(
            [Lane(owner, jobs, self.accounts.get(owner, Account())) for owner, jobs in lanes.items()], self.clock
        )

    def _draw(self, job: WaitingJob, number: int) -> None:
        seconds = job.work * PICTURE_SECONDS
        if job.checkpoint is not None and self.loaded[number] != job.checkpoint:
            self.loaded[number] = job.checkpoint
            self.loads += 1
            seconds += LOAD_SECONDS
        self.free_at[number] = self.now + seconds


def fair(studio: Studio) -> Turns:
    """The bot's own policy; it also keeps how long anybody was passed over until their turn."""
    decision = choose(studio.waiting(), studio.facts(), studio.now)
    for one in decision.assignments:
        account = studio.accounts.get(one.owner_id, Account())
        if account.head == one.job_id and account.passed_since is not None:
            studio.longest_passed = max(studio.longest_passed, studio.now - account.passed_since)
    studio.accounts |= decision.accounts
    studio.clock = decision.clock
    return [(one.job_id, int(one.backend)) for one in decision.assignments]


def first_come(studio: Studio) -> Turns:
    """First come, first served, rather on a free backend that has the checkpoint loaded."""
    free = [number for number in range(studio.backends) if studio.free_at[number] <= studio.now]
    turns: Turns = []
    for job in list(studio.jobs.values())[: len(free)]:
        number = next((one for one in free if studio.loaded[one] == job.checkpoint), free[0])
        free.remove(number)
        turns.append((job.job_id, number))
    return turns


def mixed_jobs(seed: int) -> dict[str, WaitingJob]:
    """Whoever asks and for which checkpoint is random, by the seed."""
    chance = random.Random(seed)  # noqa: S311 - jobs are drawn from seeds: nothing secret
    return {
        one.job_id: one
        for one in (
            _job(number, f"person {chance.randrange(PEOPLE)}", f"checkpoint {chance.randrange(CHECKPOINTS)}")
            for number in range(JOBS)
        )
    }


def _job(number: int, owner: str, checkpoint: str | None = None, pictures: int = 1) -> WaitingJob:
    return WaitingJob(f"{number:05}", owner, None, number / 100, number / 100, 1.0, pictures, checkpoint=checkpoint)


def mixed(backends: int) -> list[Figure]:
    """Time, loads and patience with mixed checkpoints."""
    ours = [Studio(mixed_jobs(seed), backends).run(fair) for seed in range(SEEDS)]
    theirs = [Studio(mixed_jobs(seed), backends).run(first_come) for seed in range(SEEDS)]
    faster = [their.now / our.now for our, their in zip(ours, theirs, strict=True)]
    bound = patience(LOAD_SECONDS) + 2 * PEOPLE * (PICTURE_SECONDS + LOAD_SECONDS)
    where = f"{backends} webui" + ("s" if backends > 1 else "")
    return [
        Figure(
            what=f"mixed checkpoints, {where}: pictures per minute against first come, first served, median",
            value=statistics.median(faster),
            unit="×",
            bar=TIMES_FASTER,
            at_least=True,
            detail=f"least {min(faster):.2f}, most {max(faster):.2f} of {SEEDS} seeds",
        ),
        Figure(
            what="  loads against first come, first served, median",
            value=statistics.median(our.loads / their.loads for our, their in zip(ours, theirs, strict=True)),
            unit="×",
        ),
        _against_least("  loads against the least possible, median", ours),
        _against_least("  the same of first come, first served", theirs),
        Figure(
            what="  longest that anybody was passed over until their turn",
            value=max(our.longest_passed for our in ours),
            unit="s",
            bar=bound,
            detail=f"patience {patience(LOAD_SECONDS):.0f} s, then two turns of each person at most",
        ),
    ]


def _against_least(what: str, studios: Sequence[Studio]) -> Figure:
    """Loads as a ratio to one for each checkpoint, which nobody who draws them all comes below."""
    loads = [studio.loads for studio in studios]
    return Figure(
        what=what,
        value=statistics.median(loads) / CHECKPOINTS,
        unit="×",
        detail=f"{statistics.median(loads):.0f} for {CHECKPOINTS} checkpoints; least {min(loads)}, most {max(loads)}",
    )


def flood() -> list[Figure]:
    """How many pictures are given out until two people with few jobs have theirs, beside one with very many."""
    jobs = {one.job_id: one for one in (_job(number, "flood") for number in range(FLOOD))}
    studio = Studio(jobs, 1)
    for number in range(2 * FEW):
        late = _job(FLOOD + number, f"person {number % 2}")
        studio.jobs[late.job_id] = late
    given = 0
    last = 0

    def counting(studio: Studio) -> Turns:
        nonlocal given, last
        turns = fair(studio)
        for job_id, _ in turns:
            given += 1
            last = given if studio.jobs[job_id].owner_id != "flood" else last
        return turns

    studio.run(counting)
    return [
        Figure(
            what=f"{FLOOD} jobs of one person, then {FEW} each of two: turns until the two are done",
            value=last,
            unit="",
            bar=3 * FEW + 1,
            detail=f"as one of three: {3 * FEW}; first come, first served: {FLOOD + 2 * FEW}",
        )
    ]


def quickness() -> list[Figure]:
    """What one decision takes when very much waits."""
    chance = random.Random(1)  # noqa: S311 - jobs are drawn from seeds: nothing secret
    each = MANY // LANES
    lanes = [
        Lane(
            f"person {owner}",
            [
                _job(owner * each + number, f"person {owner}", f"checkpoint {chance.randrange(CHECKPOINTS)}", 4)
                for number in range(each)
            ],
            Account(chance.random()),
        )
        for owner in range(LANES)
    ]
    catalog = _catalog(CHECKPOINTS)
    return [
        Figure(
            what=f"one decision with {MANY:,} jobs waiting of {LANES} people, {what}, median",
            value=statistics.median(times := milliseconds(_times(Waiting(lanes), catalog, loaded))),
            unit="ms",
            detail=summary(times, "ms"),
        )
        for what, loaded in (("checkpoint loaded", "checkpoint 1"), ("one to be loaded", None))
    ]


def _times(waiting: Waiting, catalog: Catalog, loaded: str | None) -> Sequence[float]:
    here = BackendFacts(key="0", up=True, idle=True, catalog=catalog.with_loaded(loaded))
    backends = [here, *(replace(here, key=str(number), idle=False) for number in range(1, 4))]
    times = []
    for _ in range(20):
        started = time.perf_counter()
        choose(waiting, backends, 0.0)
        times.append(time.perf_counter() - started)
    return times


async def measure() -> list[Figure]:
    """All of it; some tens of seconds of arithmetic."""
    return [*mixed(1), *mixed(4), *flood(), *quickness()]


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
