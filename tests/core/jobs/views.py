"""Webuis as a test needs them, without any: what a fleet's views would be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from core.fleet import Fleet
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.pool import BackendView, Health
from core.webui.views import explain

CATALOG = Catalog(
    checkpoints=(Checkpoint("dream.safetensors [abcdef0123]", "dream"),),
    samplers=(Named("Euler"),),
    schedulers=(),
    loaded_checkpoint="dream.safetensors [abcdef0123]",
    capabilities=Capabilities(),
)


def view(key: str = "a", health: Health = Health.UP, **known: object) -> BackendView:
    """A webui that is up and idle, but for what is said."""
    facts: dict[str, object] = {"idle": True, "catalog": CATALOG, "job_id": None, **known}
    return BackendView(key, f"webui {key}", health, **facts)  # type: ignore[arg-type]  # a test says what it knows


@dataclass
class StillFleet:
    """A fleet whose webuis are as the test says."""

    every: list[BackendView] = field(default_factory=lambda: [view()])

    def views(self) -> tuple[BackendView, ...]:
        return tuple(self.every)

    def explain(self) -> str | None:
        return explain(self.every)

    def is_own(self, _key: str) -> bool:
        return True


def as_fleet(still: StillFleet) -> Fleet:
    """For whoever asks for the real one."""
    return cast("Fleet", still)


__all__ = ["CATALOG", "Health", "StillFleet", "as_fleet", "view"]
