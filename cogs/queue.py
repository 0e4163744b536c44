"""`/queue`: who is next and why, where one's own jobs stand, and `/queue cancel`. It makes no policy."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs import pages, say
from cogs.answers import NOBODY, answer_error
from cogs.delivery import DiscordDelivery
from cogs.reply import guild_of
from cogs.said import title
from core.errors import UserError
from core.jobs.model import Job, JobState
from core.studio import Studio
from core.webui.names import shorten

ALL = "all"


class QueueCog(commands.Cog):
    """The queue, as each person may see it."""

    def __init__(self, studio: Studio, delivery: DiscordDelivery) -> None:
        self._studio = studio
        self._delivery = delivery

    @app_commands.command(name="queue", description="Who is next, when your pictures begin, and how to cancel them")
    @app_commands.describe(cancel="Cancel one of your jobs, or all of them")
    async def queue(self, interaction: discord.Interaction, cancel: str | None = None) -> None:
        """Show it, or cancel."""
        try:
            person_id = str(interaction.user.id)
            if cancel is not None:
                await interaction.response.defer(ephemeral=True)  # many messages may have to be rewritten
                await interaction.followup.send(await self._cancel(person_id, cancel.strip()), allowed_mentions=NOBODY)
                return
            guild_id = guild_of(interaction)
            text = pages.queue(await self._studio.look(person_id), person_id, guild_id)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @queue.autocomplete("cancel")
    async def complete_cancel(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """One's own jobs by their prompts, and all of them together."""
        try:
            mine = await self._studio.fetch_mine(str(interaction.user.id))
        except UserError:  # there is nowhere to say it
            return []
        offers = [(title(job.request), job.id) for job in mine]
        if len(mine) > 1:
            offers.insert(0, (f"All {len(mine)} of them", ALL))
        wanted = typed.strip().casefold()
        found = [(name, value) for name, value in offers if wanted in name.casefold()]
        return [app_commands.Choice(name=shorten(name), value=value) for name, value in found[:25]]

    async def _cancel(self, person_id: str, wanted: str) -> str:
        """End one job of this person's, or all; the sentence about it. UserError where there is none such."""
        mine = await self._studio.fetch_mine(person_id)
        chosen = mine if wanted.casefold() == ALL else [job for job in mine if job.id == wanted]
        if not mine:
            raise UserError("You have nothing in the queue.")
        if not chosen:
            raise UserError("You have no such job in the queue; choose one from the list, or write all.")
        outcomes = [await self._end(job, person_id) for job in chosen]
        for job, outcome in zip(chosen, outcomes, strict=True):  # that takes time, in which nothing shall begin
            if isinstance(outcome, JobState):
                message_id = None if job.message_id is None else int(job.message_id)
                await self._delivery.rewrite(job, message_id, say.cancelled(job, say.was_cancelled(outcome)))
        if len(chosen) == 1:
            outcome = outcomes[0]
            sentence = say.was_cancelled(outcome) if isinstance(outcome, JobState) else str(outcome)
            return say.assemble(sentence, say.quote(title(chosen[0].request), 300))
        return f"{sum(isinstance(one, JobState) for one in outcomes)} of {len(chosen)} jobs cancelled."

    async def _end(self, job: Job, person_id: str) -> JobState | UserError:
        """The state it was in, or why it could not be cancelled."""
        try:
            return await self._studio.cancel(job.id, person_id)
        except UserError as error:  # it ended in this moment
            return error
