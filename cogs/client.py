"""The Discord client: logs in, registers commands when their definition changed, and routes what people do."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable

import discord
import stamina
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket

from cogs.answers import NOBODY, AnsweringTree
from cogs.places import is_transient
from core.jobs.patience import on_database
from core.store.facts import Facts

log = logging.getLogger(__name__)

INTENTS = discord.Intents(guilds=True, guild_reactions=True, dm_reactions=True)
"""Slash commands, buttons and attachments need `guilds` alone, ❌ and ✉️ below results the reactions; none of the
privileged ones is asked for."""
COMMANDS_FACT = "commands"


class EaselClient(commands.AutoShardedBot):
    """discord.py's client with Easel's tree. `on_login` runs once logged in, before any interaction arrives.

    The gateway is asked from `GET /gateway/bot`, which also says how many shards to open where nobody else did.
    """

    def __init__(
        self,
        *,
        facts: Facts,
        on_login: Callable[[EaselClient], Awaitable[None]],
        shard_ids: list[int] | None = None,
        shard_count: int | None = None,
    ) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=INTENTS,
            allowed_mentions=NOBODY,
            tree_cls=AnsweringTree,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            max_messages=None,
            chunk_guilds_at_startup=False,
            shard_ids=shard_ids,  # type: ignore[arg-type]  # the library's own default is None
            shard_count=shard_count,
        )
        self._facts = facts
        self._on_login = on_login
        self._connected_shards: set[int] = set()

    @property
    def is_connected(self) -> bool:
        """Whether a session stands right now; `is_ready` stays true once it has been."""
        return bool(self._connected_shards)

    async def setup_hook(self) -> None:
        """Everything is ready before the gateway is opened: interactions may arrive before on_ready."""
        await self._on_login(self)
        await self._register_commands()

    async def launch_shards(self) -> None:
        """Called by discord.py, which asks for the gateway only where nobody said how many shards there are."""
        if self.shard_count is not None:
            _, address, _ = await self.http.get_bot_gateway()
            DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(address)
        await super().launch_shards()

    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        """Called by discord.py, which would look for Discord's own gateway whenever a session can't be resumed."""
        DiscordWebSocket.DEFAULT_GATEWAY = gateway
        await super().launch_shard(gateway, shard_id, initial=initial)

    async def on_ready(self) -> None:
        """Said once a session stands."""
        log.info("online as %s in %d servers", self.user, len(self.guilds))

    async def on_shard_connect(self, shard_id: int) -> None:
        """A new session of this shard stands."""
        self._connected_shards.add(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """This shard's session goes on."""
        self._connected_shards.add(shard_id)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """This shard's connection has ended; the library reconnects."""
        self._connected_shards.discard(shard_id)

    async def _register_commands(self) -> None:
        """PUT the commands when their definition changed, or when Discord has lost them; wait out its troubles."""
        definition = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        digest = hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()
        try:
            async for attempt in stamina.retry_context(on=is_transient, attempts=None, timeout=None, wait_max=30.0):
                with attempt:
                    await self._register(digest)
        except discord.HTTPException as error:
            log.warning("commands could not be registered: %s", error.text, extra={"code": error.code})

    async def _register(self, digest: str) -> None:
        fact = f"{COMMANDS_FACT}:{self.application_id}"
        if await on_database(self._facts.fetch, fact) == digest and await self._are_registered():
            log.info("commands are registered already")
            return
        await self.tree.sync()
        await on_database(self._facts.keep, fact, digest)
        log.info("commands registered")

    async def _are_registered(self) -> bool:
        known = {command.name for command in await self.tree.fetch_commands()}
        return known == {command.name for command in self.tree.get_commands()}
