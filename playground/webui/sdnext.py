"""SD.Next: A1111's routes with other defaults, other errors and some routes of its own. No sockets, no drawing.

The handlers of pictures are in `sdnext_jobs`. Source: SD.Next 058a7f0cf326's public API modules.
"""

import json
import time
from collections import defaultdict, deque
from dataclasses import replace
from typing import Any, ClassVar, Unpack

from playground.webui import sdnext_lists
from playground.webui.catalog import Checkpoint
from playground.webui.dialect import Answer, Call, Dialect, Handler, Route, Site, json_answer
from playground.webui.errors import CrashError, RefusedError
from playground.webui.faults import Fault
from playground.webui.models import PROGRESS_QUERY
from playground.webui.sdnext_fields import SDNEXT_UPSCALERS, SdNextCheckpoint
from playground.webui.sdnext_jobs import SdNextJobs
from playground.webui.server import LocalWebui
from playground.webui.setup import Setup

_MINUTE = 60.0  # seconds
_COSTS = {f"/sdapi/v1/{name}": 5 for name in ("txt2img", "img2img", "control")}
_WITHOUT = ("latent-upscale-modes", "hypernetworks", "realesrgan-models", "schedulers")


class SdNext(SdNextJobs):
    """SD.Next with its UI. The option `server_rate_limit` is in cost units a minute for each path; 0 is off."""

    live_format: ClassVar[tuple[str, int]] = ("jpeg", 60)

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._began = time.monotonic()
        self._spent: defaultdict[str, deque[float]] = defaultdict(deque)

    def routes(self) -> list[Route]:
        """Every API route asks for credentials; nobody sees the tasks that wait."""
        open_ = ("/", "/internal/ping")
        routes = [replace(route, open=route.path in open_) for route in super().routes()]
        return [route for route in routes if route.path != "/internal/pending-tasks"]

    def actions(self) -> dict[str, Handler]:
        """The POST routes under /sdapi/v1."""
        actions = super().actions()
        del actions["interrogate"]
        return {
            **actions,
            "process": self.extra_single_image,
            "caption": self.caption,
            "openclip": self.openclip,
            "tagger": self.tagger,
            "vqa": self.vqa,
            "checkpoint": self.set_checkpoint,
        }

    def readings(self) -> dict[str, Handler]:
        """The GET routes under /sdapi/v1."""
        own = {"status": self.status, "checkpoint": self.checkpoint, "schedulers": self.schedulers}
        return {**super().readings(), **own}

    def lists(self) -> dict[str, Any]:
        """The body of every plain list by its name."""
        catalog, options = self.machine.catalog, self.machine.options
        bodies = {name: body for name, body in super().lists().items() if name not in _WITHOUT}
        detailers = sdnext_lists.detailers(options["detailer_models"])
        return {
            **bodies,
            "version": sdnext_lists.version(),
            "samplers": sdnext_lists.samplers(list(self.machine.samplers)),
            "prompt-styles": sdnext_lists.prompt_styles(catalog),
            "embeddings": {"loaded": list(catalog.embeddings), "skipped": []},
            "detailers": detailers,
            "face-restorers": detailers,
            "scripts": {**bodies["scripts"], "control": bodies["scripts"]["txt2img"]},
        }

    # Errors

    def refused(self, error: RefusedError) -> Answer:
        """Five keys, the status among them."""
        return json_answer(_wrapped("HTTPException", error.status, error.detail, f"{error.status}: {error.detail}"),
                           error.status)  # fmt: skip

    def crashed(self, error: CrashError) -> Answer:
        """Five keys; a TypeError is a bare string."""
        if error.kind == "TypeError":
            return json_answer(error.text, 500)
        return json_answer(_wrapped(error.kind, 500, "", error.text), 500)

    def outside(self, path: str) -> Answer:
        """Sent on to the same path below the subpath, without its query."""
        return Answer(308, b"", content_type="", headers={"Location": f"{self.site.base_path}{path}"})

    def check_credentials(self, call: Call) -> None:
        """HTTP Basic, where --auth was given."""
        try:
            super().check_credentials(call)
        except RefusedError as error:
            detail = error.detail if error.detail == "Not authenticated" else "Unauthorized"
            raise RefusedError(401, detail) from error

    async def answer(self, route: Route, call: Call) -> Answer:
        """The route's answer, or 429 when its path was asked for too often."""
        if self._is_over_limit(route.path):
            return self.refused(RefusedError(429, f"127.0.0.1:{route.path}: rate limit exceeded"))
        return await super().answer(route, call)

    def _is_over_limit(self, path: str) -> bool:
        limit, now, spent = int(self.machine.options["server_rate_limit"]), time.monotonic(), self._spent[path]
        while spent and spent[0] <= now - _MINUTE:
            spent.popleft()
        cost = _COSTS.get(path, 1)
        if limit <= 0:
            return False
        if len(spent) + cost > limit:
            return True
        spent.extend([now] * cost)
        return False

    # Global routes

    async def interrupt(self, call: Call) -> Answer:
        """`POST /interrupt`: 204."""
        await super().interrupt(call)
        return _no_content()

    async def skip(self, call: Call) -> Answer:
        """`POST /skip`: 204."""
        await super().skip(call)
        return _no_content()

    async def refresh(self, call: Call) -> Answer:
        """`POST /refresh-*`: 204, waits for nothing."""
        catalog = self.machine.catalog
        catalog.refresh(call.path.rpartition("refresh-")[2])
        catalog.checkpoints[:] = [_renamed(each) for each in catalog.checkpoints]
        return _no_content()

    async def refresh_loras(self, call: Call) -> Answer:
        """`POST /refresh-loras`: 204."""
        await super().refresh_loras(call)
        return _no_content()

    async def unload_checkpoint(self, call: Call) -> Answer:
        """`POST /unload-checkpoint`: 204."""
        await super().unload_checkpoint(call)
        return _no_content()

    async def reload_checkpoint(self, call: Call) -> Answer:
        """`POST /reload-checkpoint`: 204."""
        await super().reload_checkpoint(call)
        return _no_content()

    async def schedulers(self, _: Call) -> Answer:
        """`GET /schedulers`: its own rows do not fit its own schema."""
        raise CrashError("ResponseValidationError", "1 validation error: response.0.cls: Field required")

    async def checkpoint(self, _: Call) -> Answer:
        """`GET /checkpoint`."""
        return json_answer(sdnext_lists.checkpoint(self.machine.loaded))

    async def set_checkpoint(self, call: Call) -> Answer:
        """`POST /checkpoint`: by query."""
        name = call.query.get("sd_model_checkpoint")
        if name is None:
            item = {"type": "missing", "loc": ["query", "sd_model_checkpoint"], "msg": "Field required", "input": None}
            return json_answer({"detail": [item]}, 422)
        return json_answer({"ok": await self._switch_to(name, call)})

    async def set_options(self, call: Call) -> Answer:
        """`POST /options`: says of each key whether it was taken; an unknown one or a failed load is false."""
        updated = []
        for key, value in self.read_json(call).items():
            if key == "sd_model_checkpoint":
                done = await self._switch_to(value, call)
            elif done := self.machine.options.has(key):
                self.machine.options.set(key, value, guarded=False)
            updated.append({key: done})
        self.machine.options.save()
        self.machine.changes.notify()
        return json_answer({"updated": updated})

    async def _switch_to(self, name: Any, call: Call) -> bool:
        """Set the option, then load behind the lock; a failure puts the option back."""
        options, before = self.machine.options, self.machine.options["sd_model_checkpoint"]
        options.set("sd_model_checkpoint", name)
        failing = call.fault is not None and call.fault.is_any(Fault.MODEL_NOT_FOUND)
        async with self.machine.lock:
            checkpoint = None if failing else self.machine.catalog.find(name)
            loaded = checkpoint is not None and await self._load(checkpoint)
        if not loaded:
            options.set("sd_model_checkpoint", before)
        return loaded

    async def _load(self, checkpoint: Checkpoint) -> bool:
        try:
            await self.machine.load(checkpoint)
        except CrashError:
            return False
        return True

    async def status(self, _: Call) -> Answer:
        """`GET /status`."""
        tasks, uptime = self.machine.tasks, int(time.monotonic() - self._began)
        return json_answer(sdnext_lists.status(self.machine.state, tasks.current, len(tasks.pending), uptime))

    async def progress(self, call: Call) -> Answer:
        """`GET /progress`: rounded, with the task's id."""
        query = self.validation.read(PROGRESS_QUERY, call.query, ("query",))
        state, tasks = self.machine.state, self.machine.tasks
        progress, eta = state.task_progress() if state.job_count else (0.0, None)
        preview = None if query["skip_current_image"] or progress == 0 else await self.current_image()
        shown = {key: value for key, value in state.as_json().items() if key != "stopping_generation"}
        return json_answer(
            {
                "id": tasks.current,
                "progress": round(progress, 2),
                "eta_relative": round(eta or 0.0, 2),
                "state": shown,
                "current_image": preview,
                "textinfo": state.textinfo,
            }
        )

    async def internal_progress(self, call: Call) -> Answer:
        """`POST /internal/progress`: knows no task of the API; the id "undefined" means whatever runs."""
        body = self.read_json(call)
        current = self.machine.tasks.current if self.machine.state.job_count else None
        asked = current if body.get("id_task") == "undefined" and current else "unknown"
        return await super().internal_progress(replace(call, body=json.dumps({**body, "id_task": asked}).encode()))


class LocalSdNext(LocalWebui):
    """A local SD.Next. Its pictures are JPEG unless `options` says {"samples_format": "png"}."""

    dialect: ClassVar[type[Dialect]] = SdNext
    checkpoint: ClassVar[type[Checkpoint]] = SdNextCheckpoint

    def __init__(self, **setup: Unpack[Setup]) -> None:
        super().__init__(**setup)
        self.catalog.upscalers = SDNEXT_UPSCALERS


def _wrapped(kind: str, code: int, detail: str, errors: str) -> dict[str, Any]:
    return {"error": kind, "code": code, "detail": detail, "body": "", "errors": errors}


def _no_content() -> Answer:
    return Answer(204, b"", content_type="")


def _renamed(checkpoint: Checkpoint) -> Checkpoint:
    return checkpoint if isinstance(checkpoint, SdNextCheckpoint) else SdNextCheckpoint(checkpoint.file)
