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
MANY_PLACES = "100000"
"""In the queue, for each person and each server: a benchmark asks for more pictures than people may."""


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
    """Discord, webuis' addresses and a folder; bots come and go on it."""

    discord: LocalDiscord
    urls: Sequence[str]
    folder: Path
    uploads: list[Arrival] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        """The bots' DATA_DIR, where nothing else is said."""
        return self.folder / "data"

    @asynccontextmanager
    async def bot(self, *, probed: bool = True, **more: str) -> AsyncIterator[Bot]:
        """A bot process that is connected; it is asked to end, and has ended, when the block is left."""
        bot = await self.start(probed=probed, **more)
        try:
            yield await self.connected(bot)
        finally:
            await bot.end()

    async def start(self, command: str = "run", *, probed: bool = False, **more: str) -> Bot:
        """A bot process that has just begun: `run`, `gateway` or `worker`. Whoever starts it ends it."""
        report = self.folder / "report.json"
        words = ["-m", "benchmarks.probed_bot", str(report)] if probed else ["bot.py", command]
        identifies, started = self.discord.identifies + 1, time.monotonic()
        environment = self._environment() | more
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env=environment)
        return Bot(process, report, started, identifies)

    async def connected(self, bot: Bot) -> Bot:
        """Once it has a session at the gateway and its commands are there; RuntimeError where it ended before."""
        waiting = asyncio.create_task(self.discord.wait_for_bot(PATIENCE, identifies=bot.identifies))
        ended = asyncio.create_task(bot.process.wait())
        await asyncio.wait([waiting, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not waiting.done():
            waiting.cancel()
            raise RuntimeError("the bot ended before it was connected")
        await waiting
        bot.ready_after = time.monotonic() - bot.started
        return bot

    async def draw(self, member: Member, **options: Any) -> Interaction:
        """A `/draw`, sent."""
        return await self.discord.slash(member, "draw", prompt="a quiet harbour at dawn", **options)

    async def delivered(self, interactions: Sequence[Interaction], files: int = 1) -> None:
        """Until every one of these has its pictures."""
        waiting = list(interactions)

        def none_left() -> bool:
            while waiting and shows(waiting[-1], files):
                waiting.pop()
            return not waiting

        await self.discord.until(none_left, timeout=PATIENCE, what="the pictures to be delivered")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "WEBUI_URLS": ",".join(self.urls) or "http://127.0.0.1:9",
            "DATA_DIR": str(self.data_dir),
            "QUEUE_PLACES_PER_PERSON": MANY_PLACES,
            "QUEUE_PLACES_PER_SERVER": MANY_PLACES,
            "LOG_LEVEL": "WARNING",
        }


@dataclass(slots=True)
class Bot:
    """One bot process. `ready_after` is seconds from its start to a connected session with registered commands."""

    process: asyncio.subprocess.Process
    report_path: Path
    started: float
    identifies: int
    """How often Discord's gateway has seen a bot identify itself once this one has."""
    ready_after: float = 0.0

    def memory(self, field_name: str = "VmRSS") -> float:
        """MiB, as Linux says; 0 where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return 0.0
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        return int(lines[field_name].split()[0]) / 1024

    def processor_seconds(self) -> float:
        """What it has had of the processors so far, all threads; 0 where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/stat")
        if not status.exists():
            return 0.0
        times = status.read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]  # utime and stime
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")

    async def end(self) -> None:
        """Ask it to end and wait until it has."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    async def kill(self) -> None:
        """SIGKILL: nothing of its own is run any more."""
        self.process.kill()
        await self.process.wait()

    def report(self) -> Report:
        """What its probe wrote when it ended."""
        return Report.read(self.report_path)


def shows(interaction: Interaction, files: int = 1) -> bool:
    """Whether its answer has so many pictures."""
    return interaction.original is not None and len(interaction.original.attachments) == files


@asynccontextmanager
async def stand(webuis: Sequence[ReadyWebui], urls: Sequence[str] = ()) -> AsyncIterator[Ground]:
    """Everything but a bot. `urls` are webuis that others serve."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="easel-benchmark-")))
        for webui in webuis:
            await stack.enter_async_context(webui.serve())
        discord = LocalDiscord()
        ground = Ground(discord, [*(webui.url for webui in webuis), *urls], folder)
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
