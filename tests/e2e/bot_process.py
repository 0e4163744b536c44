"""The bot as a process of its own: started, stopped, killed, and its log read. Knows no Discord and no webui."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENTRY = ROOT / "bot.py"
_END_SECONDS = 15.0
_INHERITED = ("PATH", "SYSTEMROOT", "TMPDIR")


class BotProcess:
    """One `python bot.py` after the other, on the same data directory, all writing into one log.

    `words` are its command line, such as `worker`.
    """

    def __init__(
        self, folder: Path, settings: Mapping[str, str], entry: Path = ENTRY, words: Sequence[str] = ()
    ) -> None:
        self.data_dir = folder / "data"
        self.log_file = folder / "bot.log"
        self.settings = dict(settings)
        self.entry = entry
        self.words = tuple(words)
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """All that the process sees: nothing of this machine's own settings gets in."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        fixed = {"DATA_DIR": str(self.data_dir), "LOG_FORMAT": "json", "PYTHONPATH": str(ROOT)}
        return inherited | fixed | self.settings

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the bot was never started"
        return self._process.pid

    async def spawn(self) -> None:
        """Start the process, in a folder without a `.env`; it is not online yet."""
        assert not self.running, "one bot at a time"
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(self.entry),
                *self.words,
                cwd=self._folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    async def ended(self, timeout: float = _END_SECONDS) -> int:
        """The exit status, once it has ended by itself; negative for a signal."""
        assert self._process is not None, "the bot was never started"
        async with asyncio.timeout(timeout):
            return await self._process.wait()

    async def kill(self) -> None:
        """SIGKILL: nothing of the process's own is run any more."""
        await self._send_and_wait(signal.SIGKILL)

    async def terminate(self) -> int:
        """SIGTERM, as container engines stop it; the exit status."""
        return await self._send_and_wait(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None, "the bot was never started"
        self._process.send_signal(number)

    async def _send_and_wait(self, number: signal.Signals) -> int:
        if self.running:
            self.send(number)
        return await self.ended()

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def events(self) -> list[dict[str, Any]]:
        """The log's lines as the objects they are; a line that is none stands under `raw`."""
        return [_event(line) for line in self.log().splitlines() if line.strip()]


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {"raw": line}
    return event if isinstance(event, dict) else {"raw": line}
