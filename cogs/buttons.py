"""Buttons that outlive a restart: `easel:1:<verb>:<job id>` and nothing else; the state is in the job's row."""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from cogs import say
from cogs.answers import answer_error, answer_privately
from cogs.delivery import DiscordDelivery
from core.errors import UserError
from core.studio import Studio


def register_buttons(client: discord.Client, studio: Studio, delivery: DiscordDelivery) -> None:
    """Let presses on buttons of any age reach the studio."""

    class RegisteredCancelButton(CancelButton, template=CANCEL_ID):
        """discord.py builds it anew for each press, from the custom_id alone."""

        async def press(self, interaction: discord.Interaction) -> None:
            await cancel(interaction, self.job_id, studio, delivery)

    client.add_dynamic_items(RegisteredCancelButton)


CANCEL_ID = re.compile(r"easel:1:cancel:(?P<job>[0-9]{1,20})")


class CancelButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CANCEL_ID):
    """Cancels the job whose message it stands on."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            discord.ui.Button(label="Cancel", style=discord.ButtonStyle.secondary, custom_id=f"easel:1:cancel:{job_id}")
        )
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(match["job"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """discord.py only logs what is raised here, so the person would get no answer."""
        try:
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001  # a boundary: answered and logged, whatever it was
            await answer_error(interaction, error)

    async def press(self, interaction: discord.Interaction) -> None:
        """What the button does; the registered subclass knows."""
        raise NotImplementedError


def cancel_view(job_id: str) -> discord.ui.View:
    """The row of buttons below a job that waits or runs."""
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(job_id))
    return view


async def cancel(interaction: discord.Interaction, job_id: str, studio: Studio, delivery: DiscordDelivery) -> None:
    """Cancel, then say so on the job's message, which loses its button."""
    try:
        sentence = await studio.cancel(job_id, str(interaction.user.id))
    except UserError as error:
        await answer_privately(interaction, say.plain(str(error), 300))
        return
    async with delivery.turn(job_id):
        job = await studio.fetch(job_id)
        text = sentence if job is None else say.cancelled(job, sentence)
        await interaction.response.edit_message(content=text, view=None)
