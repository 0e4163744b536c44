"""One webui as the bot sees it: up or down, free or at work, and what it has. Its task probes it; it sends no jobs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace

from core.errors import AuthenticationFailed, NoApi, NotReady, OutcomeUnknown, WebuiError
from core.webui.breaker import AWAY, Breaker, Circuit
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.client import WebuiClient
from core.webui.speed import Speed
from core.webui.timing import Timing
from core.webui.view import BackendView, Health, Mode

log = logging.getLogger(__name__)


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
        self._listed_at = -math.inf
        self._is_remembered = False
        self._breaker = Breaker()
        self._speed = Speed()

    @property
    def view(self) -> BackendView:
        """Its state now."""
        return self._view

    def occupy(self, holder: str, work: float) -> None:
        """Note who has it, and for how many megapixel-steps; saying it again without work keeps what was said."""
        if holder == self._view.job_id:
            self._show(replace(self._view, work=work or self._view.work))
            return
        self._breaker = self._breaker.taken()
        self._show(replace(self._view, job_id=holder, idle=False, since=time.time(), work=work))

    def vacate(self) -> None:
        """Note that it is free again."""
        self._wake.set()
        view = replace(self._view, job_id=None, idle=True, since=None, work=0.0)
        self._set_breaker(self._breaker.let_go(time.monotonic()), view)

    def set_mode(self, mode: Mode) -> None:
        """Note what an admin wants of it."""
        self._show(replace(self._view, mode=mode))

    def close(self) -> None:
        """It gets no more jobs from this process."""
        self._show(replace(self._view, closing=True))

    def set_switching(self, switching: bool) -> None:
        """Note whether an admin is about to change its model."""
        self._show(replace(self._view, switching=switching))

    async def reread(self) -> Catalog:
        """Everything it has now, with its options at face value: only while it is held, and no job of ours runs there.

        WebuiError where it can't be read; that is for the next probe to act upon.
        """
        self._listed_at = -math.inf
        catalog = await self._fetch()
        self._refuse_half_started(catalog)
        default = catalog.loaded_checkpoint or self._view.default_checkpoint
        newest = await self._newest(catalog, default)
        self._show(replace(self._view, catalog=newest, default_checkpoint=default))
        return newest

    def teach(self, speed: Speed) -> None:
        """Forget what was learned, and go on from this."""
        self._speed = speed
        self._show(replace(self._view, speed=speed.per_work, load_seconds=speed.load_seconds))

    def remind(self, catalog: Catalog) -> None:
        """Go by what an earlier process read until it answers: what it is now may be something else."""
        if self._view.health is Health.UNKNOWN and self._view.catalog is None:
            self._is_remembered = True
            self._show(replace(self._view, catalog=catalog))

    def report_success(
        self, checkpoint: str | None, *, seconds: float | None, work: float | None, loaded_before: str | None
    ) -> None:
        """A job was drawn there: the circuit is closed, and its time and its checkpoint are noted."""
        before = loaded_before or (None if self._view.catalog is None else self._view.catalog.loaded_checkpoint)
        if seconds is not None and work is not None:
            changed = checkpoint is not None and before is not None and self._is_other(checkpoint, before)
            self.teach(self._speed.learn(seconds, work, changed=changed))
        if checkpoint is not None:
            self.note_loaded(checkpoint)
        self._set_breaker(self._breaker.succeeded(), self._view)

    def report_failure(self, error: WebuiError) -> None:
        """A job failed there: note what that says of the webui, and probe it before long."""
        if isinstance(error, AWAY):
            self._note_down(error)
        self._set_breaker(self._breaker.failed(error, time.monotonic(), self._timing.after_failure), self._view)
        if isinstance(error, OutcomeUnknown):
            self.probe_soon()

    def list_soon(self) -> None:
        """Ask for everything at once, the long lists included."""
        self._listed_at = -math.inf
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
                self._set_due(self._pause())
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

    def _pause(self) -> float:
        """Seconds until the next probe, if nothing happens before."""
        now = time.monotonic()
        if self._down_since is not None:
            return self._timing.retry(now - self._down_since)
        if self._breaker.circuit is Circuit.OPEN:
            return min(max(self._breaker.due - now, 0.0), self._timing.idle)
        catalog = self._view.catalog
        unsure = catalog is not None and not catalog.capabilities.recognised
        return min(self._timing.idle, self._timing.unsure) if unsure else self._timing.idle

    async def _probe(self) -> None:
        at_work = self._view.job_id is not None
        try:
            catalog = await self._fetch()
            self._refuse_half_started(catalog)
        except WebuiError as error:
            self._note_down(error)
            return
        default = catalog.loaded_checkpoint or self._view.default_checkpoint
        if at_work or self._view.job_id is not None:
            # While a job of ours runs, its override stands in the options (contract 4.2).
            default = self._view.default_checkpoint or default
        newest = await self._newest(catalog, default)
        if self._down_since is not None or self._view.health is Health.UNKNOWN:
            log.info("a webui is up", extra=self._log_facts())
        self._down_since, self._is_remembered = None, False
        view = replace(self._view, health=Health.UP, catalog=newest, default_checkpoint=default)
        self._set_breaker(self._breaker.listed(time.monotonic()), view)

    async def _fetch(self) -> Catalog:
        """What it offers; a list whose route fails now is still the one that it had before."""
        known, now = None if self._is_remembered else self._view.catalog, time.monotonic()
        whole = self._down_since is not None or now - self._listed_at > self._timing.whole
        catalog = await self.client.fetch_catalog(known, whole=whole)
        self._listed_at = now if whole and catalog.capabilities.recognised else self._listed_at
        return catalog if known is None else catalog.keeping(known)

    def _refuse_half_started(self, catalog: Catalog) -> None:
        """A webui that starts answers with empty lists for a while (contract 6, row 6)."""
        known = None if self._is_remembered else self._view.catalog
        if known is not None and known.checkpoints and not catalog.checkpoints:
            raise NotReady("it had checkpoints before and lists none now")

    async def _newest(self, catalog: Catalog, default: str | None) -> Catalog:
        """The new catalog, but the known object while nothing changed, since that has its look-up tables ready."""
        known = self._view.catalog
        if known is not None and known == catalog.with_loaded(known.loaded_checkpoint):
            newest = known
        else:
            newest = await asyncio.to_thread(catalog.prepare)
        now = self._view.catalog
        # What the option says counts once it changes; until then the last job knows better.
        loaded = now.loaded_checkpoint if now is not None and default == self._view.default_checkpoint else None
        loaded = loaded or default
        return newest if newest.loaded_checkpoint == loaded else newest.with_loaded(loaded)

    def note_loaded(self, checkpoint: str) -> None:
        """Note what the last job left in the graphics card, which the webui's options don't say (contract 4.2)."""
        catalog = self._view.catalog
        if catalog is not None and catalog.loaded_checkpoint != checkpoint:
            self._show(replace(self._view, catalog=catalog.with_loaded(checkpoint)))

    def _is_other(self, checkpoint: str, before: str) -> bool:
        """Whether two names, as the options and as an answer spell them, are of two checkpoints."""
        catalog = self._view.catalog
        found = [None if catalog is None else find_checkpoint(catalog, name) for name in (checkpoint, before)]
        return checkpoint != before if None in found else found[0] != found[1]

    def _note_down(self, error: WebuiError) -> None:
        kinds = ((AuthenticationFailed, Health.UNAUTHORISED), (NoApi, Health.NO_API))
        health = next((health for kind, health in kinds if isinstance(error, kind)), Health.DOWN)
        if self._down_since is None:
            self._down_since = time.monotonic()
        if health is not self._view.health:
            log.warning("a webui can't be used", extra=self._log_facts() | {"error": str(error)})
        self._show(replace(self._view, health=health))

    def _set_breaker(self, breaker: Breaker, view: BackendView) -> None:
        """Take over both; a circuit that has just opened is looked at again when its wait is over."""
        is_news = breaker.circuit is Circuit.OPEN and breaker != self._breaker
        if breaker.circuit is not view.circuit:
            log.info("a webui's circuit is %s", breaker.circuit.value, extra=self._log_facts())
        self._breaker = breaker
        if is_news:
            self._set_due(max(breaker.due - time.monotonic(), 0.0))
        self._show(replace(view, circuit=breaker.circuit))

    def _log_facts(self) -> dict[str, str]:
        return {"webui": self._view.name, "url": self._view.key}

    def _show(self, view: BackendView) -> None:
        if view != self._view:
            self._view = view
            self._on_change()
