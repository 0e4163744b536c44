"""Fixtures: a local Discord, a plain HTTP client for it, and a real discord.py client in the same loop."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands

from playground.discord import File, Interaction, LocalDiscord, Member

_DOCUMENT = Path(os.environ.get("DISCORD_OPENAPI", "../shared/contracts/discord-openapi.json"))
_FOUND = _DOCUMENT if _DOCUMENT.exists() else None
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000030000000208020000001216f14d0000000b49444154789c63601806000000480001"
)


@pytest.fixture
def document() -> Path:
    if not _DOCUMENT.exists():
        pytest.skip("Discord's OpenAPI document is not there")
    return _DOCUMENT


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    """A Discord whose every exchange is checked at the end, where the document is there."""
    async with LocalDiscord(openapi=_FOUND) as local:
        yield local
    assert local.violations == []


@pytest.fixture
async def lenient() -> AsyncIterator[LocalDiscord]:
    """A Discord for requests that are wrong on purpose: the document is not asked."""
    async with LocalDiscord() as local:
        yield local


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, JSON and headers of one answer."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        return int(self.body["code"])


class Rest:
    """The REST API without a library in between."""

    def __init__(self, session: aiohttp.ClientSession, server: LocalDiscord) -> None:
        self._session = session
        self._server = server

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        files: list[File] | None = None,
        token: str | None = "",
    ) -> Reply:
        """`token` is the bot's unless another one, or None for none, is given."""
        headers = {} if token is None else {"Authorization": f"Bot {token or self._server.token}"}
        data: Any = None
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(body or {}), content_type="application/json")
            for index, file in enumerate(files):
                kind = "application/octet-stream"
                form.add_field(f"files[{index}]", file.data, filename=file.filename, content_type=kind)
            data = form
        elif body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        url = self._server.api_url + path
        async with self._session.request(method, url, data=data, headers=headers) as response:
            raw = await response.read()
            parsed = json.loads(raw) if raw else None
            return Reply(response.status, parsed, dict(response.headers))

    async def register(self, *commands: dict[str, Any]) -> Reply:
        return await self("PUT", f"/applications/{self._server.application_id}/commands", list(commands))

    async def say(self, body: dict[str, Any], files: list[File] | None = None) -> Reply:
        """A message in the default channel."""
        return await self("POST", f"/channels/{self._server.channel.id}/messages", body, files=files)

    async def answer(
        self, interaction: Interaction, kind: int, data: Any = None, files: list[File] | None = None
    ) -> Reply:
        path = f"/interactions/{interaction.id}/{interaction.token}/callback?with_response=true"
        body = {"type": kind} if data is None else {"type": kind, "data": data}
        return await self("POST", path, body, files=files, token=None)

    async def webhook(
        self,
        method: str,
        interaction: Interaction,
        tail: str = "",
        body: Any = None,
        files: list[File] | None = None,
    ) -> Reply:
        path = f"/webhooks/{self._server.application_id}/{interaction.token}{tail}"
        return await self(method, path, body, files=files, token=None)


@pytest.fixture
async def rest(server: LocalDiscord) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession() as session:
        yield Rest(session, server)


@pytest.fixture
async def careless(lenient: LocalDiscord) -> AsyncIterator[Rest]:
    """A client of the Discord that does not look into the document."""
    async with aiohttp.ClientSession() as session:
        yield Rest(session, lenient)


@pytest.fixture
def ada(server: LocalDiscord) -> Member:
    return server.member("ada")


def command(name: str = "draw", **more: Any) -> dict[str, Any]:
    """The registration of a slash command."""
    return {"name": name, "description": "Make a picture", "type": 1} | more


class Bot(discord.Client):
    """A client as the bot is one: commands only, no message content."""

    def __init__(self, **further: bool) -> None:
        super().__init__(intents=discord.Intents(guilds=True, **further), guild_ready_timeout=0.05)
        self.tree: app_commands.CommandTree[Bot] = app_commands.CommandTree(self)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The five seconds a client waits between two IDENTIFYs would only be slow here."""


StartBot = Callable[[Bot], Any]


@pytest.fixture
async def start_bot(server: LocalDiscord, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StartBot]:
    """Runs a client against the local Discord until the test ends."""
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    async with AsyncExitStack() as stack:

        async def start(bot: Bot) -> None:
            task = asyncio.create_task(bot.start(server.token))

            async def end() -> None:
                await bot.close()
                await task

            stack.push_async_callback(end)
            await server.wait_for_bot()

        yield start
