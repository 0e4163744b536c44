"""Requests that wait for a yes, and the words of the question. In memory alone: a question is cheap to ask again."""

from __future__ import annotations

from collections.abc import Sequence
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
    """What is drawn on a yes, a request for each answer; `asked` is the interaction whose answer holds the question."""

    requests: tuple[GenerationRequest, ...]
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


def permutations(requests: Sequence[GenerationRequest]) -> str:
    """How many pictures these are, and of what."""
    prompts = [prompt for each in requests for prompt in each.prompts or ()]
    negatives = [negative for each in requests for negative in each.negative_prompts or ()]
    lines = [_line(number, prompt, negatives) for number, prompt in enumerate(prompts[:MOST_SHOWN])]
    room = ROOM // max(len(lines), 1)
    blocks = "\n".join(say.cut(line, room) for line in lines)
    if len(prompts) > MOST_SHOWN:
        blocks += f"\n… and {len(prompts) - MOST_SHOWN} more"
    answers = f" They come in {len(requests)} answers." if len(requests) > 1 else ""
    head = f"**{label(requests)}?** Your prompt stands for {len(prompts)}, with seeds that count up.{answers}"
    return say.assemble(head, say.quote(blocks, ROOM + 50), say.small(["or dismiss this message"]))


def comparison(request: GenerationRequest) -> str:
    """How many pictures a comparison has, and what differs in them."""
    if request.comparison is UNSET:
        raise ValueError("no comparison")
    lines = [f"{axis.key}: {', '.join(axis.values)}" for axis in request.comparison.axes]
    seed = "" if "seed" in request.comparison.varied else f", all with the seed {request.seed}"
    head = f"**{label([request])}?** One for each combination{seed}, and a sheet of them."
    blocks = "\n".join(say.cut(line, ROOM // 2) for line in lines)
    return say.assemble(head, say.quote(blocks, ROOM + 50), say.small(["or dismiss this message"]))


def label(requests: Sequence[GenerationRequest]) -> str:
    """What the button says."""
    pictures = sum(request.pictures for request in requests)
    return "Draw 1 picture" if pictures == 1 else f"Draw {pictures} pictures"


def answered(asked_for: Sequence[GenerationRequest], left: Sequence[GenerationRequest]) -> str:
    """What the question becomes."""
    said = f"**{label(asked_for)}**: asked for."
    return f"{said} The others are not: press again to ask for them." if left else said


def _line(number: int, prompt: str, negatives: Sequence[str]) -> str:
    without = f" – without {negatives[number]}" if len(set(negatives)) > 1 else ""
    return f"{number + 1}. {' '.join(prompt.split())}{without}"
