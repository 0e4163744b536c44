"""Waiting pictures sorted for one decision: a person's line is split into piles that go to the same places. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.scheduling.cost import NOMINAL_LOAD_SECONDS, NOMINAL_SECONDS, patience
from core.scheduling.facts import Account, BackendFacts, Lane, WaitingJob
from core.scheduling.matching import ANY, Matcher, Places, is_open, loaded_title


@dataclass(slots=True, eq=False)
class Pile:
    """One person's jobs that go to the same backends, with the same checkpoint on each; the next is the last."""

    places: Places
    jobs: list[WaitingJob] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    """For each job the most that one picture of it, or of those that come after it, weighs."""
    left: int = 0
    """How many pictures of the next job wait."""
    total: float = 0.0
    """What all its pictures weigh together: work divided by weight."""

    def put_before(self, job: WaitingJob) -> None:
        """Add a job that comes before all that are here."""
        weighed = job.work / job.weight
        self.largest.append(max(weighed, self.largest[-1]) if self.jobs else weighed)
        self.jobs.append(job)
        self.left = job.pictures
        self.total += weighed * job.pictures

    def part_with_next(self) -> Pile:
        """A pile of the next job alone, which is not here any more."""
        alone = Pile(self.places)
        alone.put_before(replace(self.jobs[-1], pictures=self.left))
        self.total -= alone.total
        self._drop()
        return alone

    def take(self) -> WaitingJob:
        """One picture of the next job."""
        job = self.jobs[-1]
        self.total -= job.work / job.weight
        self.left -= 1
        if self.left == 0:
            self._drop()
        return job

    def _drop(self) -> None:
        self.jobs.pop()
        self.largest.pop()
        self.left = self.jobs[-1].pictures if self.jobs else 0


@dataclass(slots=True, eq=False)
class Line:
    """One person while a decision is made. `level`: virtual seconds given, or the clock where that is more."""

    owner_id: str
    account: Account
    level: float
    piles: list[Pile]
    noted: Pile | None = None
    """Where the job is that was passed over; it is the next one there."""

    def put_noted_back(self) -> None:
        """It had its turn: what is left of it is one job among the others again, and the next of them."""
        noted, self.noted = self.noted, None
        others = [
            pile for pile in self.piles if noted is not None and pile is not noted and pile.places is noted.places
        ]
        if noted is None or not noted.jobs or not others:
            return
        self.piles.remove(noted)
        others[0].put_before(replace(noted.jobs[-1], pictures=noted.left))


@dataclass(slots=True, eq=False)
class Seat:
    """A backend while a decision is made. `loaded` is a title in its catalog."""

    key: str
    number: int
    speed: float
    load: float
    patience: float
    loaded: str | None
    is_open: bool
    free: bool


def sort_lane(lane: Lane, clock: float, matcher: Matcher) -> Line:
    """The lane's jobs in piles; those that no backend takes now are left out."""
    piles: dict[int, Pile] = {}
    noted: Pile | None = None
    head = lane.account.head
    places_of = matcher.places
    for job in reversed(lane.jobs):
        if not (places := places_of(job)) or job.pictures < 1:
            continue
        if job.job_id == head:
            noted = Pile(places)
            noted.put_before(job)
            continue
        pile = piles.get(id(places))
        if pile is None:
            pile = piles[id(places)] = Pile(places)
        pile.put_before(job)
    every = [*piles.values(), *([noted] if noted is not None else [])]
    return Line(lane.owner_id, lane.account, max(lane.account.given, clock), every, noted)


def seat_of(backend: BackendFacts, number: int) -> Seat:
    """The backend as this decision sees it."""
    return Seat(
        key=backend.key,
        number=number,
        speed=backend.speed or NOMINAL_SECONDS,
        load=NOMINAL_LOAD_SECONDS if backend.load_seconds is None else backend.load_seconds,
        patience=patience(backend.load_seconds),
        loaded=loaded_title(backend),
        is_open=is_open(backend),
        free=is_open(backend) and backend.idle,
    )


@dataclass(slots=True, eq=False)
class Offer:
    """The next picture of a pile, where it could go next. `end` is its owner's level if it does."""

    line: Line
    pile: Pile
    job: WaitingJob
    title: str
    end: float
    order: tuple[float, float, str]
    """Plain fairness: least given first, then the owner's own order."""

    def is_loaded(self, seat: Seat) -> bool:
        """Whether nothing has to be loaded for it."""
        return self.title == seat.loaded or self.title == ANY

    @property
    def is_noted(self) -> bool:
        """Whether it was passed over."""
        return self.pile is self.line.noted

    def is_overdue(self, seat: Seat, now: float) -> bool:
        """Whether it was passed over for as long as this backend may."""
        return self.is_noted and now - self.since >= seat.patience

    @property
    def since(self) -> float:
        """When its owner's noted job was passed over first."""
        since = self.line.account.passed_since
        return float("inf") if since is None else since


def offers_for(seat: Seat, lines: list[Line]) -> list[Offer]:
    """Every pile's next picture that this backend can draw."""
    offers: list[Offer] = []
    key, speed = seat.key, seat.speed
    for line in lines:
        level = line.level
        for pile in line.piles:
            if pile.jobs and (title := pile.places.get(key)) is not None:
                job = pile.jobs[-1]
                end = level + job.work * speed / job.weight
                offers.append(Offer(line, pile, job, title, end, (level, job.rank, job.job_id)))
    return offers
