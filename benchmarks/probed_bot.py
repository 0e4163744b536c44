"""The unmodified bot with a clock in it: `python -m benchmarks.probed_bot <report.json>`, in place of `bot.py`.

At its end (SIGTERM) it writes what it saw, in monotonic seconds, which are the same for all processes of a machine:
`points`, the pipeline's named points as [time, point, job id]; `gaps`, how late a timer of the event loop fired, as
[time, seconds late], only those above `NOTABLE`. A timer that is due every millisecond is late by what the loop was
blocked, and by what the machine kept the whole process waiting: the benchmark measures that floor in the same run.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import bot
from core.jobs.points import Point, listen
from core.settings import Settings

TICK = 0.001
NOTABLE = 0.002


@dataclass(slots=True)
class Probe:
    """Notes times in memory; writing them down waits until the bot has ended."""

    points: list[tuple[float, str, str]] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)

    def note(self, point: Point, job_id: str) -> None:
        """A listener of core.jobs.points."""
        self.points.append((time.monotonic(), point, job_id))

    def start(self) -> None:
        """Tick on the running loop until it ends."""
        self._wait(asyncio.get_running_loop())

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.call_at(loop.time() + TICK, self._tick, loop, loop.time() + TICK)

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - due
        if late > NOTABLE:
            self.gaps.append((due, late))
        self._wait(loop)

    def write(self, path: Path) -> None:
        """The report, as JSON."""
        path.write_text(json.dumps({"points": self.points, "gaps": self.gaps}), encoding="utf-8")


def main(report: Path) -> int:
    """Run the bot with the probe in it; its exit status is the bot's."""
    probe = Probe()
    listen(probe.note)
    run = bot.run

    async def run_probed(settings: Settings, command: str = "run") -> None:
        probe.start()
        await run(settings, command)

    bot.run = run_probed
    try:
        return bot.main(["run"])
    finally:
        probe.write(report)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
