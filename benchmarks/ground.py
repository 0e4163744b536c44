"""The ground a benchmark stands on: a local Discord, webuis that have drawn already, and the real bot between them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks.webui import ReadyWebui
from playground.discord import Interaction, LocalDiscord, Member

ROOT = Path(__file__).parent.parent
BODY_LIMIT = 64 * 2**20
PATIENCE = 120.0
"""Seconds after which a benchmark gives up on the bot; no figure depends on it."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the probe inside the bot saw; see benchmarks.probed_bot."""

    points: list[tuple[float, str, str]]
    gaps: list[tuple[float, float]]

    @classmethod
    def read(cls, path: Path) -> Report:
        """The file that a probe wrote."""
        seen = json.loads(path.read_text(encoding="utf-8"))
        return cls([tuple(entry) for entry in seen["points"]], [tuple(entry) for entry in seen["gaps"]])

    def longest_gap(self, start: float, end: float) -> float:
        """Seconds; of the gaps that touch the time between `start` and `end`."""
        return max((late for due, late in self.gaps if due + late >= start and due <= end), default=0.0)

    def times(self, job_id: str) -> dict[str, float]:
        """When the job was at each point."""
        return {point: at for at, point, job in self.points if job == job_id}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One upload as it came in at Discord's door, in monotonic seconds."""

    path: str
    head: float
    whole: float


@dataclass(slots=True)
class Ground:
    """Discord, webuis and a folder; bots come and go on it."""

    discord: LocalDiscord
    webuis: Sequence[ReadyWebui]
    folder: Path
    uploads: list[Arrival] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        """The bots' DATA_DIR."""
        return self.folder / "data"

    @asynccontextmanager
    async def bot(self, *, probed: bool = True, **more: str) -> AsyncIterator[Bot]:
        """A bot process that is connected; it is asked to end, and has ended, when the block is left."""
        report = self.folder / "report.json"
        command = ["-m", "benchmarks.probed_bot", str(report)] if probed else ["bot.py"]
        identifies = self.discord.identifies + 1
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env=self._environment() | more
        )
        bot = Bot(process, report, started)
        try:
            await self.discord.wait_for_bot(PATIENCE, identifies=identifies)
            bot.ready_after = time.monotonic() - started
            yield bot
        finally:
            await bot.end()

    async def draw(self, member: Member, **options: Any) -> Interaction:
        """A `/draw`, sent."""
        return await self.discord.slash(member, "draw", prompt="a quiet harbour at dawn", **options)

    async def delivered(self, interactions: Sequence[Interaction], files: int = 1) -> None:
        """Until every one of these has its pictures."""
        waiting = list(interactions)

        def none_left() -> bool:
            while waiting and (original := waiting[-1].original) is not None and len(original.attachments) == files:
                waiting.pop()
            return not waiting

        await self.discord.until(none_left, timeout=PATIENCE, what="the pictures to be delivered")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "WEBUI_URLS": ",".join(webui.url for webui in self.webuis) or "http://127.0.0.1:9",
            "DATA_DIR": str(self.data_dir),
            "LOG_LEVEL": "WARNING",
        }


@dataclass(slots=True)
class Bot:
    """One bot process. `ready_after` is seconds from its start to a connected session with registered commands."""

    process: asyncio.subprocess.Process
    report_path: Path
    started: float
    ready_after: float = 0.0

    def memory(self, field_name: str = "VmRSS") -> float:
        """MiB, as Linux says; 0 where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(lines[field_name].split()[0]) / 1024

    async def end(self) -> None:
        """Ask it to end and wait until it has."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    def report(self) -> Report:
        """What its probe wrote when it ended."""
        return Report.read(self.report_path)


@asynccontextmanager
async def stand(webuis: Sequence[ReadyWebui]) -> AsyncIterator[Ground]:
    """Everything but a bot."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-benchmark-")))
        for webui in webuis:
            await stack.enter_async_context(webui.serve())
        discord = LocalDiscord()
        ground = Ground(discord, webuis, folder)
        _watch_uploads(discord, ground.uploads)
        await stack.enter_async_context(discord)
        yield ground


def _watch_uploads(discord: LocalDiscord, uploads: list[Arrival]) -> None:
    """Note when the head and when the last byte of each upload arrive.

    It is received whole before the local Discord looks at it: else its parser would hold up the sender, and the time
    it takes would be counted as the bot's.
    """
    api = discord._api  # noqa: SLF001  # the only place where a request is seen before it is read
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]] = api.handle

    async def handle_timed(request: web.Request) -> web.StreamResponse:
        if request.content_type.startswith("multipart/"):
            head, arrived = time.monotonic(), asyncio.Event()
            request.content.set_read_chunk_size(BODY_LIMIT)  # room for all of it before anybody reads
            request.content.on_eof(arrived.set)
            await arrived.wait()
            uploads.append(Arrival(request.path, head, time.monotonic()))
        return await handle(request)

    setattr(api, "handle", handle_timed)  # noqa: B010  # plain assignment to a method is refused by the type checker
