"""One of Easel's processes as it lives among others. Knows no Discord."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from playground.webui import LocalWebui
from tests.e2e.bot_process import ENTRY, BotProcess

_ASK_SECONDS = 2.0


class Machine(BotProcess):
    """A gateway, a worker with its webuis, or a bot that is both; with a data directory, a log and a health port of its
    own.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        settings: Mapping[str, str],
        *,
        kind: str,
        webuis: Sequence[LocalWebui] = (),
        entry: Path = ENTRY,
    ) -> None:
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.kind = kind
        self.webuis = list(webuis)
        self.port = _free_port()
        own = {"HTTP_PORT": str(self.port), "WORKER_NAME": name}
        if webuis:
            own["WEBUI_URLS"] = ",".join(webui.url for webui in webuis)
        super().__init__(home, {**settings, **own}, entry, [kind])

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"

    @property
    def worker_id(self) -> str:
        """Who it is in the rows; empty before its first start, and for a gateway."""
        file = self.data_dir / "worker"
        return file.read_text("ascii").strip() if file.exists() else ""

    async def health(self) -> dict[str, bool]:
        """What it says of its parts; {} while it says nothing."""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ASK_SECONDS)) as session:
                answer = await session.get(f"http://127.0.0.1:{self.port}/healthz")
                return dict(await answer.json())
        except (aiohttp.ClientError, OSError, TimeoutError):
            return {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
