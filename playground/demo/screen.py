"""The terminal's output: styles, and one line that is redrawn; plain lines where it is a file or a pipe."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from playground.demo import markup
from playground.demo.markup import Line, Span, columns

_CODES: Final = {
    "plain": "",
    "bold": "\x1b[1m",
    "code": "\x1b[36m",
    "small": "\x1b[2m",
    "block": "",
    "good": "\x1b[32m",
    "bad": "\x1b[31m",
    "name": "\x1b[1;35m",
}
_RESET: Final = "\x1b[0m"
_CLEAR_LINE: Final = "\r\x1b[K"
_WIDEST: Final = 100
_NARROWEST: Final = 30
INDENT: Final = "  "


class Screen:
    """Writes lines to `stream`. `live` lines replace each other on a terminal and follow each other elsewhere."""

    def __init__(self, stream: TextIO | None = None, environment: Mapping[str, str] | None = None) -> None:
        self._stream = stream or sys.stdout
        environment = os.environ if environment is None else environment
        dumb = environment.get("TERM") == "dumb"
        self.is_terminal = self._stream.isatty() and not dumb
        self.has_colours = self.is_terminal and not environment.get("NO_COLOR")
        self.has_all_colours = environment.get("COLORTERM") in {"truecolor", "24bit"}
        self._live: str | None = None

    @property
    def width(self) -> int:
        """Columns that a line may have."""
        return max(min(shutil.get_terminal_size().columns, _WIDEST), _NARROWEST)

    def style(self, text: str, style: str) -> str:
        """`text` in a style, as it is where there are no colours."""
        code = _CODES[style]
        return f"{code}{text}{_RESET}" if self.has_colours and code and text else text

    def line(self, text: str = "") -> None:
        """One line for good."""
        self.end_live()
        self._write(text.rstrip() + "\n")

    def spans(self, lines: Iterable[Line]) -> None:
        """Rendered markup, indented; blocks get a bar, as a code block has a frame on Discord."""
        for line in lines:
            bar = self.style("│ ", "small") if line and line[0].style == "block" else ""
            self.line(INDENT + bar + self._styled(line))

    def text(self, label: str, text: str, *, whole: bool = False) -> None:
        """Text below each other, with a label before the first line; `whole` text is for copying and never cut up."""
        margin = 10
        text = markup.clean(text)
        for number, row in enumerate([text] if whole else markup.wrap(text, self.width - margin - len(INDENT))):
            head = self.style(label.ljust(margin), "small") if number == 0 else " " * margin
            self.line(f"{INDENT}{head}{row}")

    def live(self, line: Line, aside: str = "") -> None:
        """The line that is redrawn; `aside` is shown on a terminal only, so that it may change at any time."""
        if not self.is_terminal:
            text = markup.plain(line)
            if text != self._live:
                self._write(f"{INDENT}{text}\n")
                self._live = text
            return
        room = self.width - len(INDENT) - columns(aside) - 1
        kept = markup.wrap_spans(line, max(room, 10))
        text = INDENT + self._styled(kept[0] if kept else ()) + self.style(aside, "small")
        self._live = text
        self._write(_CLEAR_LINE + text)

    def end_live(self) -> None:
        """Take the live line away again; on paper it stays."""
        if self._live is not None and self.is_terminal:
            self._write(_CLEAR_LINE)
        self._live = None

    def _styled(self, line: Iterable[Span]) -> str:
        return "".join(self.style(markup.clean(span.text), span.style) for span in line)

    def _write(self, text: str) -> None:
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()
