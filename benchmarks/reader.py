"""Reads large answers through the bot's client, in a process of its own: `python -m benchmarks.reader <webui's url>`.

It prints one line of JSON. `grown`: by how many bytes the process was larger at its largest, from its first request for
a picture to its last answer, than before (its resident memory, as Linux counts it). `blocked`: the longest block of the
event loop in each round, in seconds; `floor`: the same while nothing was done for as long. `size`: bytes of one answer,
but for a few.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.probed_bot import Probe
from core.request import GenerationRequest
from core.webui.address import parse_addresses
from core.webui.client import WebuiClient, open_session
from core.webui.payload import build_payload

PICTURES = 4
ROUNDS = 5
STATUS = Path("/proc/self/status")
FORGET_PEAK = Path("/proc/self/clear_refs"), "5"


async def main(url: str) -> None:
    """A few answers, one after the other."""
    probe = Probe()
    blocked: list[float] = []
    floor: list[float] = []
    async with open_session() as session:
        client = WebuiClient(parse_addresses(url)[0], session)
        request = GenerationRequest(prompt="a harbour", seed=1, count=PICTURES)
        payload = build_payload(request, await client.fetch_catalog(), task_id=None)
        probe.start()
        await asyncio.sleep(0.05)
        FORGET_PEAK[0].write_text(FORGET_PEAK[1])
        before = _bytes("VmRSS")
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                start = time.monotonic()
                answer = await client.txt2img(payload, Path(folder))
                end = time.monotonic()
                size = sum((Path(folder) / name).stat().st_size for name in answer.files if name) * 4 // 3
            await asyncio.sleep(end - start)
            blocked.append(_longest(probe, start, end))
            floor.append(_longest(probe, end, time.monotonic()))
    print(json.dumps({"grown": _bytes("VmHWM") - before, "blocked": blocked, "floor": floor, "size": size}))


def _bytes(name: str) -> int:
    """One of the kernel's figures about this process's memory: not getrusage's, which begins with its parent's."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def _longest(probe: Probe, start: float, end: float) -> float:
    return max((late for due, late in probe.gaps if due + late >= start and due <= end), default=0.0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
