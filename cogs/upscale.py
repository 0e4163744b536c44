"""`/upscale`: reads its options, takes the image in, submits one request. It makes no policy."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from cogs.answers import answer_error, put_off
from cogs.asking import AskingCog
from cogs.completing import Offers, offer_names
from cogs.reply import ReplyAddress
from cogs.sources import ADDRESS_SAYS, exactly_one
from core.errors import UserError
from core.request import GenerationRequest
from core.size import parse_shape, parse_size

NO_FIELDS = ("self", "interaction", "image", "image_url")
"""Parameters of the command that are no words about the picture."""
USUAL_FACTOR = 2.0
"""Where neither a factor nor a size was said."""


class UpscaleCog(AskingCog):
    """Images, larger."""

    @app_commands.command(name="upscale", description="Make an image larger")
    @app_commands.describe(
        image="The image",
        image_url=ADDRESS_SAYS,
        factor="So many times as large: 1.5, 2, 4 …",
        size="Instead of a factor: 2048x2048, or a shape such as 16:9; cut where the shape differs",
        upscaler="How it is enlarged",
        upscaler_2="A second upscaler, whose result is blended in",
        upscaler_2_visibility="How much of the second one is seen: 0 to 1",
        gfpgan="Restore faces with GFPGAN: 0 not, 1 wholly",
        codeformer="Restore faces with CodeFormer: 0 not, 1 wholly",
        codeformer_weight="How freely CodeFormer works: 0 most, 1 least",
        spoiler="Hide the picture behind a spoiler",
        private="Only you see the answer",
    )
    async def upscale(  # noqa: PLR0913  # the options of a slash command are its parameters
        self,
        interaction: discord.Interaction,
        image: discord.Attachment | None = None,
        image_url: str | None = None,
        factor: float | None = None,
        size: str | None = None,
        upscaler: str | None = None,
        upscaler_2: str | None = None,
        upscaler_2_visibility: float | None = None,
        gfpgan: float | None = None,
        codeformer: float | None = None,
        codeformer_weight: float | None = None,
        spoiler: bool = False,
        private: bool = False,
    ) -> None:
        """Submit and answer; everything after that happens on the job's message."""
        said = {name: value for name, value in locals().items() if name not in NO_FIELDS}
        try:
            request, source = read_upscale(said), exactly_one(image, image_url)
            reply = ReplyAddress.of(interaction, private=private)  # now: its token's time runs while the image comes
            await put_off(interaction, private=private)
            request = await self._intake.add_image(request, source)
            await self.submit(interaction, request, reply)
        except UserError as error:
            await answer_error(interaction, error)

    @upscale.autocomplete("upscaler")
    async def complete_upscaler(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """What the webuis enlarge with."""
        return self._offer(typed)

    @upscale.autocomplete("upscaler_2")
    async def complete_upscaler_2(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The same."""
        return self._offer(typed)

    def _offer(self, typed: str) -> Offers:
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer_names(catalog.assets.enlarger_names, typed)


def read_upscale(said: dict[str, Any]) -> GenerationRequest:
    """The request, without its image; None is what nobody said. UserError where it says two things at once."""
    fields = {name: value for name, value in said.items() if value is not None}
    factor, size = fields.pop("factor", None), fields.pop("size", None)
    if factor is not None and size is not None:
        raise UserError("Say a factor or a size, not both.")
    if "upscaler_2_visibility" in fields and "upscaler_2" not in fields:
        raise UserError("upscaler_2_visibility is how much of upscaler_2 is seen: choose that, too.")
    if "codeformer_weight" in fields and "codeformer" not in fields:
        raise UserError("codeformer_weight is how freely CodeFormer works: say codeformer, too.")
    if size is None:
        fields["upscale_factor"] = USUAL_FACTOR if factor is None else factor
    elif shape := parse_shape(size):
        fields["shape"] = shape
    else:
        asked = parse_size(size)
        fields |= {"upscale_width": asked.width, "upscale_height": asked.height}
    return GenerationRequest(prompt="", task="upscale", **fields)
