"""What a process does of Easel's work, and as whom: everything on one machine, or one part of it on several."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from core.errors import ConfigurationError
from core.settings import Settings
from core.webui.address import WebuiAddress

ALONE = "easel"
"""The worker on a database that it has for itself."""


@dataclass(frozen=True, slots=True)
class Role:
    """`talks`: to Discord's gateway, with people. `draws`: on webuis. `shared`: the database is also others'.

    `worker` is who this process is when it draws, and stays so from start to start.
    """

    talks: bool
    draws: bool
    shared: bool
    worker: str = ""
    name: str = ""

    def addresses(self, settings: Settings) -> tuple[WebuiAddress, ...]:
        """The webuis that it draws on, as they are told apart from those of others."""
        if not self.draws:
            return ()
        if not self.shared:
            return settings.webuis
        return tuple(address.of_worker(self.worker, self.name) for address in settings.webuis)


def role_of(command: str, settings: Settings, url: sa.URL) -> Role:
    """Who a process is that was started with `run`, `gateway` or `worker`.

    ConfigurationError where the parts would not meet: each has to be on the same PostgreSQL. DATA_DIR has to be there
    for whoever draws, since it keeps the worker's id.
    """
    shared = url.get_backend_name() != "sqlite"
    if command != "run" and not shared:
        raise ConfigurationError(
            f"DATABASE_URL: `bot.py {command}` works together with other processes, so it needs the PostgreSQL of them "
            "all; on one machine `bot.py` does everything."
        )
    if command == "gateway":
        return Role(talks=True, draws=False, shared=True)
    worker = _worker_id(settings.data_dir) if shared else ALONE
    name = settings.worker_name or f"worker {worker[:4]}"
    return Role(talks=command == "run", draws=True, shared=shared, worker=worker, name=name)


def _worker_id(data_dir: Path) -> str:
    """Made once, and kept beside the pictures that only this worker can show."""
    path = data_dir / "worker"
    try:
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_text(secrets.token_hex(8), "ascii")
            fresh.replace(path)
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"DATA_DIR: {path} can't be read or written ({type(error).__name__}).") from None
