"""The overview is within Discord's limits, and says what is registered, whatever that is."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.help import overview
from cogs.picture_buttons import ROWS


def command(name: str, description: str = "Does something") -> app_commands.Command[Any, ..., Any]:
    async def callback(interaction: discord.Interaction) -> None:
        """Never called."""

    return app_commands.Command(name=name, description=description, callback=callback)


def menu(name: str) -> app_commands.ContextMenu:
    async def callback(interaction: discord.Interaction, message: discord.Message) -> None:
        """Never called."""

    return app_commands.ContextMenu(name=name, callback=callback)


def test_everything_that_is_registered_is_named() -> None:
    group = app_commands.Group(name="preset", description="What you saved")
    group.add_command(command("save"))
    group.add_command(command("use"))
    shown = overview([command("draw", "Draw a picture"), group, menu("Upscale")])
    assert "`/draw` Draw a picture" in (shown.description or "")
    assert "`/preset save, use` What you saved" in (shown.description or "")
    fields = {field.name: field.value or "" for field in shown.fields}
    assert "**Upscale**" in fields["Menus"]
    named = fields["Buttons"].partition(": ")[2].partition(". ")[0].split(", ")
    assert named == [f"{verb.emoji} {verb.label}" for row in ROWS for verb in row]
    assert "whoever runs me" in fields["Limits"]


def test_no_number_of_commands_breaks_a_limit() -> None:
    many = [command(f"{'x' * 28}{number}", "d" * 100) for number in range(100)]
    shown = overview([*many, *(menu(f"{'m' * 30}{number}") for number in range(5))])
    assert len(shown) <= 6000
    assert len(shown.description or "") <= 4096
    assert all(len(field.value or "") <= 1024 for field in shown.fields)
    assert "more: type `/`." in (shown.description or "")
    first = (shown.description or "").count("`/x")
    assert f"… and {100 - first} more" in (shown.description or "")
