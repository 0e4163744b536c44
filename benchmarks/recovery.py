"""Kill to running again: from SIGKILL to the arrival of the same picture's request at a webui, on one machine and two.

One machine: the bot is killed while its webui draws, and started again at once, as a supervisor does. The picture that
it asked for is still being drawn, for nobody: the new process stops that, and asks again.

Several machines: a gateway and two workers with a webui each share a real PostgreSQL (with fsync). The worker that
draws is killed and stays away; the clock stops when the other one's webui is asked for the picture. Then the killed
one comes back, and both have drawn something before the next round.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from benchmarks.figures import Figure, table
from benchmarks.ground import Bot, Ground, stand
from benchmarks.pictures import make_pixels
from benchmarks.webui import ReadyWebui
from playground.discord import Interaction

SIDE = 64
ROUNDS = 7
BAR_ALONE = 3.0
BAR_SHARED = 5.0
NEVER = 3600.0
SHORT = 0.3
"""Seconds of a picture that is there to be drawn by one worker while the other draws another."""


async def measure() -> list[Figure]:
    """Median and maximum of both."""
    alone = await _on_one_machine()
    shared = await _on_several()
    figures = [
        *_figures("kill → running again, one machine", alone, BAR_ALONE),
        *_figures("kill → running again, another machine", shared, BAR_SHARED),
    ]
    if not shared:
        figures.append(Figure(what="  no PostgreSQL here: see requirements-dev.txt", value=0, unit=""))
    return figures


def _figures(what: str, times: list[float], bar: float) -> list[Figure]:
    if not times:
        return []
    spread = f"{len(times)} kills, {min(times):.2f} to {max(times):.2f} s"
    return [
        Figure(what=f"{what}, median", value=statistics.median(times), unit="s", bar=bar, detail=spread),
        Figure(what="  max", value=max(times), unit="s", bar=bar),
    ]


async def _on_one_machine() -> list[float]:
    webui = ReadyWebui(make_pixels(SIDE), SIDE)
    times: list[float] = []
    async with stand([webui]) as ground:
        bot = await ground.connected(await ground.start())
        try:
            for _ in range(ROUNDS):
                interaction = await _hold(ground, [webui])
                killed = time.monotonic()
                bot.process.kill()  # a supervisor does not wait for Discord to notice
                await bot.process.wait()
                bot = await ground.start()
                times.append(await _again(webui, interaction) - killed)
                await _release(ground, [webui], interaction)
                await ground.connected(bot)
        finally:
            await bot.end()
    return times


async def _on_several() -> list[float]:
    """Empty where there is no PostgreSQL."""
    try:
        from tests.postgres import LocalPostgres  # only a developer's environment has it

        server = LocalPostgres(durable=True)
    except ImportError:
        return []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        webuis = [ReadyWebui(make_pixels(SIDE), SIDE) for _ in range(2)]
        ground = await stack.enter_async_context(stand(webuis))
        database = server.url(server.create_database())

        async def begin(number: int) -> Bot:
            data_dir = ground.folder / f"worker {number}"
            data_dir.mkdir(exist_ok=True)
            urls = webuis[number].url
            return await ground.start("worker", DATABASE_URL=database, DATA_DIR=str(data_dir), WEBUI_URLS=urls)

        gateway = await ground.start("gateway", DATABASE_URL=database)
        stack.push_async_callback(gateway.end)
        await ground.connected(gateway)
        workers = [await begin(number) for number in range(2)]
        try:
            return [await _kill_one(ground, webuis, workers, begin) for _ in range(ROUNDS)]
        finally:
            for worker in workers:
                await worker.end()


async def _kill_one(
    ground: Ground, webuis: list[ReadyWebui], workers: list[Bot], begin: Callable[[int], Awaitable[Bot]]
) -> float:
    """Seconds until the other worker has what the killed one was at."""
    await _until_both_draw(ground, webuis)
    interaction = await _hold(ground, webuis)
    number = 0 if webuis[0].at_work else 1
    killed = time.monotonic()
    await workers[number].kill()
    took = await _again(webuis[1 - number], interaction) - killed
    await _release(ground, webuis, interaction)
    workers[number] = await begin(number)
    return took


async def _until_both_draw(ground: Ground, webuis: list[ReadyWebui]) -> None:
    ann = ground.discord.member("ann")
    for webui in webuis:
        webui.arrived.clear()
        webui.render_seconds = SHORT
    while not all(webui.arrived for webui in webuis):
        await ground.delivered([await ground.draw(ann) for _ in webuis])


async def _hold(ground: Ground, webuis: list[ReadyWebui]) -> Interaction:
    """A picture that is being drawn, and stays so."""
    for webui in webuis:
        webui.arrived.clear()
        webui.render_seconds = NEVER
    interaction = await ground.draw(ground.discord.member("ann"))
    waiting = [asyncio.create_task(webui.until_at_work()) for webui in webuis]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await ground.discord.until(lambda: interaction.response, what="the answer")
    for webui in webuis:
        webui.arrived.clear()
    return interaction


async def _again(webui: ReadyWebui, interaction: Interaction) -> float:
    """When the webui is asked for the picture (again)."""
    await webui.until(lambda: bool(webui.arrived), f"the picture of {interaction.id} to be asked for again")
    return webui.arrived[0][1]


async def _release(ground: Ground, webuis: list[ReadyWebui], interaction: Interaction) -> None:
    """Let everything be drawn."""
    for webui in webuis:
        webui.render_seconds = 0.0
        webui.let_go()
    await ground.delivered([interaction])


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
