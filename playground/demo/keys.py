"""The keyboard: lines with history while nothing runs, single keys while a picture is drawn. It draws nothing."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator

try:  # neither is on Windows, where the demo does without history and without single keys
    import readline
    import termios
    import tty
except ImportError:
    HAS_TERMINAL = False
else:
    HAS_TERMINAL = True


class Keyboard:
    """Standard input, be it a terminal or a pipe."""

    def __init__(self) -> None:
        self.is_terminal = sys.stdin.isatty()
        self._watching = False
        if HAS_TERMINAL and self.is_terminal:
            readline.set_auto_history(True)

    def read_line(self, prompt: str) -> str | None:
        """The next line without its end; None at the end of the input."""
        try:
            if self.is_terminal:
                return input(prompt).strip()
            line = sys.stdin.readline()
        except EOFError:
            return None
        return line.strip() if line else None

    @contextlib.contextmanager
    def single_keys(self) -> Iterator[None]:
        """Inside, `pressed` sees single keys and nothing is echoed; Ctrl-C stays what it is."""
        if not (HAS_TERMINAL and self.is_terminal):
            yield
            return
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        self._watching = True
        try:
            yield
        finally:
            self._watching = False
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def pressed(self, key: str) -> bool:
        """Whether `key` was pressed since the last look; never where keys aren't watched."""
        if not self._watching:
            return False
        found = False
        while select.select([sys.stdin], [], [], 0)[0]:
            keys = os.read(sys.stdin.fileno(), 64)
            if not keys:
                break
            found = found or key.encode() in keys.lower()
        return found
