"""`/help`: what there is, read from the commands as they are registered, so that it can't go stale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from cogs.answers import NOBODY
from cogs.picture_buttons import ROWS
from cogs.reply import is_member

Registered = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu

DESCRIPTION_ROOM = 3800
FIELD_ROOM = 650
"""Of Discord's 6000 characters in an embed; four fields of a message like this need not be longer."""
START = "I draw pictures from words, on the webuis of whoever runs me. Begin with `/draw`: say what you want to see."
BUTTONS_SAY = "Under a result, for as long as it is there: {}. Of several pictures you choose one."
MENUS_SAY = "*Apps* in the menu of any message, for the images on it: {}."
QUEUE_SAYS = (
    "Everybody who waits gets the same share. A message says when it is your turn and stays true; its button cancels."
)
LIMITS_SAY = (
    "How large, how many and how often is set by whoever runs me. What goes beyond that is brought down to it, and "
    "the answer says so; what can't be done is refused with a reason. Nothing that you typed is lost."
)


class HelpCog(commands.Cog):
    """The overview of all commands of `tree`."""

    def __init__(self, tree: app_commands.CommandTree[Any]) -> None:
        self._tree = tree

    @app_commands.command(name="help", description="What I can do, and how")
    async def help(self, interaction: discord.Interaction) -> None:
        """Answer privately with what can be used here."""
        usable = [command for command in self._tree.get_commands() if _is_usable(command, interaction)]
        await interaction.response.send_message(embed=overview(usable), ephemeral=True, allowed_mentions=NOBODY)


def overview(registered: Sequence[Registered]) -> discord.Embed:
    """All of it, within Discord's limits however many commands there are."""
    lines = [_line(one) for one in registered if not isinstance(one, app_commands.ContextMenu)]
    menus = [f"**{one.name}**" for one in registered if isinstance(one, app_commands.ContextMenu)]
    embed = discord.Embed(title="What I can do", description=_within(f"{START}\n", lines, DESCRIPTION_ROOM))
    buttons = [f"{verb.emoji} {verb.label}" for row in ROWS for verb in row]
    _add(embed, "Buttons", BUTTONS_SAY.format(", ".join(buttons)))
    if menus:
        _add(embed, "Menus", MENUS_SAY.format(", ".join(menus)))
    _add(embed, "The queue", QUEUE_SAYS)
    _add(embed, "Limits", LIMITS_SAY)
    return embed


def _add(embed: discord.Embed, name: str, value: str) -> None:
    embed.add_field(name=name, value=say.cut(value, FIELD_ROOM), inline=False)


def _line(command: app_commands.Command[Any, ..., Any] | app_commands.Group) -> str:
    below = ""
    if isinstance(command, app_commands.Group):
        below = " " + ", ".join(one.name for one in command.commands)
    return f"`/{command.name}{below}` {command.description}"


def _within(head: str, lines: Iterable[str], room: int) -> str:
    """As many whole lines as there is room for, and how many more there are."""
    text, left = head, 0
    for line in lines:
        if left or say.units(text) + 1 + say.units(line) > room:
            left += 1
        else:
            text += f"\n{line}"
    return text if not left else f"{text}\n… and {left} more: type `/`."


def _is_usable(command: Registered, interaction: discord.Interaction) -> bool:
    """Whether Discord offers it here at all; None is the tree's own answer, which is yes."""
    contexts, installs = command.allowed_contexts, command.allowed_installs
    if installs is not None and not installs.user and not is_member(interaction):
        return False
    return interaction.guild_id is not None or contexts is None or contexts.dm_channel
