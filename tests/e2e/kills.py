"""A long life with many deaths: SIGKILLs at random instants while members draw, and the count of what arrived."""

from __future__ import annotations

import asyncio
import collections
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playground.discord import Interaction
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import STEM, Stage, open_stage, until

_IN_FLIGHT = 8
_EARLY_SHARE = 0.25
"""Of the deaths, those while the bot still starts, and takes up what an earlier one left."""
_EARLY_SECONDS = 1.2
_LATE_SECONDS = 2.0
_REST_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came of it. `interrupted`: jobs that were not at their end, counted at each kill; `lost` and `repeated` name
    each picture that did not arrive exactly once.
    """

    seed: int
    kills: int
    interrupted: int
    asked: int
    answered: int
    jobs: int
    pictures: int
    renders: int
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.lost and not self.repeated and self.jobs >= self.answered

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.kills} kills of {self.interrupted} jobs at work, "
            f"{self.asked} commands sent, {self.answered} answered, "
            f"{self.jobs} jobs, {self.pictures} pictures, {self.renders} renders, "
            f"{len(self.lost)} lost {self.lost}, {len(self.repeated)} repeated {self.repeated}"
        )


class Killer:
    """Starts the bot, has members draw, kills it; again and again."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311  # it must be repeatable
        self._asked: list[tuple[Interaction, int]] = []
        self._interrupted = 0

    async def run(self, kills: int, tell: Callable[[int], None]) -> Tally:
        """Kill the bot so many times, then let it finish everything; `tell` is called after each kill."""
        for number in range(1, kills + 1):
            await self._stage.bot.spawn()
            if self._rng.random() < _EARLY_SHARE:
                await asyncio.sleep(self._rng.uniform(0, _EARLY_SECONDS))
            else:
                await self._live_for_a_while()
            self._interrupted += self._unfinished()
            await self._stage.kill()
            tell(number)
        await self._stage.start()
        await until(lambda: not self._unfinished(), _REST_SECONDS, "all jobs to end")
        return self._count(kills)

    async def _live_for_a_while(self) -> None:
        """Come online, get some commands, and die before long: the pauses are the dice, nothing is waited for."""
        discord, rng = self._stage.discord, self._rng
        await discord.until(lambda: discord.connected, 40, "the bot to come online")
        for _ in range(rng.randint(2, 6)):
            if self._unfinished() < _IN_FLIGHT:
                await self._ask()
            await asyncio.sleep(rng.uniform(0, _LATE_SECONDS / 20))
        await asyncio.sleep(rng.uniform(0, _LATE_SECONDS))

    async def _ask(self) -> None:
        rng, count = self._rng, self._rng.choice((1, 1, 1, 2, 3))
        member = self._stage.discord.member(rng.choice(("ada", "bea", "cleo")))
        options = {"count": count, "steps": rng.randint(1, 12), "private": rng.random() < 0.2}
        interaction = await self._stage.draw(
            f"picture {len(self._asked)}", member=member, seed=rng.randrange(2**32), size="64x64", **options
        )
        self._asked.append((interaction, count))

    def _unfinished(self) -> int:
        if not (self._stage.bot.data_dir / "easel.db").exists():
            return 0
        return len(self._stage.rows("state IN ('queued', 'running', 'drawn')"))

    def _count(self, kills: int) -> Tally:
        """A command whose event came too late for a row was never promised anything; every row was."""
        rows = {row["id"] for row in self._stage.rows()}
        jobs = [(interaction, count) for interaction, count in self._asked if str(interaction.id) in rows]
        expected = {f"{one.id}-{number}" for one, count in jobs for number in range(1, count + 1)}
        expected |= {f"{one.id} was answered and has no row" for one in self._promised() if str(one.id) not in rows}
        uploads = self._stage.discord.uploads
        seen = collections.Counter("-".join(found.groups()) for one in uploads if (found := STEM.search(one.filename)))
        return Tally(
            seed=self._seed,
            kills=kills,
            interrupted=self._interrupted,
            asked=len(self._asked),
            answered=len(self._promised()),
            jobs=len(jobs),
            pictures=seen.total(),
            renders=sum(len(webui.renders) for webui in self._stage.webuis),
            lost=sorted(expected - seen.keys()),
            repeated=sorted(name for name, times in seen.items() if times > 1 or name not in expected),
        )

    def _promised(self) -> list[Interaction]:
        return [interaction for interaction, _ in self._asked if interaction.acknowledged]


async def run_kills(folder: Path, kills: int, seed: int, tell: Callable[[int], None] = lambda _: None) -> Tally:
    """A stage of two webuis, so many kills on it, and what came of them."""
    webuis = [cheap_webui(name=name, seconds_per_step=0.02) for name in ("one", "two")]
    async with open_stage(folder, *webuis, start=False) as stage:
        tally = await Killer(stage, seed).run(kills, tell)
        stage.check()
    return tally
