"""Requests that wait for a yes, and the words of the question. In memory alone: a question is cheap to ask again."""

from __future__ import annotations

from dataclasses import dataclass, field

import discord
from msgspec import UNSET

from cogs import say
from core.errors import UserError
from core.request import GenerationRequest

MOST_QUESTIONS = 500
"""So many are remembered; the oldest are forgotten first."""
MOST_SHOWN = 10
ROOM = 1200


@dataclass(frozen=True, slots=True)
class Question:
    """What is drawn on a yes; `asked` is the interaction whose answer holds the question."""

    request: GenerationRequest
    asked: discord.Interaction


@dataclass(slots=True)
class Questions:
    """Those that are open, by the id of the interaction that led to each."""

    _open: dict[str, Question] = field(default_factory=dict)

    def put(self, question_id: str, question: Question) -> None:
        """Remember one."""
        self._open[question_id] = question
        while len(self._open) > MOST_QUESTIONS:
            del self._open[next(iter(self._open))]

    def take(self, question_id: str) -> Question:
        """Remember it no more: it is answered once. UserError where it isn't known (any more)."""
        question = self._open.pop(question_id, None)
        if question is None:
            raise UserError("These pictures are asked for already, or I have forgotten the question: send /draw again.")
        return question


def permutations(request: GenerationRequest) -> str:
    """How many pictures these are, and of what."""
    prompts = () if request.prompts is UNSET else request.prompts
    negatives = () if request.negative_prompts is UNSET else request.negative_prompts
    lines = [_line(number, prompt, negatives) for number, prompt in enumerate(prompts[:MOST_SHOWN])]
    room = ROOM // max(len(lines), 1)
    blocks = "\n".join(say.cut(line, room) for line in lines)
    head = f"**{label(request)}?** Your prompt stands for {len(prompts)}, with seeds that count up."
    return say.assemble(head, say.quote(blocks, ROOM), say.small(["or dismiss this message"]))


def label(request: GenerationRequest) -> str:
    """What the button says."""
    return "Draw 1 picture" if request.pictures == 1 else f"Draw {request.pictures} pictures"


def _line(number: int, prompt: str, negatives: tuple[str, ...]) -> str:
    without = f" – without {negatives[number]}" if len(set(negatives)) > 1 else ""
    return f"{number + 1}. {' '.join(prompt.split())}{without}"
