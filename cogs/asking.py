"""What `/draw` and its kin have in common: offers for their options, and a request's way to its reply.

No policy and no HTTP is made here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from msgspec import UNSET

from cogs import say
from cogs.answers import NOBODY
from cogs.buttons import cancel_view
from cogs.completing import Offers, offer, offer_extra, offer_last, offer_names
from cogs.delivery import DiscordDelivery
from cogs.edits import TROUBLE
from cogs.late import warned
from cogs.reply import ReplyAddress, guild_of
from cogs.shelves import offer_presets
from core.errors import UserError
from core.intake import Intake
from core.jobs.model import Origin, Ticket
from core.notes import CheckpointNotes
from core.preferences import Preferences
from core.preset_desk import PresetDesk
from core.request import GenerationRequest
from core.size import suggest_sizes
from core.studio import Order, Studio
from core.webui.names import Choice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What it takes to ask for pictures. `weights` are people's shares by the ids of their roles."""

    studio: Studio
    delivery: DiscordDelivery
    intake: Intake
    weights: Mapping[int, float] = field(default_factory=dict)
    notes: CheckpointNotes | None = None
    presets: PresetDesk | None = None
    wishes: Preferences | None = None


class AskingCog(commands.Cog):
    """The base of cogs whose commands ask for pictures. `takes_ways`: whether its `extra` takes core.extra.WAYS."""

    takes_ways = False

    def __init__(self, desk: Desk) -> None:
        self._studio = desk.studio
        self._notes = desk.notes
        self._wishes = desk.wishes
        self._intake = desk.intake
        self._delivery = desk.delivery
        self._weights = desk.weights
        self._presets = desk.presets

    async def complete_size(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Shapes with their pixels, and popular sizes."""
        return [app_commands.Choice(name=offer, value=offer.rpartition(" ")[2]) for offer in suggest_sizes(typed)]

    async def complete_checkpoint(self, interaction: discord.Interaction, typed: str) -> Offers:
        """The checkpoints of all webuis, by this server's names for them first."""
        return offer(self._checkpoints(interaction, typed))

    def _checkpoints(self, interaction: discord.Interaction, typed: str) -> list[Choice]:
        catalog = self._studio.get_catalog()
        if catalog is None or self._notes is None:
            return [] if catalog is None else catalog.checkpoint_names.choices(typed)
        guild = guild_of(interaction)
        return self._notes.offers(guild, catalog, typed)

    async def complete_sampler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The samplers of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.sampler_names, typed)

    async def complete_scheduler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The schedulers of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.scheduler_names, typed)

    async def complete_styles(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their saved styles, one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.style_names, typed)

    async def complete_loras(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their LoRAs, one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.lora_names, typed, weighted=True)

    async def complete_vae(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their VAEs, and Forge's modules one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.vae_names, typed)

    async def complete_hires_upscaler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their upscalers."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.assets.upscaler_names, typed)

    async def complete_extra(self, interaction: discord.Interaction, typed: str) -> Offers:
        """The word that is being typed, and its value."""
        checkpoints = partial(self._checkpoints, interaction)
        addresses = self._intake.takes_addresses
        return offer_extra(self._studio.get_catalog(), typed, checkpoints, addresses=addresses, ways=self.takes_ways)

    async def complete_preset(self, interaction: discord.Interaction, typed: str) -> Offers:
        """One's own presets, then the server's."""
        return await offer_presets(self._presets, interaction, typed)

    async def submit(
        self,
        interaction: discord.Interaction,
        request: GenerationRequest,
        reply: ReplyAddress,
        origin: Origin | None = None,
    ) -> None:
        """The row first, then the reply; until the reply is out nothing else writes to the job's message."""
        request = await self._with_sheet(interaction, request)
        order = replace(self._order(interaction, str(interaction.id), request, reply), origin=origin)
        async with self._delivery.turn(order.job_id):
            ticket = await self._studio.submit(order)
            message_id = None if ticket is None else await _reply(interaction, ticket, reply)
            if ticket is not None and message_id is not None:
                await self._studio.note_message(ticket, str(message_id))

    async def submit_further(
        self, interaction: discord.Interaction, request: GenerationRequest, reply: ReplyAddress
    ) -> None:
        """One more job of an interaction that has its reply: a message first, whose id is the job's, then the row.

        UserError as for the first, and where Discord takes no further message; there is no trace of it then.
        """
        request = await self._with_sheet(interaction, request)
        try:
            message = await interaction.followup.send(
                "One moment …", ephemeral=request.private, allowed_mentions=NOBODY, wait=True
            )
        except TROUBLE as error:
            log.warning("a further reply could not be given: %s", type(error).__name__)
            raise UserError("Discord takes no further message here. Press again in a minute.") from error
        order = self._order(interaction, str(message.id), request, replace(reply, message_id=message.id))
        async with self._delivery.turn(order.job_id):
            try:
                ticket = await self._studio.submit(order)
            except UserError:
                with contextlib.suppress(*TROUBLE):
                    await message.delete()
                raise
            if ticket is not None:
                with contextlib.suppress(*TROUBLE):
                    await message.edit(
                        content=_accepted(ticket, reply), view=cancel_view(ticket.job_id), allowed_mentions=NOBODY
                    )
                await self._studio.note_message(ticket, str(message.id))

    async def _with_sheet(self, interaction: discord.Interaction, request: GenerationRequest) -> GenerationRequest:
        """With a contact sheet of all its pictures where nobody said whether, and these are as many as they wish."""
        if self._wishes is None or request.sheet is not UNSET or request.pictures == 1:
            return request
        guild = guild_of(interaction)
        wishes = await self._wishes.of(str(interaction.user.id), (), guild)
        return replace(request, sheet=True) if request.pictures >= wishes.sheet else request

    def _order(
        self, interaction: discord.Interaction, job_id: str, request: GenerationRequest, reply: ReplyAddress
    ) -> Order:
        return Order(
            job_id=job_id,
            owner_id=str(interaction.user.id),
            guild_id=guild_of(interaction),
            request=request,
            reply=reply.to_json(),
            weight=_weight(interaction.user, self._weights),
        )


async def _reply(interaction: discord.Interaction, ticket: Ticket, reply: ReplyAddress) -> int | None:
    """Say what was understood. The job is safe already: where the reply fails, the picture finds another way."""
    try:
        content, view = _accepted(ticket, reply), cancel_view(ticket.job_id)
        if interaction.response.is_done():
            message = await interaction.edit_original_response(content=content, view=view, allowed_mentions=NOBODY)
            return message.id
        response = await interaction.response.send_message(
            content, view=view, ephemeral=ticket.request.private, allowed_mentions=NOBODY
        )
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        log.warning("a reply could not be given: %s", type(error).__name__, extra={"job": ticket.job_id})
        return None
    return response.message_id


def _accepted(ticket: Ticket, reply: ReplyAddress) -> str:
    return say.accepted(warned(ticket, reply, ticket.starts_at, ticket.obstacle))


def _weight(person: discord.User | discord.Member, weights: Mapping[int, float]) -> float:
    """What the weightiest of their roles gives them; everybody else has 1."""
    if not isinstance(person, discord.Member):
        return 1.0
    return max((weights[role.id] for role in person.roles if role.id in weights), default=1.0)
