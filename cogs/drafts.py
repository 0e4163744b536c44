"""Forms that could not be carried out, handed back: what is to be mended, what was typed, a button to go on.

What was typed stands in the message itself; the button fills it in again as long as this process remembers it.
"""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import discord

from cogs import say
from core.errors import Mistakes, NoPlace, UserError

MOST_DRAFTS = 200
"""So many are remembered; the oldest are forgotten first."""
MISTAKES_ROOM = 800
SENTENCE_ROOM = 600
FILENAME = "typed.txt"
REOPEN_EVENT = "reopen_pressed"
"""The event's arguments: the interaction, the verb's name, the job's id, the picture's number, the draft's id."""
_BLOCK = len("****\n```\n\n```\n")


class Drafts:
    """What was typed into the inputs of forms, by the id of the interaction that sent each."""

    def __init__(self) -> None:
        self._typed: dict[str, Mapping[str, str]] = {}

    def put(self, draft_id: str, inputs: Mapping[str, str]) -> None:
        """Remember one."""
        self._typed[draft_id] = inputs
        while len(self._typed) > MOST_DRAFTS:
            del self._typed[next(iter(self._typed))]

    def get(self, draft_id: str) -> Mapping[str, str] | None:
        """None where it is forgotten."""
        return self._typed.get(draft_id)


class ReopenButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(
        r"easel:1:reopen:(?P<verb>edit|use):(?P<job>[0-9]{1,20}):(?P<number>[0-9]{1,2}):(?P<draft>[0-9]{1,20})"
    ),
):
    """Says that a form is wanted again."""

    def __init__(self, verb: str, job_id: str, number: int, draft_id: str) -> None:
        custom_id = f"easel:1:reopen:{verb}:{job_id}:{number}:{draft_id}"
        button = discord.ui.Button[Any](
            label="Open the form again", style=discord.ButtonStyle.primary, custom_id=custom_id
        )
        super().__init__(button)
        self.about = (verb, job_id, number, draft_id)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(match["verb"], match["job"], int(match["number"]), match["draft"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py, which would only log what is raised here: so nothing is done here."""
        interaction.client.dispatch(REOPEN_EVENT, interaction, *self.about)


def reopen_view(verb: str, job_id: str, number: int, draft_id: str) -> discord.ui.View:
    """The row below what is handed back."""
    view = discord.ui.View(timeout=None)
    view.add_item(ReopenButton(verb, job_id, number, draft_id))
    return view


def handed_back(error: UserError, texts: Mapping[str, str]) -> tuple[str, list[discord.File]]:
    """The message, and a file where it can't show all of the `texts`, by their labels, as they were typed."""
    head = "\n".join(_why(error))
    said = {label: text for label, text in texts.items() if text.strip()}
    room = say.CONTENT_LIMIT - say.units(head) - sum(say.units(label) + _BLOCK for label in said)
    blocks, left = [head], len(said)
    is_whole = True
    for label, text in sorted(said.items(), key=lambda one: len(one[1])):
        block = say.quote(text, max(room, 0) // left)
        is_whole = is_whole and block == f"```\n{text}\n```"
        blocks.append(f"**{label}**\n{block}")
        room -= say.units(block) - say.units(say.quote("", 0))
        left -= 1
    if is_whole:
        return say.assemble(*blocks), []
    everything = "\n\n".join(f"{label}:\n{text}" for label, text in said.items())
    return say.assemble(*blocks), [discord.File(io.BytesIO(everything.encode()), filename=FILENAME)]


def _why(error: UserError) -> Iterator[str]:
    if not isinstance(error, Mistakes):
        yield f"**Not drawn yet** · {say.plain(str(error), SENTENCE_ROOM)}"
        if isinstance(error, NoPlace) and error.again_at is not None:
            yield f"Try again <t:{int(error.again_at)}:R>."
        return
    number = len(error.mistakes)
    yield f"**Not drawn yet** · {'one thing' if number == 1 else f'{number} things'} to mend:"
    yield from _listed([f"- {say.plain(mistake, SENTENCE_ROOM)}" for mistake in error.mistakes])


def _listed(lines: Sequence[str]) -> list[str]:
    """As many as there is room for, and how many more there are."""
    lengths = itertools.accumulate(say.units(line) + 1 for line in lines)
    fitting = max(1, sum(length <= MISTAKES_ROOM for length in lengths))
    more = len(lines) - fitting
    return [*lines[:fitting], *([f"- and {more} more"] if more else [])]
