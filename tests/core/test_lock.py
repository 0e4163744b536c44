"""One bot to a data directory, told by two real processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.lock import locked

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from core.errors import ConfigurationError
from core.lock import locked
try:
    with locked(Path(sys.argv[1])):
        print("locked", flush=True)
        sys.stdin.read()
except ConfigurationError as error:
    print(error, flush=True)
"""


def start_holder(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with locked(tmp_path), start_holder(tmp_path) as other:
        assert first_line(other) == f"DATA_DIR: another Easel is running on {tmp_path}; stop it first."
    with start_holder(tmp_path) as other:
        assert first_line(other) == "locked"
        other.communicate("")


def test_a_killed_process_lets_go_of_the_lock(tmp_path: Path) -> None:
    with start_holder(tmp_path) as other:
        assert first_line(other) == "locked"
        with pytest.raises(ConfigurationError, match="another Easel"), locked(tmp_path):
            pass
        other.kill()
        other.wait(10)
        with locked(tmp_path):
            pass


def test_the_directory_is_made_and_may_be_locked_again(tmp_path: Path) -> None:
    folder = tmp_path / "some" / "where"
    for _ in range(2):
        with locked(folder):
            assert folder.is_dir()


def test_the_lock_is_let_go_when_the_bot_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_directory_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for data_dir in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigurationError, match=r"DATA_DIR: .* can't be written \(.+\)\."), locked(data_dir):
            pass
