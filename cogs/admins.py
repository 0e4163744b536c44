"""Who may change what all members share: checked here, since Discord lets everybody use a command that anybody may."""

from __future__ import annotations

from collections.abc import Collection

import discord

from core.errors import UserError

NOT_MEMBER = "I am no member of this server, so that nobody can {what} from here."
NOT_HERE = "Whoever runs this bot lets its webuis be switched from another server only."

NOT_EVERYWHERE = (
    "What holds on every server can only be said on one that whoever runs this bot has named in ADMIN_SERVERS. "
    "Leave it out, and it holds on this one."
)


def check_admin(interaction: discord.Interaction, what: str, servers: Collection[int] = ()) -> int:
    """The server of somebody who may do `what` there; UserError where they may not.

    `servers`: whose admins may switch webuis; empty: every server's.
    """
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise UserError(f"Only members who may manage this server can {what}.")
    if not interaction.is_guild_integration():
        raise UserError(NOT_MEMBER.format(what=what))
    if servers and interaction.guild_id not in servers:
        raise UserError(NOT_HERE)
    return interaction.guild_id


def check_everywhere(guild_id: int, servers: Collection[int]) -> None:
    """UserError unless `servers` names this one: being some server's admin gives nobody a say on the others."""
    if guild_id not in servers:
        raise UserError(NOT_EVERYWHERE)


def may_see_hidden(interaction: discord.Interaction) -> bool:
    """Whether this person is told of checkpoints that are hidden from the members of this server."""
    return manages_server(interaction)


def manages_server(interaction: discord.Interaction) -> bool:
    """Whether this person is one of the server's admins."""
    return interaction.is_guild_integration() and interaction.permissions.manage_guild
