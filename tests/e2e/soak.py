"""`scripts/soak`: kills the bot some hundred times at random instants and says whether every picture arrived once."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.kills import run_kills

KILLS = 200


def main() -> int:
    """0 where every picture arrived exactly once, else 1; the last line is the summary."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how often the bot is killed (default {KILLS})")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="to repeat a run")
    options = parser.parse_args()
    sys.stdout.write(f"{options.kills} kills with seed {options.seed}\n")
    began = time.monotonic()

    def tell(number: int) -> None:
        if number % 10 == 0:
            sys.stdout.write(f"{number} of {options.kills} after {time.monotonic() - began:.0f} s\n")
            sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="easel-soak-"))
    tally = asyncio.run(run_kills(folder, options.kills, options.seed, tell))
    if not tally.good:
        sys.stdout.write(f"The bot's log and data are in {folder}\n")
    sys.stdout.write(f"{'good' if tally.good else 'BAD'}: {tally}\n")
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main())
