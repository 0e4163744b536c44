"""The real process, before it is online: what the operator got wrong is said in sentences, and the exit status is 2."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.lock import locked
from core.settings import Settings

ROOT = Path(__file__).parents[1]
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT")


def run_bot(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    settings = {
        "DISCORD_TOKEN": "MTA.fake.token-for-tests",
        "DISCORD_API_URL": "http://127.0.0.1:1/api",  # nobody listens there
        "WEBUI_URLS": "http://127.0.0.1:1",
        "DATA_DIR": str(folder / "data"),
        **environment,
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "bot.py"), *arguments],
        cwd=folder,
        env={**inherited, **{name: value for name, value in settings.items() if value}},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def assert_told(done: subprocess.CompletedProcess[str], *sentences: str) -> None:
    lines = [line for line in done.stderr.splitlines() if not LOG_LINE.match(line)]
    assert len(lines) == len(sentences), done.stderr
    for line, sentence in zip(lines, sentences, strict=True):
        assert re.match(sentence, line)
    assert done.returncode == 2
    assert done.stdout == ""


def test_three_mistakes_are_three_lines(tmp_path: Path) -> None:
    done = run_bot(tmp_path, DISCORD_TOKEN="", WEBUI_URLS="gpu:7860", HTTP_PORT="0")
    assert_told(done, "DISCORD_TOKEN is not set", "WEBUI_URLS gpu:7860 has no scheme", "HTTP_PORT input should be")


def test_a_port_in_use_is_said_and_everything_is_closed_again(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        done = run_bot(tmp_path, HTTP_PORT=str(listener.getsockname()[1]))
    assert_told(done, r"HTTP_PORT: port \d+ can't be used")


def test_a_second_bot_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "data"):
        done = run_bot(tmp_path)
    assert_told(done, "DATA_DIR: another Easel is running on ")


@pytest.mark.parametrize("name", ["data", "data/pictures"])
def test_a_data_directory_that_can_not_be_written_is_said(tmp_path: Path, name: str) -> None:
    if "/" in name:
        (tmp_path / "data").mkdir()
    (tmp_path / name).write_text("in the way")
    assert_told(run_bot(tmp_path), "DATA_DIR: .* can't be written")


def test_a_database_that_can_not_be_opened_is_said(tmp_path: Path) -> None:
    done = run_bot(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/easel.db")
    assert_told(done, "The database can't be opened")


def test_an_unknown_command_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = run_bot(tmp_path, "dance")
    assert done.returncode == 2
    assert "run" in done.stderr
    assert "check" in done.stderr
