"""The stage of one bot that lives as a machine does among others: gateway and worker in one process, on SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from playground.webui import LocalWebui
from tests.e2e.bot_process import ENTRY
from tests.e2e.harness import Stage, open_stage
from tests.e2e.machine import Machine

FILES = ("easel.db", "engine.db")
PATIENCE = 60.0


class Alone(Stage):
    """What a storm acts on and looks at; the rows are those of the bot's file."""

    def __init__(self, stage: Stage, machine: Machine) -> None:
        super().__init__(stage.discord, stage.webuis, machine)
        self.machines = [machine]

    def count(self, where: str) -> int:
        """How many jobs there are of that kind; none before the first start."""
        if not (self.bot.data_dir / FILES[0]).exists():
            return 0
        return int(self._select(f"SELECT count(*) AS jobs FROM jobs WHERE {where}")[0]["jobs"])  # noqa: S608  # ours

    async def disturb_database(self, seconds: float) -> None:
        """Let the database be held for so long."""
        async with self.database_held():
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def database_held(self) -> AsyncIterator[None]:
        """Another program holds the files, as a backup does: they can be read and not written."""
        held = await asyncio.to_thread(self._hold_files)
        with held:
            yield

    def _hold_files(self) -> ExitStack:
        with ExitStack() as held:
            for path in self._files():
                connection = held.enter_context(
                    closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False))
                )
                connection.execute("BEGIN IMMEDIATE")
            return held.pop_all()

    def _files(self) -> Sequence[Path]:
        return [path for name in FILES if (path := self.bot.data_dir / name).exists()]


@asynccontextmanager
async def open_alone(
    folder: Path, webuis: Sequence[LocalWebui], *, entry: Path = ENTRY, **settings: str
) -> AsyncIterator[Alone]:
    """One bot, not started, with these webuis; killed at the end."""
    async with open_stage(folder, *webuis, start=False) as stage:
        bot = Machine(folder, "bot", stage.bot.settings | settings, kind="run", entry=entry)
        alone = Alone(stage, bot)
        try:
            yield alone
        finally:
            alone.heal()
            if bot.running:
                await bot.kill()
