"""`/describe`: takes an image in and submits one request for words about it. It makes no policy."""

from __future__ import annotations

import discord
from discord import app_commands
from msgspec import UNSET

from cogs.answers import answer_error, put_off
from cogs.asking import AskingCog
from cogs.reply import ReplyAddress
from cogs.sources import ADDRESS_SAYS, exactly_one
from core.errors import UserError
from core.request import Describer, GenerationRequest


class DescribeCog(AskingCog):
    """Words about an image."""

    @app_commands.command(name="describe", description="Find words for an image, to draw something like it")
    @app_commands.describe(
        image="The image",
        image_url=ADDRESS_SAYS,
        model="What finds the words: CLIP, DeepDanbooru (tags), or a model made for captions",
        private="Only you see the answer",
    )
    async def describe(
        self,
        interaction: discord.Interaction,
        image: discord.Attachment | None = None,
        image_url: str | None = None,
        model: Describer | None = None,
        private: bool = False,
    ) -> None:
        """Submit and answer; everything after that happens on the job's message."""
        request = GenerationRequest(
            prompt="", task="describe", describe_with=UNSET if model is None else model, private=private
        )
        reply = ReplyAddress.of(interaction, private=private)  # now: its token's time runs while the image comes
        try:
            source = exactly_one(image, image_url)
            await put_off(interaction, private=private)
            request = await self._intake.add_image(request, source)
            await self.submit(interaction, request, reply)
        except UserError as error:
            await answer_error(interaction, error)
