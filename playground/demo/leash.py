"""Runs a command as its child and ends it once its own standard input ends: whatever becomes of the parent, even by
SIGKILL, nothing is left running. It is a program of its own and knows nothing of what it runs.

    python leash.py COMMAND ARGUMENT…
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

_STDIN: Final = 0
_PATIENCE: Final = 10.0
"""Seconds that the child has to end by itself."""


def main(command: Sequence[str]) -> int:
    """The child's exit status, once it has ended."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:  # noqa: S603  # the caller says what to run
        threading.Thread(target=_end_with_stdin, args=(child,), daemon=True).start()
        return child.wait()


def _end_with_stdin(child: subprocess.Popen[bytes]) -> None:
    while os.read(_STDIN, 1024):
        pass
    child.terminate()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
