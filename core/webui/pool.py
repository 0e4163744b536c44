"""All webuis of this process: which is up, which is free, what each offers. It sends no jobs and sets no order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

import aiohttp

from core.errors import WebuiError
from core.webui.address import WebuiAddress
from core.webui.backend import Backend
from core.webui.breaker import Circuit
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient
from core.webui.speed import Speed
from core.webui.timing import Timing
from core.webui.view import BackendView, Health, Mode

__all__ = ["BackendPool", "BackendView", "Circuit", "Health", "Mode", "Timing"]

log = logging.getLogger(__name__)


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

    def reserve(self, key: str, holder: str, work: float = 0.0) -> bool:
        """Give a webui to a holder, also one that doesn't accept jobs (yet): a job may have begun there earlier.

        `holder` is any name, `work` its megapixel-steps. False where another has it or nobody knows it.
        """
        backend = self._backends.get(key)
        if backend is None or backend.view.job_id not in (None, holder):
            return False
        backend.occupy(holder, work)
        return True

    def release(self, holder: str) -> None:
        """Take back whatever this holder has; nothing where it has nothing."""
        for backend in self._backends.values():
            if backend.view.job_id == holder:
                backend.vacate()

    def set_mode(self, key: str, mode: Mode) -> bool:
        """Pause, drain or open a webui until the process ends; False where nobody knows it."""
        backend = self._backends.get(key)
        if backend is not None:
            backend.set_mode(mode)
        return backend is not None

    def set_switching(self, key: str, switching: bool) -> bool:
        """Give no other job to a webui while an admin changes its model; False where nobody knows it."""
        backend = self._backends.get(key)
        if backend is not None:
            backend.set_switching(switching)
        return backend is not None

    async def reread(self, key: str) -> Catalog:
        """What a webui has now, its options included, for whoever holds it. WebuiError."""
        return await self._backends[key].reread()

    def close(self) -> None:
        """This process gives out no more jobs."""
        for backend in self._backends.values():
            backend.close()

    def teach(self, key: str, speed: float | None, load_seconds: float | None) -> None:
        """Begin with what an earlier process had learned: seconds for each megapixel-step, and for a checkpoint."""
        if (backend := self._backends.get(key)) is not None:
            backend.teach(Speed.restored(speed, load_seconds))

    def remind(self, key: str, catalog: Catalog | None) -> None:
        """What an earlier process had read, as long as the webui has not answered this one."""
        if catalog is not None and (backend := self._backends.get(key)) is not None:
            backend.remind(catalog)

    def report_failure(self, key: str, error: WebuiError) -> None:
        """A job failed on that webui: mark it down or unauthorised where the error says so, and probe it soon.

        Every WebuiError is to be reported, since several in a row may open its circuit; but none that a cancellation
        brought about: an interrupted webui answers without a picture.
        """
        if (backend := self._backends.get(key)) is not None:
            backend.report_failure(error)

    def report_success(
        self,
        key: str,
        checkpoint: str | None,
        *,
        seconds: float | None = None,
        work: float | None = None,
        loaded_before: str | None = None,
    ) -> None:
        """A job was drawn with this checkpoint, which is therefore the loaded one; the webui works.

        It took `seconds` for `work` megapixel-steps, which is learned from; `loaded_before` is what was loaded when it
        was sent, if another than the view says now.
        """
        if (backend := self._backends.get(key)) is not None:
            backend.report_success(checkpoint, seconds=seconds, work=work, loaded_before=loaded_before)

    def note_loaded(self, key: str, checkpoint: str) -> None:
        """A job that was sent with this checkpoint has ended there: it is the loaded one, before the webui is free."""
        if (backend := self._backends.get(key)) is not None:
            backend.note_loaded(checkpoint)

    def list_soon(self, key: str) -> None:
        """Read all lists of one webui at once."""
        if (backend := self._backends.get(key)) is not None:
            backend.list_soon()

    def refresh(self) -> None:
        """Probe all soon: somebody asked for a name that no catalog has."""
        for backend in self._backends.values():
            backend.list_soon()


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended", task.get_name(), exc_info=error)
