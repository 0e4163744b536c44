"""Counts what a prompt can become before anything of it is written, and writes any one of these by its number. Pure.

A permutation is a way to choose, not a text: `{a|a}` has two. Numbers past the cap are not computed, and every plan's
number is at least 1, so that no part of a plan within the cap is past it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Protocol

from core.errors import UserError
from core.prompts.draft import Caps, Draft, too_deep
from core.prompts.syntax import Choice, Node, Text, Wildcard, parse
from core.prompts.wildcards import Values, Wildcards, fold


@dataclass(frozen=True, slots=True)
class Permutations:
    """How many prompts a prompt stands for; not `exact`: more than `number`."""

    number: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.number:,}" if self.exact else f"more than {self.number:,}"


def count_permutations(text: str, wildcards: Wildcards, caps: Caps) -> Permutations:
    """How many there are, without making them. UserError as of `expand`, and for a wildcard that leads to itself."""
    count = _Planner(wildcards, caps).plan(text).count
    return Permutations(min(count, caps.permutations), exact=count <= caps.permutations)


def permutations(text: str, wildcards: Wildcards, caps: Caps) -> Iterator[str]:
    """All of them, each made when it is asked for; what stands first in the prompt changes last.

    UserError at once as of `count_permutations`, and where there are more than `caps.permutations`; while iterating
    where one of them gets longer than `caps.length`.
    """
    plan = _Planner(wildcards, caps).plan(text)
    if plan.count > caps.permutations:
        raise UserError(
            f"This prompt stands for more than {caps.permutations:,} pictures; leave some alternatives out, or let one "
            "be drawn."
        )
    return (_written(plan, rank, caps) for rank in range(plan.count))


def _written(plan: _Plan, rank: int, caps: Caps) -> str:
    draft = Draft(caps)
    plan.write(rank, draft)
    return draft.text


class _Plan(Protocol):
    """What a part of a prompt can become: `count` permutations, `height` choices and values one in another."""

    @property
    def count(self) -> int: ...

    @property
    def height(self) -> int: ...

    def write(self, rank: int, draft: Draft) -> None:
        """Write permutation `rank`, counted from 0."""


@dataclass(frozen=True, slots=True)
class _Fixed:
    """Text, in its one form."""

    text: str
    count: int = 1
    height: int = 0

    def write(self, rank: int, draft: Draft) -> None:  # noqa: ARG002  # there is one rank
        draft.write(self.text)


@dataclass(frozen=True, slots=True)
class _Lines:
    """One of many texts without syntax."""

    values: Values
    count: int
    height: int = 0

    def write(self, rank: int, draft: Draft) -> None:
        draft.write(self.values[rank])


@dataclass(frozen=True, slots=True)
class _Row:
    """Parts one after another; the last changes first."""

    parts: Sequence[_Plan]
    count: int
    height: int

    def write(self, rank: int, draft: Draft) -> None:
        ranks: list[int] = []
        for part in reversed(self.parts):
            rank, own = divmod(rank, part.count)
            ranks.append(own)
        for part in self.parts:
            part.write(ranks.pop(), draft)


@dataclass(frozen=True, slots=True)
class _OneOf:
    """One of several plans; `ends` are the ranks at which each is over."""

    plans: Sequence[_Plan]
    ends: Sequence[int]
    count: int
    height: int

    def write(self, rank: int, draft: Draft) -> None:
        draft.step()
        place = bisect_right(self.ends, rank)
        self.plans[place].write(rank - (self.ends[place - 1] if place else 0), draft)


@dataclass(frozen=True, slots=True)
class _Several:
    """From `low` to `high` different plans in any order: the fewest first, then by place."""

    plans: Sequence[_Plan]
    low: int
    high: int
    joiner: str
    count: int
    height: int

    def write(self, rank: int, draft: Draft) -> None:
        draft.step(len(self.plans) * self.high // 16)
        sums = _sums((plan.count for plan in self.plans), self.high)
        size = self.low
        while rank >= (ways := _orders(size) * sums[size]):
            rank -= ways
            size += 1
        left = list(self.plans)
        for remaining in range(size - 1, -1, -1):
            draft.step(len(left) * len(sums) // 16)
            orders = _orders(remaining)
            for place in range(len(left)):  # where it stops is used below: a plan may be there twice
                plan = left[place]
                fewer = _without(sums, plan.count)
                ways = plan.count * orders * fewer[remaining]
                if rank < ways:
                    break
                rank -= ways
            own, rank = divmod(rank, ways // plan.count)
            if remaining < size - 1:
                draft.write(self.joiner)
            left.pop(place).write(own, draft)
            sums = fewer


def _sums(counts: Iterable[int], most: int) -> list[int]:
    """For each number up to `most`: how many ways there are to take so many of the plans, in whatever form each.

    These are the elementary symmetric polynomials of the counts.
    """
    sums = [1] + [0] * most
    for count in counts:
        for size in range(most, 0, -1):
            sums[size] += count * sums[size - 1]
    return sums


def _without(sums: Sequence[int], count: int) -> list[int]:
    """The same sums after a plan with so many forms is gone."""
    fewer = [1]
    for more in sums[1:]:
        fewer.append(more - count * fewer[-1])
    return fewer


def _orders(size: int) -> int:
    """In how many orders so many things can stand."""
    return prod(range(2, size + 1))


class _Planner:
    """Turns nodes into plans; a wildcard's is made once."""

    def __init__(self, wildcards: Wildcards, caps: Caps) -> None:
        self._wildcards = wildcards
        self._caps = caps
        self._most = caps.permutations + 1
        self._work = Draft(caps)
        self._known: dict[str, _Plan] = {}
        self._trail: set[str] = set()

    def plan(self, text: str) -> _Plan:
        """The plan of a whole prompt."""
        return self._row(parse(text, depth=self._caps.depth), 0)

    def _row(self, nodes: Sequence[Node], depth: int) -> _Plan:
        """The plan of nodes that have `depth` choices and values around them."""
        parts = [self._part(node, depth) for node in nodes]
        if len(parts) == 1:
            return parts[0]
        count = 1
        for part in parts:
            count = min(count * part.count, self._most)
        return _Row(parts, count, max((part.height for part in parts), default=0))

    def _part(self, node: Node, depth: int) -> _Plan:
        self._work.step()
        if isinstance(node, Text):
            return _Fixed(node.text)
        if isinstance(node, Choice):
            return self._choice(node, depth)
        values = self._work.look_up(node, self._wildcards)
        return _Fixed(node.source) if values is None else self._wildcard(node, values, depth)

    def _wildcard(self, node: Wildcard, values: Values, depth: int) -> _Plan:
        if values.plain:
            return _Lines(values, min(len(values), self._most))
        key = fold(node.name)
        if key not in self._known:
            self._known[key] = self._one_of(self._values(node, values, depth))
        plan = self._known[key]
        if depth + plan.height > self._caps.depth:
            raise too_deep(node, self._caps)
        return plan

    def _values(self, node: Wildcard, values: Values, depth: int) -> list[_Plan]:
        """A plan for each value."""
        if values.plain:
            self._work.step(len(values))
            return [_Fixed(value) for value in values]
        key = fold(node.name)
        if key in self._trail:
            raise UserError(
                f"The wildcard {node.source} leads back to itself, so what it stands for can't be counted. Let one "
                "prompt be drawn instead."
            )
        self._trail.add(key)
        plans = [self._row(self._work.parse_value(value, node, depth + 1), depth + 1) for value in values]
        self._trail.discard(key)
        return plans

    def _choice(self, choice: Choice, depth: int) -> _Plan:
        if depth + 1 > self._caps.depth:
            raise UserError(f"Alternatives and wildcards can be nested {self._caps.depth} deep; these are deeper.")
        self._work.step(2)
        sole = choice.sole_wildcard
        values = self._work.look_up(sole, self._wildcards) if sole else None
        if sole is None or values is None:
            low, high = choice.counts(len(choice.options))
            options = [self._row(option.nodes, depth + 1) for option in choice.options]
            return self._one_of(options) if low == high == 1 else self._several(options, low, high, choice.joiner)
        low, high = choice.counts(len(values))
        if low == high == 1:
            return self._wildcard(sole, values, depth)
        if self._are_too_many(len(values), high):
            return _Several((), low, high, choice.joiner, self._most, 1)
        return self._several(self._values(sole, values, depth), low, high, choice.joiner)

    def _one_of(self, plans: Sequence[_Plan]) -> _Plan:
        ends = list(accumulate(plan.count for plan in plans))
        return _OneOf(plans, ends, min(ends[-1], self._most), 1 + max(plan.height for plan in plans))

    def _several(self, plans: Sequence[_Plan], low: int, high: int, joiner: str) -> _Plan:
        height = 1 + max(plan.height for plan in plans)
        if self._are_too_many(len(plans), high):
            return _Several((), low, high, joiner, self._most, height)
        self._work.step(len(plans) * high // 16)
        sums = _sums((plan.count for plan in plans), high)
        count = sum(_orders(size) * sums[size] for size in range(low, high + 1))
        return _Several(plans, low, high, joiner, min(count, self._most), height)

    def _are_too_many(self, plans: int, high: int) -> bool:
        """Whether the orders of `high` of so many plans alone are past the cap, each in one form."""
        ways = 1
        for left in range(plans, plans - high, -1):
            ways *= left
            if ways >= self._most:
                return True
        return False
