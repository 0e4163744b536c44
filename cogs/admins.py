"""Who may change what all members share: checked here, since Discord lets everybody use a command that anybody may."""

from __future__ import annotations

from collections.abc import Collection

import discord

from core.errors import UserError

NOT_HERE = "Whoever runs this bot lets its webuis be switched from another server only."


def check_admin(interaction: discord.Interaction, what: str, servers: Collection[int] = ()) -> int:
    """The server of somebody who may do `what` there; UserError where they may not.

    `servers`: whose admins may switch webuis; empty: every server's.
    """
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise UserError(f"Only members who may manage this server can {what}.")
    if servers and interaction.guild_id not in servers:
        raise UserError(NOT_HERE)
    return interaction.guild_id
