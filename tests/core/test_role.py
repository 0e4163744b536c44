"""Who a process is: everything on one machine, or one part of several."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from core.errors import ConfigurationError
from core.role import ALONE, role_of
from core.settings import Settings

SQLITE = sa.make_url("sqlite+aiosqlite:///easel.db")
SERVER = sa.make_url("postgresql+psycopg://easel@db/easel")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make(tmp_path)


def make(folder: Path, **said: str) -> Settings:
    urls = "http://ann:pw@127.0.0.1:7860,http://gpu:7861"
    return Settings(discord_token="token", data_dir=folder, webui_urls=urls, **said)  # type: ignore[arg-type]  # validated


def test_on_one_machine_a_process_does_everything_under_one_name(settings: Settings, tmp_path: Path) -> None:
    role = role_of("run", settings, SQLITE)
    assert (role.talks, role.draws, role.shared, role.worker) == (True, True, False, ALONE)
    assert role.addresses(settings) == settings.webuis
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_talks_and_has_no_webui(settings: Settings, tmp_path: Path) -> None:
    role = role_of("gateway", settings, SERVER)
    assert (role.talks, role.draws, role.shared, role.worker) == (True, False, True, "")
    assert role.addresses(settings) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("command", "talks"), [("worker", False), ("run", True)])
def test_who_draws_beside_others_has_a_name_of_its_own(settings: Settings, command: str, talks: bool) -> None:
    role = role_of(command, settings, SERVER)
    assert (role.talks, role.draws, role.shared) == (talks, True, True)
    assert len(role.worker) == 16
    assert role.name == f"worker {role.worker[:4]}"


def test_it_is_the_same_worker_from_start_to_start_and_another_in_another_folder(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    found = [role_of("worker", make(folder), SERVER).worker for folder in [*folders, *folders]]
    assert found[:2] == found[2:]
    assert found[0] != found[1]
    assert [path.name for path in folders[0].iterdir()] == ["worker"]


def test_two_workers_webuis_at_the_same_address_are_told_apart(tmp_path: Path) -> None:
    settings = make(tmp_path, worker_name="attic")
    role = role_of("worker", settings, SERVER)
    addresses = role.addresses(settings)
    assert [address.key for address in addresses] == [
        f"{role.worker} http://127.0.0.1:7860",
        f"{role.worker} http://gpu:7861",
    ]
    assert [address.name for address in addresses] == ["attic · webui 1", "attic · webui 2"]
    assert [address.url for address in addresses] == [address.url for address in settings.webuis]
    assert addresses[0].login == settings.webuis[0].login


@pytest.mark.parametrize("command", ["gateway", "worker"])
def test_a_part_that_could_not_meet_the_others_does_not_start(settings: Settings, command: str) -> None:
    with pytest.raises(ConfigurationError, match=f"DATABASE_URL: `bot.py {command}` .* needs the PostgreSQL"):
        role_of(command, settings, SQLITE)


def test_a_worker_s_name_that_can_not_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    with pytest.raises(ConfigurationError, match=r"DATA_DIR: .*worker can't be read or written"):
        role_of("worker", make(tmp_path), SERVER)
