"""A process of its own for the engine: runs steps that note themselves in a file, and hangs where it is told to.

Arguments: the folder, the step to hang in ("" for none). Without a step to hang in it ends when the job has ended.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from core.jobs.dbos_engine import DbosEngine
from core.jobs.engine import Record


class Noting:
    """Steps that write their name and what they were handed into `steps.txt`."""

    def __init__(self, folder: Path, hang: str) -> None:
        self._folder = folder
        self._hang = hang
        self.ended = asyncio.Event()

    async def render(self, job_id: str, attempt: int, before: Record) -> Record:
        """First."""
        return await self._note("render", job_id, attempt, before)

    async def keep(self, job_id: str, attempt: int, before: Record) -> Record:
        """Second."""
        return await self._note("keep", job_id, attempt, before)

    async def deliver(self, job_id: str, attempt: int, before: Record) -> Record:
        """Last."""
        record = await self._note("deliver", job_id, attempt, before)
        self.ended.set()
        return record

    async def _note(self, name: str, job_id: str, attempt: int, before: Record) -> Record:
        with (self._folder / "steps.txt").open("a") as file:
            file.write(f"{name} {job_id} {attempt} {before.get('from', '-')} {os.getpid()}\n")
        if name == self._hang:
            sys.stdout.write("hanging\n")
            sys.stdout.flush()
            await asyncio.Event().wait()
        return {"from": name}


async def main(folder: Path, hang: str) -> None:
    """Start job 1 (where it was started before, that changes nothing) and wait for its end."""
    steps = Noting(folder, hang)
    engine = DbosEngine(sa.URL.create("sqlite", database=str(folder / "engine.db")), steps)
    await engine.open()
    await engine.start("1", 1)
    await steps.ended.wait()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
