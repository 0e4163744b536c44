"""LocalWebui: a webui on loopback that a test or the demo starts, watches and disturbs. Knows no API field."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar
from urllib.parse import quote

from aiohttp import web

from playground.serving import stop_listening
from playground.webui.a1111 import A1111
from playground.webui.catalog import Catalog, Checkpoint
from playground.webui.changes import Changes
from playground.webui.dialect import Dialect, Site
from playground.webui.faults import Fault, FaultBoard, Planned
from playground.webui.machine import Machine, Pace
from playground.webui.options import CONTROLNET_DEFAULTS, Options
from playground.webui.records import Render, WebuiRequest
from playground.webui.sampling import Sampler, Scheduler
from playground.webui.scripts import Scripts
from playground.webui.transport import Transport

T = TypeVar("T")
CHECKPOINTS = (
    "dreamLandscapes_v4.safetensors",
    "paperCutout_v12.safetensors",
    "v1-5-pruned-emaonly.safetensors",
)
LORAS = ("inkwash", "add_detail", "pixel_art")
_HOST = "127.0.0.1"
_MAX_BODY = 1 << 30  # the real one has no limit


class LocalWebui:
    """A webui in this process. A dialect of its own is a subclass with another `dialect`.

    Use it as `async with LocalWebui() as webui:`. `pace` may be changed while it runs; `catalog` and `options` are
    its files and settings.
    """

    dialect: ClassVar[type[Dialect]] = A1111
    checkpoint: ClassVar[type[Checkpoint]] = Checkpoint

    def __init__(  # noqa: PLR0913 - each keyword is a switch of its own, as on a webui's command line
        self,
        *,
        name: str = "webui",
        checkpoints: Sequence[str | Checkpoint] = CHECKPOINTS,
        seconds_per_step: float = 0.02,
        load_seconds: float = 0.0,
        auth: tuple[str, str] | None = None,
        base_path: str = "",
        internal: bool = True,
        cheap_pictures: bool = False,
        leaky_overrides: bool = False,
        samples_format: str = "png",
        options: Mapping[str, Any] | None = None,
        samplers: Sequence[Sampler] | None = None,
        schedulers: Sequence[Scheduler] | None = None,
        loras: Sequence[str] = LORAS,
        threads: int = 40,
        keep_alive: float = 5.0,
        adetailer: bool = False,
        controlnet: bool | None = None,
    ) -> None:
        """`samplers`, `schedulers` and `controlnet` are the dialect's own unless they are given."""
        self.name = name
        flavour = self.dialect.flavour
        files = [self.checkpoint(each) if isinstance(each, str) else each for each in checkpoints]
        self.catalog = Catalog(files, list(loras))
        has_controlnet = flavour.has_controlnet if controlnet is None else controlnet
        defaults = {**flavour.defaults, **(CONTROLNET_DEFAULTS if has_controlnet else {})}
        changed = {**({} if samples_format == "png" else {"samples_format": samples_format}), **(options or {})}
        self.options = Options(changed, leaky=leaky_overrides, defaults=defaults)
        self.pace = Pace(seconds_per_step, load_seconds)
        self._changes = Changes()
        self._board = FaultBoard()
        self._machine = Machine(self.catalog, self.options, self.pace, self._changes, samplers, schedulers, flavour)
        self._machine.scripts = Scripts(adetailer, flavour.controlnet() if has_controlnet else None)
        self._site = Site(
            self._machine, auth, "/" + base_path.strip("/") if base_path else "", internal, cheap_pictures
        )
        self._transport = Transport(self.make_dialect(self._site), self._board, self._changes, threads=threads)
        self._keep_alive = keep_alive  # seconds; 5 is uvicorn's, which A1111 keeps while it has its web UI
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None

    def make_dialect(self, site: Site) -> Dialect:
        """The dialect's instance; a subclass hands its own switches over here. Called once, by the constructor."""
        return self.dialect(site)

    # Life

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._transport.handle)
        app.on_response_prepare.append(self._transport.tidy)
        self._runner = web.AppRunner(app, keepalive_timeout=self._keep_alive, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        self._site.port = port
        await self.accept_connections()

    async def stop(self) -> None:
        """End every job and connection."""
        if self._listener is not None:
            await stop_listening(self._listener)
        self.refuse_connections()
        await self._end_jobs()
        self._transport.unhang()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens on, kept through refusals and restarts."""
        return self._site.port

    @property
    def url(self) -> str:
        """The base URL without a trailing slash, with the credentials when there are any."""
        auth = self._site.auth
        user = "" if auth is None else ":".join(quote(part, safe="") for part in auth) + "@"
        return f"http://{user}{_HOST}:{self.port}{self._site.base_path}"

    # Memory

    @property
    def requests(self) -> list[WebuiRequest]:
        """Every request that arrived, oldest first."""
        return self._transport.requests

    @property
    def renders(self) -> list[Render]:
        """Every generation that got the card, oldest first."""
        return self._machine.renders

    @property
    def interrupts(self) -> list[float]:
        """When each interrupt came (seconds of the loop's clock), also those that hit nothing."""
        return self._machine.interrupts

    @property
    def swaps(self) -> list[str]:
        """The checkpoints loaded since the start, by model name."""
        return self._machine.swaps

    @property
    def running(self) -> Render | None:
        """The generation that has the card now."""
        return self._machine.running

    @property
    def waiting(self) -> list[str]:
        """The task ids that wait for the card, in their order."""
        return list(self._machine.tasks.pending)

    @property
    def step(self) -> int:
        """The steps done in the present pass."""
        return self._machine.state.sampling_step

    @property
    def hanging(self) -> int:
        """How many requests hang by `Fault.HANG`."""
        return self._transport.hanging

    @property
    def listening(self) -> bool:
        """Whether connections are accepted now."""
        return self._listener is not None

    @property
    def routes_missing(self) -> bool:
        """Whether every route is 404, as while extensions are loaded; may be set."""
        return self._transport.routes_missing

    @routes_missing.setter
    def routes_missing(self, missing: bool) -> None:
        self._transport.routes_missing = missing
        self._changes.notify()

    @property
    def lists_empty(self) -> bool:
        """Whether the lists have nothing in them, as shortly after a start; may be set."""
        return self._site.lists_empty

    @lists_empty.setter
    def lists_empty(self, empty: bool) -> None:
        self._site.lists_empty = empty
        self._changes.notify()

    def count(self, path: str) -> int:
        """How many requests came to that path (without base path)."""
        return sum(request.path == path for request in self.requests)

    async def until(self, condition: Callable[[], T], timeout: float = 30.0, what: str = "") -> T:
        """The condition's first true value; asked on every change, never polled. Raises TimeoutError."""
        return await self._changes.until(condition, timeout, what)

    # Disturbance

    def fault(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        route: str = "/sdapi/v1/txt2img",
        amount: float | None = None,
    ) -> None:
        """Let the next `times` requests to `route` (a shell pattern) meet the fault; None: until `clear_faults`.

        `amount` is in seconds or bytes as the fault says. Faults set earlier are met earlier.
        """
        self._board.add(Planned(fault, amount), times=times, route=route)

    def clear_faults(self) -> None:
        """Forget all faults that were not met yet, and let hanging requests go on."""
        self._board.clear()
        self._transport.unhang()

    def unhang(self) -> None:
        """Let the requests that hang now go on."""
        self._transport.unhang()

    def hold(self, at_step: int = 0) -> None:
        """Pause every generation after that many steps of its pass; an interrupt still ends it."""
        self._machine.hold(at_step)

    def release(self) -> None:
        """Let held generations go on."""
        self._machine.release()

    def refuse_connections(self) -> None:
        """Stop listening and cut every connection, as a host that went away; jobs go on, all state is kept."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        server = self._runner.server if self._runner is not None else None
        for connection in server.connections if server is not None else ():
            connection.force_close()
        self._changes.notify()

    async def accept_connections(self) -> None:
        """Listen again on the same port."""
        if self._runner is None or self._runner.server is None:
            raise RuntimeError("start the webui first")
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._runner.server, _HOST, self.port)
        self._site.port = self._listener.sockets[0].getsockname()[1]
        self._changes.notify()

    async def restart(self, *, refused: float = 0.05, routes_missing: float = 0.0, lists_empty: float = 0.05) -> None:
        """Die and come back: all jobs and tasks are gone, then each phase lasts its seconds.

        First connections are refused, then every route is 404, then the lists are empty. Returns after the last.
        """
        self.refuse_connections()
        await self._end_jobs()
        self._machine.restart()
        await asyncio.sleep(refused)
        self.routes_missing, self.lists_empty = routes_missing > 0, True
        await self.accept_connections()
        await asyncio.sleep(routes_missing)
        self.routes_missing = False
        await asyncio.sleep(lists_empty)
        self.lists_empty = False

    async def _end_jobs(self) -> None:
        jobs = list(self._site.jobs)
        for job in jobs:
            job.cancel()
        if jobs:
            await asyncio.wait(jobs)
