"""The one graphics card: a FIFO lock, the loaded checkpoint, steps that take time. Knows no HTTP and no shapes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playground.webui.catalog import Catalog, Checkpoint
from playground.webui.changes import Changes
from playground.webui.errors import CrashError
from playground.webui.flavour import Flavour
from playground.webui.options import Options
from playground.webui.progress import JobState, Tasks
from playground.webui.records import Render
from playground.webui.sampling import Sampler, Scheduler
from playground.webui.scripts import Scripts


@dataclass(slots=True)
class Pace:
    """How long things take, in seconds; may be changed while the webui runs."""

    seconds_per_step: float = 0.02
    load_seconds: float = 0.0


class Machine:
    """What all requests share. The lock lets one generation (or extras, interrogate, refresh) through at a time."""

    def __init__(
        self,
        catalog: Catalog,
        options: Options,
        pace: Pace,
        changes: Changes,
        samplers: Sequence[Sampler] | None = None,
        schedulers: Sequence[Scheduler] | None = None,
        flavour: Flavour | None = None,
    ) -> None:
        self.flavour = flavour or Flavour()
        self.scripts = Scripts()
        self.catalog = catalog
        self.options = options
        self.pace = pace
        self.changes = changes
        self.samplers = self.flavour.samplers if samplers is None else samplers
        self.schedulers = self.flavour.schedulers if schedulers is None else schedulers
        self.lock = asyncio.Lock()
        self.state = JobState()
        self.tasks = Tasks()
        self.renders: list[Render] = []
        self.swaps: list[str] = []
        self.interrupts: list[float] = []
        self.loaded: Checkpoint | None = None
        self.loras: list[str] = []
        self._held_at: int | None = None
        self._broken = False
        self._boot()

    def _boot(self) -> None:
        checkpoint = self.catalog.find(self.options["sd_model_checkpoint"])
        if checkpoint is None and self.catalog.checkpoints:
            checkpoint = self.catalog.checkpoints[0]
        if checkpoint is None:
            return
        if self.flavour.boots_loaded:
            self._take(checkpoint, noted=self.flavour.names_checkpoint)
        elif not self.options["sd_model_checkpoint"]:
            self.options.set("sd_model_checkpoint", checkpoint.title)

    def restart(self) -> None:
        """Forget what a process forgets: the lock, the progress, the tasks. The memory of renders stays."""
        self.lock = asyncio.Lock()
        self.state = JobState()
        self.tasks = Tasks()
        self._broken = False
        self.changes.notify()

    @property
    def running(self) -> Render | None:
        """The render that holds the lock now."""
        last = self.renders[-1] if self.renders else None
        return last if last is not None and last.state == "running" else None

    def hold(self, at_step: int) -> None:
        """Let no generation go past this many steps of its present pass, until `release`."""
        self._held_at = at_step
        self.changes.notify()  # one that was held before may go on until there

    def release(self) -> None:
        """Let held generations go on."""
        self._held_at = None
        self.changes.notify()

    @asynccontextmanager
    async def job(self, name: str) -> AsyncIterator[JobState]:
        """Hold the lock as a named job."""
        async with self.lock:
            self.state.begin(name)
            self.changes.notify()
            try:
                yield self.state
            finally:
                self.state.end()
                self.changes.notify()

    async def load(self, checkpoint: Checkpoint, *, noted: bool = True) -> None:
        """Make the checkpoint the loaded one; takes `load_seconds` if it is not.

        Rewrites the option to its title if `noted`. Raises CrashError for a broken one; the one before stays loaded.
        """
        if checkpoint is self.loaded:
            return
        if self.pace.load_seconds > 0:
            await asyncio.sleep(self.pace.load_seconds)
        if checkpoint.broken:
            raise self.flavour.load_failure
        self._take(checkpoint, noted=noted)
        self.swaps.append(checkpoint.stem)
        self.changes.notify()

    def _take(self, checkpoint: Checkpoint, *, noted: bool) -> None:
        self.loaded = checkpoint
        self._broken = False
        checkpoint.hashed = True
        if noted and self.flavour.writes_title:
            self.options.set("sd_model_checkpoint", checkpoint.title)
        self.options.set("sd_checkpoint_hash", checkpoint.sha256)

    def unload(self) -> None:
        """Throw the weights out at once; a running job breaks at its next step."""
        self.loaded = None
        self._broken = True

    async def reload(self) -> None:
        """Load the configured checkpoint again, without waiting for the lock."""
        await self.load(self.configured())

    def configured(self) -> Checkpoint:
        """The checkpoint that the options name. Raises CrashError when the webui has none at all."""
        name = self.options["sd_model_checkpoint"]
        found = None if name is None else self.catalog.find(name) or self.loaded
        if found is None and not self.catalog.checkpoints:
            raise self.flavour.no_checkpoint
        return found or self.catalog.checkpoints[0]

    def interrupt(self) -> None:
        """Stop the running job at its next step; harmless when idle."""
        self.interrupts.append(asyncio.get_running_loop().time())
        self.state.interrupted = True
        self.changes.notify()

    def skip(self) -> None:
        """End the running job's present pass."""
        self.state.skipped = True
        self.changes.notify()

    async def sample(self, steps: int, pictures: int, *, fail_at: float = 2.0, failure: CrashError) -> float:
        """Run one pass and return the share of steps that was done.

        `fail_at` is the share after which `failure` is raised; above 1 it never is.
        """
        self.state.sampling_steps, self.state.sampling_step = steps, 0
        for step in range(steps):
            await self._while_held(step)
            if self.stopping:
                return step / steps
            if self._broken:
                raise self.flavour.no_checkpoint
            await asyncio.sleep(self.pace.seconds_per_step * pictures)
            self.state.sampling_step = step + 1
            self.changes.notify()
            if (step + 1) / steps >= fail_at:
                raise failure
        await self._while_held(steps)
        return 1.0

    @property
    def stopping(self) -> bool:
        """Whether the present pass was told to end."""
        return self.state.interrupted or self.state.skipped

    async def _while_held(self, step: int) -> None:
        # An interrupt goes through a hold: otherwise a held job could not be cancelled deterministically.
        while self._held_at is not None and step >= self._held_at and not self.stopping:
            await self.changes.next()
