"""Buttons that outlive a restart: `easel:1:<verb>:<job id>` and nothing else; the state is in the job's row.

discord.py builds a button anew for each press, from its custom_id alone. So a button holds nothing and does nothing:
it says which event happened, and the cog whose feature it is listens.
"""

from __future__ import annotations

import re
from typing import Any, Self

import discord

CANCEL_EVENT = "cancel_pressed"
"""The event's arguments: the interaction, the job's id."""
CONFIRM_EVENT = "confirm_pressed"
"""The event's arguments: the interaction, the question's id."""


class CancelButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=re.compile(r"easel:1:cancel:(?P<job>[0-9]{1,20})")
):
    """Asks for the end of the job whose message it stands on."""

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
        """Called by discord.py, which would only log what is raised here: so nothing is done here."""
        interaction.client.dispatch(CANCEL_EVENT, interaction, self.job_id)


class ConfirmButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=re.compile(r"easel:1:confirm:(?P<question>[0-9]{1,20})")
):
    """Says yes to the question that it stands below."""

    def __init__(self, question_id: str, label: str = "Draw them") -> None:
        super().__init__(
            discord.ui.Button(
                label=label, style=discord.ButtonStyle.primary, custom_id=f"easel:1:confirm:{question_id}"
            )
        )
        self.question_id = question_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(match["question"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py; as above."""
        interaction.client.dispatch(CONFIRM_EVENT, interaction, self.question_id)


BUTTONS = (CancelButton, ConfirmButton)
"""What discord.py has to know to find a pressed button again."""


def confirm_view(question_id: str, label: str) -> discord.ui.View:
    """The row below a question."""
    view = discord.ui.View(timeout=None)
    view.add_item(ConfirmButton(question_id, label))
    return view


def cancel_view(job_id: str) -> discord.ui.View:
    """The row of buttons below a job that waits or runs."""
    view = discord.ui.View(timeout=None)
    view.add_item(CancelButton(job_id))
    return view
