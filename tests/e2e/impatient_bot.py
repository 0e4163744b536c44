"""The bot, but less patient with a webui that says nothing (SILENT) or has lost the task (FORGOTTEN); in seconds.

It looks at its folder of wildcards all the time.
"""

import functools
import os
from typing import Any

import bot
from core.jobs.pipeline import Pipeline
from core.jobs.watch import WatchTiming
from core.prompts import wildcards

if __name__ == "__main__":
    timing = WatchTiming(
        poll=0.1, silent=float(os.environ.get("SILENT", "180")), forgotten=float(os.environ.get("FORGOTTEN", "60"))
    )
    composition_root: Any = bot
    composition_root.Pipeline = functools.partial(Pipeline, timing=timing)
    folder: Any = wildcards
    folder.EVERY_SECONDS = 0.05
    raise SystemExit(bot.main())
