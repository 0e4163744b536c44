"""Throughput with 1, 4 and 16 webuis that take one second for a picture: how much of the time are they at work?

The webuis are in a process of their own. People always have three pictures for each webui in the queue, those that are
being drawn included: whoever gets one asks for the next. So every picture's command is part of the work, nothing ever
waits for a command, and there is no tail. Watched are three stretches of time after some seconds in which the webuis,
which all began at once, come apart. Ideal are as many seconds of drawing as there are webuis, in each second; a picture
counts with the share of its second that lies within.

What the bot took of the processors for each picture is printed, too: that hardly depends on who else is at work there.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.elsewhere import webuis_elsewhere
from benchmarks.figures import Figure, table
from benchmarks.ground import PATIENCE, Bot, Ground, shows, stand
from benchmarks.webui import Drawn
from playground.discord import Interaction

WEBUIS = (1, 4, 16)
SIDE = 512
RENDER_SECONDS = 1.0
IN_QUEUE = 3
"""Pictures for each webui."""
PEOPLE = 8
COMING_APART = 6.0
STRETCHES = 3
STRETCH_SECONDS = 6.0
BAR = 0.93


@dataclass(frozen=True, slots=True)
class Watched:
    """The borders of the stretches, monotonic seconds, and what the bot took of the processors meanwhile."""

    borders: list[float]
    processor_seconds: float


async def measure() -> list[Figure]:
    """For each number of webuis the median of the stretches."""
    return [figure for count in WEBUIS for figure in await _measure(count)]


async def _measure(count: int) -> list[Figure]:
    async with (
        webuis_elsewhere(count, SIDE, RENDER_SECONDS) as webuis,
        stand([], webuis.urls) as ground,
        ground.bot(probed=False) as bot,
    ):
        watched = await _watch(ground, bot, count)
        drawn = [one for webui in await webuis.take_drawn() for one in webui]
    stretches = list(itertools.pairwise(watched.borders))
    shares = [share_of_ideal(drawn, count, RENDER_SECONDS, start, end) for start, end in stretches]
    begun = sum(watched.borders[0] <= one.arrived < watched.borders[-1] for one in drawn)
    return [
        Figure(
            what=f"throughput with {count} webui{'s'[: count > 1]} / ideal",
            value=statistics.median(shares),
            unit="×",
            bar=BAR,
            at_least=True,
            detail=f"{STRETCHES} stretches of {STRETCH_SECONDS:g} s, {min(shares):.3f} to {max(shares):.3f}",
        ),
        Figure(what="  the bot's processor time", value=1000 * watched.processor_seconds / begun, unit="ms a picture"),
    ]


async def _watch(ground: Ground, bot: Bot, count: int) -> Watched:
    over = asyncio.Event()
    asking = asyncio.create_task(_keep_asking(ground, IN_QUEUE * count, over))
    await asyncio.sleep(COMING_APART)
    borders, before = [time.monotonic()], bot.processor_seconds()
    for _ in range(STRETCHES):
        await asyncio.sleep(STRETCH_SECONDS)
        borders.append(time.monotonic())
    spent = bot.processor_seconds() - before
    over.set()
    await asking
    return Watched(borders, spent)


async def _keep_asking(ground: Ground, number: int, over: asyncio.Event) -> None:
    """So many pictures, and another one for each that came; in the end until all are there."""
    people = [ground.discord.member(f"person {index}") for index in range(PEOPLE)]
    size = f"{SIDE}x{SIDE}"
    waiting = [await ground.draw(people[index % PEOPLE], size=size) for index in range(number)]
    while waiting:
        came = await ground.discord.until(partial(_those_that_came, waiting), timeout=PATIENCE, what="a picture")
        waiting = [one for one in waiting if one not in came]
        if not over.is_set():
            waiting += [await ground.draw(one.member, size=size) for one in came]


def _those_that_came(among: Sequence[Interaction]) -> list[Interaction]:
    return [one for one in among if shows(one)]


def share_of_ideal(drawn: Sequence[Drawn], webuis: int, render_seconds: float, start: float, end: float) -> float:
    """Seconds of drawing between two moments, of those that so many webuis had."""
    seconds = (min(one.arrived + render_seconds, end) - max(one.arrived, start) for one in drawn)
    return sum(max(share, 0.0) for share in seconds) / ((end - start) * webuis)


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
