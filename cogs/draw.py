"""`/draw`: reads its options, submits one request, says what was understood. No policy and no HTTP is made here."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from cogs import questions
from cogs.answers import NOBODY, answer_error, answering, put_off
from cogs.asking import AskingCog, Desk
from cogs.buttons import CONFIRM_EVENT, confirm_view
from cogs.edits import TROUBLE
from cogs.options import read_addresses, read_compare, read_options, wants_permutations
from cogs.questions import Question, Questions
from cogs.reply import ReplyAddress, guild_of
from cogs.shelves import find_preset
from cogs.sources import at_most_one
from core.errors import NotOffered, UserError
from core.intake import Source
from core.request import GenerationRequest

NO_FIELDS = ("self", "interaction", "image", "mask", "preset")
"""Parameters of the command that are no words about a picture."""
FROM_PRESET = "Where it is the preset that says so: what you say yourself comes before it."


class DrawCog(AskingCog):
    """Pictures from a prompt."""

    takes_ways = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._questions = Questions()

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
        styles='The webui\'s saved styles, with commas between them; "a, b" is one',
        loras="LoRAs with their weights: name:0.8, other",
        vae="The VAE (or, on Forge, VAE and text encoders with commas between them)",
        hires="A second pass, so many times as large (1.5, 2 …)",
        hires_upscaler="How the picture is enlarged for the second pass",
        distilled_cfg="Guidance of Flux and its like",
        image="An image to draw over; or image_url:… in extra, where the bot's operator allows that",
        denoising_strength="How much of your image may change: 0 nothing, 1 everything",
        mask="Where your image is drawn over (white); else where it is transparent",
        face_fix="Draw faces anew once the picture is there",
        extra="Rarer settings as key:value words",
        preset="Settings kept with /preset save; what you say here comes before them",
        spoiler="Hide the pictures behind a spoiler",
        private="Only you see the answer",
    )
    @app_commands.autocomplete(
        checkpoint=AskingCog.complete_checkpoint,
        size=AskingCog.complete_size,
        sampler=AskingCog.complete_sampler,
        scheduler=AskingCog.complete_scheduler,
        styles=AskingCog.complete_styles,
        loras=AskingCog.complete_loras,
        vae=AskingCog.complete_vae,
        hires_upscaler=AskingCog.complete_hires_upscaler,
        extra=AskingCog.complete_extra,
        preset=AskingCog.complete_preset,
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
        preset: str | None = None,
        spoiler: bool = False,
        private: bool = False,
    ) -> None:
        """Submit and answer; everything after that happens on the job's message."""
        said = {name: value for name, value in locals().items() if name not in NO_FIELDS}
        kept = None
        try:
            addresses, permutations = read_addresses(extra), wants_permutations(extra)
            sources = at_most_one(image, addresses.image, "image"), at_most_one(mask, addresses.mask, "mask")
            kept, compare = await find_preset(self._presets, interaction, preset), read_compare(extra)
            request = read_options(said, kept, image=sources[0] is not None)
            await self._draw(interaction, request, *sources, compare, permutations)
        except NotOffered as error:
            told = error if kept is None else NotOffered(f"{error} {FROM_PRESET}")
            await answer_error(interaction, told, prompt)
        except UserError as error:
            await answer_error(interaction, error, prompt)

    async def _draw(
        self,
        interaction: discord.Interaction,
        request: GenerationRequest,
        image: Source | None,
        mask: Source | None,
        compare: str | None,
        permutations: bool,
    ) -> None:
        """Images take longer than an interaction waits: its answer is put off, and an error then comes in its place."""
        if compare is not None and permutations:
            raise UserError("Permutations and a comparison can't be asked for at once: leave one of them out.")
        reply = ReplyAddress.of(interaction, private=request.private)  # now: its token's time runs while images come
        if image is not None or mask is not None:
            await put_off(interaction, private=request.private or permutations or compare is not None)
            request = await self._intake.add(request, image, mask)
        if compare is not None:
            compared = await self._studio.compare(request, compare, guild_of(interaction))
            await self._ask(interaction, (compared,), questions.comparison(compared))
        elif permutations:
            unfolded = await self._studio.unfold(request, guild_of(interaction))
            await self._ask(interaction, unfolded, questions.permutations(unfolded))
        else:
            await self.submit(interaction, request, reply)

    async def _ask(
        self, interaction: discord.Interaction, requests: tuple[GenerationRequest, ...], content: str
    ) -> None:
        """Say to this person alone how many pictures these would be; what draws them is a press."""
        question_id = str(interaction.id)
        self._questions.put(question_id, Question(requests, interaction))
        view = confirm_view(question_id, questions.label(requests))
        if interaction.response.is_done():
            await interaction.edit_original_response(content=content, view=view, allowed_mentions=NOBODY)
        else:
            await interaction.response.send_message(content, view=view, ephemeral=True, allowed_mentions=NOBODY)

    @commands.Cog.listener(f"on_{CONFIRM_EVENT}")
    async def on_confirmed(self, press: discord.Interaction, question_id: str) -> None:
        """The press is answered as the command would have been; the question can't be answered twice."""
        async with answering(press):
            await self._confirm(press, question_id, self._questions.take(question_id))

    async def _confirm(self, press: discord.Interaction, question_id: str, question: Question) -> None:
        """What can't be asked for (any more) is asked again: a full queue may have room later."""
        reply = ReplyAddress.of(press, private=question.requests[0].private)
        left = list(question.requests)
        try:
            while left:
                submit = self.submit if len(left) == len(question.requests) else self.submit_further
                await submit(press, left[0], reply)
                del left[0]
        except UserError:
            self._questions.put(question_id, replace(question, requests=tuple(left)))
            raise
        finally:
            await self._close(question_id, question, left)

    async def _close(self, question_id: str, question: Question, left: list[GenerationRequest]) -> None:
        asked_for = question.requests[: len(question.requests) - len(left)]
        if not asked_for:
            return
        view = confirm_view(question_id, questions.label(left)) if left else None
        with contextlib.suppress(*TROUBLE):
            await question.asked.edit_original_response(content=questions.answered(asked_for, left), view=view)
