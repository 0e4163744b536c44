"""How far a job is, from how far its pictures are that are being drawn here. Memory only, nothing is lost with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.jobs.engine import Piece
from core.jobs.model import Glimpse, Job


@dataclass(slots=True)
class _AtWork:
    """The pictures of one job that are being drawn, by number, each with its last fraction; and what was said."""

    fractions: dict[int, tuple[Piece, float]] = field(default_factory=dict)
    said: float = 0.0


class JobProgress:
    """The last glimpse of each picture that is being drawn here."""

    def __init__(self) -> None:
        self._jobs: dict[str, _AtWork] = {}

    def begin(self, piece: Piece) -> None:
        """It is about to be drawn. Those that begin together must not take each other for done."""
        self._jobs.setdefault(piece.job_id, _AtWork()).fractions[piece.number] = (piece, 0.0)

    def of_job(self, job: Job, piece: Piece, glimpse: Glimpse) -> Glimpse:
        """The whole job's progress, now that one of its pictures is so far; a single picture's is its own.

        Pictures are given out by number, so those below the highest that are not at work are done, but for one that
        waits again: what was said stays said until it is true again.
        """
        pictures = job.request.pictures
        if pictures == 1 or glimpse.fraction is None:
            return glimpse
        at_work = self._jobs.setdefault(job.id, _AtWork())
        at_work.fractions[piece.number] = (piece, glimpse.fraction)
        done = max(at_work.fractions) + 1 - len(at_work.fractions)
        fraction = (done + sum(each for _, each in at_work.fractions.values())) / pictures
        at_work.said = max(at_work.said, min(fraction, 1.0))
        return Glimpse(
            fraction=at_work.said,
            step=glimpse.step,
            steps=glimpse.steps,
            picture=done + 1,
            pictures=pictures,
            preview=glimpse.preview,
        )

    def forget(self, piece: Piece) -> None:
        """It is drawn, or not any more."""
        at_work = self._jobs.get(piece.job_id)
        if at_work is None or at_work.fractions.get(piece.number, (None, 0.0))[0] != piece:
            return
        del at_work.fractions[piece.number]
        if not at_work.fractions:
            del self._jobs[piece.job_id]
