"""Watches one render: its progress, its cancellation, and whether the webui is still at it. It sends no payload."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.errors import OutcomeUnknown, WebuiError
from core.jobs.model import Glimpse
from core.webui.client import WebuiClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """Seconds. `edit` is Discord's patience with edits; the last two say when a webui is taken to have lost a job."""

    poll: float = 1.0
    edit: float = 2.5
    silent: float = 180.0
    """Nothing that was asked of the webui was answered for so long."""
    forgotten: float = 60.0
    """The webui answered, and for so long it said that it isn't at work on the task."""


class RenderWatch:
    """Polls the webui while it draws one job."""

    def __init__(
        self,
        client: WebuiClient,
        task_id: str | None,
        show: Callable[[Glimpse], Awaitable[None]],
        timing: WatchTiming,
    ) -> None:
        self._client = client
        self._task_id = task_id
        self._show = show
        self._timing = timing
        self._cancelled = asyncio.Event()
        self._interrupted = False
        self._shown: Glimpse | None = None
        self._shown_at = self._heard_at = self._at_work_at = time.monotonic()

    def cancel(self) -> None:
        """Interrupt the webui as soon as it is known to be at work on this task."""
        self._cancelled.set()

    def hear(self) -> None:
        """The webui sent a piece of its answer."""
        self._heard_at = self._at_work_at = time.monotonic()

    async def run(self) -> None:
        """Until the caller ends it; OutcomeUnknown once the webui has lost the job."""
        while True:
            await self._pause()
            try:
                await self._look()
            except WebuiError as error:
                log.debug("progress could not be asked for: %s", error.detail)
            self._check_lost()

    async def _look(self) -> None:
        progress = await self._client.fetch_progress(self._task_id)
        self._heard_at = time.monotonic()
        if progress is None:
            alive = self._task_id is None or await self._client.is_task_alive(self._task_id) is not False
            if alive:
                self._at_work_at = self._heard_at
            if self._task_id is None and not self._cancelled.is_set():
                await self._offer(Glimpse(None))
            return
        self._at_work_at = self._heard_at
        if self._cancelled.is_set():
            if not self._interrupted:
                await self._client.interrupt()
                self._interrupted = True
            return
        await self._offer(Glimpse(progress.fraction, progress.step, progress.steps, progress.batch, progress.batches))

    async def _offer(self, glimpse: Glimpse) -> None:
        """Show it, but not what was shown already and not more often than Discord likes."""
        now = time.monotonic()
        if glimpse != self._shown and now - self._shown_at >= self._timing.edit:
            self._shown, self._shown_at = glimpse, now
            await self._show(glimpse)

    async def _pause(self) -> None:
        """One poll's time; a click on cancel cuts it short, and is then followed up quickly until it took effect."""
        if self._cancelled.is_set():
            await asyncio.sleep(self._timing.poll if self._interrupted else self._timing.poll / 10)
            return
        # Not wait_for: before Python 3.12 it swallows a cancellation that comes in the same tick as the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.poll):
                await self._cancelled.wait()

    def _check_lost(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > self._timing.silent:
            raise OutcomeUnknown(f"nothing was heard for {self._timing.silent:g} s")
        if now - self._at_work_at > self._timing.forgotten:
            raise OutcomeUnknown(f"the task was unknown for {self._timing.forgotten:g} s")
