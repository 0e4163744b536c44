"""Start-up and size: how soon commands are accepted, how much memory the bot takes, what a queued job costs.

Ready means: the local Discord has the commands and a session that was identified, so a person's `/draw` is answered.
The clock starts before the process is made. A first start registers the commands, later ones find them registered.
The queue is measured with 10,000 waiting rows and no webui: memory is that of a start with them less one without.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

from benchmarks.figures import Figure, table
from benchmarks.ground import Ground, stand
from core.jobs.model import NewJob
from core.jobs.rows import JobRows, Places
from core.request import GenerationRequest
from core.store.database import database_url, open_database

STARTS = 5
QUEUED = 10_000
READY_BAR = 2.0
MEMORY_BAR = 1.0
DISK_BAR = 5.0
SETTLING_SECONDS = 3.0
"""After this long everything that is loaded late (the engine) is there. Only memory is read then, no time."""
REPLY = (
    '{"application_id":1000000000000000001,"token":"' + "t" * 200 + '","expires_at":1800000000.0,'
    '"channel_id":1000000000000000002,"guild_id":1000000000000000003,"owner_id":1000000000000000004,'
    '"private":false,"file_bytes":10485760}'
)


async def measure() -> list[Figure]:
    """Times to ready, memory, and the cost of a queue."""
    async with stand([]) as ground:
        first, _ = await _start(ground)
        later = [await _start(ground) for _ in range(STARTS)]
        empty_disk = _size(ground.data_dir)
        await _fill(ground.data_dir)
        disk = _size(ground.data_dir) - empty_disk
        full = [await _start(ground) for _ in range(STARTS)]
    ready = [seconds for seconds, _ in later]
    waiting = [seconds for seconds, _ in full]
    empty = statistics.median(memory for _, memory in later)
    loaded = statistics.median(memory for _, memory in full)
    return [
        Figure(what="first start → commands accepted", value=first, unit="s"),
        Figure(
            what="later start → commands accepted",
            value=statistics.median(ready),
            unit="s",
            detail=f"median of {STARTS}, {min(ready):.2f} to {max(ready):.2f} s",
        ),
        Figure(
            what=f"  with {QUEUED:,} jobs waiting",
            value=statistics.median(waiting),
            unit="s",
            bar=READY_BAR,
            detail=f"median of {STARTS}, {min(waiting):.2f} to {max(waiting):.2f} s",
        ),
        Figure(what="memory at rest (RSS)", value=empty, unit="MiB", detail="engine loaded"),
        Figure(
            what="  for each job waiting",
            value=(loaded - empty) * 1024 / QUEUED,
            unit="KiB",
            bar=MEMORY_BAR,
            detail=f"{loaded:.0f} MiB with {QUEUED:,}",
        ),
        Figure(what="disk for each job waiting", value=disk / 1024 / QUEUED, unit="KiB", bar=DISK_BAR),
    ]


async def _start(ground: Ground) -> tuple[float, float]:
    """Seconds to ready, and MiB once settled."""
    async with ground.bot(probed=False, LOG_LEVEL="ERROR") as bot:
        await asyncio.sleep(SETTLING_SECONDS)
        return bot.ready_after, bot.memory()


async def _fill(data_dir: Path) -> None:
    request = GenerationRequest(prompt="a quiet harbour at dawn, " * 8, seed=1, width=1024, height=1024)
    async with open_database(database_url(None, data_dir)) as database:
        rows = JobRows(database, Places(per_person=QUEUED, per_server=QUEUED))
        for start in range(0, QUEUED, 200):
            await asyncio.gather(*(rows.submit(_job(number, request)) for number in range(start, start + 200)))


def _job(number: int, request: GenerationRequest) -> NewJob:
    return NewJob(
        id=str(10**18 + number),
        owner_id=str(10**17 + number % 100),
        guild_id=str(10**17),
        request=request,
        notes=(),
        reply=REPLY,
        created_at=time.time(),
    )


def _size(folder: Path) -> int:
    """Bytes of all files, the databases' journals included."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    print(table(asyncio.run(measure())))
