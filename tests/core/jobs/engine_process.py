"""A process of its own for the engine: runs steps that note themselves in a file, and hangs where it is told to.

Arguments: the database's URL, the file, the executor's id, the step to hang in ("" for none), and job ids, whose first
pictures it starts. It ends when as many deliveries have ended; "-" is a job that it waits for without a start.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from core.jobs.dbos_engine import DbosEngine
from core.jobs.engine import Piece, Record


class Noting:
    """Steps that write their name, what they were handed, and who they are into a file."""

    def __init__(self, file: Path, executor_id: str, hang: str) -> None:
        self._file = file
        self._executor_id = executor_id
        self._hang = hang
        self.delivered = asyncio.Semaphore(0)

    async def render(self, piece: Piece, before: Record) -> Record:
        """First."""
        return await self._note("render", piece, before)

    async def keep(self, piece: Piece, before: Record) -> Record:
        """Second."""
        return await self._note("keep", piece, before)

    async def deliver(self, piece: Piece, before: Record) -> Record:
        """Last."""
        record = await self._note("deliver", piece, before)
        self.delivered.release()
        return record

    async def _note(self, name: str, piece: Piece, before: Record) -> Record:
        with self._file.open("a") as file:
            file.write(f"{name} {piece} {before.get('from', '-')} {self._executor_id} {os.getpid()}\n")
        if name == self._hang:
            say("hanging")
            await asyncio.Event().wait()
        return {"from": name}


def say(word: str) -> None:
    """To whoever started this process."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def main(url: str, file: Path, executor_id: str, hang: str, jobs: list[str]) -> None:
    """Start them (where they were started before, that changes nothing) and wait for their end."""
    steps = Noting(file, executor_id, hang)
    engine = DbosEngine(sa.make_url(url), steps, executor_id)
    await engine.open()
    say("open")
    for job_id in jobs:
        if job_id != "-":
            await engine.start(Piece(job_id, 0, 1))
    for _ in jobs:
        await steps.delivered.acquire()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]))
