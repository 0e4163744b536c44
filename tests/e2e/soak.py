"""`scripts/soak`: kills the bot some hundred times, lets webuis die, and says whether every picture arrived once.

The bot also stands still, and its database is held by another program. With `--machines` it is a gateway and three
workers that are killed and stand still, and a PostgreSQL that is stopped hard.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.storm import run_storm, run_storm_alone
from tests.e2e.storm_tally import DEATHS, FREEZES, JOBS, KILLS, STOPS, Plan, Tally
from tests.postgres import LocalPostgres


def main() -> int:
    """0 where every picture arrived exactly once, else 1; the last line is the summary."""
    options = _parser().parse_args()
    plan = Plan(
        seed=options.seed,
        machines=options.machines,
        jobs=options.jobs,
        kills=options.kills,
        deaths=options.deaths,
        stops=options.stops,
        freezes=options.freezes,
        points=not options.no_points,
    )
    sys.stdout.write(f"repeat with: scripts/soak {plan}\n")
    began = time.monotonic()

    def tell(news: object) -> None:
        sys.stdout.write(f"{time.monotonic() - began:5.0f} s  {news}\n")
        sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="easel-soak-"))
    tally = asyncio.run(_soak(folder, plan, tell))
    if not tally.good:
        sys.stdout.write(f"The logs and the data are in {folder}\n")
    sys.stdout.write(f"{'good' if tally.good else 'BAD'}: {tally}\n")
    return 0 if tally.good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how many kills at random instants (default {KILLS})")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="to repeat a run")
    parser.add_argument("--machines", action="store_true", help="a gateway and three workers on one PostgreSQL")
    parser.add_argument("--jobs", type=int, default=JOBS, help="commands that are sent meanwhile")
    parser.add_argument("--deaths", type=int, default=DEATHS, help="how often a webui dies with what it draws")
    parser.add_argument("--stops", type=int, default=STOPS, help="how often the database is stopped hard, or held")
    parser.add_argument("--freezes", type=int, default=FREEZES, help="how often a process is made to stand still")
    parser.add_argument("--no-points", action="store_true", help="leave out the deaths at the named points")
    return parser


async def _soak(folder: Path, plan: Plan, tell: Callable[[object], None]) -> Tally:
    if not plan.machines:
        return await run_storm_alone(folder, plan, tell)
    async with LocalPostgres() as postgres:
        return await run_storm(folder, postgres, plan, tell)


if __name__ == "__main__":
    sys.exit(main())
