"""From the settings to being online: mistakes are named, troubles waited out, commands registered once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.bot_process import ENTRY, BotProcess
from tests.e2e.conftest import OpenStage, cheap_webui
from tests.e2e.harness import START_SECONDS, until

SECONDS = 20.0


async def refused(bot: BotProcess) -> str:
    """Start a bot that can't run; what it says of that."""
    await bot.spawn()
    assert await bot.ended(SECONDS) == 2
    assert "Traceback" not in bot.log()
    return bot.log()


async def test_three_mistakes_are_named_at_once(tmp_path: Path) -> None:
    mistakes = "DISCORD_TOKEN=two words\nWEBUI_URLS=gpu-box:7860\nHTTP_PORT=banana\n"
    (tmp_path / ".env").write_text(mistakes)
    said = await refused(BotProcess(tmp_path, {}))
    assert [name for name in ("DISCORD_TOKEN", "WEBUI_URLS", "HTTP_PORT") if name in said] == [
        "DISCORD_TOKEN",
        "WEBUI_URLS",
        "HTTP_PORT",
    ]
    assert "two words" not in said


async def test_a_token_that_is_missing_is_named(tmp_path: Path) -> None:
    assert "DISCORD_TOKEN is not set" in await refused(BotProcess(tmp_path, {}))


async def test_a_token_that_discord_refuses_is_named(new_stage: OpenStage) -> None:
    stage = await new_stage(start=False, DISCORD_TOKEN="another-token")
    assert "DISCORD_TOKEN is refused" in await refused(stage.bot)
    stage.begin()


@pytest.mark.parametrize("kind", ["a file is there", "no permission"])
async def test_a_data_directory_that_can_not_be_written_is_named(new_stage: OpenStage, kind: str) -> None:
    stage = await new_stage(start=False)
    if kind == "a file is there":
        stage.bot.data_dir.write_text("not a folder")
    elif os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    else:
        stage.bot.data_dir.mkdir(mode=0o500)
    assert "DATA_DIR" in await refused(stage.bot)
    stage.begin()


async def test_a_second_bot_on_the_same_data_is_refused_and_the_first_unharmed(
    new_stage: OpenStage, tmp_path: Path
) -> None:
    stage = await new_stage()
    stage.webui.hold()
    interaction = await stage.draw(size="64x64")
    await stage.answered(interaction)
    (tmp_path / "second").mkdir()
    second = BotProcess(tmp_path / "second", stage.bot.settings | {"DATA_DIR": str(stage.bot.data_dir)})
    assert "another Easel is running" in await refused(second)
    stage.webui.release()
    await stage.delivered(interaction)
    stage.arrived_once(interaction)


async def test_commands_are_registered_once_and_again_when_discord_lost_them(new_stage: OpenStage) -> None:
    stage = await new_stage()
    await stage.restart()
    assert stage.discord.command_puts == 1
    await stage.kill()
    url = f"{stage.discord.api_url}/applications/{stage.discord.application_id}/commands"
    headers = {"Authorization": f"Bot {stage.discord.token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.put(url, json=[]) as response:
        assert response.status == 200
    puts = stage.discord.command_puts
    await stage.start()
    assert stage.discord.command_puts == puts + 1
    await stage.drawn(size="64x64")


@pytest.mark.parametrize(
    ("method", "path", "trouble"),
    [
        ("GET", "/users/@me$", {"drop": True}),
        ("GET", "/oauth2/", {"status": 503}),
        ("PUT", "/commands$", {"drop": True}),
        ("PUT", "/commands$", {"status": 503}),
        ("GET", "/gateway/bot$", {"status": 503}),
    ],
)
async def test_trouble_at_discord_while_starting_is_waited_out(
    new_stage: OpenStage, method: str, path: str, trouble: dict[str, Any]
) -> None:
    stage = await new_stage(start=False)
    stage.discord.fail(method, path, times=3, **trouble)
    await stage.start()
    await stage.drawn(size="64x64")


async def test_discord_may_come_later_than_the_bot(new_stage: OpenStage) -> None:
    stage = await new_stage(start=False)
    await stage.discord.stop()
    await stage.bot.spawn()
    await until(lambda: "can't be reached" in stage.bot.log(), SECONDS, "the bot to look for Discord")
    await stage.discord.start()
    await stage.discord.wait_for_bot(START_SECONDS)
    await stage.drawn(size="64x64")


async def test_health_and_metrics_are_served(new_stage: OpenStage, unused_tcp_port: int) -> None:
    stage = await new_stage(HTTP_PORT=str(unused_tcp_port))
    await stage.drawn(size="64x64")
    await until(lambda: "online as" in stage.bot.log(), SECONDS, "the bot to be ready")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{unused_tcp_port}") as session:
        async with session.get("/healthz") as response:
            assert (response.status, await response.json()) == (200, {"discord": True, "dispatcher": True})
        async with session.get("/metrics") as response:
            metrics = await response.text()
    assert "easel_jobs_submitted_total 1.0" in metrics
    assert 'easel_jobs_ended_total{state="done"}' in metrics
    assert "easel_webuis_up 1.0" in metrics


async def test_a_port_that_is_taken_is_named(new_stage: OpenStage) -> None:
    stage = await new_stage(start=False)
    stage.bot.settings["HTTP_PORT"] = str(stage.discord.port)
    said = await refused(stage.bot)
    assert "HTTP_PORT" in said
    stage.begin()


async def test_credentials_in_the_url_are_used_and_never_shown(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(auth=("studio", "p@ss word/9")))
    await stage.drawn(size="64x64")
    assert "p@ss" not in stage.bot.log()


async def test_a_webui_below_a_path_is_found(new_stage: OpenStage) -> None:
    stage = await new_stage(cheap_webui(base_path="/sd"))
    await stage.drawn(size="64x64")


async def test_the_process_can_be_imported_without_doing_anything() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import bot", cwd=ENTRY.parent)
    assert await process.wait() == 0
