"""The demo as anybody starts it: a picture arrives with its metadata, and nothing is left running, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from playground.demo.app import Demo
from playground.demo.stage import Stage

ROOT = Path(__file__).parents[3]
QUICK = ("--step-seconds", "0.01")
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the demo with its pictures and temporary files in `tmp_path`; ends it after the test.

    Ctrl-C means something to it, also where these tests run in a shell's background, which ignores it for all below.
    """
    started: list[subprocess.Popen[str]] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "bot.py"), "demo", "--pictures", str(tmp_path / "pictures"), *arguments]
        demo = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=tmp_path,
            env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"} | (environment or {}),
        )
        started.append(demo)
        return demo

    yield start
    for demo in started:
        demo.kill()
        demo.communicate()
    signal.signal(signal.SIGINT, before)


def leftovers(folder: Path) -> list[str]:
    """The demo's temporary files."""
    return [path.name for path in folder.glob("easel-demo-*")]


def test_once_ends_with_0_and_a_png_that_carries_prompt_and_seed(start: Start, tmp_path: Path) -> None:
    demo = start("--once", "--prompt", "two foxes: a portrait", *QUICK)
    output, _ = demo.communicate()
    (path,) = (tmp_path / "pictures").iterdir()
    with Image.open(path) as picture:
        infotext = picture.info["parameters"]
    assert demo.returncode == 0, output
    assert infotext.startswith("two foxes: a portrait\n")
    assert "Seed: " in infotext
    assert str(path.name) in output
    assert "exactly those that the webui sent" in output
    assert leftovers(tmp_path) == []


def test_commands_from_a_pipe_are_carried_out_in_their_order(start: Start, tmp_path: Path) -> None:
    demo = start(*QUICK)
    commands = (
        "/draw prompt: a hen: red steps: 3 count: 2 private: true",
        "/draw prompt: a hen size: banana",
        "/draw prompt: a hen steps: many",
        "what now",
        "/help",
        "quit",
        "/draw prompt: a walrus",
    )
    output, _ = demo.communicate("\n".join(commands))
    assert demo.returncode == 0, output
    marks = (
        "easel APP  only you can see this\n  │ a hen: red",
        "That is not a size I understand",
        "'steps' takes a number",
        "Commands begin with a slash",
        "[negative_prompt:]",
    )
    places = [output.index(mark) for mark in marks]
    assert places == sorted(places)
    assert "walrus" not in output
    assert "/Describe" not in output
    assert "/describe" in output
    assert len(list((tmp_path / "pictures").iterdir())) == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_however_it_ends(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    demo = start("--step-seconds", "0.5")
    assert demo.stdout is not None
    while "Drawing" not in (line := demo.stdout.readline()):
        assert line, "the demo ended by itself"
    children = psutil.Process(demo.pid).children(recursive=True)
    assert len(children) == 2
    demo.send_signal(number)
    demo.wait(30)
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    if number is not signal.SIGKILL:
        assert demo.returncode in {130, 128 + number}
        assert leftovers(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_a_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pictures").write_text("a file where the folder should be")
    demo = start("--once", *QUICK)
    output, _ = demo.communicate()
    assert demo.returncode == 1
    assert "Pictures can't be saved in" in output
    assert "Traceback" not in output


class MisledStage(Stage):
    """Tells the bot no token, so that it ends at once."""

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | {"DISCORD_TOKEN": ""}


def test_a_bot_that_does_not_start_is_said_with_the_place_of_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = Demo(MisledStage(step_seconds=0.01), tmp_path / "pictures")
    try:
        assert demo.run("a fox", once=True) == 1
    finally:
        demo.close()
    output = capsys.readouterr().out
    log = Path(output.rpartition("What the bot said of it: ")[2].strip())
    assert "The bot did not come online." in output
    assert "DISCORD_TOKEN is not set" in log.read_text()
    log.unlink()
