"""What commands may ask of the webuis' lasting settings: on which webuis, and how far it is. It talks to no webui."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from core.bell import Bell
from core.errors import NotOffered, UserError
from core.jobs.patience import for_a_person, on_database
from core.store.switches import OPEN, SwitchRow, SwitchRows, SwitchState
from core.switching import REFRESH, SwitchTiming
from core.webui.names import shorten
from core.webui.options import Setting, build_change
from core.webui.pool import BackendView, Health

LOOK_SECONDS = 2.0
"""How often a wish is looked at where no bell rang."""
NOBODY_DID = "Whoever runs this webui's part of the bot has not done it in time."


@dataclass(frozen=True, slots=True)
class Targets:
    """The webuis of which something is wished, and those left out, each with the reason."""

    chosen: tuple[BackendView, ...]
    left_out: tuple[tuple[BackendView, str], ...] = ()


class SwitchDesk:
    """Writes wishes and watches them. `views` are all webuis, other workers' too."""

    def __init__(
        self,
        *,
        rows: SwitchRows,
        views: Callable[[], tuple[BackendView, ...]],
        bell: Bell,
        timing: SwitchTiming | None = None,
    ) -> None:
        self._rows = rows
        self._views = views
        self._bell = bell
        self._timing = timing or SwitchTiming()

    def find(self, name: str | None) -> tuple[BackendView, ...]:
        """The webuis that people know under this name, all where none is named; UserError where there is none."""
        return find_webuis(self._views(), name)

    async def wish(
        self, wish_id: str, targets: Targets, *, setting: str, wanted: str, person_id: int, guild_id: int, reply: str
    ) -> None:
        """Ask for it; NoDatabase where that could not be written in time. `reply` comes back with its rows."""
        keys = [view.key for view in targets.chosen]
        facts = {"setting": setting, "wanted": wanted, "reply": reply}
        people = {"person_id": str(person_id), "guild_id": str(guild_id)}
        await for_a_person(lambda: self._rows.wish(wish_id, keys, **facts, **people))

    async def unfinished(self) -> dict[str, SwitchRow]:
        """One row of each wish that has not ended, by the wish's id: an earlier process may have watched it."""
        return {row.id: row for row in await on_database(self._rows.fetch_unfinished)}

    async def watch(self, wish_id: str) -> AsyncIterator[list[SwitchRow]]:
        """How it stands on each webui, whenever that has changed, until it has ended on all."""
        shown: list[tuple[str, SwitchState, str]] | None = None
        while True:
            heard = self._bell.listen()
            rows = [await self._given_up(row) for row in await on_database(self._rows.fetch, wish_id)]
            now = [(row.backend, row.state, row.sentence) for row in rows]
            if now != shown:
                shown = now
                yield rows
            if not any(row.state in OPEN for row in rows):
                return
            await self._bell.wait(heard, LOOK_SECONDS)

    async def fetch_last(self) -> SwitchRow | None:
        """What was switched last, by whom."""
        return await for_a_person(lambda: self._rows.fetch_last(tuple(Setting)))

    async def _given_up(self, row: SwitchRow) -> SwitchRow:
        """A worker that never came back leaves its wishes to whoever waits for them."""
        if row.state not in OPEN or row.age < self._timing.whole:
            return row
        await on_database(self._rows.move, row, SwitchState.FAILED, NOBODY_DID)
        return replace(row, state=SwitchState.FAILED, sentence=NOBODY_DID)


def find_webuis(views: Sequence[BackendView], name: str | None) -> tuple[BackendView, ...]:
    """Those of that name (a worker may have been made anew), or all; UserError where there is none."""
    found = tuple(view for view in views if name is None or name.strip().casefold() == shorten(view.name).casefold())
    if found:
        return found
    names = ", ".join(view.name for view in views)
    raise UserError(f"Say which webui: {names}." if names else "No webui is connected.")


def targets_of(views: Sequence[BackendView], setting: str, wanted: str) -> Targets:
    """Which of these can be asked for it; UserError with the reasons where none can."""
    chosen: list[BackendView] = []
    left_out: list[tuple[BackendView, str]] = []
    for view in views:
        if (why := _why_not(view, setting, wanted)) is None:
            chosen.append(view)
        else:
            left_out.append((view, why))
    if chosen:
        return Targets(tuple(chosen), tuple(left_out))
    if len({why for _, why in left_out}) == 1:
        raise UserError(left_out[0][1])
    raise UserError(" ".join(f"{view.name}: {why}" for view, why in left_out))


def _why_not(view: BackendView, setting: str, wanted: str) -> str | None:
    if view.health is not Health.UP or view.catalog is None:
        return "It can't be reached at the moment."
    if setting == REFRESH:
        return None
    try:
        build_change(Setting(setting), wanted, view.catalog)
    except NotOffered as error:
        return str(error)
    return None
