"""Shows what of a job is drawn, and ends it: reads the rows, asks the delivery, writes down what was shown.

Pictures of one job may be drawn by several workers at once; each shows its own, and the last one ends the job.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import Collection

from core.errors import UserError
from core.jobs.boundary import bounded
from core.jobs.engine import Piece
from core.jobs.model import Delivered, Delivery, Drawing, Job, JobState, PartState, Showing, plan_showing
from core.jobs.parts import PartRows
from core.jobs.patience import on_database
from core.jobs.points import reached
from core.jobs.rows import JobRows
from core.metrics import Metrics

GAVE_UP = "No picture could be drawn."


class Shower:
    """One showing of a job at a time; whoever waited for its turn finds the work done, or more of it."""

    def __init__(  # the parts it works with
        self,
        *,
        rows: JobRows,
        parts: PartRows,
        delivery: Delivery,
        metrics: Metrics,
        worker: str,
        shared: bool = False,
    ) -> None:
        self._rows = rows
        self._parts = parts
        self._delivery = delivery
        self._metrics = metrics
        self._worker = worker
        self._shared = shared
        self._begun_here: set[tuple[str, int]] = set()
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def expect(self, piece: Piece) -> None:
        """This process gave it out itself: nobody can have shown it before, if it is the first attempt."""
        self._begun_here.add((piece.job_id, piece.number))

    def forget(self, piece: Piece) -> None:
        """Nothing of it will be shown from here."""
        self._begun_here.discard((piece.job_id, piece.number))

    async def show(self, piece: Piece) -> None:
        """Show all there is to show of the job that this picture is of, and end it if it was the last."""
        job_id = piece.job_id
        turn = self._turns.setdefault(job_id, asyncio.Lock())
        try:
            async with turn:
                while await self._show_some(job_id, perhaps_done=(job_id, piece.number) not in self._begun_here):
                    pass
        finally:
            self.forget(piece)

    async def end(self, job_id: str) -> None:
        """The same for a job that nobody has in hand: whoever drew the last of it did not come to its end."""
        async with self._turns.setdefault(job_id, asyncio.Lock()):
            while await self._show_some(job_id, perhaps_done=True):
                pass

    async def _show_some(self, job_id: str, *, perhaps_done: bool) -> bool:
        """What there is now; whether there may be more."""
        found = await on_database(self._parts.fetch, job_id)
        if found is None:
            return False
        job, parts = found
        showing = plan_showing(job, parts, self._worker)
        if showing is None:
            if job.state is JobState.CANCELLED and any(part.state is PartState.SHOWN for part in parts):
                await self._delivery.show_cancelled(job)  # what was shown last may have been written over that
            return False
        known = all((job_id, number) in self._begun_here for number in showing.fresh)
        perhaps_done = perhaps_done or showing.retried or not known
        reached("delivering", job_id)
        if showing.drawing is None:
            await self._explain(job, job.sentence or GAVE_UP, perhaps_done=perhaps_done)
            return False
        return await self._show(job, showing.drawing, showing, perhaps_done=perhaps_done)

    async def _show(self, job: Job, drawing: Drawing, showing: Showing, *, perhaps_done: bool) -> bool:
        try:
            with bounded(job.id), self._metrics.delivery_seconds.time():
                delivered = await self._delivery.deliver(
                    job, drawing, fresh=showing.fresh, final=showing.final, perhaps_done=perhaps_done
                )
        except UserError as error:  # the pictures stay kept
            await self._explain(job, str(error), perhaps_done=perhaps_done)
            return False
        if delivered is None:
            return True  # another worker was faster: look what is left
        reached("delivered", job.id)
        if delivered.where == "kept" and not showing.final:
            if not self._shared:
                return False  # nothing took it for now; the next one, or the end, shows it
            # Another worker may draw the rest: each of the two would leave the end to the other for ever.
            await on_database(self._parts.mark_shown, job.id, showing.fresh, None)
            return True
        await self._write_down(job, showing.fresh, delivered, final=showing.final)
        return not showing.final

    async def _write_down(self, job: Job, shown: Collection[int], delivered: Delivered, *, final: bool) -> None:
        if not final:
            await on_database(self._parts.mark_shown, job.id, shown, delivered)
        elif await on_database(self._rows.mark_done, job.id, delivered, time.time(), shown):
            self._metrics.ended.labels(JobState.DONE).inc()

    async def _explain(self, job: Job, sentence: str, *, perhaps_done: bool) -> None:
        delivered = Delivered("kept", None)
        with contextlib.suppress(UserError), bounded(job.id):
            delivered = await self._delivery.explain(job, sentence, perhaps_done=perhaps_done)
        reached("delivered", job.id)
        if await on_database(self._rows.mark_failed, job.id, sentence, delivered, time.time()):
            self._metrics.ended.labels(JobState.FAILED).inc()
