"""Longest time the event loop is blocked while ten 1024x1024 PNGs are delivered.

Inside the bot process a timer of the event loop is due every millisecond; how late it fires is how long everything
else had to wait (benchmarks.probed_bot). Watched is the time from the `/draw` until Discord has answered the upload,
so receiving 24 MB from the webui and sending 18 MB to Discord are both in it.

Ten pictures come in two ways: as one answer of ten (one message with ten files), and as ten jobs at once on ten webuis.
A timer is also late when the machine gives the processor to somebody else. That floor is measured in the same run,
with the same probe, while the bot has nothing to do, over as long a time; it is printed, and nothing is subtracted.
"""

from __future__ import annotations

import asyncio
import statistics
import time

from benchmarks.figures import Figure, milliseconds, table
from benchmarks.ground import Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import ReadyWebui

SIDE = 1024
PICTURES = 10
ROUNDS = 7
BAR = 15.0

Window = tuple[float, float]


async def measure() -> list[Figure]:
    """The longest blocks, each the median of several rounds."""
    pixels = make_pixels(SIDE)
    webuis = [ReadyWebui(pixels, SIDE) for _ in range(PICTURES)]
    async with stand(webuis) as ground:
        async with ground.bot() as bot:
            await _one_message(ground)  # warms up what is loaded late
            batches = [await _one_message(ground) for _ in range(ROUNDS)]
            singles = [await _ten_messages(ground) for _ in range(ROUNDS)]
            idle = [await _nothing(end - start) for start, end in batches]
        report = bot.report()

    def longest(windows: list[Window]) -> list[float]:
        return milliseconds([report.longest_gap(start, end) for start, end in windows])

    return [
        _figure("loop blocked, one message of ten 1024x1024", longest(batches), BAR),
        _figure("loop blocked, ten messages at once", longest(singles), None),
        _figure("  the machine's own floor, idle bot", longest(idle), None),
    ]


async def _one_message(ground: Ground) -> Window:
    start = time.monotonic()
    interaction = await ground.draw(ground.discord.member("ann"), size=f"{SIDE}x{SIDE}", count=PICTURES)
    await ground.delivered([interaction], files=PICTURES)
    return start, time.monotonic()


async def _ten_messages(ground: Ground) -> Window:
    start = time.monotonic()
    member = ground.discord.member("ann")
    await ground.delivered([await ground.draw(member, size=f"{SIDE}x{SIDE}") for _ in range(PICTURES)])
    return start, time.monotonic()


async def _nothing(seconds: float) -> Window:
    start = time.monotonic()
    await asyncio.sleep(seconds)
    return start, time.monotonic()


def _figure(what: str, blocks: list[float], bar: float | None) -> Figure:
    return Figure(
        what=what,
        value=statistics.median(blocks),
        unit="ms",
        bar=bar,
        detail=f"median of {len(blocks)} rounds, {min(blocks):.1f} to {max(blocks):.1f} ms",
    )


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
