"""The bot, but it dies by SIGKILL when a job reaches the point that the file CRASH_AT names; that file is gone then.

A second word in the file is another signal than SIGKILL.

Of several processes with one file the first that comes to the point dies, and no other.
"""

import contextlib
import os
import signal
from pathlib import Path

import bot
from core.jobs import points


def crash(point: points.Point, _job_id: str) -> None:
    """Once for each time that a test writes the file: the next process must live."""
    order = Path(os.environ["CRASH_AT"])
    with contextlib.suppress(FileNotFoundError):
        at, _, name = order.read_text().partition(" ")
        if at == point:
            order.unlink()
            os.kill(os.getpid(), signal.Signals[name or "SIGKILL"])


if __name__ == "__main__":
    points.listen(crash)
    raise SystemExit(bot.main())
