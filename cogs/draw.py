"""`/draw`: reads its options, submits one request, says what was understood. No policy and no HTTP is made here."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from cogs.answers import NOBODY, answer_error
from cogs.buttons import cancel_view
from cogs.completing import Offers, offer_extra, offer_last, offer_names
from cogs.delivery import DiscordDelivery
from cogs.options import read_options
from cogs.reply import ReplyAddress
from core.errors import UserError
from core.intake import Intake, Sent
from core.jobs.model import Ticket
from core.request import GenerationRequest
from core.size import suggest_sizes
from core.studio import Order, Studio

log = logging.getLogger(__name__)


class DrawCog(commands.Cog):
    """Pictures from a prompt."""

    def __init__(self, studio: Studio, delivery: DiscordDelivery, intake: Intake, weights: Mapping[int, float]) -> None:
        self._studio = studio
        self._intake = intake
        self._delivery = delivery
        self._weights = weights

    @app_commands.command(name="draw", description="Draw a picture from a prompt")
    @app_commands.describe(
        prompt="What you would like to see",
        negative_prompt="What should not be in the picture",
        checkpoint="The model that draws",
        size="832x1216, 16:9, portrait …",
        steps="Sampling steps: more take longer",
        cfg_scale="How closely the prompt is followed",
        sampler="The sampling method",
        scheduler="The noise schedule",
        seed="The same seed and settings give the same picture; -1 for any",
        count="How many pictures",
        clip_skip="Layers of the text encoder to stop before the end",
        styles="The webui's saved styles, with commas between them",
        loras="LoRAs with their weights: name:0.8, other",
        vae="The VAE (or, on Forge, VAE and text encoders with commas between them)",
        hires="A second pass, so many times as large (1.5, 2 …)",
        hires_upscaler="How the picture is enlarged for the second pass",
        distilled_cfg="Guidance of Flux and its like",
        image="An image to draw over",
        denoising_strength="How much of your image may change: 0 nothing, 1 everything",
        mask="Where your image is drawn over (white); else where it is transparent",
        face_fix="Draw faces anew once the picture is there",
        extra="Rarer settings as key:value words",
        spoiler="Hide the pictures behind a spoiler",
        private="Only you see the answer",
    )
    async def draw(  # noqa: PLR0913  # the options of a slash command are its parameters
        self,
        interaction: discord.Interaction,
        prompt: str,
        negative_prompt: str | None = None,
        checkpoint: str | None = None,
        size: str | None = None,
        steps: int | None = None,
        cfg_scale: float | None = None,
        sampler: str | None = None,
        scheduler: str | None = None,
        seed: int | None = None,
        count: int | None = None,
        clip_skip: int | None = None,
        styles: str | None = None,
        loras: str | None = None,
        vae: str | None = None,
        hires: float | None = None,
        hires_upscaler: str | None = None,
        distilled_cfg: float | None = None,
        image: discord.Attachment | None = None,
        denoising_strength: float | None = None,
        mask: discord.Attachment | None = None,
        face_fix: bool | None = None,
        extra: str | None = None,
        spoiler: bool = False,
        private: bool = False,
    ) -> None:
        """Submit and answer; everything after that happens on the job's message."""
        said = {name: value for name, value in locals().items() if name not in ("self", "interaction", "image", "mask")}
        try:
            await self._draw(interaction, read_options(said), image, mask)
        except UserError as error:
            await answer_error(interaction, error, prompt)

    async def _draw(
        self,
        interaction: discord.Interaction,
        request: GenerationRequest,
        image: discord.Attachment | None,
        mask: discord.Attachment | None,
    ) -> None:
        """Images take longer than an interaction waits: its answer is put off, and an error then comes in its place."""
        reply = ReplyAddress.of(interaction, private=request.private)  # now: its token's time runs while images come
        if image is not None or mask is not None:
            await interaction.response.defer(ephemeral=request.private, thinking=True)
            request = await self._intake.add(request, _sent(image), _sent(mask))
        await self._submit(interaction, request, reply)

    @draw.autocomplete("size")
    async def complete_size(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Shapes with their pixels, and popular sizes."""
        return [app_commands.Choice(name=offer, value=offer.rpartition(" ")[2]) for offer in suggest_sizes(typed)]

    @draw.autocomplete("checkpoint")
    async def complete_checkpoint(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The checkpoints of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.checkpoint_names, typed)

    @draw.autocomplete("sampler")
    async def complete_sampler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The samplers of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.sampler_names, typed)

    @draw.autocomplete("scheduler")
    async def complete_scheduler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The schedulers of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.scheduler_names, typed)

    @draw.autocomplete("styles")
    async def complete_styles(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their saved styles, one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.style_names, typed)

    @draw.autocomplete("loras")
    async def complete_loras(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their LoRAs, one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.lora_names, typed, weighted=True)

    @draw.autocomplete("vae")
    async def complete_vae(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their VAEs, and Forge's modules one after the other."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_last(catalog.assets.vae_names, typed)

    @draw.autocomplete("hires_upscaler")
    async def complete_hires_upscaler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Their upscalers."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.assets.upscaler_names, typed)

    @draw.autocomplete("extra")
    async def complete_extra(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The word that is being typed, and its value."""
        return offer_extra(self._studio.get_catalog(), typed)

    async def _submit(self, interaction: discord.Interaction, request: GenerationRequest, reply: ReplyAddress) -> None:
        """The row first, then the reply; until the reply is out nothing else writes to the job's message."""
        job_id = str(interaction.id)
        order = Order(
            job_id=job_id,
            owner_id=str(interaction.user.id),
            guild_id=None if interaction.guild_id is None else str(interaction.guild_id),
            request=request,
            reply=reply.to_json(),
            weight=_weight(interaction.user, self._weights),
        )
        async with self._delivery.turn(job_id):
            ticket = await self._studio.submit(order)
            message_id = None if ticket is None else await _reply(interaction, ticket)
            if ticket is not None and message_id is not None:
                await self._studio.note_message(ticket, str(message_id))


async def _reply(interaction: discord.Interaction, ticket: Ticket) -> int | None:
    """Say what was understood. The job is safe already: where the reply fails, the picture finds another way."""
    try:
        content, view = say.accepted(ticket), cancel_view(ticket.job_id)
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


def _weight(person: discord.User | discord.Member, weights: Mapping[int, float]) -> float:
    """What the weightiest of their roles gives them; everybody else has 1."""
    if not isinstance(person, discord.Member):
        return 1.0
    return max((weights[role.id] for role in person.roles if role.id in weights), default=1.0)


def _sent(file: discord.Attachment | None) -> Sent | None:
    return None if file is None else Sent(file.url, file.size)
