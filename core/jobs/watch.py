"""Watches one render: its progress, its cancellation, and whether the webui is still at it. It sends no payload."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from core.errors import OutcomeUnknown, WebuiError
from core.jobs.model import Glimpse
from core.jobs.previewing import Previewer, Wanted, never
from core.webui.client import WebuiClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchTiming:
    """Seconds. `edit` is Discord's patience with edits, `preview` that with half-done pictures.

    The last two say when a webui is taken to have lost a job.
    """

    poll: float = 1.0
    edit: float = 2.5
    preview: float = 3.0
    silent: float = 180.0
    """Nothing that was asked of the webui was answered for so long."""
    forgotten: float = 60.0
    """The webui answered, and for so long it said that it isn't at work on the task."""


class RenderWatch:
    """Polls the webui while it draws one job. A click on cancel waits neither for a poll nor for Discord."""

    def __init__(
        self,
        client: WebuiClient,
        task_id: str | None,
        show: Callable[[Glimpse], Awaitable[None]],
        timing: WatchTiming,
        wants_preview: Wanted = never,
    ) -> None:
        self._client = client
        self._previewer = Previewer(client, task_id, wants_preview, timing.preview)
        self._task_id = task_id
        self._show = show
        self._timing = timing
        self._cancelled = asyncio.Event()
        self._beside: set[asyncio.Task[None]] = set()
        self._showing: asyncio.Task[None] | None = None
        self._shown: Glimpse | None = None
        self._shown_at = self._heard_at = self._at_work_at = time.monotonic()

    def cancel(self) -> None:
        """Interrupt the webui as soon as it is known to be at work on this task; never where it can't tell."""
        self._cancelled.set()

    def hear(self) -> None:
        """The webui sent a piece of its answer."""
        self._heard_at = self._at_work_at = time.monotonic()

    async def run(self) -> None:
        """Until the caller ends it; OutcomeUnknown once the webui has lost the job. What `show` raises ends it too."""
        try:
            if self._task_id is not None:
                self._begin(self._interrupt_when_cancelled(self._task_id), "interrupt")
            while True:
                await asyncio.sleep(self._timing.poll)
                try:
                    await self._look()
                except WebuiError as error:
                    log.debug("progress could not be asked for: %s", error.detail)
                self._raise_what_failed()
                self._check_lost()
        finally:
            await self._end_all()

    async def _look(self) -> None:
        preview = await self._previewer.look() if self._may_show() else None
        progress = await self._client.fetch_progress(self._task_id)
        self._heard_at = time.monotonic()
        if progress is None:
            alive = self._task_id is None or await self._client.is_task_alive(self._task_id) is not False
            if alive:
                self._at_work_at = self._heard_at
            if self._task_id is None:
                self._offer(Glimpse(None))
            return
        self._at_work_at = self._heard_at
        seen = Glimpse(progress.fraction, progress.step, progress.steps, progress.batch, progress.batches)
        self._offer(replace(seen, preview=preview))

    def _offer(self, glimpse: Glimpse) -> None:
        """Show it, but not after a cancellation, not what was shown already, and one at a time.

        Discord may keep an edit waiting for seconds; what comes meanwhile is older than what is seen after that.
        """
        is_news = glimpse != self._shown or glimpse.preview is not None
        if is_news and self._may_show():
            self._shown, self._shown_at = glimpse, time.monotonic()
            self._showing = self._begin(self._show_one(glimpse), "show")

    def _may_show(self) -> bool:
        is_due = time.monotonic() - self._shown_at >= self._timing.edit
        is_free = self._showing is None or self._showing.done()
        return is_due and is_free and not self._cancelled.is_set()

    async def _show_one(self, glimpse: Glimpse) -> None:
        await self._show(glimpse)

    async def _interrupt_when_cancelled(self, task_id: str) -> None:
        """Once; until the task has begun, the webui is asked again and again, quickly."""
        await self._cancelled.wait()
        while True:
            try:
                if await self._client.interrupt_task(task_id):
                    return
            except WebuiError as error:
                log.debug("the webui could not be interrupted: %s", error.detail)
            await asyncio.sleep(self._timing.poll / 10)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=f"{name} {self._task_id}")
        self._beside.add(task)
        return task

    def _raise_what_failed(self) -> None:
        for task in [task for task in self._beside if task.done()]:
            self._beside.discard(task)
            task.result()

    async def _end_all(self) -> None:
        """Leave nothing running, and nothing that failed unsaid."""
        tasks, self._beside = self._beside, set()
        for task in tasks:
            task.cancel()
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(error, Exception):
                log.error("what a watch did beside failed", exc_info=error)

    def _check_lost(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > self._timing.silent:
            raise OutcomeUnknown(f"nothing was heard for {self._timing.silent:g} s")
        if now - self._at_work_at > self._timing.forgotten:
            raise OutcomeUnknown(f"the task was unknown for {self._timing.forgotten:g} s")
