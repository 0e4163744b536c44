"""The demo from its first line to its last: stage, bot, a first picture, typed commands, and the end of it all."""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from playground.demo.keys import Keyboard
from playground.demo.process import BotProcess
from playground.demo.proof import Saved
from playground.demo.screen import INDENT, Screen
from playground.demo.show import BotGoneError, Show
from playground.demo.stage import MEMBER, Stage
from playground.demo.typed import TypedCommand, UnclearError, describe, parse_typed
from playground.discord import NotSendable

PROMPT: Final = "a lighthouse on a cliff at sunset"
PICTURES: Final = Path(__file__).parents[2] / "demo-pictures"
INTERRUPTED: Final = 130
_FIRST_OPTIONS: Final = {"size": "3:2", "steps": "30"}
_START_SECONDS: Final = 60.0
_SLICE: Final = 0.5
_QUIT: Final = frozenset({"quit", "exit", "/quit", "/exit"})
_HELP: Final = frozenset({"help", "/help", "?"})


def main(arguments: Sequence[str]) -> int:
    """Run the demo; 0 where it went as it should, 130 after Ctrl-C, 1 where a picture or the bot did not come."""
    options = _parser().parse_args(arguments)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _leave)
    demo = Demo(Stage(step_seconds=options.step_seconds), options.pictures)
    try:
        return demo.run(options.prompt, once=options.once)
    except KeyboardInterrupt:
        demo.say_goodbye()
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C does not cut the tidying short
        demo.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="A Discord and a webui on this machine, and the real bot between them."
    )
    parser.add_argument("--once", action="store_true", help="end after the first picture; status 0 only if it is right")
    parser.add_argument("--prompt", default=PROMPT, help="what the first picture shows")
    parser.add_argument("--pictures", type=Path, default=PICTURES, metavar="FOLDER", help="where pictures are saved")
    parser.add_argument(
        "--step-seconds", type=float, default=0.2, metavar="SECONDS", help="how slow the local webui is (default 0.2)"
    )
    return parser


class Demo:
    """What is open while the demo runs."""

    def __init__(self, stage: Stage, pictures: Path) -> None:
        self._screen = Screen()
        self._keyboard = Keyboard()
        self._stage = stage
        self._bot: BotProcess | None = None
        self._failed = False
        self._pictures = pictures
        self._show = Show(self._screen, self._keyboard, stage, pictures, self._bot_has_ended)

    def run(self, prompt: str, *, once: bool) -> int:
        """The whole demo; the exit status."""
        try:
            self._pictures.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return self._fail(f"Pictures can't be saved in {self._pictures}: {error.strerror}.")
        if not self._start():
            return self._fail("The bot did not come online.")
        first = TypedCommand("draw", {"prompt": prompt, **_FIRST_OPTIONS})
        try:
            if not self._draw_first(first):
                return self._fail("The picture did not arrive as it should have: a PNG with its infotext inside.")
            if not once:
                self._take_commands()
        except BotGoneError:
            return self._fail("The bot has ended.")
        return 0

    def close(self) -> None:
        """End the bot, then the stage."""
        self._screen.end_live()
        if self._bot is not None:
            self._bot.close(keep_log=self._failed)
        self._stage.close()

    def say_goodbye(self) -> None:
        """After Ctrl-C: what follows begins on a line of its own."""
        self._screen.line()

    def _start(self) -> bool:
        screen, started = self._screen, time.monotonic()
        self._stage.open()
        discord, webui = self._stage.addresses
        screen.line(f"{screen.style('Easel', 'bold')}: from /draw to the picture and back, all on this machine")
        screen.line()
        self._tick_off("Discord", f"a local one, on {discord}")
        self._tick_off("webui", f"a local one, on {webui}, with {self._stage.checkpoints} checkpoints")
        self._bot = BotProcess(self._stage.settings)
        while not self._stage.bot_is_online(_SLICE):
            if self._bot.has_ended or time.monotonic() - started > _START_SECONDS:
                return False
        commands = ", ".join(f"/{name}" for name in sorted(self._stage.commands))
        self._tick_off("bot", f"the real one, online after {time.monotonic() - started:.1f} s, with {commands}")
        return True

    def _tick_off(self, label: str, text: str) -> None:
        self._screen.line(f"{INDENT}{self._screen.style('✓', 'good')} {label.ljust(8)} {text}")

    def _draw_first(self, command: TypedCommand) -> bool:
        saved = self._draw(command)
        return bool(saved) and all(one.proves(command.options["prompt"]) for one in saved)

    def _draw(self, command: TypedCommand, *, echo: bool = True) -> list[Saved]:
        """Send the command and show what comes of it; NotSendable where the client would refuse to send it."""
        performance = self._stage.draw(command.name, command.options)
        if echo:
            self._screen.line()
            self._screen.line(f"{self._screen.style(f'{MEMBER} >', 'bold')} {command}")
        return self._show.present(performance)

    def _take_commands(self) -> None:
        """Until quit, or the end of the input."""
        self._screen.line()
        self._screen.line(
            "Now you: /draw prompt: a red fox size: 16:9 steps: 20   (/help shows all options, quit ends)"
        )
        while True:
            if self._keyboard.is_terminal:
                self._screen.line()
            line = self._keyboard.read_line(f"{MEMBER} > " if self._keyboard.is_terminal else "")
            if line is None or line.lower() in _QUIT:
                if line is None and self._keyboard.is_terminal:
                    self._screen.line()
                return
            if line.lower() in _HELP:
                self._help()
            elif line:
                self._obey(line)

    def _obey(self, line: str) -> None:
        try:
            self._draw(parse_typed(line, self._stage.commands), echo=not self._keyboard.is_terminal)
        except (UnclearError, NotSendable) as error:
            self._screen.line(f"{INDENT}{str(error)[:1].upper()}{str(error)[1:]}")

    def _help(self) -> None:
        rows = describe(self._stage.commands)
        margin = max(len(name) for name, _ in rows) + 2
        for name, description in rows:
            self._screen.line(f"{INDENT}{name.ljust(margin)}{self._screen.style(description, 'small')}")
        self._screen.line(f"{INDENT}{'quit'.ljust(margin)}{self._screen.style('End the demo', 'small')}")

    def _fail(self, sentence: str) -> int:
        self._failed = True
        self._screen.line()
        self._screen.line(f"{self._screen.style('✗', 'bad')} {sentence}")
        if self._bot is not None:
            self._screen.line(f"{INDENT}What the bot said of it: {self._bot.log}")
        return 1

    def _bot_has_ended(self) -> bool:
        return self._bot is not None and self._bot.has_ended


def _leave(number: int, _frame: FrameType | None) -> None:
    """A signal ends the demo as Ctrl-C does, in order."""
    raise SystemExit(128 + number)
