"""What several webuis are together: what they offer, and why none of them draws. Pure; no host names."""

from __future__ import annotations

from collections.abc import Iterable

from core.webui.catalog import Catalog, merge
from core.webui.view import BackendView, Health, Mode

_OBSTACLES = {
    Health.UNKNOWN: "The webui has not answered yet; pictures wait until it does.",
    # It is up, and its circuit is open.
    Health.UP: "The webui keeps failing and is being left alone for a moment; pictures wait until it works again.",
    Health.DOWN: "The webui can't be reached at the moment; pictures wait until it is back.",
    Health.UNAUTHORISED: "The webui refuses the bot's login; pictures wait until whoever runs the bot has mended that.",
    Health.NO_API: "The webui is starting, or runs without its API (--api); pictures wait until that is there.",
}
_PAUSED = "The webuis are paused by an admin; pictures wait until one is resumed."
_SWITCHING = "An admin is changing the webui's model; pictures wait until that is done."
_CLOSING = "The bot is being restarted; pictures wait until it is back."
_NONE = "No webui is connected at the moment; pictures wait until one is."


def explain(views: Iterable[BackendView]) -> str | None:
    """Why no job can be drawn now, in a sentence; None where a webui takes jobs."""
    every = list(views)
    if any(view.accepts for view in every):
        return None
    if not every:
        return _NONE
    if all(view.closing for view in every):
        return _CLOSING
    opened = [view for view in every if view.mode is Mode.OPEN and not view.closing]
    if not opened:
        return _CLOSING if any(view.closing for view in every) else _PAUSED
    healths = {view.health for view in opened if not view.switching}
    if not healths:
        return _SWITCHING
    # With several webuis in several states, what mends itself is said first.
    return _OBSTACLES[next(health for health in _OBSTACLES if health in healths)]


class MergedCatalog:
    """What several webuis offer together, put together anew only where one of them changed."""

    def __init__(self) -> None:
        self._merged: tuple[list[Catalog], Catalog] | None = None

    def of(self, views: Iterable[BackendView]) -> Catalog | None:
        """The union, of those that are down too; None while none has ever answered."""
        known = [view.catalog for view in views if view.catalog is not None]
        if len(known) < 2:
            return known[0] if known else None
        if self._merged is None or not _hold_the_same(self._merged[0], known):
            self._merged = known, merge(known)
        return self._merged[1]


def _hold_the_same(old: list[Catalog], new: list[Catalog]) -> bool:
    """By identity, which is quick: an unchanged list stays the same object (Backend keeps it)."""
    return len(old) == len(new) and all(
        before.checkpoints is after.checkpoints
        and before.samplers is after.samplers
        and before.schedulers is after.schedulers
        and before.assets is after.assets
        and before.capabilities == after.capabilities
        for before, after in zip(old, new, strict=True)
    )
