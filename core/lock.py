"""One bot to a data directory: a second one is refused, since both would deliver the same jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import ConfigurationError


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold the directory's lock; ConfigurationError where it can't be made or another bot has it.

    The operating system lets go of it when the process dies, however it dies.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data_dir / "easel.lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise ConfigurationError(f"DATA_DIR: another Easel is running on {data_dir}; stop it first.") from None
    except OSError as error:
        raise ConfigurationError(f"DATA_DIR: {data_dir} can't be written ({error.strerror}).") from None
    try:
        yield
    finally:
        lock.release()
