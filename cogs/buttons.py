"""Buttons that outlive a restart: `easel:1:<verb>:<id>` and nothing else; what they are about is kept elsewhere.

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
EVENTS = {"cancel": CANCEL_EVENT, "confirm": CONFIRM_EVENT}
"""What a press of each verb's button is called."""


class EventButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"easel:1:(?P<verb>{'|'.join(EVENTS)}):(?P<about>[0-9]{{1,20}})"),
):
    """Says that something is wanted of what the id `about` stands for."""

    def __init__(
        self, verb: str, about: str, label: str = "", style: discord.ButtonStyle = discord.ButtonStyle.secondary
    ) -> None:
        custom_id = f"easel:1:{verb}:{about}"
        super().__init__(discord.ui.Button(label=label or verb.title(), style=style, custom_id=custom_id))
        self.verb = verb
        self.about = about

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(match["verb"], match["about"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py, which would only log what is raised here: so nothing is done here."""
        interaction.client.dispatch(EVENTS[self.verb], interaction, self.about)


def cancel_view(job_id: str) -> discord.ui.View:
    """The row of buttons below a job that waits or runs."""
    return _row(EventButton("cancel", job_id))


def confirm_view(question_id: str, label: str) -> discord.ui.View:
    """The row below a question."""
    return _row(EventButton("confirm", question_id, label, discord.ButtonStyle.primary))


def _row(button: EventButton) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(button)
    return view
