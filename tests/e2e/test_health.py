"""What a container engine is told while Discord is gone."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.e2e.conftest import OpenStage

SECONDS = 40.0


async def test_a_bot_without_discord_is_not_well_until_it_is_back(new_stage: OpenStage, unused_tcp_port: int) -> None:
    stage = await new_stage(HTTP_PORT=str(unused_tcp_port))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as session:

        async def becomes(status: int, *, discord: bool) -> None:
            async with asyncio.timeout(SECONDS):
                while True:
                    async with session.get("/healthz") as response:
                        said = await response.json()
                        if response.status == status and said["discord"] is discord:
                            return
                    await asyncio.sleep(0.05)  # the engine polls too

        await becomes(200, discord=True)
        stage.expected_errors = ("Attempting a reconnect",)  # the library's own words for it
        await stage.discord.stop()
        await becomes(503, discord=False)
        await stage.discord.start()
        await becomes(200, discord=True)
