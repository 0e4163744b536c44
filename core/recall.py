"""What is known of a finished job: its row, and what each of its pictures became. It changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from core.derive import Source
from core.errors import UserError
from core.jobs.model import ENDED, Drawing, Job, Origin
from core.jobs.parts import PartRows
from core.jobs.patience import for_a_person

GENERATIONS = 10
"""How far back a chain of origins is followed."""


@dataclass(frozen=True, slots=True)
class Result:
    """A job with its drawn pictures, by number from 0."""

    job: Job
    drawings: Mapping[int, Drawing]

    @property
    def numbers(self) -> Sequence[int]:
        """Of the pictures that there are."""
        return sorted(self.drawings)

    def source(self, number: int | None) -> Source:
        """One of them (None: the first), for making something from it; UserError where there is no such picture."""
        first = self.numbers[0] if number is None and self.drawings else number
        if first is None or first not in self.drawings:
            raise UserError("There is no such picture (any more).")
        drawing = self.drawings[first]
        kept = drawing.pictures[0]
        return Source(
            request=self.job.request,
            number=first,
            seed=drawing.seeds[0] if drawing.seeds else None,
            checkpoint=drawing.checkpoint,
            width=kept.width,
            height=kept.height,
        )


class Recall:
    """Reads the rows of finished jobs; NoDatabase where that takes too long for somebody who waits."""

    def __init__(self, parts: PartRows) -> None:
        self._parts = parts

    async def result(self, job_id: str) -> Result | None:
        """The job and its pictures; None where its row is gone, UserError while it is not at its end."""
        found = await for_a_person(lambda: self._parts.fetch(job_id))
        if found is None:
            return None
        job, parts = found
        if job.state not in ENDED:
            raise UserError("These pictures are still being made. Wait until the last one is here.")
        drawn = {part.number: part.drawing for part in parts if part.drawing is not None and part.drawing.pictures}
        return Result(job, drawn)

    async def ancestors(self, job: Job) -> list[tuple[Origin, Job | None]]:
        """From what it was made, the nearest first; a job whose row is gone ends the chain as None."""
        chain: list[tuple[Origin, Job | None]] = []
        origin = job.origin
        while origin is not None and len(chain) < GENERATIONS:
            found = await for_a_person(partial(self._parts.fetch, origin.job_id))
            parent = None if found is None else found[0]
            chain.append((origin, parent))
            origin = None if parent is None else parent.origin
        return chain
