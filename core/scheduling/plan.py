"""Which checkpoint to load next, so that loading is rare while shares stay fair. Pure arithmetic on levels and stocks.

A checkpoint's run is what can be drawn with it before somebody at the lowest level has nothing of it left. The longest
run may leave only short ones behind, so some loads are thought ahead: a beam search, as far as its budget goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEPTH = 6
"""How many loads are thought ahead, at most."""
WIDTH = 4
"""How many checkpoints are tried after each."""
BEAM = 8
"""How many orders of loading are followed at a time."""
BUDGET = 6000
"""How many times one person's stock of one checkpoint is looked at; some milliseconds. The first load is always."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Stock:
    """One person: their level, and the virtual seconds of what waits, by checkpoint. Nobody's stock is empty."""

    level: float
    titles: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Order:
    """Some loads, by the first of them: what was drawn with all, and what waits after."""

    first: str
    drawn: float
    loads: int
    stocks: Sequence[Stock]

    def rate(self, load: float) -> float:
        """The part of the time that is spent drawing."""
        return self.drawn / (self.drawn + self.loads * load) if self.drawn else 0.0


def run_of(stocks: Sequence[Stock], title: str, largest: float) -> tuple[float, list[Stock]]:
    """How much is drawn with this checkpoint before another has to be loaded, and who waits for what then.

    `largest` is how far above the lowest level anybody may be lifted.
    """
    ends = [one.level + one.titles.get(title, 0.0) for one in stocks if len(one.titles) > (title in one.titles)]
    reach = min(ends, default=float("inf")) + largest * (1 + _ROUNDING)
    drawn = 0.0
    after: list[Stock] = []
    for stock in stocks:
        given = min(stock.titles.get(title, 0.0), reach - stock.level)
        if given <= 0:
            after.append(stock)
            continue
        drawn += given
        if left := _without(stock.titles, title, given):
            after.append(Stock(stock.level + given, left))
    return drawn, after


def choose_load(stocks: Sequence[Stock], shares: Mapping[str, float], largest: float, load: float) -> str:
    """The checkpoint to load: one of `shares`, where the first of equals is taken.

    A share is the part of a checkpoint's run that this backend can count on, as others may have it loaded too. `load`
    is the time that loading takes, in virtual seconds.
    """
    beam: list[_Order] = []
    for title, share in shares.items():
        drawn, after = run_of(stocks, title, largest)
        beam.append(_Order(title, drawn * share, 1, after))
    cost = len(stocks) * max(len({title for stock in stocks for title in stock.titles}), 1)
    left = BUDGET - cost
    for _ in range(DEPTH - 1):
        beam = sorted(beam, key=lambda order: -order.rate(load))[:BEAM]
        left -= cost * len(beam)
        if left < 0 or not any(order.stocks for order in beam):
            break
        beam = [longer for order in beam for longer in _continued(order, largest)]
    return max(beam, key=lambda order: order.rate(load)).first


def _continued(order: _Order, largest: float) -> list[_Order]:
    """The order with each of its most promising next loads; itself where everything is drawn."""
    if not order.stocks:
        return [order]
    longer: list[_Order] = []
    for title in sorted({title for stock in order.stocks for title in stock.titles}):
        drawn, after = run_of(order.stocks, title, largest)
        longer.append(_Order(order.first, order.drawn + drawn, order.loads + 1, after))
    return sorted(longer, key=lambda one: -one.drawn)[:WIDTH]


def _without(titles: Mapping[str, float], title: str, given: float) -> dict[str, float]:
    left = dict(titles)
    left[title] -= given
    if left[title] <= _ROUNDING:
        del left[title]
    return left
