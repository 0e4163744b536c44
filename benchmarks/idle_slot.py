"""Idle slot time: from the end of one job to the start of the next on one webui, while others wait.

The webui, in a process of its own, notes both: the last byte of an answer handed to the socket, and the arrival of the
next request. In between the bot finishes reading the answer, sees that the webui is free, chooses, writes the row,
starts the engine's record, reads the row and sends the payload; and at the same time it keeps and delivers the picture
of the job before.
"""

from __future__ import annotations

import asyncio
import itertools

from benchmarks.elsewhere import webuis_elsewhere
from benchmarks.figures import Figure, milliseconds, percentile, summary, table
from benchmarks.ground import stand

SIDE = 1024
JOBS = 41
RENDER_SECONDS = 0.15
BAR = 30.0


async def measure() -> list[Figure]:
    """The gaps between consecutive jobs."""
    async with (
        webuis_elsewhere(1, SIDE, RENDER_SECONDS) as webuis,
        stand([], webuis.urls) as ground,
        ground.bot(probed=False),
    ):
        member = ground.discord.member("ann")
        await ground.delivered([await ground.draw(member, size=f"{SIDE}x{SIDE}")])
        await webuis.take_drawn()
        await ground.delivered([await ground.draw(member, size=f"{SIDE}x{SIDE}") for _ in range(JOBS)])
        (drawn,) = await webuis.take_drawn()
    gaps = milliseconds([after.arrived - before.last_byte for before, after in itertools.pairwise(drawn)])
    return [
        Figure(
            what="idle slot between two jobs, p50",
            value=percentile(gaps, 50),
            unit="ms",
            bar=BAR,
            detail=summary(gaps, "ms"),
        ),
        Figure(what="  p99", value=percentile(gaps, 99), unit="ms"),
    ]


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
