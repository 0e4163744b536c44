"""Gives waiting pictures to this process's idle backends: the ledger decides and writes, the engine runs. No policy."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

import sqlalchemy as sa

from core.fleet import Fleet
from core.jobs.engine import Engine, Piece
from core.jobs.ledger import Ledger, Stale
from core.jobs.mirror import Mirror
from core.jobs.model import Part, PartState
from core.jobs.outlook import facts_of
from core.jobs.patience import on_database
from core.jobs.pipeline import Pipeline
from core.jobs.points import reached
from core.jobs.queue import Books, WaitingQueue
from core.scheduling.scheduler import Account, Decision, choose

log = logging.getLogger(__name__)

DATABASE_PAUSE = 1.0
"""Seconds before the database is tried again."""


class Dispatcher:
    """One task that sleeps until the queue's bell rings: no polling between two pictures."""

    def __init__(
        self, *, ledger: Ledger, mirror: Mirror, fleet: Fleet, queue: WaitingQueue, pipeline: Pipeline
    ) -> None:
        self._ledger = ledger
        self._mirror = mirror
        self._fleet = fleet
        self._queue = queue
        self._pipeline = pipeline
        self._engine: Engine | None = None
        self._is_unsure = False

    @property
    def is_open(self) -> bool:
        """Whether pictures are given out."""
        return self._engine is not None

    async def open(self, engine: Engine) -> None:
        """Take up what an earlier process of this name left: what it had in hand goes on where it was."""
        in_hand = await on_database(self._pipeline.parts.fetch_in_hand, self._pipeline.worker)
        await self._pipeline.pictures.sweep_spool({_piece(part).spool for part in in_hand})
        await on_database(self._mirror.load)
        for part in in_hand:
            self._pipeline.pool.reserve(part.backend, _piece(part).id)
        await engine.open()
        self._engine = engine
        for part in in_hand:
            await engine.resume(_piece(part))

    async def close(self) -> None:
        """Stop the engine; what is unfinished goes on at the next start."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()

    async def run(self) -> None:
        """Give out pictures for ever; the caller cancels it."""
        while True:
            await self._queue.wait()
            try:
                if self._is_unsure:
                    await self._start_what_was_written()
                await self._give_out()
            except Stale as stale:
                await self._read_again(stale.job_id)
            except sa.exc.SQLAlchemyError as error:
                log.warning("the database did not answer, trying again: %s", type(error).__name__)
                self._is_unsure = True
                await asyncio.sleep(DATABASE_PAUSE)
                self._queue.ring()

    async def _start_what_was_written(self) -> None:
        """A commit whose answer was lost has given pictures to this worker, and nobody has started them."""
        in_hand = await self._pipeline.parts.fetch_in_hand(self._pipeline.worker)
        running = [part for part in in_hand if part.state is PartState.RUNNING]
        # Now, and not between two starts: what ends meanwhile is in nobody's hands any more, and is no such picture.
        for part in [part for part in running if not self._pipeline.has_in_hand(_piece(part))]:
            self._mirror.note(part.job_id)
            await self._start(_piece(part), part.backend)
        self._is_unsure = False

    async def _read_again(self, job_id: str) -> None:
        self._queue.remove(job_id)
        self._mirror.note(job_id)
        self._queue.ring()

    async def _give_out(self) -> None:
        """All that can be given out now; the ledger is asked only where there is something to decide."""
        if not self._fleet.has_room or not self._decide().assignments:
            return
        now, owner_ids = time.time(), self._queue.owner_ids

        def decide(accounts: Mapping[str, Account], clock: float) -> Decision:
            return self._decide(Books(accounts, clock, frozenset(owner_ids)))

        given = await self._ledger.give_out(owner_ids, decide, now)
        for one in given:
            self._queue.take(one.piece.job_id)
            if one.expected_at is not None:
                self._pipeline.metrics.observe_estimate(one.expected_at, now)
            reached("assigned", one.piece.job_id)
        await asyncio.gather(*(self._start(one.piece, one.assignment.backend, one.work, one.task_id) for one in given))

    def _decide(self, books: Books | None = None) -> Decision:
        """With what was just read of the accounts, or with what was known last."""
        facts = [facts_of(view, mine=self._fleet.is_own(view.key)) for view in self._fleet.views()]
        decision = choose(self._queue.waiting(books), facts, time.time())
        if books is not None:
            self._queue.know({**books.accounts, **decision.accounts}, decision.clock)
        return decision

    async def _start(self, piece: Piece, backend: str, work: float = 0.0, task_id: str | None = None) -> None:
        """The row says running, so the engine has to know, however long its database takes."""
        self._pipeline.pool.reserve(backend, piece.id, work=work)
        self._pipeline.expect(piece, task_id)
        while self._engine is not None:
            try:
                await self._engine.start(piece)
            except sa.exc.SQLAlchemyError as error:
                log.warning("the engine's database did not answer, trying again: %s", type(error).__name__)
                await asyncio.sleep(DATABASE_PAUSE)
            else:
                reached("started", piece.job_id)
                return


def _piece(part: Part) -> Piece:
    return Piece(part.job_id, part.number, part.attempt)
