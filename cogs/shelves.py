"""Presets by the names that people type: found, and offered while they type. It decides nothing."""

from __future__ import annotations

import discord

from cogs.completing import Offers, offer
from cogs.reply import guild_of
from core.errors import UserError
from core.preset_desk import PresetDesk
from core.presets import Shelf, offers
from core.request import GenerationRequest


async def find_preset(
    desk: PresetDesk | None, interaction: discord.Interaction, named: str | None
) -> GenerationRequest | None:
    """What is kept under that name; None where none is named, UserError where there is none of that name."""
    if desk is None or named is None or not named.strip():
        return None
    return (await desk.find(named, str(interaction.user.id), guild_of(interaction))).request


async def offer_presets(
    desk: PresetDesk | None, interaction: discord.Interaction, typed: str, *, mine_alone: bool = False
) -> Offers:
    """One's own, then the server's unless `mine_alone`; none while the database is away: there is nowhere to say it."""
    if desk is None:
        return []
    try:
        shelf = await desk.shelf(str(interaction.user.id), guild_of(interaction))
    except UserError:
        return []
    return offer(offers(Shelf(mine=shelf.mine) if mine_alone else shelf, typed))
