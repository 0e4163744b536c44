"""What people, channels and servers may wish of Easel, and what holds where several of them speak. The policy is pure.

Every wish has a name, the values that it may have, and what holds where nobody wishes anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import UserError
from core.jobs.patience import for_a_person, on_database
from core.store.preferences import CHANNEL, PERSON, SERVER, PreferenceRows

Press = Literal["owner", "anyone"]
"""Who may use the buttons under a picture: its owner alone, or everybody, each for a copy of their own."""
NO_SHEET = 1_000
"""More pictures than any answer has: there is no contact sheet."""
PING_SECONDS = (5.0, 24 * 60 * 60.0)
"""The shortest and the longest time after which somebody may wish to be mentioned."""
SPAN_SENTENCE = "ping: say off, or after how long: 30s, 2m, 1h. From 5 seconds to 24 hours."
_UNITS = r"(?:(s)(?:ec(?:onds?)?)?|(m)(?:in(?:utes?)?)?|(h)(?:ours?)?)?"
_SPAN = re.compile(rf"([0-9]{{1,6}}(?:\.[0-9]{{1,3}})?)\s*{_UNITS}", re.IGNORECASE)
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What holds for one person in one place.

    `press` is the server's word on buttons. `metadata`: whether posted pictures carry how they were made, which a
    server can require (`require_metadata`). `preview`: whether the half-done picture is shown. A job that took longer
    than `ping_after` seconds mentions its owner once; None: never. `sheet` pictures or more come with a contact sheet.
    """

    press: Press = "anyone"
    metadata: bool = True
    require_metadata: bool = False
    preview: bool = False
    ping_after: float | None = None
    sheet: int = 5

    def wants_ping(self, seconds: float) -> bool:
        """Whether a job that took so long, from asking to its end, mentions its owner."""
        return self.ping_after is not None and seconds > self.ping_after


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
    """What holds, of what was read for one person, place and server; of two channels the first is heard first.

    What can't be read counts as not said.
    """
    by_scope: dict[str, Mapping[str, str]] = {}
    for (scope, _), wishes in said.items():
        by_scope[scope] = {**wishes, **by_scope.get(scope, {})}

    def heard(name: str) -> str | None:
        words = (by_scope.get(scope, {}).get(name) for scope in SCOPES[name])
        return next((word for word in words if word is not None), None)

    usual = Wishes()
    is_required = heard("require_metadata") == "on"
    return Wishes(
        press="owner" if heard("press") == "owner" else "anyone",
        metadata=is_required or heard("metadata") != "off",
        require_metadata=is_required,
        preview=heard("preview") == "on",
        ping_after=_number(heard("ping_after")),
        sheet=_sheet(_number(heard("sheet")), usual.sheet),
    )


def parse_span(text: str) -> float | None:
    """Seconds, of what somebody typed: `90`, `30s`, `2 min`, `1h`; None for `off`. UserError for anything else."""
    typed = text.strip()
    if typed.casefold() in ("off", "no", "never"):
        return None
    found = _SPAN.fullmatch(typed)
    seconds = 0.0 if found is None else float(found[1]) * _SECONDS[(found[2] or found[3] or found[4] or "").lower()]
    if not PING_SECONDS[0] <= seconds <= PING_SECONDS[1]:
        raise UserError(SPAN_SENTENCE)
    return seconds


def _number(text: str | None) -> float | None:
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _sheet(number: float | None, usual: int) -> int:
    """0 is said for none at all."""
    if number is None:
        return usual
    return int(number) if number >= 1 else NO_SHEET


class Preferences:
    """The wishes in the database, as they are asked for: for one person in one place.

    A place is its channel; of a thread both it and the channel that it is in, in this order; for what is no wish of a
    channel nothing.
    """

    def __init__(self, rows: PreferenceRows) -> None:
        self._rows = rows

    async def of(self, person_id: str, channels: tuple[str, ...], guild_id: str | None) -> Wishes:
        """What holds for this person there; NoDatabase where it can't be read in time."""
        scopes = _scopes(person_id, channels, guild_id)
        return resolve(await for_a_person(lambda: self._rows.fetch(*scopes)))

    async def whenever(self, person_id: str, channels: tuple[str, ...], guild_id: str | None) -> Wishes:
        """The same for whoever can wait: it is asked until the database answers."""
        return resolve(await on_database(self._rows.fetch, *_scopes(person_id, channels, guild_id)))

    async def put(self, scope: str, whose: str, wishes: Mapping[str, str | None]) -> None:
        """Write what somebody may wish for this scope (None: no more). ValueError where that is not theirs to wish."""
        for name in wishes:
            if scope not in SCOPES[name]:
                raise ValueError(f"{name} is no wish of a {scope}")
        await for_a_person(lambda: self._rows.put(scope, whose, wishes))


def _scopes(person_id: str, channels: tuple[str, ...], guild_id: str | None) -> list[tuple[str, str]]:
    servers = () if guild_id is None else (guild_id,)
    return [(PERSON, person_id), *((CHANNEL, one) for one in channels), *((SERVER, one) for one in servers)]
