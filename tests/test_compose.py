"""The compose files name only what there is: commands of `bot.py`, settings, volumes; and publish no port."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings

ROOT = Path(__file__).parents[1]
COMMANDS = {"run", "gateway", "worker"}
POSTGRES_ONLY = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}


def compose(name: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")  # the engine brings it along
    found = yaml.safe_load((ROOT / name).read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ["compose.yaml", "compose.scale.yaml"])
def test_what_is_named_exists(name: str) -> None:
    file = compose(name)
    for service in file["services"].values():
        settings = {setting.lower() for setting in set(service.get("environment", ())) - POSTGRES_ONLY}
        assert settings <= Settings.model_fields.keys()
        assert service.get("command", ["python", "bot.py", "run"])[:2] == ["python", "bot.py"]
        assert service.get("command", ["run"])[-1] in COMMANDS
        assert "ports" not in service
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= file["volumes"].keys()


@pytest.mark.parametrize("name", ["compose.yaml", "compose.scale.yaml"])
def test_a_container_is_given_longer_to_stop_than_the_bot_takes(name: str) -> None:
    longest = Settings.model_fields["drain_seconds"].default
    for service in compose(name)["services"].values():
        assert int(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1]) >= longest + 10  # type: ignore[index]  # they are written so


def test_workers_share_nothing_but_the_database() -> None:
    services = compose("compose.scale.yaml")["services"]
    workers = [service for service in services.values() if service.get("command", [""])[-1] == "worker"]
    assert len(workers) == 2
    for setting in ("WORKER_NAME", "WEBUI_URLS"):
        assert len({worker["environment"][setting] for worker in workers}) == 2
    assert len({str(worker["volumes"]) for worker in workers}) == 2
    assert all(worker["depends_on"]["postgres"]["condition"] == "service_healthy" for worker in workers)
    assert "healthcheck" in services["postgres"]
