"""The bot as a process of its own, started as anybody would start it. It knows the bot's settings, not its code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playground.demo import leash

_BOT: Final = Path(__file__).parents[2] / "bot.py"
_OWN_SETTINGS: Final = frozenset({"DATABASE_URL", "HTTP_PORT", "LOG_FORMAT", "LOG_LEVEL"})
"""What the operator may have set for the real bot and must not reach this one."""
_PATIENCE: Final = 15.0


class BotProcess:
    """`bot.py` on a leash, with a data directory that is gone afterwards and a log that stays where it failed."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="easel-demo-", ignore_cleanup_errors=True)
        descriptor, name = tempfile.mkstemp(prefix="easel-demo-", suffix=".log")
        self.log = Path(name)
        environment = {name: value for name, value in os.environ.items() if name.upper() not in _OWN_SETTINGS}
        environment |= {"DATA_DIR": str(Path(self._folder.name) / "data"), **settings}
        # Its folder is the temporary one, so that no .env of the operator's is read. A session of its own: Ctrl-C is
        # for the demo, which then ends the bot in order.
        with os.fdopen(descriptor, "wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  # this project's own programs
                [sys.executable, "-I", str(leash.__file__), sys.executable, str(_BOT)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder.name,
                env=environment,
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        """Whether it is gone, which it should not be before `close`."""
        return self._process.poll() is not None

    def close(self, *, keep_log: bool) -> None:
        """End it and wait until it has ended; the data directory goes, the log as well unless it is to be kept."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()
        if not keep_log:
            self.log.unlink(missing_ok=True)
