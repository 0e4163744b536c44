"""How far a job is, from how far its pictures are that are being drawn here. Memory only, nothing is lost with it."""

from __future__ import annotations

from core.jobs.engine import Piece
from core.jobs.model import Glimpse, Job


class JobProgress:
    """The last glimpse of each picture that is being drawn here."""

    def __init__(self) -> None:
        self._fractions: dict[str, dict[int, float]] = {}

    def of_job(self, job: Job, piece: Piece, glimpse: Glimpse) -> Glimpse:
        """The whole job's progress, now that one of its pictures is so far; a single picture's is its own.

        Pictures are given out by number, so those below the highest that are not at work are done.
        """
        pictures = job.request.pictures
        if pictures == 1 or glimpse.fraction is None:
            return glimpse
        fractions = self._fractions.setdefault(job.id, {})
        fractions[piece.number] = glimpse.fraction
        done = max(fractions) + 1 - len(fractions)
        return Glimpse(
            fraction=min((done + sum(fractions.values())) / pictures, 1.0),
            step=glimpse.step,
            steps=glimpse.steps,
            picture=done + 1,
            pictures=pictures,
        )

    def forget(self, piece: Piece) -> None:
        """It is drawn, or not any more."""
        if (fractions := self._fractions.get(piece.job_id)) is not None:
            fractions.pop(piece.number, None)
            if not fractions:
                del self._fractions[piece.job_id]
