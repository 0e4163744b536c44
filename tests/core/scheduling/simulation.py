"""A studio in virtual time, for tests of the scheduler: jobs come, pictures take as long as they are said to take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.scheduling.facts import Account, BackendFacts, Decision, Lane, Reason, Waiting, WaitingJob
from core.scheduling.scheduler import choose
from core.webui.catalog import Catalog, Checkpoint

NAMES = ("dream", "paper", "ink")


def checkpoint(name: str) -> Checkpoint:
    return Checkpoint(title=f"{name}.safetensors", model_name=name, stem=name)


def catalog(*names: str, loaded: str | None = None) -> Catalog:
    return Catalog(checkpoints=tuple(checkpoint(name) for name in names), loaded_checkpoint=loaded)


def backend(
    key: str,
    *names: str,
    idle: bool = True,
    up: bool = True,
    accepts: bool = True,
    loaded: str | None = None,
    default: str | None = None,
    speed: float | None = 1.0,
    load: float | None = None,
) -> BackendFacts:
    return BackendFacts(
        key=key,
        up=up,
        idle=idle,
        accepts=accepts,
        catalog=catalog(*names, loaded=loaded),
        speed=speed,
        load_seconds=load,
        default_checkpoint=default,
    )


def job(
    job_id: str,
    owner_id: str = "ann",
    wanted: str | None = None,
    *,
    at: float = 0.0,
    work: float = 1.0,
    pictures: int = 1,
    weight: float = 1.0,
    avoid: frozenset[str] = frozenset(),
) -> WaitingJob:
    return WaitingJob(job_id, owner_id, "900", at, at, work, pictures, weight, wanted, avoid=avoid)


def waiting(*jobs: WaitingJob, accounts: dict[str, Account] | None = None, clock: float = 0.0) -> Waiting:
    """Jobs as the queue hands them over: by owner, each in the order of (rank, job_id)."""
    known = accounts or {}
    lanes: dict[str, list[WaitingJob]] = {}
    for one in jobs:
        lanes.setdefault(one.owner_id, []).append(one)
    return Waiting(
        tuple(
            Lane(owner, tuple(sorted(mine, key=lambda one: (one.rank, one.job_id))), known.get(owner, Account()))
            for owner, mine in lanes.items()
        ),
        clock,
    )


@dataclass(frozen=True, slots=True)
class Given:
    """One picture that was given out, and who had something waiting just before."""

    at: float
    job: WaitingJob
    backend: str
    reason: Reason
    charged: float
    backlogged: Mapping[str, int]
    """By owner, with the number of the stretch of time for which they have had something waiting."""
    passed_since: float | None
    """Since when this very job had been passed over."""


@dataclass(slots=True)
class Studio:
    """Backends and people. `log` has every picture given out, `loads` counts checkpoints loaded."""

    backends: list[BackendFacts]
    jobs: dict[str, WaitingJob] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    clock: float = 0.0
    now: float = 0.0
    loads: int = 0
    log: list[Given] = field(default_factory=list)
    busy: dict[str, float] = field(default_factory=dict)
    stretches: Counter[str] = field(default_factory=Counter)

    def ask(self, *jobs: WaitingJob) -> None:
        """Jobs come."""
        self.jobs |= {one.job_id: one for one in jobs}

    def facts(self) -> list[BackendFacts]:
        """The backends as they are now."""
        return [replace(one, idle=one.idle and one.key not in self.busy) for one in self.backends]

    def waiting(self) -> Waiting:
        """Everybody who waits now."""
        return waiting(*self.jobs.values(), accounts=self.accounts, clock=self.clock)

    def step(self) -> Decision:
        """One decision, carried out; then time goes on to the next end of a picture."""
        decision = choose(self.waiting(), self.facts(), self.now)
        for one in decision.assignments:
            backlogged = {waits.owner_id: self.stretches[waits.owner_id] for waits in self.jobs.values()}
            taken, account = self.jobs[one.job_id], self.accounts.get(one.owner_id, Account())
            since = account.passed_since if account.head == one.job_id else None
            self.log.append(Given(self.now, taken, one.backend, one.reason, one.charged, backlogged, since))
            self._draw(taken, one.backend)
            if taken.pictures == 1:
                del self.jobs[one.job_id]
                if all(other.owner_id != one.owner_id for other in self.jobs.values()):
                    self.stretches[one.owner_id] += 1
            else:
                self.jobs[one.job_id] = replace(taken, pictures=taken.pictures - 1)
        self.accounts |= decision.accounts
        self.clock = decision.clock
        if self.busy:
            self.now = min(self.busy.values())
            self.busy = {key: at for key, at in self.busy.items() if at > self.now}
        return decision

    def run(self, arrivals: Sequence[WaitingJob] = ()) -> list[Given]:
        """Until nothing more can be given; each of `arrivals` comes at its created_at."""
        coming = sorted(arrivals, key=lambda one: one.created_at)
        while True:
            while coming and (coming[0].created_at <= self.now or not (self.busy or self.jobs)):
                self.now = max(self.now, coming[0].created_at)
                self.ask(coming.pop(0))
            if not self.step().assignments and not self.busy:
                if not coming:
                    return self.log
                self.now = max(self.now, coming[0].created_at)

    def _draw(self, taken: WaitingJob, key: str) -> None:
        number = next(number for number, one in enumerate(self.backends) if one.key == key)
        facts = self.backends[number]
        seconds = taken.work * (facts.speed or 1.0)
        if taken.checkpoint is not None and facts.catalog is not None:
            if facts.catalog.loaded_checkpoint != taken.checkpoint:
                self.loads += 1
                seconds += facts.load_seconds or 0.0
            self.backends[number] = replace(facts, catalog=facts.catalog.with_loaded(taken.checkpoint))
        self.busy[key] = self.now + seconds


def given_to(log: Sequence[Given], owner_id: str) -> float:
    """Virtual seconds."""
    return sum(one.charged for one in log if one.job.owner_id == owner_id)
