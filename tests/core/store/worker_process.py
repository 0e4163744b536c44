"""A process of its own that is a worker for as long as it lives. Arguments: the database's URL, the worker's id."""

from __future__ import annotations

import asyncio
import sys

import sqlalchemy as sa

from core.store.signals import Listener, Signal


async def main(url: str, worker_id: str) -> None:
    """Say when it is the worker, then every signal; a process that is killed says no more."""

    def say(text: object) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def on_signal(signal: Signal) -> None:
        say(signal)

    async with Listener(sa.make_url(url), worker_id=worker_id, on_signal=on_signal, on_resync=lambda: say("alive")):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
