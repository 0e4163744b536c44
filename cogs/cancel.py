"""The cancel button: ends a job for its owner and says so on its message."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import discord
from discord.ext import commands

from cogs import say
from cogs.answers import answer_privately, answering
from cogs.buttons import CANCEL_EVENT
from cogs.delivery import DiscordDelivery
from cogs.edits import TROUBLE
from cogs.previews import take_preview_off
from core.errors import NoDatabase, UserError
from core.jobs.model import ENDED, JobState
from core.studio import Studio

log = logging.getLogger(__name__)

ANSWER_SECONDS = 2.0
"""How long an answer is tried: Discord listens for three seconds, and a moment is left for a bare acknowledgement."""
DEFER_SECONDS = 0.7


class CancelCog(commands.Cog):
    """Listens for presses on cancel buttons of any age."""

    def __init__(self, studio: Studio, delivery: DiscordDelivery) -> None:
        self._studio = studio
        self._delivery = delivery

    @commands.Cog.listener(f"on_{CANCEL_EVENT}")
    async def on_press(self, interaction: discord.Interaction, job_id: str) -> None:
        """Answer every press, whatever comes of it."""
        async with answering(interaction):
            await self._press(interaction, job_id)

    async def _press(self, interaction: discord.Interaction, job_id: str) -> None:
        try:
            sentence = say.was_cancelled(await self._studio.cancel(job_id, str(interaction.user.id)))
        except UserError as error:
            await answer_privately(interaction, say.plain(str(error), 300))
            with contextlib.suppress(UserError):
                await self._tidy(interaction, job_id)
            return
        job = None
        with contextlib.suppress(NoDatabase):
            job = await self._studio.fetch(job_id)
        text = sentence if job is None else say.cancelled(job, sentence)
        is_answered = await self._answer(interaction, job_id, text)
        # What another process had begun to write may have come after the answer.
        if job is not None and (self._delivery.is_shared or not is_answered):
            await self._delivery.rewrite(job, _message_id(interaction), text)

    async def _answer(self, interaction: discord.Interaction, job_id: str, text: str) -> bool:
        """Answer the press by rewriting its message; whether Discord took that while it still listened."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._delivery.turn(job_id):
                self._delivery.forget(job_id)
                answer = await interaction.response.edit_message(content=text, view=None)
                if answer is not None and isinstance(answer.resource, discord.InteractionMessage):
                    await take_preview_off(answer.resource)
                return True
        except TROUBLE as error:
            log.info("a press was not answered in time: %s", type(error).__name__, extra={"job": job_id})
        with contextlib.suppress(*TROUBLE):
            async with asyncio.timeout(DEFER_SECONDS):
                await interaction.response.defer()
        return False

    async def _tidy(self, interaction: discord.Interaction, job_id: str) -> None:
        """The button of a job that has ended already should not be there, so its message missed something."""
        job = await self._studio.fetch(job_id)
        if job is None or job.state not in ENDED:
            return
        text = say.cancelled(job, "Cancelled.") if job.state is JobState.CANCELLED else None
        await self._delivery.rewrite(job, _message_id(interaction), text)


def _message_id(interaction: discord.Interaction) -> int | None:
    return None if interaction.message is None else interaction.message.id
