"""Machines and the database come and go, and are replaced, while jobs run: nothing is lost, and nothing is twice."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from playground.discord import Interaction
from tests.e2e.bot_process import BotProcess
from tests.e2e.conftest import cheap_webui
from tests.e2e.harness import until
from tests.e2e.scale import Cluster, open_cluster
from tests.postgres import LocalPostgres

OPTIONS: dict[str, Any] = {"size": "64x64", "steps": 4}
TAKEN_OVER_SECONDS = 15.0
"""How long a dead worker's picture may take at most to be begun elsewhere: on a busy machine. It is some 2 s."""
SHARDS = 2


async def end_once(stage: Cluster, *interactions: Interaction) -> None:
    for interaction in interactions:
        await stage.delivered(interaction)
        await stage.reaches(interaction, "done")
        stage.arrived_once(interaction)


async def test_a_dead_workers_picture_is_drawn_by_another(tmp_path: Path, postgres: LocalPostgres) -> None:
    workers = {name: [cheap_webui(name=name)] for name in ("one", "two")}
    async with open_cluster(tmp_path, postgres, workers) as stage:
        for webui in stage.webuis:
            webui.hold(2)
        interaction = await stage.draw(**OPTIONS)
        drawer = await stage.drawer_of(interaction)
        (other,) = [worker for worker in stage.workers if worker is not drawer]
        killed_at = time.monotonic()
        await drawer.kill()
        await other.webuis[0].until(lambda: other.webuis[0].running is not None, TAKEN_OVER_SECONDS)
        sys.stdout.write(f"taken over {time.monotonic() - killed_at:.2f} s after the kill\n")
        other.webuis[0].release()
        await end_once(stage, interaction)
        assert stage.parts(interaction)[0]["attempt"] == 2
        # Nobody is left now: jobs are taken all the same, and wait.
        assert await other.terminate() == 0
        waiting = await stage.draw(**OPTIONS)
        await stage.says(waiting, "pictures wait until")
        assert stage.row(waiting)["state"] == "queued"
        drawer.webuis[0].release()
        await stage.start_all([drawer])
        await end_once(stage, waiting)
        stage.check()


async def test_a_database_that_crashes_while_jobs_run_costs_time_only(tmp_path: Path, postgres: LocalPostgres) -> None:
    workers = {name: [cheap_webui(name=name, seconds_per_step=0.05)] for name in ("one", "two")}
    async with open_cluster(tmp_path, postgres, workers) as stage:
        interactions = [await stage.draw(size="64x64", steps=8) for _ in range(6)]
        for interaction in interactions:
            await stage.answered(interaction)
        await until(lambda: all(webui.running for webui in stage.webuis), what="both webuis to be at work")
        await stage.disturb_database(0.7)
        await end_once(stage, *interactions)
        await end_once(stage, await stage.draw(**OPTIONS))
        assert all(machine.running for machine in stage.machines)
        stage.check()


async def test_machines_are_replaced_one_after_the_other_under_load(tmp_path: Path, postgres: LocalPostgres) -> None:
    workers = {name: [cheap_webui(name=name, seconds_per_step=0.02)] for name in ("one", "two")}
    async with open_cluster(tmp_path, postgres, workers, QUEUE_PLACES_PER_PERSON="100") as stage:
        asked: list[Interaction] = []

        async def ask() -> None:
            while True:
                if stage.discord.connected:
                    asked.append(await stage.draw(f"picture {len(asked)}", **OPTIONS))
                await asyncio.sleep(0.25)

        asking = asyncio.create_task(ask())
        for machine in (*stage.workers, *stage.gateways):
            await stage.renew(machine)
        await asyncio.sleep(0.5)
        asking.cancel()
        answered = [one for one in asked if one.acknowledged or stage.row(one)]
        assert len(asked) - len(answered) <= 2, "commands that nobody heard while the gateway was replaced"
        await end_once(stage, *answered)
        stage.check()


async def test_two_gateways_share_the_servers_between_them(tmp_path: Path, postgres: LocalPostgres) -> None:
    opening = open_cluster(
        tmp_path,
        postgres,
        {"one": [cheap_webui(name="one")]},
        gateways=("first", "second"),
        start=False,
        SHARD_COUNT=str(SHARDS),
    )
    async with opening as stage:
        for number, gateway in enumerate(stage.gateways):
            gateway.settings["SHARD_IDS"] = str(number)
        channels = {shard_of(stage.discord.guild.id): stage.discord.channel}
        while len(channels) < SHARDS:
            guild = stage.discord.add_guild("another")
            channels.setdefault(shard_of(guild.id), stage.discord.add_channel("studio", guild=guild))
            await asyncio.sleep(0.002)  # ids tell milliseconds
        await stage.start()
        drawn = [await stage.draw(channel=channels[shard], **OPTIONS) for shard in range(SHARDS)]
        await end_once(stage, *drawn)
        await stage.gateways[1].kill()
        unheard = await stage.draw(channel=channels[1], **OPTIONS)
        await end_once(stage, await stage.draw(channel=channels[0], **OPTIONS))
        assert not unheard.acknowledged
        await stage.start_all([stage.gateways[1]])
        await end_once(stage, await stage.draw(channel=channels[1], **OPTIONS))
        stage.check()


def shard_of(guild_id: int) -> int:
    return (guild_id >> 22) % SHARDS


@pytest.mark.parametrize("word", ["gateway", "worker"])
async def test_parts_that_would_not_meet_say_what_is_missing(tmp_path: Path, word: str) -> None:
    process = BotProcess(tmp_path, {"DISCORD_TOKEN": "t", "DISCORD_API_URL": "http://127.0.0.1:1"}, words=[word])
    await process.spawn()
    assert await process.ended() == 2
    assert f"DATABASE_URL: `bot.py {word}`" in process.log()
    assert "PostgreSQL" in process.log()
    assert "Traceback" not in process.log()
