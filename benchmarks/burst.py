"""Two hundred `/draw` sent at once: when does each person read the first answer, and is any of them lost?

The local Discord sends 200 INTERACTION_CREATE one after the other, without waiting. The time of each runs from its
sending to the arrival of its first response; reading two hundred answers on the same two processors is part of it.
Then four webuis draw all of them (small pictures at once), and every interaction must have got exactly one.
"""

from __future__ import annotations

import asyncio
import statistics

from benchmarks.figures import Figure, milliseconds, percentile, summary, table
from benchmarks.ground import Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import ReadyWebui
from playground.discord import Interaction

SIDE = 64
COMMANDS = 200
WEBUIS = 4
ROUNDS = 3
BAR = 1000.0


async def measure() -> list[Figure]:
    """First responses, and how many commands ended without their picture."""
    pixels = make_pixels(SIDE)
    async with stand([ReadyWebui(pixels, SIDE) for _ in range(WEBUIS)]) as ground, ground.bot():
        await ground.delivered([await ground.draw(ground.discord.member("ann"))])
        rounds = [await _burst(ground, number) for number in range(ROUNDS)]
    answers = [milliseconds([one.acked_after for one in burst if one.acked_after is not None]) for burst in rounds]
    sent = sum(len(burst) for burst in rounds)
    delivered = sum(_pictures(one) == 1 for burst in rounds for one in burst)
    p99s = [percentile(times, 99) for times in answers]
    return [
        Figure(
            what=f"{COMMANDS} /draw at once, first response, max",
            value=statistics.median([max(times) for times in answers]),
            unit="ms",
            bar=BAR,
            detail="; ".join(summary(times, "ms", 0) for times in answers),
        ),
        Figure(what="  p99", value=statistics.median(p99s), unit="ms", bar=BAR),
        Figure(what="  p50", value=statistics.median(percentile(times, 50) for times in answers), unit="ms"),
        Figure(what="  lost or delivered twice", value=sent - delivered, unit="", bar=0, detail=f"of {sent}"),
    ]


async def _burst(ground: Ground, number: int) -> list[Interaction]:
    people = [ground.discord.member(f"person {number}-{index}") for index in range(COMMANDS)]
    sent = [await ground.draw(person) for person in people]
    await ground.delivered(sent)
    return sent


def _pictures(interaction: Interaction) -> int:
    return sum(len(message.attachments) for message in interaction.messages)


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
