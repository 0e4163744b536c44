"""One txt2img or img2img from the queue to its files: overrides, checkpoint, passes, pictures. Knows no HTTP."""

import asyncio
import hashlib
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from playground.webui.art import Scene
from playground.webui.catalog import Checkpoint
from playground.webui.controlnet import Controlled, DetectedMap
from playground.webui.errors import NANS, OUT_OF_MEMORY, CrashError, RefusedError
from playground.webui.faults import Fault, Planned
from playground.webui.machine import Machine
from playground.webui.plan import Plan, Route, make_plan
from playground.webui.records import Render
from playground.webui.rendering import Encoding, Inputs, Shot, draw, encode, encode_extra, make_grid, mask_extras
from playground.webui.sampling import pick_sampling

HUGE_BYTES = 11 * 1024 * 1024  # above Discord's 10 MiB


@dataclass(frozen=True, slots=True)
class Order:
    """A validated request with what its faults ask for. `decode` gives img2img's images, read inside the lock.

    `sent` is the JSON as it arrived.
    """

    route: Route
    payload: dict[str, Any]
    fault: Planned | None
    decode: Callable[[], Inputs | None]
    cheap: bool
    sent: Mapping[str, Any] = field(default_factory=dict)

    def has(self, *faults: Fault) -> bool:
        """Whether this request meets one of these faults."""
        return self.fault is not None and self.fault.is_any(*faults)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the card gives back: files and infotexts.

    There are more files where masks stand between the pictures or maps behind them, and fewer when the job was stopped
    before its first pass. `first` is 1 when a grid stands before the pictures.
    """

    render: Render
    plan: Plan
    files: list[bytes]
    infotexts: list[str]
    first: int
    timestamp: str


@dataclass(slots=True)
class _Made:
    """A finished pass's picture; `picture` is None in cheap mode."""

    index: int
    shot: Shot
    picture: Image.Image | None


class Generation:
    """Runs one order on the machine."""

    def __init__(self, machine: Machine, order: Order) -> None:
        self._machine = machine
        self._order = order
        letters = "".join(random.choices(string.ascii_lowercase + string.digits, k=15))
        self._task_id = order.payload["force_task_id"] or f"task(text2img-{letters})"

    async def run(self) -> Outcome:
        """Wait for the lock, generate, encode. Raises CrashError or RefusedError as the server would fail."""
        machine, order = self._machine, self._order
        machine.tasks.add(self._task_id)
        machine.changes.notify()
        try:
            async with machine.job(f"scripts_{order.route}"):
                machine.tasks.start(self._task_id)
                inputs = await asyncio.to_thread(order.decode)
                outcome = await self._recorded(inputs)
        finally:
            machine.tasks.leave(self._task_id)
        machine.tasks.finish(self._task_id)
        machine.changes.notify()
        return outcome

    async def _recorded(self, inputs: Inputs | None) -> Outcome:
        now = asyncio.get_running_loop().time
        payload = self._order.payload
        sent = self._order.sent
        ignored = tuple(key for key in sent if key not in payload)
        render = Render(dict(payload), payload["seed"] or -1, self._task_id, "", now(), sent=sent, ignored=ignored)
        self._machine.renders.append(render)
        self._machine.changes.notify()
        try:
            outcome = await self._process(render, inputs)
        except (CrashError, RefusedError):
            render.state, render.finished = "failed", now()
            raise
        except asyncio.CancelledError:
            render.state = "discarded"
            raise
        render.state = "interrupted" if self._machine.state.interrupted else "done"
        render.finished = now()
        return outcome

    async def _process(self, render: Render, inputs: Inputs | None) -> Outcome:
        machine, order = self._machine, self._order
        overrides = order.payload["override_settings"] or {}
        before = machine.options.remembered(overrides)
        try:
            await self._override(overrides)
            control = await self._control(inputs)
            plan = self._plan({**(inputs.notes if inputs else {}), **control.pairs})
            render.seed, render.checkpoint, render.loras = plan.seeds[0], plan.checkpoint.stem, self._apply_loras(plan)
            with_infotext = bool(machine.options["enable_pnginfo"]) and not order.has(Fault.NO_METADATA)
            made = await self._passes(plan, inputs)
        finally:
            if order.payload["override_settings_restore_afterwards"]:
                machine.options.restore(before)
        # The format is read after the options were put back: an override of samples_format has no effect.
        encoding = self._encoding(with_infotext)
        outcome = await asyncio.to_thread(self._finish, render, plan, made, encoding)
        if made:
            outcome.files.extend(await asyncio.to_thread(_encode_maps, control.maps, encoding))
        render.infotexts = outcome.infotexts[outcome.first :]
        render.digests = [hashlib.sha256(file).hexdigest() for file in outcome.files]
        return outcome

    async def _override(self, overrides: dict[str, Any]) -> None:
        machine, order = self._machine, self._order
        for key, value in list(overrides.items()):
            if value is None and machine.flavour.ignores_null and not machine.options.has(key):
                continue
            # A checkpoint nobody knows is dropped without a word; the configured one is used.
            if key != "sd_model_checkpoint" or machine.catalog.find(value) is not None:
                machine.options.set(key, value)
            elif not machine.flavour.echoes_unknown:
                del overrides[key]
        if order.has(Fault.MODEL_NOT_FOUND):
            name = overrides.get("sd_model_checkpoint", machine.options["sd_model_checkpoint"])
            raise CrashError("Exception", f"Could not find checkpoint with name {name}")
        configured = machine.configured()
        await machine.load(self._mistaken(configured) if order.has(Fault.WRONG_CHECKPOINT) else configured)
        if order.has(Fault.WRONG_CHECKPOINT):
            machine.options.set("sd_model_checkpoint", configured.title)

    def _mistaken(self, configured: Checkpoint) -> Checkpoint:
        others = [each for each in self._machine.catalog.checkpoints if each is not configured]
        return others[0] if others else configured

    async def _control(self, inputs: Inputs | None) -> Controlled:
        machine, payload = self._machine, self._order.payload
        if not payload["alwayson_scripts"]:
            return Controlled()
        size = (payload["width"] or 0) // 8 * 8, (payload["height"] or 0) // 8 * 8
        no_maps = bool(machine.options.get("control_net_no_detectmap"))
        init = None if inputs is None else inputs.init
        return await asyncio.to_thread(machine.scripts.run, payload, init, size, no_maps=no_maps)

    def _apply_loras(self, plan: Plan) -> list[str]:
        if plan.loras is not None:
            self._machine.loras = plan.loras
        return list(self._machine.loras)

    def _plan(self, notes: Mapping[str, Any]) -> Plan:
        machine, payload = self._machine, self._order.payload
        loaded = machine.loaded
        if loaded is None:
            raise machine.flavour.no_checkpoint
        sampling = pick_sampling(
            payload["sampler_name"] or payload["sampler_index"],
            payload["scheduler"],
            machine.samplers,
            machine.schedulers,
        )
        return make_plan(
            self._order.route,
            payload,
            sampling,
            machine.catalog,
            machine.options,
            loaded,
            machine.flavour,
            notes,
        )

    def _encoding(self, with_infotext: bool) -> Encoding:
        options = self._machine.options
        samples_format = str(options["samples_format"])
        if self._order.has(Fault.JPEG, Fault.WEBP):
            samples_format = "jpeg" if self._order.has(Fault.JPEG) else "webp"
        return Encoding(samples_format, int(options["jpeg_quality"]), with_infotext, self._order.cheap)

    async def _passes(self, plan: Plan, inputs: Inputs | None) -> list[_Made]:
        state = self._machine.state
        state.job_count = plan.n_iter * (2 if plan.hires else 1)
        made: list[_Made] = []
        for iteration in range(plan.n_iter):
            state.skipped = False
            if state.interrupted:
                break
            if plan.n_iter > 1:
                state.job = f"Batch {iteration + 1} out of {plan.n_iter}"
            self._show_preview(plan, iteration)
            if iteration and (plan.refiner or (plan.hires and plan.hires.checkpoint)):
                await self._machine.load(plan.checkpoint, noted=False)
            left, size = await self._one_iteration(plan)
            shots = self._shots(plan, iteration, left, size, inputs)
            made += await asyncio.to_thread(self._draw_all, shots)
            state.next_job()
        return made

    async def _one_iteration(self, plan: Plan) -> tuple[float, tuple[int, int]]:
        """Run the passes of one batch; returns the share left undone and the picture's size."""
        failure, fail_at = OUT_OF_MEMORY, 0.5 if self._order.has(Fault.OUT_OF_MEMORY) else 2.0
        machine, sample = self._machine, self._machine.sample
        if self._order.has(Fault.NAN) and machine.flavour.checks_nans:
            failure, fail_at = NANS, 1.0
        done = await sample(plan.steps, plan.batch_size, fail_at=fail_at, failure=failure)
        if plan.refiner is not None:
            await machine.load(plan.refiner, noted=False)
        if plan.hires is None or machine.stopping:
            return 1 - done, plan.pixels
        machine.flavour.check_second_pass(self._order.payload)
        if plan.hires.checkpoint is not None:
            await machine.load(plan.hires.checkpoint, noted=False)
        machine.state.next_job()
        done = await sample(plan.hires.steps, plan.batch_size, failure=failure)
        return 1 - done, (plan.hires.width, plan.hires.height)

    def _scene(self, plan: Plan, index: int, size: tuple[int, int]) -> Scene:
        seed = plan.seeds[index]
        key = str(seed)
        if plan.subseed_strength > 0:
            key = f"{seed}/{plan.subseeds[index]}/{plan.subseed_strength}"
        return Scene(plan.prompt, seed, key, *size)

    def _show_preview(self, plan: Plan, iteration: int) -> None:
        state = self._machine.state
        state.preview = self._scene(plan, iteration * plan.batch_size, plan.pixels)

    def _shots(
        self, plan: Plan, iteration: int, left: float, size: tuple[int, int], inputs: Inputs | None
    ) -> list[tuple[int, Shot]]:
        order = self._order
        noise = int(order.fault.amount or HUGE_BYTES) if order.fault and order.has(Fault.HUGE_PNG) else 0
        strength = 1.0 if plan.denoising is None else plan.denoising
        black = plan.black or order.has(Fault.BLACK_IMAGE, Fault.NAN)
        shots: list[tuple[int, Shot]] = []
        for place in range(plan.batch_size):
            index = iteration * plan.batch_size + place
            own = None if inputs is None else inputs.of(place)
            # What is drawn for "only masked" is pasted back into the init image, whatever size was asked for.
            shape = size if own is None or own.area is None else own.init.size
            shots.append((index, Shot(self._scene(plan, index, shape), left, own, strength, black, noise)))
        return shots

    def _draw_all(self, shots: list[tuple[int, Shot]]) -> list[_Made]:
        cheap = self._order.cheap
        return [
            _Made(index, shot, None if cheap and not (shot.black or shot.noise_bytes) else draw(shot))
            for index, shot in shots
        ]

    def _finish(self, render: Render, plan: Plan, made: list[_Made], encoding: Encoding) -> Outcome:
        order, options = self._order, self._machine.options
        if order.has(Fault.FEWER_IMAGES):
            made = made[:-1]
        infotexts = [plan.infotext(each.index) for each in made] or [plan.infotext(0)]
        files: list[bytes] = []
        masks = {"mask": bool(options["return_mask"]), "composite": bool(options["return_mask_composite"])}
        for each in made:
            files.append(encode(each.shot, each.picture, plan.infotext(each.index), encoding))
            files += [encode_extra(extra, encoding) for extra in mask_extras(each.shot, each.picture, **masks)]
        first = 0
        asked = order.payload["save_images"] and options["return_grid"] and len(made) > 1
        if made and (asked or order.has(Fault.GRID_FIRST)):
            grid = make_grid([each.picture or draw(each.shot) for each in made])
            files.insert(0, encode(made[0].shot, grid, infotexts[0], encoding))
            infotexts.insert(0, infotexts[0])
            first = 1
        return Outcome(render, plan, files, infotexts, first, self._machine.state.job_timestamp)


def _encode_maps(maps: list[DetectedMap], encoding: Encoding) -> list[bytes]:
    return [encode_extra(each.draw(), encoding) for each in maps]
