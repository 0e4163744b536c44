"""The port to durable execution: what the dispatcher asks of an engine, and what an engine runs. No engine is here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Protocol

Record = dict[str, Any]
"""What a step hands to the next and the engine writes down: JSON, small, no image bytes."""

STOP: Record = {"stop": True}
"""The record after which nothing is left to do in this attempt."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One attempt at one picture of a job: what an engine runs. `number` counts from 0, `attempt` from 1."""

    job_id: str
    number: int
    attempt: int

    @property
    def id(self) -> str:
        """What the engine's record of it is called, and who holds a webui: each attempt holds its own."""
        return f"{self.job_id}:{self.number}:{self.attempt}"

    @property
    def picture(self) -> str:
        """The same for every attempt."""
        return f"{self.job_id}-{self.number}"

    @property
    def spool(self) -> str:
        """The folder of what a webui sends: an attempt that is over must not clear away what a later one receives."""
        return f"{self.picture}-{self.attempt}"

    def new_task_id(self) -> str:
        """A `force_task_id` for one render of it: a webui that knows it is at work for us."""
        return f"easel-{self.picture}-{secrets.token_hex(4)}"

    def __str__(self) -> str:
        return self.id


class Steps(Protocol):
    """The steps of one attempt at one picture, run in this order until one answers STOP.

    Render is recorded when it returns, keep and deliver together: that a picture is kept is in its row. A step that a
    crash interrupted is run again from its beginning, deliver with keep before it.
    """

    async def render(self, piece: Piece, before: Record) -> Record:
        """Ask the webui for the picture."""

    async def keep(self, piece: Piece, before: Record) -> Record:
        """Put the picture where it stays."""

    async def deliver(self, piece: Piece, before: Record) -> Record:
        """Show the picture, or say why there is none."""


class Engine(Protocol):
    """Durable execution of the steps in this process; others have engines of their own on the same database."""

    async def open(self) -> None:
        """Begin; what an earlier process of this name left unfinished goes on by itself."""

    async def start(self, piece: Piece) -> None:
        """Run the steps; once it is recorded, starting it again changes nothing."""

    async def resume(self, piece: Piece) -> None:
        """See to it that the steps run, whatever an earlier process recorded of them."""

    async def close(self) -> None:
        """Stop; what is unfinished goes on at the next start."""
