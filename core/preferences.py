"""What people, channels and servers may wish of Easel, and what holds where several of them speak. The policy is pure.

Every wish has a name, the values that it may have, and what holds where nobody wishes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.jobs.patience import for_a_person
from core.store.preferences import CHANNEL, PERSON, SERVER, PreferenceRows

Press = Literal["owner", "anyone"]
"""Who may use the buttons under a picture: its owner alone, or everybody, each for a copy of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What holds for one person in one place.

    `press` is the server's word on buttons. `metadata`: whether posted pictures carry how they were made, which a
    server can require. `preview`: whether the half-done picture is shown. `ping_after` seconds a finished job mentions
    its owner once; None: never. `sheet` pictures or more come with a contact sheet.
    """

    press: Press = "anyone"
    metadata: bool = True
    preview: bool = False
    ping_after: float | None = None
    sheet: int = 5


SCOPES: Mapping[str, tuple[str, ...]] = {
    "press": (SERVER,),
    "require_metadata": (SERVER,),
    "metadata": (PERSON,),
    "preview": (CHANNEL, SERVER),
    "ping_after": (PERSON,),
    "sheet": (PERSON, SERVER),
}
"""Who may wish what; where several may, the first that does is heard."""


def resolve(said: Mapping[tuple[str, str], Mapping[str, str]]) -> Wishes:
    """What holds, of what was read for one person, channel and server. What can't be read counts as not said."""
    by_scope = {scope: wishes for (scope, _), wishes in said.items()}

    def heard(name: str) -> str | None:
        words = (by_scope.get(scope, {}).get(name) for scope in SCOPES[name])
        return next((word for word in words if word is not None), None)

    usual = Wishes()
    leaves_out = heard("metadata") == "off" and heard("require_metadata") != "on"
    return Wishes(
        press="owner" if heard("press") == "owner" else "anyone",
        metadata=not leaves_out,
        preview=heard("preview") == "on",
        ping_after=_number(heard("ping_after")),
        sheet=int(_number(heard("sheet")) or usual.sheet),
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


class Preferences:
    """The wishes in the database, as they are asked for: for one person in one place."""

    def __init__(self, rows: PreferenceRows) -> None:
        self._rows = rows

    async def of(self, person_id: str, channel_id: str | None, guild_id: str | None) -> Wishes:
        """What holds for this person there; NoDatabase where it can't be read in time."""
        places = ((PERSON, person_id), (CHANNEL, channel_id), (SERVER, guild_id))
        scopes = [(scope, whose) for scope, whose in places if whose is not None]
        return resolve(await for_a_person(lambda: self._rows.fetch(*scopes)))

    async def put(self, scope: str, whose: str, wishes: Mapping[str, str | None]) -> None:
        """Write what somebody may wish for this scope (None: no more). ValueError where that is not theirs to wish."""
        for name in wishes:
            if scope not in SCOPES[name]:
                raise ValueError(f"{name} is no wish of a {scope}")
        await for_a_person(lambda: self._rows.put(scope, whose, wishes))
