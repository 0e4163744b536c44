"""Tells whether the operator's folder of wildcards changed, from names, sizes and times. It reads no file.

It blocks: use a thread.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path


def look(folder: Path, suffixes: Collection[str], most: int) -> int:
    """A number that is another one when a file below `folder` came, went or was written; of at most `most` files."""
    found = islice(((path, *_state(path)) for path in _walk(folder, suffixes)), most)
    return hash(frozenset(found))


def _walk(folder: Path, suffixes: Collection[str]) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if name[name.rfind(".") :].casefold() in suffixes:
                yield f"{parent}{os.sep}{name}"


def _state(path: str) -> tuple[int, int]:
    try:
        state = os.stat(path)  # noqa: PTH116  # there may be 20,000, where a Path for each takes much longer
    except OSError:
        return -1, -1
    return state.st_size, state.st_mtime_ns
