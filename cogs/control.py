"""`/control`: a picture guided by an image. Reads its options, submits one request, says what was understood."""

from __future__ import annotations

import discord
from discord import app_commands

from cogs.answers import answer_error, put_off
from cogs.asking import AskingCog
from cogs.completing import Offers, offer_names
from cogs.options import read_addresses, read_control
from cogs.reply import ReplyAddress
from cogs.sources import exactly_one
from core.errors import UserError
from core.intake import Source
from core.request import GenerationRequest


class ControlCog(AskingCog):
    """Pictures from a prompt and an image that guides them."""

    async def complete_type(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The control types of all webuis."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.assets.control_names, typed)

    @app_commands.command(name="control", description="Draw a picture that follows an image: its pose, depth, edges …")
    @app_commands.describe(
        image="The image to follow; or image_url:… in extra, where the bot's operator allows that",
        type="What to follow of it: pose, depth, canny, lineart, tile …",
        prompt="What you would like to see",
        weight="How strongly it is followed: 0 to 2",
        start="From which part of the steps on: 0 to 1",
        end="Up to which part of the steps: 0 to 1",
        preprocess="No: the image is a map already",
        preview="Show the map that was made of your image, too",
        denoising_strength="Draw over the image, too, and change so much of it: 0 nothing, 1 everything",
        negative_prompt="What should not be in the picture",
        checkpoint="The model that draws",
        size="832x1216, 16:9, portrait …; else the image's",
        steps="Sampling steps: more take longer",
        cfg_scale="How closely the prompt is followed",
        sampler="The sampling method",
        scheduler="The noise schedule",
        seed="The same seed and settings give the same picture; -1 for any",
        count="How many pictures",
        styles="The webui's saved styles, with commas between them",
        loras="LoRAs with their weights: name:0.8, other",
        hires="A second pass, so many times as large (1.5, 2 …)",
        face_fix="Draw faces anew once the picture is there",
        extra="Rarer settings as key:value words",
        spoiler="Hide the pictures behind a spoiler",
        private="Only you see the answer",
    )
    @app_commands.autocomplete(
        type=complete_type,
        checkpoint=AskingCog.complete_checkpoint,
        size=AskingCog.complete_size,
        sampler=AskingCog.complete_sampler,
        scheduler=AskingCog.complete_scheduler,
        styles=AskingCog.complete_styles,
        loras=AskingCog.complete_loras,
        extra=AskingCog.complete_extra,
    )
    async def control(  # noqa: PLR0913  # the options of a slash command are its parameters
        self,
        interaction: discord.Interaction,
        type: str,
        prompt: str,
        image: discord.Attachment | None = None,
        weight: float | None = None,
        start: float | None = None,
        end: float | None = None,
        preprocess: bool | None = None,
        preview: bool | None = None,
        denoising_strength: float | None = None,
        negative_prompt: str | None = None,
        checkpoint: str | None = None,
        size: str | None = None,
        steps: int | None = None,
        cfg_scale: float | None = None,
        sampler: str | None = None,
        scheduler: str | None = None,
        seed: int | None = None,
        count: int | None = None,
        styles: str | None = None,
        loras: str | None = None,
        hires: float | None = None,
        face_fix: bool | None = None,
        extra: str | None = None,
        spoiler: bool = False,
        private: bool = False,
    ) -> None:
        """Submit and answer; everything after that happens on the job's message."""
        said = {name: value for name, value in locals().items() if name not in ("self", "interaction", "image")}
        try:
            request, source = read_control(said), exactly_one(image, read_addresses(extra).image)
            await self._control(interaction, request, source)
        except UserError as error:
            await answer_error(interaction, error, prompt)

    async def _control(self, interaction: discord.Interaction, request: GenerationRequest, image: Source) -> None:
        """The image takes longer than an interaction waits: its answer is put off."""
        reply = ReplyAddress.of(interaction, private=request.private)  # now: its token's time runs from here
        await put_off(interaction, private=request.private)
        await self.submit(interaction, await self._intake.add_control(request, image), reply)
