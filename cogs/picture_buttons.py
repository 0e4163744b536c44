"""The buttons under a result: `easel:1:<verb>:<job id>[:<picture>]`, pictures counted from 0. They hold nothing else.

Like cogs.buttons, they only say what is wanted; the cog whose feature it is listens. A verb that is about one picture
and was pressed where there are several leads to a choice first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import discord

from core.request import Task


@dataclass(frozen=True, slots=True)
class Verb:
    """What can be done with a result. `of_one`: it is about one picture; `tasks`: the kinds of job that have it.

    `as_image`: its pixels are enough, however they came about. `of_all`: where one of several is chosen, all can be.
    """

    name: str
    label: str
    emoji: str
    of_one: bool
    tasks: Sequence[Task] = ("draw",)
    style: discord.ButtonStyle = discord.ButtonStyle.secondary
    as_image: bool = False
    of_all: bool = False

    @property
    def event(self) -> str:
        """Its event's arguments: the interaction, the job's id, the picture's number (None: none was said)."""
        return f"{self.name}_pressed"

    @property
    def event_of_all(self) -> str:
        """The event that all of several pictures were chosen; its arguments: the interaction, the job's id."""
        return f"all_{self.name}_pressed"


PICTURES: Sequence[Task] = ("draw", "upscale")
AGAIN = Verb("again", "Again", "🔁", False)
VARY = Verb("vary", "Vary", "🎲", True)
STRONG = Verb("strong", "Vary strongly", "🎲", True)
EDIT = Verb("edit", "Edit", "✏️", True)
HIRES = Verb("hires", "Hires", "🔬", True)
UPSCALE = Verb("upscale", "Upscale", "🔍", True, PICTURES, as_image=True)
USE = Verb("use", "Use as image", "🖼️", True, PICTURES, as_image=True)
DETAILS = Verb("details", "Details", "📋", True, PICTURES)
DELETE = Verb("delete", "Delete", "🗑️", True, PICTURES, discord.ButtonStyle.danger, of_all=True)
STAR = Verb("star", "Favourite", "⭐", True, PICTURES)
SHOW = Verb("show", "Show here", "📤", False, PICTURES)
KEEP = Verb("keep", "Favourite", "⭐", True, PICTURES)
ROWS = ((AGAIN, VARY, STRONG, EDIT, STAR), (HIRES, UPSCALE, USE, DETAILS, DELETE))
ELSEWHERE = (SHOW, KEEP)
"""What is offered in a history alone."""
ALL = "all"
"""What stands in a choice for all pictures."""
VERBS = {verb.name: verb for row in (*ROWS, ELSEWHERE) for verb in row}


class PictureButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"easel:1:(?P<verb>{'|'.join(VERBS)}):(?P<job>[0-9]{{1,20}})(?::(?P<number>[0-9]{{1,2}}))?"),
):
    """Says that something is wanted of a job, or of one of its pictures."""

    def __init__(self, verb: Verb, job_id: str, number: int | None = None) -> None:
        super().__init__(
            discord.ui.Button(label=verb.label, emoji=verb.emoji, style=verb.style, custom_id=_id(verb, job_id, number))
        )
        self.verb = verb
        self.job_id = job_id
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a press."""
        del interaction, item
        return cls(VERBS[match["verb"]], match["job"], None if match["number"] is None else int(match["number"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py, which would only log what is raised here: so nothing is done here."""
        interaction.client.dispatch(self.verb.event, interaction, self.job_id, self.number)


class PictureChoice(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"easel:1:pick:(?P<verb>{'|'.join(VERBS)}):(?P<job>[0-9]{{1,20}})"),
):
    """Which of several pictures is meant; its pick is the press of that picture's button."""

    def __init__(self, verb: Verb, job_id: str, numbers: Sequence[int] = ()) -> None:
        options = [discord.SelectOption(label=f"Picture {number + 1}", value=str(number)) for number in numbers]
        options += [discord.SelectOption(label=f"All {len(numbers)} pictures", value=ALL)] if verb.of_all else []
        super().__init__(
            discord.ui.Select(
                custom_id=f"easel:1:pick:{verb.name}:{job_id}",
                placeholder=f"{verb.label}: which picture?",
                options=options,
            )
        )
        self.verb = verb
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str]
    ) -> Self:
        """Called by discord.py for a choice."""
        del interaction, item
        return cls(VERBS[match["verb"]], match["job"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Called by discord.py. What a client sends need not be one of the options."""
        chosen = next(iter(self.item.values), "")
        if chosen == ALL and self.verb.of_all:
            interaction.client.dispatch(self.verb.event_of_all, interaction, self.job_id)
            return
        number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 3 else None
        interaction.client.dispatch(self.verb.event, interaction, self.job_id, number)


def result_view(job_id: str, task: Task, number: int | None = None) -> discord.ui.View | None:
    """The rows under a result, or under one of its pictures alone; None where nothing can be done with it."""
    view = discord.ui.View(timeout=None)
    for row, verb in _verbs(task):
        button = PictureButton(verb, job_id, number)
        button.item.row = row
        view.add_item(button)
    return view if view.children else None


def choice_view(verb: Verb, job_id: str, numbers: Sequence[int]) -> discord.ui.View:
    """The question which of several pictures is meant."""
    view = discord.ui.View(timeout=None)
    view.add_item(PictureChoice(verb, job_id, numbers))
    return view


def _verbs(task: Task) -> Iterator[tuple[int, Verb]]:
    return ((row, verb) for row, verbs in enumerate(ROWS) for verb in verbs if task in verb.tasks)


def _id(verb: Verb, job_id: str, number: int | None) -> str:
    return f"easel:1:{verb.name}:{job_id}" + ("" if number is None else f":{number}")
