"""The A1111 1.10.1 dialect: its routes, its error shapes, its lists and global routes. No sockets, no drawing."""

import base64
import binascii
import json
import secrets
from typing import Any, ClassVar

from playground.webui import lists
from playground.webui.catalog import Checkpoint
from playground.webui.dialect import Answer, Call, Handler, Route, json_answer
from playground.webui.errors import CrashError, RefusedError
from playground.webui.extensions import Extensions
from playground.webui.fields import Field
from playground.webui.models import INTERNAL_PROGRESS, PROGRESS_QUERY
from playground.webui.validation import Pydantic1

_PAGE = (
    b"<!doctype html><html><head><title>Stable Diffusion</title></head><body><gradio-app></gradio-app></body></html>"
)


class A1111(Extensions):
    """Webui 1.10.1 started with --api; without `internal` as with --nowebui."""

    process_time: str | None = "X-Process-Time"
    validation: ClassVar[Pydantic1] = Pydantic1()

    def routes(self) -> list[Route]:
        """All of the API, plus the web UI's own routes where there is a UI."""
        routes = [self._sdapi("POST", name, handler) for name, handler in self.actions().items()]
        routes += [self._sdapi("GET", name, handler) for name, handler in self.readings().items()]
        # The Lora extension registers its routes without the API's credentials check.
        routes.append(self._sdapi("GET", "loras", self.loras, open_=True))
        routes.append(self._sdapi("POST", "refresh-loras", self.refresh_loras, open_=True))
        routes += self.extension_routes()
        if self.site.internal:
            routes += [
                Route("POST", "/internal/progress", self.internal_progress, open=True),
                Route("GET", "/internal/pending-tasks", self.pending_tasks, open=True),
                Route("GET", "/internal/ping", self.ping, open=True),
                Route("GET", "/", self.page, open=True),
            ]
        return routes

    def _sdapi(self, method: str, name: str, handler: Handler, *, open_: bool = False) -> Route:
        return Route(method, f"/sdapi/v1/{name}", handler, open=open_)

    def actions(self) -> dict[str, Handler]:
        """The POST routes under /sdapi/v1."""
        return {
            "txt2img": self.txt2img,
            "img2img": self.img2img,
            "extra-single-image": self.extra_single_image,
            "png-info": self.png_info,
            "interrogate": self.interrogate,
            "interrupt": self.interrupt,
            "skip": self.skip,
            "options": self.set_options,
            "refresh-checkpoints": self.refresh,
            "refresh-vae": self.refresh,
            "refresh-embeddings": self.refresh,
            "unload-checkpoint": self.unload_checkpoint,
            "reload-checkpoint": self.reload_checkpoint,
        }

    def readings(self) -> dict[str, Handler]:
        """The GET routes under /sdapi/v1."""
        return {
            "progress": self.progress,
            "options": self.options,
            **{name: self._list(name) for name in self.lists()},
        }

    def lists(self) -> dict[str, Any]:
        """The body of every plain list by its name."""
        site, machine = self.site, self.machine
        catalog = machine.catalog
        alwayson = (*self.alwayson, *machine.scripts.titles())
        return {
            "sd-models": lists.items(catalog.checkpoints),
            "sd-vae": lists.vaes(catalog),
            "samplers": lists.items(machine.samplers),
            "schedulers": lists.items(machine.schedulers),
            "upscalers": lists.upscalers(catalog),
            "latent-upscale-modes": lists.latent_upscale_modes(),
            "prompt-styles": lists.prompt_styles(catalog),
            "embeddings": lists.embeddings(catalog),
            "face-restorers": lists.face_restorers(),
            "hypernetworks": [],
            "realesrgan-models": lists.realesrgan_models(catalog),
            "extensions": [],
            "scripts": lists.scripts(alwayson),
            "script-info": lists.script_info(alwayson),
            "memory": lists.memory(),
            "cmd-flags": lists.cmd_flags(site.port, site.auth, webui=site.internal, subpath=site.base_path),
        }

    def _list(self, name: str) -> Handler:
        async def answer(_: Call) -> Answer:
            body = self.lists()[name]
            return json_answer([] if self.site.lists_empty and isinstance(body, list) else body)

        return answer

    async def loras(self, _: Call) -> Answer:
        """`GET /loras`."""
        return json_answer([] if self.site.lists_empty else lists.loras(self.machine.catalog))

    # Errors

    def refused(self, error: RefusedError) -> Answer:
        """The four-key wrapper; WWW-Authenticate is lost in it."""
        return json_answer({"error": "HTTPException", "detail": error.detail, "body": "", "errors": ""}, error.status)

    def crashed(self, error: CrashError) -> Answer:
        """The four-key wrapper with status 500, the text under `errors`."""
        body = {"error": error.kind, "detail": "", "body": "", "errors": error.text}
        return json_answer(body, 500, timed=False)

    def check_credentials(self, call: Call) -> None:
        """HTTP Basic, where --api-auth was given."""
        if self.site.auth is None:
            return
        scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise RefusedError(401, "Not authenticated")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise RefusedError(401, "Invalid authentication credentials") from error
        if not secrets.compare_digest(given, ":".join(self.site.auth).encode()):
            raise RefusedError(401, "Incorrect username or password")

    def read(self, fields: tuple[Field, ...], call: Call) -> dict[str, Any]:
        """The body by its model. Raises InvalidError with the server's items."""
        return self.validation.read(fields, self.read_json(call))

    def read_json(self, call: Call) -> dict[str, Any]:
        """The body as a JSON object."""
        if not call.body:
            raise self.validation.missing()
        kind = call.headers.get("Content-Type", "application/json").partition(";")[0].strip().lower()
        try:
            body = json.loads(call.body) if kind == "application/json" or kind.endswith("+json") else None
        except json.JSONDecodeError as error:
            raise self.validation.broken(error) from error
        except UnicodeDecodeError as error:
            # The framework answers this one itself, not the wrapper.
            raise RefusedError(400, "There was an error parsing the body") from error
        if not isinstance(body, dict):
            raise self.validation.no_object(body)
        return body

    # Global routes

    async def do_nothing(self, _: Call) -> Answer:
        """An action whose answer is null."""
        return json_answer(None)

    async def refresh(self, call: Call) -> Answer:
        """`POST /refresh-*`: waits behind the running job, then the new files of that kind are there."""
        async with self.machine.lock:
            self.machine.catalog.refresh(call.path.rpartition("refresh-")[2])
            return json_answer(None)

    async def refresh_loras(self, _: Call) -> Answer:
        """`POST /refresh-loras`: waits for nothing."""
        self.machine.catalog.refresh("loras")
        return json_answer(None)

    async def interrupt(self, _: Call) -> Answer:
        """`POST /interrupt`."""
        self.machine.interrupt()
        return json_answer({})

    async def skip(self, _: Call) -> Answer:
        """`POST /skip`."""
        self.machine.skip()
        return json_answer(None)

    async def unload_checkpoint(self, _: Call) -> Answer:
        """`POST /unload-checkpoint`: not serialised with jobs."""
        self.machine.unload()
        return json_answer({})

    async def reload_checkpoint(self, _: Call) -> Answer:
        """`POST /reload-checkpoint`."""
        await self.machine.reload()
        return json_answer({})

    async def options(self, _: Call) -> Answer:
        """`GET /options`."""
        return json_answer(self.machine.options.as_json())

    async def set_options(self, call: Call) -> Answer:
        """`POST /options`: sets one after the other, waits for the lock to load another checkpoint, then saves."""
        machine = self.machine
        wanted = self.read_json(call)
        checkpoint = self.wanted_checkpoint(wanted)
        for key, value in wanted.items():
            before = machine.options.get(key)
            machine.options.set(key, value)
            if key == "sd_model_checkpoint" and checkpoint is not None:
                await self._switch(checkpoint, before)
        machine.options.save()
        machine.changes.notify()
        return json_answer(None)

    def wanted_checkpoint(self, wanted: dict[str, Any]) -> Checkpoint | None:
        """The checkpoint that the new options name, if they name one. Raises CrashError for an unknown one."""
        name = wanted.get("sd_model_checkpoint")
        checkpoint = None if name is None else self.machine.catalog.find(name)
        if name is not None and checkpoint is None:
            raise CrashError("RuntimeError", f"model {name!r} not found")
        return checkpoint

    async def _switch(self, checkpoint: Checkpoint, before: Any) -> None:
        async with self.machine.lock:
            try:
                await self.machine.load(checkpoint)
            except CrashError:
                # The server logs this, takes the old value back, and answers as if nothing had happened.
                self.machine.options.set("sd_model_checkpoint", before)

    async def progress(self, call: Call) -> Answer:
        """`GET /progress`: global, without any task's id."""
        query = self.validation.read(PROGRESS_QUERY, call.query, ("query",))
        state = self.machine.state
        progress, eta = state.global_progress()
        preview = None if query["skip_current_image"] or progress == 0 else await self.current_image()
        return json_answer(
            {
                "progress": progress,
                "eta_relative": eta,
                "state": state.as_json(),
                "current_image": preview,
                "textinfo": state.textinfo,
            }
        )

    async def internal_progress(self, call: Call) -> Answer:
        """`POST /internal/progress`: of one task."""
        query = self.read(INTERNAL_PROGRESS, call)
        tasks, task_id = self.machine.tasks, query["id_task"]
        reply: dict[str, Any] = {
            "active": task_id is not None and task_id == tasks.current,
            "queued": task_id in tasks.pending,
            "completed": task_id in tasks.finished,
            "progress": None,
            "eta": None,
            "live_preview": None,
            "id_live_preview": -1,
            "textinfo": None,
        }
        if not reply["active"]:
            return json_answer({**reply, "textinfo": tasks.place(task_id)})
        state = self.machine.state
        reply["progress"], reply["eta"] = state.task_progress()
        reply["textinfo"] = state.textinfo
        reply["id_live_preview"] = query["id_live_preview"]
        if query["live_preview"] and (preview := await self.live_preview(query["id_live_preview"])):
            reply["live_preview"] = preview
            reply["id_live_preview"] = state.preview_id
        return json_answer(reply)

    async def pending_tasks(self, _: Call) -> Answer:
        """`GET /internal/pending-tasks`."""
        pending = self.machine.tasks.pending
        return json_answer({"size": len(pending), "tasks": pending})

    async def ping(self, _: Call) -> Answer:
        """`GET /internal/ping`."""
        return json_answer({})

    async def page(self, _: Call) -> Answer:
        """`GET /`: the web UI's page."""
        return Answer(200, _PAGE, "text/html; charset=utf-8")
