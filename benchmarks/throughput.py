"""Throughput with 1, 4 and 16 webuis that take one second for a picture: how much of the time are they at work?

The webuis are in a process of their own; four people ask for eight pictures per webui, all at once. Ideal are as many
pictures a second as there are webuis. Watched is the time from the first request's arrival at a webui until the last
one's: after that nothing waits, so a webui that stands still then is none of the bot's doing. A render that goes on
beyond that time counts with the share of it that lies within. Every webui first draws one picture, to be warm.

The other way to count, with the tail in it, is printed too: from the first arrival to the last answer. And what the bot
took of the processors for each picture, from the command to its end: that hardly depends on who else is at work there.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.elsewhere import Elsewhere, webuis_elsewhere
from benchmarks.figures import Figure, table
from benchmarks.ground import Ground, stand
from benchmarks.webui import Drawn

WEBUIS = (1, 4, 16)
SIDE = 512
RENDER_SECONDS = 1.0
EACH = 8
PEOPLE = 4
ROUNDS = 3
BAR = 0.93


@dataclass(frozen=True, slots=True)
class Round:
    """Shares of the ideal."""

    steady: float
    with_tail: float


async def measure() -> list[Figure]:
    """For each number of webuis the median of some rounds."""
    return [figure for count in WEBUIS for figure in await _measure(count)]


async def _measure(count: int) -> list[Figure]:
    async with (
        webuis_elsewhere(count, SIDE, RENDER_SECONDS) as webuis,
        stand([], webuis.urls) as ground,
        ground.bot(probed=False) as bot,
    ):
        await _draw(ground, count)
        await webuis.take_drawn()
        before = bot.processor_seconds()
        rounds = [await _one_round(ground, webuis, count) for _ in range(ROUNDS)]
        spent = bot.processor_seconds() - before
    steady = [one.steady for one in rounds]
    return [
        Figure(
            what=f"throughput with {count} webui{'s'[: count > 1]} / ideal",
            value=statistics.median(steady),
            unit="×",
            bar=BAR,
            at_least=True,
            detail=f"median of {ROUNDS} rounds of {count * EACH} pictures, {min(steady):.3f} to {max(steady):.3f}",
        ),
        Figure(what="  to the last answer", value=statistics.median(one.with_tail for one in rounds), unit="×"),
        Figure(what="  the bot's processor time", value=1000 * spent / (ROUNDS * EACH * count), unit="ms a picture"),
    ]


async def _one_round(ground: Ground, webuis: Elsewhere, count: int) -> Round:
    await _draw(ground, count * EACH)
    drawn = [one for webui in await webuis.take_drawn() for one in webui]
    first, last = min(one.arrived for one in drawn), max(one.last_byte for one in drawn)
    return Round(share_of_ideal(drawn, count, RENDER_SECONDS), len(drawn) * RENDER_SECONDS / count / (last - first))


async def _draw(ground: Ground, pictures: int) -> None:
    people = [ground.discord.member(f"person {number}") for number in range(PEOPLE)]
    size = f"{SIDE}x{SIDE}"
    await ground.delivered([await ground.draw(people[number % PEOPLE], size=size) for number in range(pictures)])


def share_of_ideal(drawn: Sequence[Drawn], webuis: int, render_seconds: float) -> float:
    """Seconds of rendering between the first arrival and the last one, of those that so many webuis had."""
    first, last = min(one.arrived for one in drawn), max(one.arrived for one in drawn)
    at_work = sum(min(one.arrived + render_seconds, last) - one.arrived for one in drawn)
    return at_work / ((last - first) * webuis)


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
