"""Cancel: from the press on the button to the interrupt's arrival at the webui that draws the picture.

One webui whose renders never end by themselves, and twelve jobs that wait; whichever is being drawn is cancelled after
a moment that is another one each time (the bot looks at a render once a second, and a press must not wait for that).
The clock starts before the local Discord sends INTERACTION_CREATE.
"""

from __future__ import annotations

import asyncio
import random
import time

from benchmarks.figures import Figure, milliseconds, percentile, summary, table
from benchmarks.ground import Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import ReadyWebui
from playground.discord import Interaction, Member

SIDE = 64
PRESSES = 120
WAITING = 12
NEVER = 3600.0
LONGEST_LOOK = 0.4
"""Seconds for which a picture is drawn at most until its owner presses the button."""
BAR = 300.0


async def measure() -> list[Figure]:
    """The times of all presses."""
    webui = ReadyWebui(make_pixels(SIDE), SIDE)
    async with stand([webui]) as ground, ground.bot(probed=False):
        ann = ground.discord.member("ann")
        await ground.delivered([await ground.draw(ann)])
        webui.render_seconds = NEVER
        webui.arrived.clear()
        sent = {str(one.id): one for one in [await ground.draw(ann) for _ in range(WAITING)]}
        times = [await _cancel(ground, webui, ann, sent) for _ in range(PRESSES)]
    times = milliseconds(times)
    return [
        Figure(
            what="cancel, press → webui interrupted, p99",
            value=percentile(times, 99),
            unit="ms",
            bar=BAR,
            detail=summary(times, "ms", 0),
        ),
        Figure(what="  p50", value=percentile(times, 50), unit="ms"),
    ]


async def _cancel(ground: Ground, webui: ReadyWebui, member: Member, sent: dict[str, Interaction]) -> float:
    """Seconds; another job waits in place of the one that is cancelled."""
    await webui.until_at_work()
    (task_id,) = webui.at_work
    interaction = sent.pop(_job_id(task_id))
    fresh = await ground.draw(member)
    sent[str(fresh.id)] = fresh
    await asyncio.sleep(random.uniform(0, LONGEST_LOOK))  # noqa: S311  # people look for as long as they like
    message = await ground.discord.until(lambda: interaction.response, what="the answer with the button")
    (button,) = message.buttons()
    before = len(webui.interrupts)
    pressed = time.monotonic()
    await ground.discord.press(member, message, button["custom_id"])
    await webui.until(lambda: len(webui.interrupts) > before, "the interrupt")
    took = webui.interrupts[before] - pressed
    await webui.until(lambda: task_id not in webui.at_work, "the render to end")
    return took


def _job_id(task_id: str) -> str:
    """`easel-<job>-<number>-<random>`."""
    return task_id.split("-")[1]


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
