"""The stage with several machines: gateways and workers as processes, on one PostgreSQL and one Discord."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from playground.discord import Interaction, LocalDiscord, Rules
from playground.webui import LocalWebui
from tests.e2e.bot_process import ENTRY, BotProcess
from tests.e2e.harness import OPENAPI, START_SECONDS, Stage, until
from tests.e2e.machine import Machine
from tests.e2e.proof import check_log
from tests.postgres import LocalPostgres

DRAIN_SECONDS = 1


class Cluster(Stage):
    """What a test acts on and looks at, as in `Stage`; the rows are those of PostgreSQL."""

    def __init__(
        self,
        discord: LocalDiscord,
        webuis: Sequence[LocalWebui],
        postgres: LocalPostgres,
        machines: Sequence[Machine],
        database_url: str,
    ) -> None:
        self.machines = list(machines)
        super().__init__(discord, webuis, next(one for one in machines if one.kind == "gateway"))
        self.postgres = postgres
        self._database_url = database_url
        self._connection: psycopg.Connection[dict[str, Any]] | None = None

    @property
    def processes(self) -> Sequence[BotProcess]:
        return self.machines

    @property
    def gateways(self) -> list[Machine]:
        return [machine for machine in self.machines if machine.kind == "gateway"]

    @property
    def workers(self) -> list[Machine]:
        return [machine for machine in self.machines if machine.kind == "worker"]

    # The machines' lives

    async def start(self) -> None:
        """Start what is not running; on return all are at work."""
        await self.start_all(self.machines)

    async def start_all(self, machines: Collection[Machine]) -> None:
        """Start those of these that are not running; on return they are at work."""
        await asyncio.gather(*(machine.spawn() for machine in machines if not machine.running))
        await asyncio.gather(*(self.is_ready(machine) for machine in machines))

    async def is_ready(self, machine: Machine) -> None:
        """Until it is at work, and the rows say that its webuis are up."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (health := await machine.health()) or not all(health.values()):
                    assert machine.running, f"{machine} has ended: {machine.log()[-2000:]}"
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"{machine} is not at work: {machine.log()[-2000:]}") from None
        if machine.kind == "worker":
            await until(lambda: self._are_up(machine), START_SECONDS, f"the webuis of {machine} to be up")

    async def kill_all(self, machines: Collection[Machine]) -> None:
        """SIGKILL for these; returns when they are gone."""
        await asyncio.gather(*(machine.kill() for machine in machines))

    async def renew(self, machine: Machine, **settings: str) -> None:
        """SIGTERM, and start it again, as an upgrade does; the machine has nothing to complain about."""
        said = len(machine.events())
        status = await machine.terminate()
        assert status == 0, f"{machine} ended with {status} after SIGTERM"
        check_log(machine.events()[said:], self.expected_errors)
        machine.settings.update(settings)
        await self.start_all([machine])

    async def disturb_database(self, seconds: float = 0.0) -> None:
        """Stop PostgreSQL as a crash does, and start it again after so many seconds."""
        await asyncio.to_thread(self.postgres.stop_hard)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.postgres.start)

    # The rows

    def rows(self, where: str = "true") -> list[dict[str, Any]]:
        return self._query(f"SELECT * FROM jobs WHERE {where}")  # noqa: S608  # a test's own words

    def count(self, where: str) -> int:
        """How many jobs there are of that kind."""
        return int(self._query(f"SELECT count(*) AS jobs FROM jobs WHERE {where}")[0]["jobs"])  # noqa: S608  # ours

    def parts(self, interaction: Interaction) -> list[dict[str, Any]]:
        """The rows of the job's pictures that were given out, in order."""
        return self._query(f"SELECT * FROM parts WHERE job_id = '{interaction.id}' ORDER BY number")  # noqa: S608  # ours

    def modes(self) -> set[str]:
        """What the workers know of what admins want of the webuis."""
        return {json.loads(row["view"])["mode"] for row in self._query("SELECT view FROM backends")}

    async def drawer_of(self, interaction: Interaction, number: int = 0) -> Machine:
        """The worker whose webui is at work on this picture of the job, once one is."""

        def at_work() -> Machine | None:
            found = self._drawer_of(interaction, number)
            return found if found is not None and any(webui.running for webui in found.webuis) else None

        found = await until(at_work, what=f"{interaction.id} to be drawn")
        assert found is not None
        return found

    def _drawer_of(self, interaction: Interaction, number: int) -> Machine | None:
        parts = [part for part in self.parts(interaction) if part["number"] == number and part["state"] == "running"]
        return next((worker for worker in self.workers for part in parts if part["worker"] == worker.worker_id), None)

    def _are_up(self, machine: Machine) -> bool:
        query = 'SELECT count(*) AS up FROM backends WHERE worker = %s AND view LIKE \'%%"health":"up"%%\''
        return bool(self._query(query, machine.worker_id)[0]["up"] == len(machine.webuis))

    def _query(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """psycopg.OperationalError while the database is away; that it was away is nobody's trouble."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.OperationalError):
                return self._connection.execute(query.encode(), values or None).fetchall()
            self._connection.close()
        self._connection = None
        self._connection = psycopg.connect(self._database_url, autocommit=True, row_factory=dict_row)
        return self._connection.execute(query.encode(), values or None).fetchall()

    def close(self) -> None:
        """Leave the database."""
        if self._connection is not None:
            self._connection.close()


@asynccontextmanager
async def open_cluster(
    folder: Path,
    postgres: LocalPostgres,
    workers: Mapping[str, Sequence[LocalWebui]],
    *,
    gateways: Sequence[str] = ("gateway",),
    rules: Rules | None = None,
    entry: Path = ENTRY,
    start: bool = True,
    **settings: str,
) -> AsyncIterator[Cluster]:
    """Gateways and workers by name, each of these with its webuis, on a fresh database; at work if `start`.

    At the end every process that was started here is killed.
    """
    async with AsyncExitStack() as stack:
        name = await asyncio.to_thread(postgres.create_database)
        stack.push_async_callback(_drop, postgres, name)
        discord = await stack.enter_async_context(LocalDiscord(rules=rules, openapi=OPENAPI))
        webuis = [webui for group in workers.values() for webui in group]
        for webui in webuis:
            await stack.enter_async_context(webui)
        url = postgres.url(name)
        known = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "DATABASE_URL": url}
        known |= {"DRAIN_SECONDS": str(DRAIN_SECONDS), **settings}
        machines = [Machine(folder, one, known, kind="gateway", entry=entry) for one in gateways]
        machines += [
            Machine(folder, one, known, kind="worker", webuis=group, entry=entry) for one, group in workers.items()
        ]
        cluster = Cluster(discord, webuis, postgres, machines, url)
        stack.callback(cluster.close)
        try:
            if start:
                await cluster.start()
            yield cluster
        finally:
            cluster.heal()
            await cluster.kill_all([machine for machine in cluster.machines if machine.running])


async def _drop(postgres: LocalPostgres, name: str) -> None:
    if not postgres.is_running:  # it failed between stopping and starting
        await asyncio.to_thread(postgres.start)
    await asyncio.to_thread(postgres.drop_database, name)
