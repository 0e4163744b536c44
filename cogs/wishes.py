"""`/my` and `/settings`: what people wish for themselves, and admins for their server. No policy is made here."""

from __future__ import annotations

import logging
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from cogs import wished
from cogs.admins import check_admin
from cogs.answers import NOBODY, answer_error
from cogs.reply import Channel, channels_of, guild_of
from core.errors import UserError
from core.preferences import Preferences, parse_span
from core.store.preferences import CHANNEL, PERSON, SERVER

log = logging.getLogger(__name__)

OnOff = Literal["on", "off"]
PLACES = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
    discord.ChannelType.forum,
    discord.ChannelType.public_thread,
    discord.ChannelType.private_thread,
    discord.ChannelType.news_thread,
]
"""Where messages are written; what is not in the bot's cache, too."""


class PlaceTransformer(app_commands.Transformer):
    """A channel or thread that messages are written in."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """As Discord is told."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """As Discord is told."""
        return PLACES

    async def transform(self, interaction: discord.Interaction, value: Channel, /) -> Channel:
        """Nothing has to be looked up: its id is all that is wanted."""
        del interaction
        return value


class WishesCog(commands.Cog):
    """Writes wishes down, and answers privately with what holds after that."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    @app_commands.command(name="my", description="What you wish for yourself; without options: what holds for you here")
    @app_commands.describe(
        metadata="off: pictures that are posted for you do not carry how they were made",
        ping="Mention you once when a job took longer than that: 30s, 2m, 1h; or off",
        sheet="From how many pictures on there is a contact sheet; 0: never",
    )
    async def my(
        self,
        interaction: discord.Interaction,
        metadata: OnOff | None = None,
        ping: str | None = None,
        sheet: app_commands.Range[int, 0, 50] | None = None,
    ) -> None:
        """Change what is said, and show it all."""
        try:
            said: dict[str, str | None] = {"metadata": metadata, "sheet": None if sheet is None else str(sheet)}
            if ping is not None:
                seconds = parse_span(ping)
                said["ping_after"] = "off" if seconds is None else f"{seconds:g}"
            person = str(interaction.user.id)
            await self._put(PERSON, person, said)
            guild = guild_of(interaction)
            wishes = await self._preferences.of(person, (), guild)
            text = wished.of_person(wishes)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @app_commands.command(name="settings", description="What holds on this server (for members who may manage it)")
    @app_commands.describe(
        buttons="Who may use the buttons under a picture: its owner, or anyone, for copies of their own",
        metadata="required: posted pictures carry how they were made, whatever a person wishes",
        preview="Whether half-done pictures are shown",
        preview_channel="Where that holds for the preview; else in all that were not named so",
        sheet="From how many pictures on there is a contact sheet; 0: never",
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def settings(
        self,
        interaction: discord.Interaction,
        buttons: Literal["owner", "anyone"] | None = None,
        metadata: Literal["required", "free"] | None = None,
        preview: OnOff | None = None,
        preview_channel: app_commands.Transform[Channel, PlaceTransformer] | None = None,
        sheet: app_commands.Range[int, 0, 50] | None = None,
    ) -> None:
        """Change what is said, and show it all."""
        try:
            guild = str(check_admin(interaction, "say what holds on it"))
            where = channels_of(interaction, preview_channel)
            said: dict[str, str | None] = {"press": buttons, "sheet": None if sheet is None else str(sheet)}
            if metadata is not None:
                said["require_metadata"] = "on" if metadata == "required" else "off"
            if preview_channel is None:
                said["preview"] = preview
            else:
                await self._put(CHANNEL, where[0], {"preview": preview})
            if await self._put(SERVER, guild, said) or preview is not None:
                facts = {"person": interaction.user.id, "server": interaction.guild_id}
                log.info("a server's settings were changed", extra=facts)
            text = await self._of_server(guild, where)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    async def _put(self, scope: str, whose: str, said: dict[str, str | None]) -> bool:
        """Whether anything was said: what was not stays as it was."""
        changes = {name: value for name, value in said.items() if value is not None}
        if changes:
            await self._preferences.put(scope, whose, changes)
        return bool(changes)

    async def _of_server(self, guild: str, where: tuple[str, ...]) -> str:
        server, here = await self._preferences.of("", (), guild), await self._preferences.of("", where, guild)
        return wished.of_server(server, where[0], here)
