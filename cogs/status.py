"""`/status`: what every webui is doing; admins pause, drain and resume them. It makes no policy but who may."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial
from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from cogs import pages
from cogs.admins import check_admin, may_see_hidden
from cogs.answers import NOBODY, answer_error
from core.errors import UserError
from core.notes import CheckpointNotes
from core.studio import Studio
from core.webui.catalog import find_checkpoint
from core.webui.names import shorten
from core.webui.pool import BackendView, Mode

log = logging.getLogger(__name__)

ACTIONS = {"pause": Mode.PAUSED, "drain": Mode.DRAINING, "resume": Mode.OPEN}
SWITCH = "pause, drain or resume a webui"


class StatusCog(commands.Cog):
    """The webuis. `servers`: whose admins may switch them; empty: every server's."""

    def __init__(self, studio: Studio, servers: Collection[int] = (), notes: CheckpointNotes | None = None) -> None:
        self._studio = studio
        self._notes = notes
        self._servers = frozenset(servers)

    @app_commands.command(
        name="status", description="What the webuis are doing; admins can pause, drain and resume one"
    )
    @app_commands.describe(
        webui="Which one (for admins)",
        action="pause: no new pictures; drain: to switch it off; resume (for admins)",
    )
    async def status(
        self,
        interaction: discord.Interaction,
        webui: str | None = None,
        action: Literal["pause", "drain", "resume"] | None = None,
    ) -> None:
        """Show them all, or change one."""
        try:
            if webui is None and action is None:
                hidden = partial(self._is_hidden, interaction)
                text = pages.status(self._studio.webuis(), self._studio.waiting, self._studio.explain(), hidden)
            else:
                text = await self._switch(interaction, webui, action)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @status.autocomplete("webui")
    async def complete_webui(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The webuis by the names that people read."""
        names = [view.name for view in self._studio.webuis() if typed.strip().casefold() in view.name.casefold()]
        return [app_commands.Choice(name=shorten(name), value=shorten(name)) for name in names[:25]]

    async def _switch(self, interaction: discord.Interaction, webui: str | None, action: str | None) -> str:
        guild_id = check_admin(interaction, SWITCH, self._servers)
        if action is None:
            raise UserError("Say what to do with it: pause, drain or resume.")
        views = self._find(webui)
        for view in views:
            await self._studio.set_mode(view.key, ACTIONS[action])
        facts = {"person": interaction.user.id, "server": guild_id, "webui": views[0].name}
        log.info("a webui's mode was set: %s", action, extra=facts)
        return pages.switched(next((view for view in views if view.job_id is not None), views[0]), ACTIONS[action])

    def _is_hidden(self, interaction: discord.Interaction, title: str) -> bool:
        """Whether this person is not to read of that checkpoint."""
        guild, catalog = interaction.guild_id, self._studio.get_catalog()
        found = None if catalog is None else find_checkpoint(catalog, title)
        if self._notes is None or catalog is None or found is None or may_see_hidden(interaction):
            return False
        return self._notes.naming(None if guild is None else str(guild), catalog).is_hidden(found)

    def _find(self, wanted: str | None) -> list[BackendView]:
        """The webuis of that name: a worker may have been made anew. The only one where none is named."""
        views = self._studio.webuis()
        if wanted is None and len(views) == 1:
            return [views[0]]
        found = [view for view in views if wanted and wanted.strip().casefold() == shorten(view.name).casefold()]
        if found:
            return found
        names = ", ".join(view.name for view in views)
        raise UserError(f"Say which webui: {names}." if names else "No webui is connected.")
