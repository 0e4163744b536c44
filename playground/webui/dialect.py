"""What every dialect shares: a call, an answer, a route, and the turning of errors into answers. No sockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from playground.webui.errors import CrashError, DroppedError, InvalidError, RefusedError
from playground.webui.faults import Planned
from playground.webui.flavour import Flavour
from playground.webui.machine import Machine

T = TypeVar("T")
OUTSIDE = "#outside"
"""Ends the path of a request that did not come below the base path."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a dialect sees it; `path` is without the base path."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    fault: Planned | None
    client_gone: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply; an empty `content_type` sends none. `timed`: whether the timing header goes with it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    timed: bool = True


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path with its handler. `open` routes ask for no credentials."""

    method: str
    path: str
    handler: Handler
    open: bool = False


@dataclass(slots=True)
class Site:
    """One installation: its card and how it was started. `lists_empty` is on while a restart goes on."""

    machine: Machine
    auth: tuple[str, str] | None
    base_path: str
    internal: bool
    cheap: bool
    port: int = 0
    lists_empty: bool = False
    jobs: set[asyncio.Task[Any]] = field(default_factory=set)

    async def run(self, job: Coroutine[Any, Any, T]) -> T:
        """Run a job that goes on when the client leaves; a restart ends it with DroppedError."""
        task = asyncio.create_task(job)
        self.jobs.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task})
        if task.cancelled():
            raise DroppedError
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self.jobs.discard(task)
        if not task.cancelled():
            task.exception()  # read it, so that a job whose client left is not reported as unhandled


def json_answer(payload: Any, status: int = 200, *, timed: bool = True) -> Answer:
    """An answer in JSON, non-ASCII kept as the server does."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return Answer(status, text.encode("utf-8", "surrogatepass"), timed=timed)


class Dialect:
    """Routes and shapes of one kind of webui. Subclass it, override what differs."""

    server = "uvicorn"  # the Server header; "" for none
    process_time: str | None = None  # the name of the timing header
    headers: ClassVar[Mapping[str, str]] = {}  # with every answer
    gzip_from: int | None = 1000  # bytes of a body that is packed for who asks; None: never
    requests_per_connection: int | None = None  # after that many the connection is closed; None: never
    flavour: ClassVar[Flavour] = Flavour()  # how it draws

    def __init__(self, site: Site) -> None:
        self.site = site
        self.machine = site.machine

    def routes(self) -> list[Route]:
        """Every route that this installation answers."""
        raise NotImplementedError

    def canonical(self, path: str) -> str:
        """The registered path that a request's path means."""
        return path

    def not_found(self) -> Answer:
        """The answer for an unknown path."""
        return json_answer({"detail": "Not Found"}, 404)

    def outside(self, path: str) -> Answer:  # noqa: ARG002 - dialects that redirect need it
        """The answer for a path that is not below the base path."""
        return self.not_found()

    def method_not_allowed(self) -> Answer:
        """The answer for a known path with another method."""
        return json_answer({"detail": "Method Not Allowed"}, 405)

    def refused(self, error: RefusedError) -> Answer:
        """The shape of a deliberate HTTP error."""
        raise NotImplementedError

    def crashed(self, error: CrashError) -> Answer:
        """The shape of an uncaught exception."""
        raise NotImplementedError

    def invalid(self, error: InvalidError) -> Answer:
        """The shape of a validation error."""
        return json_answer({"detail": error.items}, 422)

    def check_credentials(self, call: Call) -> None:
        """Raise RefusedError when the call lacks the right credentials."""
        raise NotImplementedError

    async def answer(self, route: Route, call: Call) -> Answer:
        """The route's answer, errors included. Raises DroppedError when there is none at all."""
        try:
            if not route.open:
                self.check_credentials(call)
            return await route.handler(call)
        except RefusedError as error:
            return self.refused(error)
        except CrashError as error:
            return self.crashed(error)
        except InvalidError as error:
            return self.invalid(error)
