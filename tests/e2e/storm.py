"""A long life with many deaths: processes, webuis and the database die or stand still at random instants.

Members draw all the while. What is killed comes back after a moment, as whoever watches over containers brings it
back; or another machine comes in its place, with a disk of its own.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import random
import re
import signal
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psycopg

from core.errors import NoDatabase
from playground.discord import Interaction
from tests.buttons import cancels
from tests.e2e.alone import Alone, open_alone
from tests.e2e.bot_process import ROOT
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import STEM, until
from tests.e2e.machine import Machine
from tests.e2e.scale import Cluster, open_cluster
from tests.e2e.storm_tally import Plan, Tally
from tests.postgres import LocalPostgres

CRASHING = ROOT / "tests" / "e2e" / "crashing_bot.py"
WORKERS = {"one": 2, "two": 1, "three": 1}
"""Workers by name, and how many webuis each has; a bot alone has as many."""
UNFINISHED = "state IN ('queued', 'running', 'drawn')"
IN_FLIGHT = 12
MEMBERS = ("ada", "bea", "cleo", "dora", "emil")
REST_SECONDS = 180.0
FAST = 0.02
NO_DATABASE = 2
"""The status of a process that could not open its database when it started."""
NOT_OPENED = "The database can't be opened"
REFUSALS = (str(NoDatabase()), "Something in the bot itself went wrong")
CANCELLED_SHARE = 0.05
LONG_FREEZE = 35.0
"""Seconds: so long that the others go on without whoever stands still."""
LONG_HOLD = 12.0
"""Seconds: longer than the bot's patience with a file that another program holds."""
POINT_SECONDS = 60.0


def _nobody(_news: str) -> None:
    """Hears what a storm tells."""


class Storm:
    """Has members draw, and brings trouble over the machines meanwhile."""

    def __init__(self, stage: Alone | Cluster, plan: Plan, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._plan = plan
        self._order = Path(stage.bot.settings["CRASH_AT"])
        self._rng = random.Random(plan.seed)  # noqa: S311  # it must be repeatable
        self._tell = tell
        self._asked: list[tuple[Interaction, int]] = []
        self._done: collections.Counter[str] = collections.Counter()
        self._missed: list[str] = []
        self._ended: list[str] = []
        self._database = asyncio.Lock()
        self._beside: set[asyncio.Task[None]] = set()

    async def run(self) -> Tally:
        """All the trouble of the plan, all its jobs, and then their end."""
        keeping = [asyncio.create_task(self._keep(machine)) for machine in self._stage.machines]
        asking = asyncio.create_task(self._ask_all())
        troubles = self._plan.troubles(self._rng)
        for number, trouble in enumerate(troubles, 1):
            await self._until_asked(self._plan.jobs * number // (len(troubles) + 1))
            await asyncio.sleep(self._rng.uniform(0, 0.5))
            await self._bring(trouble)
            self._tell(f"{number} of {len(troubles)}: {trouble}, after {len(self._asked)} commands")
        await asking
        await asyncio.gather(*self._beside)
        with contextlib.suppress(TimeoutError):
            await until(lambda: not self._unfinished(), REST_SECONDS, "all jobs to end")
        for task in (*keeping, *self._beside):
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        return self._count()

    # Members

    async def _ask_all(self) -> None:
        while len(self._asked) < self._plan.jobs:
            if self._stage.discord.connected and self._unfinished() < IN_FLIGHT:
                await self._ask()
            await asyncio.sleep(self._rng.uniform(0, 0.06))

    async def _ask(self) -> None:
        rng, count = self._rng, self._rng.choice((1, 1, 1, 2, 3))
        options = {"count": count, "steps": rng.randint(1, 12), "private": rng.random() < 0.2}
        interaction = await self._stage.draw(
            f"picture {len(self._asked)}",
            member=self._stage.discord.member(rng.choice(MEMBERS)),
            seed=rng.randrange(2**32),
            size="64x64",
            **options,
        )
        self._asked.append((interaction, count))
        if rng.random() < CANCELLED_SHARE:
            self._begin(self._cancel(interaction, rng.uniform(0, 1.5)))

    async def _cancel(self, interaction: Interaction, after: float) -> None:
        """Press the button after a while, if it is (still) there."""
        await asyncio.sleep(after)
        message = interaction.response
        if message is not None and cancels(message):
            await self._stage.presses_cancel(message, interaction.member)

    async def _until_asked(self, number: int) -> None:
        while len(self._asked) < number:  # noqa: ASYNC110  # what is asked is a list
            await asyncio.sleep(0.02)

    def _unfinished(self) -> int:
        """Jobs that are not at their end; many while nobody can tell."""
        try:
            return self._stage.count(UNFINISHED)
        except (psycopg.OperationalError, sqlite3.OperationalError):
            return IN_FLIGHT

    # Trouble

    async def _bring(self, trouble: str) -> None:
        self._done[trouble if trouble in ("kill", "death", "stop", "freeze") else "point"] += 1
        if trouble == "kill":
            await (await self._running_machine()).kill()
        elif trouble == "death":
            self._begin(self._rng.choice(self._stage.webuis).restart(refused=self._rng.uniform(0.05, 1.0)))
        elif trouble == "stop":
            is_long = self._done["stop"] % 5 == 0
            self._begin(self._stop_database(LONG_HOLD if is_long else self._rng.uniform(0, 2)))
        elif trouble == "freeze":
            is_long = self._done["freeze"] % 10 == 0
            self._begin(self._freeze(LONG_FREEZE if is_long else self._rng.uniform(0.3, 5)))
        else:
            await self._crash_at(trouble)

    async def _crash_at(self, point: str) -> None:
        """Whoever is the first to come to it with a job dies, and takes the order away."""
        self._order.write_text(point)
        try:
            await until(lambda: not self._order.exists(), POINT_SECONDS, f"a death at {point}")
        except TimeoutError:
            self._missed.append(point)

    async def _running_machine(self) -> Machine:
        machine = self._rng.choice(self._stage.machines)
        await until(lambda: machine.running, what=f"{machine} to run")
        return machine

    async def _stop_database(self, away: float) -> None:
        async with self._database:
            await self._stage.disturb_database(away)

    async def _freeze(self, seconds: float) -> None:
        machine = await self._running_machine()
        pid = machine.pid
        machine.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if machine.running and machine.pid == pid:
            machine.send(signal.SIGCONT)

    def _begin(self, trouble: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(trouble)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    # Whoever watches over the machines

    async def _keep(self, machine: Machine) -> None:
        """Start it again whenever it has ended; a third of the workers comes back without their disk."""
        rng = random.Random(f"{self._plan.seed} {machine.name}")  # noqa: S311  # of its own: machines end in any order
        lives = 0
        while True:
            if machine.running:
                pid, status = machine.pid, await machine.ended(1e9)
                if status == NO_DATABASE and NOT_OPENED in machine.log()[-2000:]:
                    self._done["started without a database"] += 1
                elif status != -signal.SIGKILL:
                    self._ended.append(f"{machine.name} ({pid}): {status}")
                await asyncio.sleep(rng.uniform(0, 2.5))
                if machine.kind == "worker" and rng.random() < 1 / 3:
                    lives += 1
                    machine.data_dir = machine.data_dir.with_name(f"data-{lives}")
            await machine.spawn()

    # The end

    def _count(self) -> Tally:
        rows = {row["id"]: row for row in self._stage.rows()}
        jobs = [(interaction, count) for interaction, count in self._asked if str(interaction.id) in rows]
        cancelled = {key for key, row in rows.items() if row["state"] == "cancelled"}
        explained = {key: str(row["sentence"]) for key, row in rows.items() if row["state"] == "failed"}
        numbers = {f"{one.id}-{number}": str(one.id) for one, count in jobs for number in range(1, count + 1)}
        seen = collections.Counter(
            "-".join(found.groups()) for one in self._stage.discord.uploads if (found := STEM.search(one.filename))
        )
        untold = [
            one for one, _ in jobs if str(one.id) in explained and not self._was_told(one, explained[str(one.id)])
        ]
        excused = cancelled | explained.keys() - {str(one.id) for one in untold}
        lost = [name for name, job_id in numbers.items() if name not in seen]
        lost += [f"{one.id} was answered and has no row" for one in self._promised() if str(one.id) not in rows]
        lost += [f"{row['id']} is {row['state']}" for row in rows.values() if row["state"] in UNFINISHED]
        lost += [f"{one.id} shows {shown} of {count}" for one, count in jobs if (shown := self._shown(one)) < count]
        return Tally(
            plan=self._plan,
            troubles=dict(sorted(self._done.items())),
            asked=len(self._asked),
            answered=len(self._promised()),
            jobs=len(jobs),
            cancelled=len(cancelled),
            pictures=seen.total(),
            renders=sum(len(webui.renders) for webui in self._stage.webuis),
            explained=explained,
            lost=sorted(one for one in lost if re.split("[- ]", one)[0] not in excused),
            repeated=sorted(name for name, times in seen.items() if times > 1 or name not in numbers),
            missed=self._missed,
            ended=self._ended,
            complaints=[one for one in self._stage.complaints() if not one.startswith(NOT_OPENED)],
        )

    def _promised(self) -> list[Interaction]:
        """Who was told that there is a job."""
        answers = [(one, one.response) for one, _ in self._asked]
        return [one for one, said in answers if said is not None and not any(no in said.content for no in REFUSALS)]

    def _was_told(self, interaction: Interaction, sentence: str | None) -> bool:
        """Whether there is a sentence for it, and a message that says it."""
        if sentence is None:
            return False
        discord = self._stage.discord
        seen = [*interaction.messages, *discord.messages(interaction.channel), *discord.messages(interaction.member.dm)]
        return any(_letters(sentence) in _letters(message.content) for message in seen)

    def _shown(self, interaction: Interaction) -> int:
        return sum(len(message.attachments) for message in self._stage.carriers(interaction))


def _letters(text: str) -> str:
    return re.sub(r"\W", "", text)


async def run_storm(folder: Path, postgres: LocalPostgres, plan: Plan, tell: Callable[[str], None] = _nobody) -> Tally:
    """A gateway, three workers and four webuis, the plan's trouble over them, and what came of it."""
    workers = {
        name: [cheap_webui(name=f"{name}{number}", seconds_per_step=FAST) for number in range(webuis)]
        for name, webuis in WORKERS.items()
    }
    async with open_cluster(folder, postgres, workers, entry=CRASHING, **_settings(folder)) as stage:
        return await _weather(stage, plan, tell)


async def run_storm_alone(folder: Path, plan: Plan, tell: Callable[[str], None] = _nobody) -> Tally:
    """The same with one bot on SQLite, and as many webuis."""
    webuis = [cheap_webui(name=f"webui{number}", seconds_per_step=FAST) for number in range(sum(WORKERS.values()))]
    async with open_alone(folder, webuis, entry=CRASHING, **_settings(folder)) as stage:
        return await _weather(stage, plan, tell)


def _settings(folder: Path) -> dict[str, Any]:
    return {"CRASH_AT": str(folder / "point"), "QUEUE_PLACES_PER_PERSON": "1000"}


async def _weather(stage: Alone | Cluster, plan: Plan, tell: Callable[[str], None]) -> Tally:
    tally = await Storm(stage, plan, tell).run()
    violations = stage.discord.violations
    assert not violations, violations
    return tally
