"""Runs all benchmarks one after the other and prints one table: `python -m benchmarks [name …]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from benchmarks import (
    bot_path,
    burst,
    cancel,
    finished,
    history,
    idle_slot,
    loop_block,
    names,
    policy,
    recovery,
    startup,
    throughput,
)
from benchmarks.figures import Figure, table

ALL: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "bot_path": bot_path.measure,
    "loop_block": loop_block.measure,
    "burst": burst.measure,
    "idle_slot": idle_slot.measure,
    "throughput": throughput.measure,
    "cancel": cancel.measure,
    "recovery": recovery.measure,
    "startup": startup.measure,
    "policy": policy.measure,
    "names": names.measure,
    "history": history.measure,
    "finished": finished.measure,
}


async def main(chosen: list[str]) -> None:
    """Each has the machine for itself."""
    figures: list[Figure] = []
    for name in chosen:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += await ALL[name]()
    print(table(figures))
    print(f"\n{os.cpu_count()} processors, Python {sys.version.split()[0]}, {sys.platform}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios and figures of the real bot.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(ALL)}; all without one")
    chosen = parser.parse_args().names or list(ALL)
    if unknown := set(chosen) - set(ALL):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    asyncio.run(main(chosen))
