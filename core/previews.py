"""Where half-done pictures are shown, as asked every few seconds by whoever draws: remembered for a moment."""

from __future__ import annotations

import logging
import time

import sqlalchemy as sa

from core.errors import NoDatabase
from core.preferences import Preferences

log = logging.getLogger(__name__)

KNOWN_SECONDS = 5.0
"""How long an answer counts, so that a wish that changes is heard of in a running picture too."""
KNOWN_PLACES = 1000


class PreviewWishes:
    """The wishes of channels and servers for half-done pictures."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._known: dict[tuple[tuple[str, ...], str | None], tuple[float, bool]] = {}

    async def of(self, channels: tuple[str, ...], guild_id: str | None) -> bool:
        """Whether they are shown there; while the database can't say, they are not."""
        place, now = (channels, guild_id), time.monotonic()
        until, is_wanted = self._known.get(place, (0.0, False))
        if now < until:
            return is_wanted
        try:
            is_wanted = (await self._preferences.of("", channels, guild_id)).preview
        except (NoDatabase, sa.exc.SQLAlchemyError) as error:
            log.info("nobody knows whether previews are wanted: %s", type(error).__name__)
            is_wanted = False
        if len(self._known) >= KNOWN_PLACES:
            self._known.clear()
        self._known[place] = (time.monotonic() + KNOWN_SECONDS, is_wanted)
        return is_wanted
