"""Draws one prompt from a prompt that holds choices. Pure: the same text, wildcards and seed give the same prompt.

Of the random numbers only `random()` is used, which Python promises to keep the same between its versions.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterable, Iterator, Sequence

from core.errors import UserError
from core.prompts.draft import Caps, Draft
from core.prompts.syntax import Choice, Node, Option, Text, Wildcard, parse
from core.prompts.wildcards import Values, Wildcards


def expand(text: str, wildcards: Wildcards, rng: random.Random, caps: Caps) -> str:
    """`text` with every choice made by `rng`. Picture i of a request is drawn with a Random of its own (seed + i).

    UserError for syntax that can only be a mistake, for a wildcard that isn't known, and where `caps` don't suffice.
    """
    nodes = parse(text, depth=caps.depth)
    drawing = _Drawing(wildcards, rng, caps)
    drawing.walk(nodes, 0)
    return drawing.draft.text


class _Drawing:
    """One walk through nodes that goes only where the draw leads."""

    def __init__(self, wildcards: Wildcards, rng: random.Random, caps: Caps) -> None:
        self._wildcards = wildcards
        self._rng = rng
        self._caps = caps
        self.draft = Draft(caps)

    def walk(self, nodes: Iterable[Node], depth: int) -> None:
        """Write all nodes; `depth` counts the choices and values around them."""
        for node in nodes:
            if isinstance(node, Text):
                self.draft.write(node.text)
            elif isinstance(node, Wildcard):
                values = self.draft.look_up(node, self._wildcards)
                if values is None:
                    self.draft.write(node.source)
                else:
                    self._write_value(node, values, _below(self._rng, len(values)), depth)
            else:
                self._choose(node, depth)

    def _write_value(self, node: Wildcard, values: Values, number: int, depth: int) -> None:
        value = values[number]
        if values.plain:
            self.draft.write(value)
        else:
            self.walk(self.draft.parse_value(value, node, depth + 1), depth + 1)

    def _choose(self, choice: Choice, depth: int) -> None:
        if depth + 1 > self._caps.depth:
            raise UserError(f"Alternatives and wildcards can be nested {self._caps.depth} deep; these are deeper.")
        self.draft.step(2 + len(choice.options) // 16)
        sole = choice.sole_wildcard
        values = self.draft.look_up(sole, self._wildcards) if sole else None
        if sole is not None and values is not None:
            for place, number in enumerate(_any_order(self._rng, len(values), self._how_many(choice, len(values)))):
                self._join(choice, place)
                self._write_value(sole, values, number, depth)
            return
        count = self._how_many(choice, len(choice.options))
        for place, option in enumerate(_draw(self._rng, choice.options, count)):
            self._join(choice, place)
            self.walk(option.nodes, depth + 1)

    def _join(self, choice: Choice, place: int) -> None:
        if place:
            self.draft.write(choice.joiner)

    def _how_many(self, choice: Choice, options: int) -> int:
        low, high = choice.counts(options)
        return low if low == high else low + _below(self._rng, high - low + 1)


def _below(rng: random.Random, count: int) -> int:
    return int(rng.random() * count)


def _draw(rng: random.Random, options: Sequence[Option], count: int) -> Sequence[Option]:
    """`count` different options in the order in which they are drawn one after another by weight."""
    if count == 1:
        point = rng.random() * math.fsum(option.weight for option in options)
        for option in options:
            point -= option.weight
            if point < 0:
                return (option,)
        return options[-1:]
    # The order of these keys is that of drawing one by one (Efraimidis and Spirakis, 2006), without drawing one by one.
    keys = [math.log(1.0 - rng.random()) / option.weight for option in options]
    return [options[place] for place in heapq.nlargest(count, range(len(options)), key=keys.__getitem__)]


def _any_order(rng: random.Random, length: int, count: int) -> Iterator[int]:
    """`count` different numbers below `length`, in time and memory that grow with `count` alone."""
    moved: dict[int, int] = {}
    for place in range(count):
        other = place + _below(rng, length - place)
        yield moved.get(other, other)
        moved[other] = moved.pop(place, place)
