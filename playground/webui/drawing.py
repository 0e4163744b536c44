"""One generation of any webui from the queue to its files. Knows no request key, no option and no HTTP.

For the dialects whose requests are not A1111's; what is to be drawn they decide themselves.
"""

import asyncio
import hashlib
import random
import string
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from playground.webui.art import Scene
from playground.webui.errors import CrashError, RefusedError
from playground.webui.faults import Fault, Planned
from playground.webui.generate import HUGE_BYTES
from playground.webui.inpaint import Inputs
from playground.webui.machine import Machine
from playground.webui.plan import Hires
from playground.webui.records import Render
from playground.webui.rendering import Shot, draw

OUT_OF_MEMORY = CrashError("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.25 GiB (8.00 GiB total)")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is drawn, every default decided: one picture for each seed, with its infotext.

    `keys` tell pictures of one seed apart ("" for the seed alone); sizes are in pixels. An unfinished picture is
    1/`unfinished_scale` of its size.
    """

    prompt: str
    seeds: Sequence[int]
    steps: int
    width: int
    height: int
    infotexts: Sequence[str]
    keys: Sequence[str] = ()
    batch_size: int = 1
    hires: Hires | None = None
    inputs: Inputs | None = None
    denoising: float = 1.0
    unfinished_scale: int = 1
    loras: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A picture as it left the card; `picture` is None in cheap mode."""

    shot: Shot
    picture: Image.Image | None
    infotext: str

    @property
    def finished(self) -> bool:
        """Whether every step was done."""
        return self.shot.left <= 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the card gave back: pictures and their files, equally many; fewer than planned after an interrupt."""

    render: Render
    made: list[Made]
    files: list[bytes]
    timestamp: str


Prepare = Callable[[], Awaitable[Draft]]
Cleanup = Callable[[], Awaitable[None]]
Encoder = Callable[[Made], bytes]
"""Makes the file of one picture. Blocking: called in a thread."""


@dataclass(frozen=True, slots=True)
class Commission:
    """One request: `job` is what /progress calls it, `payload` and `sent` are what the render's record keeps of it.

    `known` are the keys that this webui reads; None: its payload's.
    """

    job: str
    payload: Mapping[str, Any]
    sent: Mapping[str, Any]
    fault: Planned | None
    cheap: bool
    known: Collection[str] | None = None

    @property
    def ignored(self) -> tuple[str, ...]:
        """The keys that were sent for nothing."""
        known = self.payload if self.known is None else self.known
        return tuple(key for key in self.sent if key not in known)

    def has(self, *faults: Fault) -> bool:
        """Whether this request meets one of these faults."""
        return self.fault is not None and self.fault.is_any(*faults)


class Drawing:
    """Runs one commission on the machine."""

    def __init__(self, machine: Machine, commission: Commission) -> None:
        self._machine = machine
        self._commission = commission
        letters = "".join(random.choices(string.ascii_lowercase + string.digits, k=15))
        self._task_id = f"task({letters})"

    async def run(self, prepare: Prepare, encoder: Encoder, cleanup: Cleanup | None = None) -> Drawn:
        """Wait for the lock, let `prepare` decide, draw, encode, clean up. Raises CrashError, RefusedError."""
        machine = self._machine
        machine.tasks.add(self._task_id)
        machine.changes.notify()
        try:
            async with machine.job(self._commission.job):
                machine.tasks.start(self._task_id)
                try:
                    drawn = await self._recorded(prepare, encoder)
                except (CrashError, RefusedError):
                    await _do(cleanup)
                    raise
                await _do(cleanup)
        finally:
            machine.tasks.leave(self._task_id)
        machine.tasks.finish(self._task_id)
        machine.changes.notify()
        return drawn

    async def _recorded(self, prepare: Prepare, encoder: Encoder) -> Drawn:
        now = asyncio.get_running_loop().time
        asked = self._commission
        render = Render(dict(asked.payload), -1, self._task_id, "", now(), sent=asked.sent, ignored=asked.ignored)
        self._machine.renders.append(render)
        self._machine.changes.notify()
        try:
            drawn = await self._process(render, prepare, encoder)
        except (CrashError, RefusedError):
            render.state, render.finished = "failed", now()
            raise
        except asyncio.CancelledError:
            render.state = "discarded"
            raise
        render.state = "interrupted" if self._machine.state.interrupted else "done"
        render.finished = now()
        return drawn

    async def _process(self, render: Render, prepare: Prepare, encoder: Encoder) -> Drawn:
        if self._commission.has(Fault.MODEL_NOT_FOUND):
            raise CrashError("Exception", "Could not find checkpoint with name missing.safetensors")
        draft = await prepare()
        loaded = self._machine.loaded
        render.loras = list(draft.loras)
        render.seed, render.checkpoint = draft.seeds[0], "" if loaded is None else loaded.stem
        made = await self._passes(draft)
        if self._commission.has(Fault.FEWER_IMAGES):
            made = made[:-1]
        files = await asyncio.to_thread(lambda: [encoder(each) for each in made])
        render.infotexts = [each.infotext for each in made]
        render.digests = [hashlib.sha256(file).hexdigest() for file in files]
        return Drawn(render, made, files, self._machine.state.job_timestamp)

    async def _passes(self, draft: Draft) -> list[Made]:
        state = self._machine.state
        starts = range(0, len(draft.seeds), draft.batch_size)
        state.job_count = len(starts) * (2 if draft.hires else 1)
        made: list[Made] = []
        for first in starts:
            state.skipped = False
            if state.interrupted:
                break
            state.preview = _scene(draft, first, (draft.width, draft.height))
            indices = range(len(draft.seeds))[first : first + draft.batch_size]
            left, size = await self._one_batch(draft, len(indices))
            made += await asyncio.to_thread(self._draw, draft, indices, left, size)
            state.next_job()
        return made

    async def _one_batch(self, draft: Draft, pictures: int) -> tuple[float, tuple[int, int]]:
        """The share of steps left undone and the pictures' size in pixels."""
        sample, size = self._machine.sample, (draft.width, draft.height)
        fail_at = 0.5 if self._commission.has(Fault.OUT_OF_MEMORY) else 2.0
        done = await sample(draft.steps, pictures, fail_at=fail_at, failure=OUT_OF_MEMORY)
        if draft.hires is None or self._machine.stopping:
            return 1 - done, size
        self._machine.state.next_job()
        done = await sample(draft.hires.steps, pictures, failure=OUT_OF_MEMORY)
        return 1 - done, (draft.hires.width, draft.hires.height)

    def _draw(self, draft: Draft, indices: range, left: float, size: tuple[int, int]) -> list[Made]:
        commission = self._commission
        # None of these webuis looks for NaNs: the picture is black.
        black = commission.has(Fault.BLACK_IMAGE, Fault.NAN)
        noise = 0
        if commission.fault is not None and commission.has(Fault.HUGE_PNG):
            noise = int(commission.fault.amount or HUGE_BYTES)
        if left > 0:
            size = (max(size[0] // draft.unfinished_scale, 1), max(size[1] // draft.unfinished_scale, 1))
        made = []
        for index in indices:
            shot = Shot(_scene(draft, index, size), left, draft.inputs, draft.denoising, black, noise)
            picture = None if commission.cheap and not black and not noise else draw(shot)
            made.append(Made(shot, picture, draft.infotexts[index]))
        return made


async def _do(cleanup: Cleanup | None) -> None:
    if cleanup is not None:
        await cleanup()


def _scene(draft: Draft, index: int, size: tuple[int, int]) -> Scene:
    seed = draft.seeds[index]
    return Scene(draft.prompt, seed, (draft.keys[index] if draft.keys else "") or str(seed), *size)
