"""The policy: whose picture an idle backend draws next. Pure; it knows people's accounts and what is loaded.

Fair: everybody has a level, the virtual seconds they were given. Of the people who wait for a backend, one may be given
a picture there if that lifts their level to no more than the lowest of them plus L, the largest picture that waits for
it. So two people who both wait are never more than L apart, and what they are given in any stretch of time differs by
no more than two largest pictures.

Among the pictures that are within that bound, one whose checkpoint is loaded goes first. A picture that would have been
next in plain order and wasn't is noted in its owner's account. Once it has been there for as long as the backend's
patience lasts (`cost.patience`), nothing else of its owner's goes before it, and nothing of others' for being loaded
once it is within the bound: every other person is given two largest pictures at most before it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core.scheduling.facts import Account, Assignment, BackendFacts, Reason, Waiting
from core.scheduling.lanes import Offer, Seat, offers_for, seat_of, sort_lane
from core.scheduling.matching import ANY, Matcher
from core.scheduling.plan import Stock, choose_load

_ROUNDING = 1e-9


@dataclass(slots=True, eq=False)
class Turn:
    """What one backend would be given now, and `first`: what plain fairness would have given it."""

    seat: Seat
    offer: Offer
    reason: Reason
    first: Offer


@dataclass(slots=True, eq=False)
class _Table:
    """What waits for one backend: everything, what fairness allows, and of that what is overdue and what is loaded."""

    seat: Seat
    offers: list[Offer]
    first: Offer
    largest: float
    fair: list[Offer]
    ready: list[Offer]
    overdue: list[Offer]

    @property
    def urgency(self) -> tuple[bool, bool, float, int]:
        """Turns that need no loading come first; a checkpoint is loaded rather where the loaded one is wanted least."""
        loads = not any(offer.is_loaded(self.seat) for offer in self.overdue or self.ready)
        wanted = sum(offer.pile.total for offer in self.offers if offer.title == self.seat.loaded) if loads else 0.0
        return not self.overdue, loads, wanted, self.seat.number


class Board:
    """Everything that waits, while turns are given out; each turn changes it."""

    def __init__(self, waiting: Waiting, backends: Sequence[BackendFacts]) -> None:
        matcher = Matcher(backends)
        self.seats = [seat_of(backend, number) for number, backend in enumerate(backends)]
        lines = [sort_lane(lane, waiting.clock, matcher) for lane in waiting.lanes]
        self.lines = [line for line in lines if line.piles]
        self._clock = waiting.clock
        self._before = {line.owner_id: line.account for line in self.lines}

    def give(self, now: float) -> Iterator[Assignment]:
        """Give every idle backend a picture that it can draw, as long as there are any."""
        while (turn := self.next_turn(now)) is not None:
            yield self.take(turn, now)

    def next_turn(self, now: float) -> Turn | None:
        """The most urgent turn of any idle backend."""
        tables = [table for seat in self.seats if seat.free and (table := self._table(seat, now)) is not None]
        return self._turn(min(tables, key=lambda table: table.urgency)) if tables else None

    def take(self, turn: Turn, now: float) -> Assignment:
        """Do as the turn says: charge its owner, and note whoever was passed over."""
        seat, line, pile = turn.seat, turn.offer.line, turn.offer.pile
        charged = turn.offer.end - line.level
        self._note(turn, now)
        job = pile.take()
        line.level = turn.offer.end
        line.account = replace(line.account, given=line.level)
        if pile is line.noted:
            line.account = Account(line.level)
            line.put_noted_back()
        seat.free = False
        if turn.offer.title != ANY:
            seat.loaded = turn.offer.title
        return Assignment(job.job_id, line.owner_id, seat.key, turn.reason, charged)

    @property
    def clock(self) -> float:
        """The level of the lowest who still wait for a backend that takes jobs; that of the highest if nobody does.

        Whoever comes next starts there: nobody who waits is more than L above it.
        """
        levels = [line.level for line in self.lines if any(pile.jobs for pile in line.piles)]
        reached = min(levels) if levels else max((line.level for line in self.lines), default=self._clock)
        return max(self._clock, reached)

    def changed(self) -> dict[str, Account]:
        """The accounts that are no longer what they were."""
        return {line.owner_id: line.account for line in self.lines if line.account != self._before[line.owner_id]}

    def _note(self, turn: Turn, now: float) -> None:
        passed = turn.first
        if passed.pile is not turn.offer.pile and passed.line.noted is None:
            passed.line.noted = passed.pile.part_with_next()  # what comes after it need not wait for it
            passed.line.piles.append(passed.line.noted)
            passed.line.account = replace(passed.line.account, head=passed.job.job_id, passed_since=now)

    def _table(self, seat: Seat, now: float) -> _Table | None:
        offers = offers_for(seat, self.lines)
        if not offers:
            return None
        first = min(offers, key=_order)
        largest = seat.speed * max(offer.pile.largest[-1] for offer in offers)
        bound = (first.line.level + largest) * (1 + _ROUNDING)
        late = {offer.line.owner_id for offer in offers if offer.is_overdue(seat, now)}
        fair = [one for one in offers if one.end <= bound and (one.line.owner_id not in late or one.is_noted)]
        ready = [offer for offer in fair if offer.is_loaded(seat)]
        overdue = [offer for offer in fair if offer.line.owner_id in late]
        return _Table(seat, offers, first, largest, fair, ready, overdue)

    def _turn(self, table: _Table) -> Turn:
        seat, first = table.seat, table.first
        if table.overdue:
            offer = min(table.overdue, key=lambda one: (not one.is_loaded(seat), one.since, one.order))
            return Turn(seat, offer, Reason.PATIENCE, first)
        if table.ready:
            offer, reason = min(table.ready, key=_order), Reason.LOADED
        else:
            offer, reason = self._worth_loading(table), Reason.WANTED
        if all(other.line is first.line for other in table.offers):
            reason = Reason.ALONE
        elif offer is first:
            reason = Reason.FAIR
        return Turn(seat, offer, reason, first)

    def _worth_loading(self, table: _Table) -> Offer:
        """The first in plain order of the checkpoint that is best loaded now."""
        seat = table.seat
        by_title: dict[str, Offer] = {}
        for offer in sorted(table.fair, key=_order):
            by_title.setdefault(offer.title, offer)
        if len(by_title) == 1:
            return next(iter(by_title.values()))
        stocks: dict[str, dict[str, float]] = {}
        levels: dict[str, float] = {}
        for offer in sorted(table.offers, key=_by_owner):  # in whatever order they came, the answer is the same
            owner = offer.line.owner_id
            levels[owner] = offer.line.level
            titles = stocks.setdefault(owner, {})
            titles[offer.title] = titles.get(offer.title, 0.0) + offer.pile.total * seat.speed
        waiting = [Stock(levels[owner], titles) for owner, titles in stocks.items()]
        shares = {title: 1 / (1 + self._loaded_elsewhere(seat, offer)) for title, offer in by_title.items()}
        return by_title[choose_load(waiting, shares, table.largest, seat.load)]

    def _loaded_elsewhere(self, seat: Seat, offer: Offer) -> int:
        places = offer.pile.places
        return sum(
            other is not seat and other.loaded is not None and places.get(other.key) == other.loaded
            for other in self.seats
        )


def _by_owner(offer: Offer) -> tuple[str, str]:
    return offer.line.owner_id, offer.title


def _order(offer: Offer) -> tuple[float, float, str]:
    return offer.order
