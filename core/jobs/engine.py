"""The port to durable execution: what the dispatcher asks of an engine, and what an engine runs. No engine is here."""

from __future__ import annotations

from typing import Any, Protocol

Record = dict[str, Any]
"""What a step hands to the next and the engine writes down: JSON, small, no image bytes."""

STOP: Record = {"stop": True}
"""The record after which nothing is left to do in this attempt."""


class Steps(Protocol):
    """The steps of one attempt at one job, run in this order until one answers STOP.

    Each is recorded when it returns; a step that a crash interrupted is run again from its beginning.
    """

    async def render(self, job_id: str, attempt: int, before: Record) -> Record:
        """Ask the webui for the pictures."""

    async def keep(self, job_id: str, attempt: int, before: Record) -> Record:
        """Put the pictures where they stay."""

    async def deliver(self, job_id: str, attempt: int, before: Record) -> Record:
        """Show the pictures, or say why there are none."""


class Engine(Protocol):
    """Durable execution of the steps: in this process, or in others later."""

    async def open(self) -> None:
        """Begin; what an earlier process left unfinished goes on by itself."""

    async def start(self, job_id: str, attempt: int) -> None:
        """Run the steps for this attempt; once it is recorded, starting it again changes nothing."""

    async def resume(self, job_id: str, attempt: int) -> None:
        """See to it that the steps of this attempt run, whatever an earlier process recorded of it."""

    async def close(self) -> None:
        """Stop; what is unfinished goes on at the next start."""
