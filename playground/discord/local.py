"""The whole local Discord in one object: a server on loopback and the hands of its members."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import web

from playground.discord import wire
from playground.discord.accounts import Accounts
from playground.discord.acting import Acting
from playground.discord.api import BASE, CDN, Api
from playground.discord.callbacks import Callbacks
from playground.discord.channels import Channels
from playground.discord.commands import Commands
from playground.discord.elsewhere import Elsewhere
from playground.discord.gateway import GUILDS, Gateway
from playground.discord.interaction import Choice, Interaction
from playground.discord.memory import Memory, Request
from playground.discord.messages import File, Json, Message, Upload
from playground.discord.openapi import OpenApiCheck
from playground.discord.places import Channel, Guild, Member, Permission, Role
from playground.discord.posting import Origin, Posting
from playground.discord.pressing import Pressing
from playground.discord.reacting import Reacting
from playground.discord.rules import Rules
from playground.discord.starting import Starting
from playground.discord.webhooks import Webhooks
from playground.serving import serve, stop_serving

T = TypeVar("T")

_HOST: Final = "127.0.0.1"
_MAX_BODY: Final = 512 * 2**20
_BACKLOG: Final = 1024
"""Above the default of 128: two hundred answers at once would else wait a second for a repeated SYN."""
_SHUTDOWN_SECONDS: Final = 0.5


class LocalDiscord(Elsewhere, Reacting):
    """A Discord for one bot. Start it, point the bot's `DISCORD_API_URL` at `api_url`, and act as its members.

    Args:
        rules: times and sizes; may be replaced at any moment through `rules`.
        openapi: Discord's OpenAPI document; without it `violations` stays empty.
        token: the bot token that is accepted.
        heartbeat_seconds: what HELLO asks for; two missed heartbeats close the connection.
    """

    def __init__(
        self,
        *,
        rules: Rules | None = None,
        openapi: Path | None = None,
        token: str = "playground-token",  # noqa: S107 - opens nothing but this stand-in
        heartbeat_seconds: float = 41.25,
    ) -> None:
        memory = Memory(rules or Rules(), token)
        gateway = Gateway(memory, heartbeat_seconds)
        self._posting = posting = Posting(memory, gateway)
        starting = Starting(memory, gateway)
        self._acting = Acting(memory, starting)
        self._pressing = Pressing(starting)
        self._openapi = OpenApiCheck(openapi) if openapi is not None else None
        parts = (
            Accounts(memory, gateway),
            Commands(memory),
            Callbacks(memory, posting),
            Webhooks(memory, posting),
            Channels(memory, posting),
        )
        self._api = Api(memory, [route for part in parts for route in part.routes()], self._openapi)
        super().__init__(memory, gateway, self._api.faults)
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self.port = 0
        self.guild = memory.new_guild("Studio")
        self.channel = memory.new_channel(self.guild, "studio")

    async def start(self, port: int = 0) -> None:
        """Listens on loopback; started again, on the port it had before, with all it remembers."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_get("/", self._gateway.serve)
        for prefix in (BASE, CDN.rstrip("/")):
            app.router.add_route("*", prefix + "/{tail:.*}", self._api.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        self._listener, self.port = await serve(self._runner, _HOST, port or self.port, _BACKLOG)
        self._memory.base_url = f"http://{_HOST}:{self.port}"

    async def stop(self) -> None:
        if self._runner is not None and self._listener is not None:
            await self._gateway.close_all()
            await stop_serving(self._runner, self._listener)
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        return f"http://{_HOST}:{self.port}{BASE}"

    @property
    def gateway_url(self) -> str:
        return self._gateway.url

    @property
    def token(self) -> str:
        return self._memory.token

    @property
    def application_id(self) -> int:
        return self._memory.application_id

    @property
    def bot_user_id(self) -> int:
        return self._memory.bot_user_id

    @property
    def rules(self) -> Rules:
        return self._memory.rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._memory.rules = rules

    @property
    def commands(self) -> dict[str, Json]:
        """Registered commands by name."""
        return {command["name"]: command for command in self._memory.commands.values()}

    @property
    def command_puts(self) -> int:
        return self._memory.command_puts

    @property
    def requests(self) -> list[Request]:
        return self._memory.requests

    @property
    def interactions(self) -> list[Interaction]:
        """All there ever were, oldest first."""
        return list(self._memory.interactions.values())

    @property
    def uploads(self) -> list[Upload]:
        """One entry for each file that appeared on a message that did not have it."""
        return self._memory.uploads

    @property
    def violations(self) -> list[str]:
        """What the bot sent, or was sent, against the OpenAPI document; checked when this is read."""
        return self._openapi.violations if self._openapi is not None else []

    @property
    def identifies(self) -> int:
        return self._gateway.identifies

    @property
    def resumes(self) -> int:
        return self._gateway.resumes

    @property
    def connected(self) -> bool:
        return self._gateway.connected()

    def add_guild(self, name: str, *, locale: str = "en-US") -> Guild:
        guild = self._memory.new_guild(name, locale=locale)
        members = len(self._memory.members) + 1
        payload = wire.guild_json(guild, self._memory.bot_user, members)
        self._gateway.dispatch("GUILD_CREATE", payload, intent=GUILDS)
        return guild

    def add_role(self, name: str, *members: Member) -> Role:
        """A role of the first guild, and who has it."""
        role = self._memory.new_role(self.guild, name, members)
        data = {"guild_id": str(self.guild.id), "role": wire.role_json(role.id, name)}
        self._gateway.dispatch("GUILD_ROLE_CREATE", data, intent=GUILDS)
        return role

    def add_channel(
        self, name: str, *, guild: Guild | None = None, permissions: Permission | None = None, nsfw: bool = False
    ) -> Channel:
        """A text channel; `permissions` are the bot's there (default: the ordinary ones)."""
        channel = self._memory.new_channel(guild or self.guild, name)
        channel.nsfw = nsfw
        if permissions is not None:
            channel.permissions = permissions
        self._tell_channel("CHANNEL_CREATE", channel)
        return channel

    def set_permissions(self, channel: Channel, permissions: Permission) -> None:
        channel.permissions = permissions
        self._tell_channel("CHANNEL_UPDATE", channel)

    def delete_channel(self, channel: Channel) -> None:
        channel.deleted = True
        self._tell_channel("CHANNEL_DELETE", channel)

    def _tell_channel(self, event: str, channel: Channel) -> None:
        payload = wire.channel_json(channel, self._memory.bot_user_id)
        self._gateway.dispatch(event, payload, intent=GUILDS)
        self._memory.changed()

    def member(self, name: str, *, dms_open: bool = True, locale: str = "en-US", administrator: bool = False) -> Member:
        """The person of that name; the other arguments count when they are new."""
        for known in self._memory.members.values():
            if known.name == name:
                return known
        member = self._memory.new_member(name)
        member.dms_open, member.locale, member.administrator = dms_open, locale, administrator
        return member

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """Messages of a channel (default: the first), oldest first, ephemeral ones too, deleted ones not."""
        place = channel or self.channel
        return [one for one in self._memory.messages.values() if one.channel is place and not one.deleted]

    async def wait_for_bot(self, timeout: float = 30.0, *, identifies: int = 1) -> None:
        """Until a session is connected, after that many identifies in all, and commands are registered."""

        def ready() -> bool:
            return self.connected and self.identifies >= identifies and bool(self._memory.commands)

        await self.until(ready, timeout=timeout, what="the bot to be connected with its commands registered")

    async def until(self, condition: Callable[[], T | None], timeout: float = 30.0, what: str = "a condition") -> T:
        """The first truthy value of `condition`, which is asked again after every change of this Discord.

        What the condition looks at must be here: nothing tells this Discord that something else has changed.

        Raises:
            TimeoutError: with `what` and the last requests of the bot.
        """
        return await self._memory.until(condition, timeout=timeout, what=what)

    async def slash(
        self,
        member: Member,
        command: str,
        /,
        *,
        channel: Channel | None = None,
        files: dict[str, bytes | File] | None = None,
        **options: Any,
    ) -> Interaction:
        """Sends a slash command and returns at once; `files` are attachment options; None is not given.

        Raises:
            NotSendable: the member's client would have refused.
        """
        return self._acting.slash(member, command, channel or self.channel, options | (files or {}))

    async def autocomplete(
        self,
        member: Member,
        command: str,
        option: str,
        typed: str | float,
        /,
        *,
        channel: Channel | None = None,
        **others: Any,
    ) -> list[Choice]:
        place = channel or self.channel
        return await self._acting.autocomplete(member, command, place, option, typed, others)

    async def press(self, member: Member, message: Message, custom_id: str) -> Interaction:
        return self._pressing.press(member, message, custom_id)

    async def select(self, member: Member, message: Message, custom_id: str, values: Sequence[str]) -> Interaction:
        return self._pressing.select(member, message, custom_id, values)

    async def submit(self, member: Member, opener: Interaction, values: dict[str, Any]) -> Interaction:
        """Submits the modal that answered `opener`; files are lists of `File` or bytes."""
        return self._pressing.submit(member, opener, values)

    async def message_menu(self, member: Member, name: str, message: Message) -> Interaction:
        return self._acting.message_menu(member, name, message)

    async def user_menu(self, member: Member, name: str, target: Member, channel: Channel | None = None) -> Interaction:
        return self._acting.user_menu(member, name, target, channel or self.channel)

    def say(self, member: Member, content: str, files: Sequence[File] = (), channel: Channel | None = None) -> Message:
        """An ordinary message of a person."""
        place = channel or self.channel
        return self._posting.create(place, {"content": content}, files, Origin(author_id=member.id))
