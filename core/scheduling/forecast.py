"""When it will be whose turn: what the scheduler would do if everything took as long as it took so far. Pure."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.scheduling.board import Board
from core.scheduling.cost import NOMINAL_SECONDS
from core.scheduling.facts import BackendFacts, Lane, Reason, Waiting, WaitingJob
from core.scheduling.lanes import Seat, seat_of
from core.scheduling.matching import ANY, Matcher, Places

MOST_PICTURES = 500
"""How many pictures a forecast goes through at most: what comes after a long batch is too far away to be told."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a backend is at work on, and when that will probably end (unix seconds)."""

    backend: str
    ends_at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """When and where the first picture of a job will probably be drawn (unix seconds), and why then."""

    job_id: str
    owner_id: str
    backend: str
    starts_at: float
    reason: Reason


@dataclass(frozen=True, slots=True)
class Expectation:
    """A job's place (1 is the next), and when it will probably start (unix seconds).

    `starts_at` is None where no backend that takes jobs now can draw it.
    """

    place: int
    starts_at: float | None


def foresee(
    waiting: Waiting, backends: Sequence[BackendFacts], running: Sequence[Running], now: float, limit: int = 25
) -> list[Turn]:
    """The turns of the next `limit` jobs, in their order: the scheduler's own choices, loads included.

    A backend that is neither idle nor in `running` is left out, as nobody knows when it will be free.
    """
    board = Board(waiting, backends)
    busy = {seat.key: seat.number for seat in board.seats if seat.is_open and not seat.free}
    free_at = [(max(one.ends_at, now), busy[one.backend]) for one in running if one.backend in busy]
    heapq.heapify(free_at)
    started: dict[str, Turn] = {}
    for _ in range(MOST_PICTURES):
        while (turn := board.next_turn(now)) is None and free_at:
            now = free_at[0][0]
            while free_at and free_at[0][0] == now:
                board.seats[heapq.heappop(free_at)[1]].free = True
        if turn is None or len(started) == limit:
            break
        ends_at = now + _seconds(turn.seat, turn.offer.job, turn.offer.title)
        given = board.take(turn, now)
        heapq.heappush(free_at, (ends_at, turn.seat.number))
        if given.job_id not in started:
            started[given.job_id] = Turn(given.job_id, given.owner_id, given.backend, now, given.reason)
    return list(started.values())


def expect(
    waiting: Waiting, backends: Sequence[BackendFacts], running: Sequence[Running], now: float, job_id: str
) -> Expectation | None:
    """Where one job stands, by arithmetic: what goes before it at fair shares, over what its backends can draw.

    Each checkpoint that goes before and is nowhere loaded counts as loaded once. None for a job that doesn't wait.
    """
    found = next(((lane, job) for lane in waiting.lanes for job in lane.jobs if job.job_id == job_id), None)
    if found is None:
        return None
    matcher = Matcher(backends)
    places = matcher.places(found[1])
    seats = [seat for seat in map(seat_of, backends, range(len(backends))) if seat.key in places]
    before = _Before(found[1], seats, places, matcher)
    level = max(found[0].account.given, waiting.clock)
    reach = before.count_own(found[0], level)
    for lane in waiting.lanes:
        if lane is not found[0]:
            before.count(lane, max(lane.account.given, waiting.clock), reach)
    return Expectation(before.jobs + 1, before.ends_at(running, now) if seats else None)


class _Before:
    """Adds up what goes before one job on the backends that can draw it."""

    def __init__(self, wanted: WaitingJob, seats: Sequence[Seat], places: Places, matcher: Matcher) -> None:
        self.jobs = 0
        self._wanted = wanted
        self._seats = seats
        self._places = places
        self._matcher = matcher
        self._rate = sum(1 / seat.speed for seat in seats)
        """Megapixel-steps a second, all these backends together."""
        self._speed = len(seats) / self._rate if seats else NOMINAL_SECONDS
        self._work = 0.0
        self._titles: set[str] = set()

    def count_own(self, lane: Lane, level: float) -> float:
        """Count the owner's own jobs before it; the answer is the owner's level when it is its turn."""
        for job in lane.jobs:
            if job.job_id == self._wanted.job_id:
                break
            if self._competes(job):
                self._add(job, job.pictures)
                level += job.pictures * job.work * self._speed / job.weight
        return level

    def count(self, lane: Lane, level: float, reach: float) -> None:
        """Count what somebody else is given until they stand where the owner will."""
        for job in lane.jobs:
            if (level, job.rank, job.job_id) >= (reach, self._wanted.rank, self._wanted.job_id):
                break
            if not self._competes(job):
                continue
            charge = job.work * self._speed / job.weight
            until = math.ceil((reach - level) / charge) if charge > 0 else job.pictures
            pictures = min(job.pictures, max(until, 1))
            self._add(job, pictures)
            level += pictures * charge

    def ends_at(self, running: Sequence[Running], now: float) -> float:
        """When all that is done, or the first backend is free where nothing goes before."""
        ends = {one.backend: one.ends_at for one in running}
        free_at = [max(ends.get(seat.key, now), now) for seat in self._seats]
        loads = sum(seat.load for seat in self._seats) / len(self._seats) * len(self._titles)
        booked = sum((at - now) / seat.speed for at, seat in zip(free_at, self._seats, strict=True))
        done = now + (self._work + booked) / self._rate + loads / len(self._seats)
        return max(done, min(free_at)) if self._work > 0 else min(free_at)

    def _competes(self, job: WaitingJob) -> bool:
        """Whether it wants one of the same backends; one that no backend takes competes with others of its kind."""
        places = self._matcher.places(job)
        return places is self._places or not self._places.keys().isdisjoint(places)

    def _add(self, job: WaitingJob, pictures: int) -> None:
        self.jobs += 1
        self._work += pictures * job.work
        places = self._matcher.places(job)
        loaded = {seat.loaded for seat in self._seats}
        self._titles.update(title for title in list(places.values())[:1] if title != ANY and title not in loaded)


def _seconds(seat: Seat, job: WaitingJob, title: str) -> float:
    return job.work * seat.speed + (0.0 if title in (ANY, seat.loaded) else seat.load)
