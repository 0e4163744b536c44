"""One command from the member's press to the pictures on the disk, shown on the screen. It starts and ends nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Final

from playground.demo import markup
from playground.demo.keys import Keyboard
from playground.demo.preview import picture_rows
from playground.demo.proof import Saved, save
from playground.demo.screen import INDENT, Screen
from playground.demo.stage import Performance, Stage, View

_TICK: Final = 0.1
_FRAMES: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_CANCEL_KEY: Final = "c"


class BotGoneError(Exception):
    """The bot's process has ended in the middle of the demo."""


class Show:
    """Shows performances; pictures are saved in `folder`."""

    def __init__(
        self, screen: Screen, keyboard: Keyboard, stage: Stage, folder: Path, bot_has_ended: Callable[[], bool]
    ) -> None:
        self._screen = screen
        self._keyboard = keyboard
        self._stage = stage
        self._folder = folder
        self._bot_has_ended = bot_has_ended

    def present(self, performance: Performance) -> list[Saved]:
        """Show the answer while it changes, then its last state; the pictures that came with it.

        Raises:
            BotGoneError: nothing will come any more.
        """
        with self._keyboard.single_keys():
            view = self._watch(performance)
        self._screen.end_live()
        return self._show_message(view)

    def _watch(self, performance: Performance) -> View:
        started = time.monotonic()
        view: View | None = None
        while view is None or not view.over:
            try:
                view = performance.views.get(timeout=_TICK)
            except Empty:
                if self._bot_has_ended():
                    raise BotGoneError from None
            if view is not None and view.button is not None and self._keyboard.pressed(_CANCEL_KEY):
                performance.press(view.button)
            if view is not None and not view.over:
                self._show_head(view, time.monotonic() - started)
        return view

    def _show_head(self, view: View, seconds: float) -> None:
        """The message's first line with what only a terminal has: a wheel, the time, the key that cancels."""
        frame = _FRAMES[int(seconds / _TICK) % len(_FRAMES)] if self._screen.is_terminal else ""
        key = f" · {_CANCEL_KEY} cancels" if view.button and self._keyboard.is_terminal else ""
        self._screen.live(
            markup.first_line(markup.with_times(view.content, time.time())), f"  {frame} {seconds:.0f} s{key}"
        )

    def _show_message(self, view: View) -> list[Saved]:
        screen = self._screen
        whisper = screen.style("  only you can see this", "small") if view.only_you else ""
        screen.line(f"{INDENT}{screen.style('easel', 'name')} {screen.style('APP', 'small')}{whisper}")
        screen.spans(
            markup.render(markup.with_times(markup.clean(view.content), time.time()), screen.width - len(INDENT))
        )
        return [self._show_picture(save(attachment, self._folder)) for attachment in view.attachments]

    def _show_picture(self, saved: Saved) -> Saved:
        screen = self._screen
        if screen.has_colours:
            screen.line()
            rows = picture_rows(saved.path, room=screen.width - len(INDENT), all_colours=screen.has_all_colours)
            for row in rows:
                screen.line(INDENT + row)
        screen.line()
        screen.text("picture", f"{saved.kind}, {saved.width}×{saved.height}, {saved.bytes / 1024:,.0f} KB")
        screen.text("saved as", _short(saved.path), whole=True)
        screen.text("infotext", saved.infotext or "none")
        if self._stage.sent_by_webui(saved.digest):
            screen.text("bytes", "exactly those that the webui sent")
        return saved


def _short(path: Path) -> str:
    """From here, where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
