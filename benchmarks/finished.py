"""What finished jobs leave in the bot's memory: `/draw` by `/draw`, until its size has settled, and then on.

A process grows for a while whatever it does: caches fill, the allocator keeps what it once had. So the first rounds
don't count, and the figure is the growth from there to the end, for each job that was finished meanwhile.
"""

from __future__ import annotations

import asyncio

from benchmarks.figures import Figure, table
from benchmarks.ground import Bot, Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import ReadyWebui

SIDE = 64
WEBUIS = 4
AT_ONCE = 100
SETTLING = 40
"""Rounds."""
WATCHED = 20
BAR = 0.5


async def measure() -> list[Figure]:
    """KiB a finished job, and the size of the process."""
    pixels = make_pixels(SIDE)
    async with stand([ReadyWebui(pixels, SIDE) for _ in range(WEBUIS)]) as ground, ground.bot(probed=False) as bot:
        settled = await _after(ground, bot, SETTLING)
        final = await _after(ground, bot, WATCHED)
    jobs = WATCHED * AT_ONCE
    return [
        Figure(
            what="memory that a finished job leaves",
            value=max(0.0, 1024 * (final - settled) / jobs),
            unit="KiB",
            bar=BAR,
            detail=f"{settled:.1f} MiB after {SETTLING * AT_ONCE} jobs, {final:.1f} after {jobs} more",
        )
    ]


async def _after(ground: Ground, bot: Bot, rounds: int) -> float:
    """The process' size in MiB, once so many rounds of jobs were shown."""
    for _ in range(rounds):
        people = [ground.discord.member(f"person {index}") for index in range(AT_ONCE)]
        await ground.delivered([await ground.draw(person, size=f"{SIDE}x{SIDE}") for person in people])
    return bot.memory()


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
