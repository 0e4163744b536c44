"""Webuis in a process of their own, as they are in life: what they do is not done on the processor of local Discord.

`python -m benchmarks.elsewhere <how many> <side> <render seconds>` prints their addresses as one line of JSON, and for
each line that it reads what they have drawn since the last one. It ends when there are no more lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from benchmarks.pictures import make_pixels
from benchmarks.webui import Drawn, ReadyWebui

ROOT = Path(__file__).parent.parent
LONGEST_LINE = 16 * 2**20


@dataclass(slots=True)
class Elsewhere:
    """The other end of such a process."""

    urls: list[str]
    _process: asyncio.subprocess.Process

    async def take_drawn(self) -> list[list[Drawn]]:
        """What each webui has drawn since this was asked last."""
        if self._process.stdin is None:
            raise RuntimeError("the webuis have no pipes")
        self._process.stdin.write(b"\n")
        return [[Drawn(*times) for times in webui] for webui in await _read(self._process)]


@asynccontextmanager
async def webuis_elsewhere(count: int, side: int, render_seconds: float) -> AsyncIterator[Elsewhere]:
    """So many webuis, until the block is left."""
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.elsewhere", str(count), str(side), str(render_seconds)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=LONGEST_LINE)
    try:
        yield Elsewhere(await _read(process), process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _read(process: asyncio.subprocess.Process) -> Any:
    if process.stdout is None:
        raise RuntimeError("the webuis have no pipes")
    return json.loads(await process.stdout.readline())


async def main(count: int, side: int, render_seconds: float) -> None:
    """Until there are no more lines."""
    pixels = make_pixels(side)
    webuis = [ReadyWebui(pixels, side, render_seconds) for _ in range(count)]
    async with AsyncExitStack() as stack:
        for webui in webuis:
            await stack.enter_async_context(webui.serve())
        print(json.dumps([webui.url for webui in webuis]), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps([[astuple(drawn) for drawn in webui.drawn] for webui in webuis]), flush=True)
            for webui in webuis:
                webui.drawn.clear()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
