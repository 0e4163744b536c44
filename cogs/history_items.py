"""The buttons and the menu of a history. They hold ids alone, so that they work after a restart; the cog listens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self

import discord

PAGE_EVENT = "page_pressed"
"""Its arguments: the interaction, the search's id, the page from 0."""
CHOSEN_EVENT = "picture_chosen"
"""Its arguments: the interaction, the job's id, the picture's number from 0."""
_CHOSEN = re.compile(r"(\d{1,20}):(\d{1,2})", re.ASCII)


class PageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(r"easel:1:page:(?P<search>[0-9]{1,20}):(?P<page>[0-9]{1,6})"),
):
    """Leads to a page of a history."""

    def __init__(self, search_id: str, page: int, label: str = "") -> None:
        super().__init__(discord.ui.Button(label=label or str(page + 1), custom_id=f"easel:1:page:{search_id}:{page}"))
        self.search_id = search_id
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(match["search"], int(match["page"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py, which would only log what is raised here: so nothing is done here."""
        interaction.client.dispatch(PAGE_EVENT, interaction, self.search_id, self.page)


class HistoryChoice(discord.ui.DynamicItem[discord.ui.Select[Any]], template=re.compile(r"easel:1:chosen")):
    """Which picture of a page is meant. `labels` are by job and number."""

    def __init__(self, labels: Mapping[tuple[str, int], str] | None = None) -> None:
        options = [
            discord.SelectOption(label=label, value=f"{job_id}:{number}")
            for (job_id, number), label in (labels or {}).items()
        ]
        super().__init__(
            discord.ui.Select(
                custom_id="easel:1:chosen", placeholder="Choose a picture: again, show here, delete …", options=options
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a choice."""
        del interaction, item, match
        return cls()

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py. What a client sends need not be one of the options."""
        found = _CHOSEN.fullmatch(next(iter(self.item.values), ""))
        job_id, number = ("0", 0) if found is None else (found[1], int(found[2]))
        interaction.client.dispatch(CHOSEN_EVENT, interaction, job_id, number)
