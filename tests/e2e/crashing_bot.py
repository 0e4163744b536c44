"""The bot, but it dies by SIGKILL when a job reaches the point in CRASH_AT; CRASHED remembers that it did so once."""

import os
import signal
from pathlib import Path

import bot
from core.jobs import points


def crash(point: points.Point, _job_id: str) -> None:
    """Leave the mark first: the next process must live."""
    mark = Path(os.environ["CRASHED"])
    if point == os.environ["CRASH_AT"] and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    points.listen(crash)
    raise SystemExit(bot.main())
