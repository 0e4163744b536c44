"""The cancel button: ends a job for its owner and says so on its message."""

from __future__ import annotations

import discord
from discord.ext import commands

from cogs import say
from cogs.answers import answer_error, answer_privately
from cogs.buttons import CANCEL_EVENT
from cogs.delivery import DiscordDelivery
from core.errors import UserError
from core.studio import Studio


class CancelCog(commands.Cog):
    """Listens for presses on cancel buttons of any age."""

    def __init__(self, studio: Studio, delivery: DiscordDelivery) -> None:
        self._studio = studio
        self._delivery = delivery

    @commands.Cog.listener(f"on_{CANCEL_EVENT}")
    async def on_press(self, interaction: discord.Interaction, job_id: str) -> None:
        """Answer every press, whatever comes of it."""
        try:
            await self._cancel(interaction, job_id)
        except UserError as error:
            await answer_privately(interaction, say.plain(str(error), 300))
        except Exception as error:  # noqa: BLE001  # a boundary: the person gets an answer, the log the error
            await answer_error(interaction, error)

    async def _cancel(self, interaction: discord.Interaction, job_id: str) -> None:
        sentence = await self._studio.cancel(job_id, str(interaction.user.id))
        async with self._delivery.turn(job_id):
            job = await self._studio.fetch(job_id)
            text = sentence if job is None else say.cancelled(job, sentence)
            self._delivery.forget(job_id)
            await interaction.response.edit_message(content=text, view=None)
