"""One webui as the bot sees it: up or down, free or at work, and what it has. Its task probes it; it sends no jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from random import SystemRandom

from core.errors import AuthenticationFailed, Busy, NoApi, NotReady, OutcomeUnknown, WebuiError
from core.webui.catalog import Catalog
from core.webui.client import WebuiClient

log = logging.getLogger(__name__)

_jitter = SystemRandom()


class Health(Enum):
    """What the last contact with a webui said."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"
    UNAUTHORISED = "unauthorised"
    NO_API = "no api"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds between probes.

    A webui that is down is asked again after a twentieth of the time it has been down, within the two bounds: one that
    comes back within a minute is noticed within a second or two, one that was away for the night within half a minute.
    """

    idle: float = 60.0
    shortest: float = 0.5
    longest: float = 30.0
    share: float = 0.05
    flapping: float = 120.0
    """Failures of jobs closer together than this count as one trouble, and each doubles the wait before the probe."""

    def retry(self, down_for: float) -> float:
        """How long to wait before the next probe of a webui that has been down for so long."""
        return min(max(down_for * self.share, self.shortest), self.longest) * _jitter.uniform(0.8, 1.2)

    def after_failure(self, strikes: int) -> float:
        """How long to wait before the probe once jobs have failed so many times in a row."""
        return min(self.shortest * 2.0 ** min(strikes - 1, 16), self.longest) * _jitter.uniform(0.8, 1.2)


@dataclass(frozen=True, slots=True)
class BackendView:
    """One webui at one moment. `catalog` is the last one that was read, also while the webui is down."""

    key: str
    name: str
    health: Health
    idle: bool
    catalog: Catalog | None
    job_id: str | None


class Backend:
    """Keeps one webui's state and the task that probes it."""

    def __init__(self, client: WebuiClient, timing: Timing, on_change: Callable[[], None]) -> None:
        self.client = client
        self._timing = timing
        self._on_change = on_change
        self._view = BackendView(client.address.key, client.address.name, Health.UNKNOWN, True, None, None)
        self._wake = asyncio.Event()
        self._due = 0.0
        self._urgent = False
        self._down_since: float | None = None
        self._strikes = 0
        self._struck_at = 0.0
        self._option_said: str | None = None

    @property
    def view(self) -> BackendView:
        """Its state now."""
        return self._view

    def occupy(self, job_id: str | None) -> None:
        """Note which job has it; None when it is free again."""
        if job_id is None:
            self._wake.set()
        self._show(replace(self._view, job_id=job_id, idle=job_id is None))

    def note_loaded(self, checkpoint: str) -> None:
        """Note what the last job left in the graphics card, which the webui's options don't say (contract 4.2)."""
        catalog = self._view.catalog
        if catalog is not None and catalog.loaded_checkpoint != checkpoint:
            self._show(replace(self._view, catalog=catalog.with_loaded(checkpoint)))

    def report_failure(self, error: WebuiError) -> None:
        """A job failed there: note what that says of the webui, and probe it before long."""
        now = time.monotonic()
        if isinstance(error, NotReady | AuthenticationFailed | Busy):
            self._strikes = self._strikes + 1 if now - self._struck_at < self._timing.flapping else 1
            self._struck_at = now
            self._note_down(error)
            self._set_due(self._timing.after_failure(self._strikes))
        elif isinstance(error, OutcomeUnknown):
            self.probe_soon()

    def probe_soon(self) -> None:
        """Probe at once."""
        self._urgent = True
        self._set_due(0.0)

    async def run(self) -> None:
        """Probe for ever; the caller cancels it."""
        while True:
            self._urgent, self._due = False, math.inf
            await self._probe()
            if self._due == math.inf:  # nobody asked for another one meanwhile
                self._set_due(self._timing.idle if self._down_since is None else self._timing.retry(self._down_for()))
            await self._until_due()

    def _set_due(self, seconds: float) -> None:
        self._due = time.monotonic() + seconds
        self._wake.set()

    async def _until_due(self) -> None:
        while (left := self._due - time.monotonic()) > 0 or self._is_well_at_work():
            self._wake.clear()
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if left > 0 else self._timing.idle):
                    await self._wake.wait()

    def _is_well_at_work(self) -> bool:
        """It needs no probe: its job will tell how it is."""
        return self._view.job_id is not None and self._view.health is Health.UP and not self._urgent

    def _down_for(self) -> float:
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    async def _probe(self) -> None:
        try:
            catalog = await self._fetch()
            self._refuse_half_started(catalog)
        except WebuiError as error:
            self._note_down(error)
            return
        newest = await self._newest(catalog)
        if self._down_since is not None or self._view.health is Health.UNKNOWN:
            log.info("a webui is up", extra=self._log_facts())
        self._down_since = None
        self._show(replace(self._view, health=Health.UP, catalog=newest))

    async def _fetch(self) -> Catalog:
        """What it offers; a list whose route fails now is still the one that it had before."""
        catalog = await self.client.fetch_catalog()
        return catalog if self._view.catalog is None else catalog.keeping(self._view.catalog)

    def _refuse_half_started(self, catalog: Catalog) -> None:
        """A webui that starts answers with empty lists for a while (contract 6, row 6)."""
        known = self._view.catalog
        if known is not None and known.checkpoints and not catalog.checkpoints:
            raise NotReady("it had checkpoints before and lists none now")

    async def _newest(self, catalog: Catalog) -> Catalog:
        """The new catalog, but the known object while nothing changed, since that has its look-up tables ready."""
        known = self._view.catalog
        if known is not None and known == catalog.with_loaded(known.loaded_checkpoint):
            newest = known
        else:
            newest = await asyncio.to_thread(catalog.prepare)
        said, self._option_said = self._option_said, catalog.loaded_checkpoint
        now = self._view.catalog
        # What the option says counts once it changes; until then the last job knows better.
        loaded = now.loaded_checkpoint if now is not None and said == catalog.loaded_checkpoint else None
        loaded = loaded or catalog.loaded_checkpoint
        return newest if newest.loaded_checkpoint == loaded else newest.with_loaded(loaded)

    def _note_down(self, error: WebuiError) -> None:
        health = Health.DOWN
        if isinstance(error, AuthenticationFailed):
            health = Health.UNAUTHORISED
        elif isinstance(error, NoApi):
            health = Health.NO_API
        if self._down_since is None:
            self._down_since = time.monotonic()
        if health is not self._view.health:
            log.warning("a webui can't be used", extra=self._log_facts() | {"error": str(error)})
        self._show(replace(self._view, health=health))

    def _log_facts(self) -> dict[str, str]:
        return {"webui": self._view.name, "url": self._view.key}

    def _show(self, view: BackendView) -> None:
        if view != self._view:
            self._view = view
            self._on_change()
