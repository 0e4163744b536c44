"""All the webuis: which is up, which is free, what they offer together. It sends no jobs and sets no order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import aiohttp

from core.errors import WebuiError
from core.webui.address import WebuiAddress
from core.webui.backend import Backend, BackendView, Health, Timing
from core.webui.catalog import Catalog, merge
from core.webui.client import WebuiClient

__all__ = ["BackendPool", "BackendView", "Health", "Timing"]

log = logging.getLogger(__name__)

_OBSTACLES = {
    Health.UNKNOWN: "The webui has not answered yet; pictures wait until it does.",
    Health.DOWN: "The webui can't be reached at the moment; pictures wait until it is back.",
    Health.UNAUTHORISED: "The webui refuses the bot's login; pictures wait until whoever runs the bot has mended that.",
    Health.NO_API: "The webui is starting, or runs without its API (--api); pictures wait until that is there.",
}


class BackendPool:
    """Keeps a task for each webui between start() and stop().

    `on_change` is called, at once and in the same thread, whenever a view has changed; it must be quick.
    """

    def __init__(
        self,
        addresses: Iterable[WebuiAddress],
        *,
        session: aiohttp.ClientSession,
        on_change: Callable[[], None],
        timing: Timing | None = None,
    ) -> None:
        self._backends = {
            address.key: Backend(WebuiClient(address, session), timing or Timing(), on_change) for address in addresses
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._merged: tuple[list[Catalog], Catalog] | None = None

    def start(self) -> None:
        """Begin to probe every webui; needs a running loop."""
        for backend in self._backends.values():
            task = asyncio.create_task(backend.run(), name=f"probe of {backend.view.name}")
            task.add_done_callback(_log_end)
            self._tasks.append(task)

    async def stop(self) -> None:
        """End the probing; the views stay as they are."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # _log_end has logged what went wrong

    def views(self) -> tuple[BackendView, ...]:
        """Every webui now, in the order of the addresses."""
        return tuple(backend.view for backend in self._backends.values())

    def client(self, key: str) -> WebuiClient:
        """The client of one webui; KeyError for a key that no view has."""
        return self._backends[key].client

    def reserve(self, key: str, job_id: str) -> bool:
        """Give a webui to a job, also one that is not up (yet). False where another job has it or nobody knows it."""
        backend = self._backends.get(key)
        if backend is None or backend.view.job_id not in (None, job_id):
            return False
        backend.occupy(job_id)
        return True

    def release(self, job_id: str) -> None:
        """Take back whatever this job has; nothing where it has nothing."""
        for backend in self._backends.values():
            if backend.view.job_id == job_id:
                backend.occupy(None)

    def report_failure(self, key: str, error: WebuiError) -> None:
        """A job failed on that webui: mark it down or unauthorised where the error says so, and probe it soon."""
        if (backend := self._backends.get(key)) is not None:
            backend.report_failure(error)

    def report_success(self, key: str, checkpoint: str | None) -> None:
        """A job was drawn with this checkpoint, which is therefore the loaded one."""
        backend = self._backends.get(key)
        if backend is not None and checkpoint is not None:
            backend.note_loaded(checkpoint)

    def refresh(self) -> None:
        """Probe all soon: somebody asked for a name that no catalog has."""
        for backend in self._backends.values():
            backend.probe_soon()

    def catalog(self) -> Catalog | None:
        """What the known webuis offer together, those that are down included; None while none has ever answered."""
        known = [view.catalog for view in self.views() if view.catalog is not None]
        if len(known) < 2:
            return known[0] if known else None
        if self._merged is None or not _hold_the_same(self._merged[0], known):
            self._merged = known, merge(known)
        return self._merged[1]

    def explain(self) -> str | None:
        """Why no job can be drawn now, in a sentence without host names; None where a webui is up."""
        healths = {view.health for view in self.views()}
        if Health.UP in healths:
            return None
        # With several webuis in several states, what mends itself is said first.
        first = next((health for health in _OBSTACLES if health in healths), Health.DOWN)
        return _OBSTACLES[first]


def _hold_the_same(old: list[Catalog], new: list[Catalog]) -> bool:
    """By identity, which is quick: an unchanged list stays the same object (Backend keeps it)."""
    return len(old) == len(new) and all(
        before.checkpoints is after.checkpoints
        and before.samplers is after.samplers
        and before.schedulers is after.schedulers
        and before.capabilities == after.capabilities
        for before, after in zip(old, new, strict=True)
    )


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended", task.get_name(), exc_info=error)
