"""`bot.py check` tells in plain words what is missing, and ends with 0 only where a picture could be drawn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import discord
import pytest
from aiohttp import web

from cogs.checkup import check, invite_link
from core import checkup
from core.lock import locked
from core.settings import Settings
from playground.discord import LocalDiscord
from playground.webui import Fault, LocalSdCpp, LocalSdNext, LocalWebui

BOT = Path(__file__).parents[1] / "bot.py"
pytestmark = pytest.mark.usefixtures("own_route")


@pytest.fixture
def own_route(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The checks point discord.py at a stand-in; whether this is a container is not what is tested."""
    monkeypatch.setattr(discord.http.Route, "BASE", discord.http.Route.BASE)
    monkeypatch.setattr(checkup, "CONTAINER_MARK", tmp_path / "none")


@pytest.fixture
async def local() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as local:
        yield local


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    async with LocalWebui() as webui:
        yield webui


def settings(local: LocalDiscord, webuis: str, folder: Path, **others: Any) -> Settings:
    values: dict[str, Any] = {"discord_token": local.token, "discord_api_url": local.api_url, "webui_urls": webuis}
    return Settings(**(values | {"data_dir": folder / "data", "_env_file": None} | others))


async def test_where_all_is_well_it_says_what_the_webui_can_do_and_ends_with_0(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(settings(local, webui.url, tmp_path)) == 0
    output = capsys.readouterr().out
    assert "✗" not in output
    for part in (
        "The token is accepted: Easel",
        "in 1 server.",
        "3 checkpoints. Loaded: dreamLandscapes_v4",
        "CLIP skip",
    ):
        assert part in output
    assert local.token not in output
    assert output.endswith("Start the bot with: python bot.py\n")


async def test_what_a_webui_has_and_can_is_told(
    local: LocalDiscord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LocalWebui(adetailer=True, controlnet=True) as rich, LocalSdCpp() as plain:
        assert await check(settings(local, f"{rich.url},{plain.url}", tmp_path)) == 0
    output = capsys.readouterr().out
    assert "✓ It has 3 LoRAs, 1 VAE, 5 upscalers, 1 style, ADetailer." in output
    assert "LoRAs, choosing a VAE, hires fix, drawing over an image, masks, fixing faces" in output
    assert "fixing faces, refiner, tiling, variations (subseed), ControlNet, choosing a scheduler" in output
    assert "enlarging images, GFPGAN, CodeFormer, describing images" in output
    assert "✓ It follows images by: " in output
    assert "OpenPose" in output
    assert output.count("It follows images by: ") == 1
    assert "✓ It describes images with CLIP, DeepDanbooru." in output
    assert (
        "fixing faces, refiner, distilled CFG, tiling, variations (subseed), ControlNet, enlarging images, GFPGAN, "
        "CodeFormer, describing images. Pictures come without." in output
    )


async def test_of_captions_it_says_that_a_model_makes_them(
    local: LocalDiscord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LocalSdNext() as webui:
        assert await check(settings(local, webui.url, tmp_path)) == 0
    output = capsys.readouterr().out
    assert "✓ It describes images with CLIP, DeepDanbooru, a model for captions." in output
    assert "It follows images by" not in output


async def test_the_operator_s_own_table_and_wildcards_are_checked(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "colours.txt").write_text("red\nblue\n")
    table = tmp_path / "families.toml"
    table.write_text("[family.sdxl]\nsteps = 0\n")
    more = {"wildcards_dir": lists, "families_file": table}
    assert await check(settings(local, webui.url, tmp_path / "data", **more)) == 1
    output = capsys.readouterr().out
    assert "✓ 1 wildcard in WILDCARDS_DIR." in output
    assert "✗" in output.partition("Prompts and checkpoints")[2].partition("\n\n")[0]


async def test_the_invitation_asks_for_what_is_needed_and_no_more(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await check(settings(local, webui.url, tmp_path))
    link = invite_link(local.application_id)
    assert link in capsys.readouterr().out
    asked = parse_qs(urlsplit(link).query)
    permissions = {name for name, has in discord.Permissions(int(asked["permissions"][0])) if has}
    assert asked["scope"] == ["bot applications.commands"]
    assert permissions == {
        "read_messages",
        "send_messages",
        "send_messages_in_threads",
        "attach_files",
        "read_message_history",
    }


async def test_a_refused_token_is_said_and_not_repeated(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(settings(local, webui.url, tmp_path, discord_token="another-secret")) == 1
    output = capsys.readouterr().out
    assert "✗ DISCORD_TOKEN is refused" in output
    assert "another-secret" not in output


async def test_a_discord_out_of_reach_is_said_while_the_rest_is_checked(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings(local, webui.url, tmp_path)
    await local.stop()
    assert await check(chosen) == 1
    output = capsys.readouterr().out
    assert "✗ 127.0.0.1 can't be reached (ClientConnectorError)" in output
    assert "3 checkpoints" in output


async def test_an_interactions_endpoint_url_keeps_commands_away_and_is_said(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user = {"id": "1", "username": "easel", "discriminator": "0", "avatar": None, "bot": True}
    application = {
        "id": "2",
        "name": "Easel",
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "0",
        "flags": 0,
        "owner": user,
        "interactions_endpoint_url": "https://example.com/interactions",
        "approximate_guild_count": 0,
    }

    async def answer(request: web.Request) -> web.Response:
        body = user if request.path.endswith("/users/@me") else application
        return web.Response(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    app = web.Application()
    app.router.add_get("/api/v10/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"
        assert await check(settings(local, webui.url, tmp_path, discord_api_url=url)) == 1
    finally:
        await runner.cleanup()
    output = capsys.readouterr().out
    assert "✗ An Interactions Endpoint URL is set" in output
    assert "! It is in no server yet" in output


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault.NO_API, "start the webui with --api"),
        (Fault.UNAUTHORIZED, "It wants a login"),
    ],
)
async def test_what_is_wrong_with_a_webui_is_said_with_what_mends_it(
    local: LocalDiscord,
    webui: LocalWebui,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fault: Fault,
    sentence: str,
) -> None:
    webui.fault(fault, times=None, route="*")
    assert await check(settings(local, webui.url, tmp_path)) == 1
    output = capsys.readouterr().out
    assert sentence in output
    assert output.endswith("mend what is marked ✗, then check again.\n")


async def test_wrong_credentials_are_said_and_never_shown(
    local: LocalDiscord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LocalWebui(auth=("ada", "right-password")) as guarded:
        right = settings(local, guarded.url, tmp_path)
        wrong = settings(local, guarded.url.replace("right-password", "wrong-password"), tmp_path)
        assert await check(right) == 0
        assert await check(wrong) == 1
    output = capsys.readouterr().out
    assert "It refuses the login in WEBUI_URLS" in output
    assert "password" not in output


async def test_a_webui_without_a_checkpoint_can_draw_nothing(
    local: LocalDiscord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with LocalWebui(checkpoints=()) as empty:
        assert await check(settings(local, empty.url, tmp_path)) == 1
    assert "✗ It answers and has no checkpoint" in capsys.readouterr().out


async def test_one_usable_webui_of_two_is_enough(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(settings(local, f"http://127.0.0.1:9,{webui.url}", tmp_path)) == 0
    output = capsys.readouterr().out
    assert "✗ It can't be reached: nothing listens there." in output
    assert "Webui 2" in output


async def test_a_bot_at_work_on_the_directory_is_said_and_is_no_obstacle(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(tmp_path / "data"):
        assert await check(settings(local, webui.url, tmp_path)) == 0
    assert "! A bot is at work on this directory now" in capsys.readouterr().out


async def test_a_directory_that_cannot_be_written_is_an_obstacle(
    local: LocalDiscord, webui: LocalWebui, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_text("a file")
    assert await check(settings(local, webui.url, tmp_path)) == 1
    assert "✗ DATA_DIR: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("own.db", 0, "✓ The database of DATABASE_URL answers."),
        ("missing/own.db", 1, "✗ DATABASE_URL: The database can't be opened: "),
    ],
)
async def test_a_database_of_ones_own_is_tried(
    local: LocalDiscord,
    webui: LocalWebui,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    status: int,
    sentence: str,
) -> None:
    chosen = settings(local, webui.url, tmp_path, database_url=f"sqlite:///{tmp_path / name}")
    assert await check(chosen) == status
    assert sentence in capsys.readouterr().out


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEBUI_URLS=localhost:7860\nHTTP_PORT=banana\n")
    environment = {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"}
    ended = subprocess.run(
        [sys.executable, str(BOT), "check"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert [line.partition(" ")[0] for line in ended.stderr.splitlines()] == [
        "DISCORD_TOKEN",
        "WEBUI_URLS",
        "HTTP_PORT",
    ]
