"""Changes the lasting settings of this process's webuis, as admins wish: when, and what became of it.

A wish is a row (core.store.switches), so that it reaches whoever has the webui, and outlives both processes. The webui
is taken as a picture takes it: the running one ends first, and nothing else is given to it meanwhile.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from core.bell import Bell
from core.errors import AuthenticationFailed, ModelMissing, NotReady, OutcomeUnknown, OutOfMemory, UserError, WebuiError
from core.jobs.patience import on_database
from core.store.switches import SwitchRow, SwitchRows, SwitchState
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.options import (
    BUILT_IN,
    Change,
    Setting,
    build_change,
    fetch_options,
    is_at_work,
    is_set,
    loads_later,
    refresh_lists,
    refused_keys,
)
from core.webui.pool import BackendPool, Health

log = logging.getLogger(__name__)

REFRESH = "refresh"
"""Not a setting, but on the same way: read the lists of files anew."""
LOOK_SECONDS = 10.0
"""How often the rows are looked at where no bell rang."""

TOO_OLD = "The bot was away for too long; ask for it again."
NO_ANSWER = "It has not answered in time; /checkpoint list says later what it has loaded."
BROKEN = "Something in the bot itself went wrong; its operator finds it in the log."
LOOKS_LATER = "It looks for new files as soon as its present picture is done."
LOOKED = "Its lists are read anew."

_TROUBLE = {
    AuthenticationFailed: "It refuses the bot's login.",
    NotReady: "It can't be reached at the moment.",
    ModelMissing: "It can't find or load that file.",
    OutOfMemory: "It ran out of memory.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTiming:
    """Seconds. `wait` and `load` together stay within the quarter of an hour for which Discord takes an answer."""

    wait: float = 600.0
    """For a webui to be free, from the wish on."""
    load: float = 240.0
    """For its answer, a checkpoint's loading included."""
    poll: float = 0.2
    """Between two looks at whether it is free; a picture that was promised to it a moment ago comes first."""
    refresh: float = 10.0
    """After which whoever asked is told that the webui looks later."""
    refresh_longest: float = 900.0

    @property
    def whole(self) -> float:
        """After that nobody carries a wish out any more."""
        return self.wait + self.load + 30.0


class Switcher:
    """Carries out wishes, one after the other on each webui. `is_ready`: running pictures have their webuis again."""

    def __init__(
        self,
        *,
        rows: SwitchRows,
        pool: BackendPool,
        bell: Bell,
        is_ready: Callable[[], bool],
        timing: SwitchTiming | None = None,
    ) -> None:
        self._rows = rows
        self._pool = pool
        self._bell = bell
        self._is_ready = is_ready
        self._timing = timing or SwitchTiming()
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """For ever; the caller cancels it. What is under way then is taken up again at the next start."""
        try:
            while True:
                heard = self._bell.listen()
                try:
                    await self._look()
                except sa.exc.SQLAlchemyError as error:
                    log.warning("wishes for webuis could not be read: %s", type(error).__name__)
                await self._bell.wait(heard, LOOK_SECONDS if self._is_ready() else self._timing.poll)
        finally:
            tasks = list(self._at_work.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        """Begin what is wished of webuis that have nothing of it to do."""
        keys = [view.key for view in self._pool.views()]
        if not self._is_ready() or not keys:
            return
        for row in await self._rows.fetch_open(keys):
            lane = f"{REFRESH} {row.backend}" if row.setting == REFRESH else row.backend
            if lane not in self._at_work:
                work = self._attempt(row)
                task = self._at_work[lane] = asyncio.create_task(work, name=f"{row.setting} of {row.backend}")
                task.add_done_callback(functools.partial(self._end, lane))

    def _end(self, lane: str, task: asyncio.Task[None]) -> None:
        del self._at_work[lane]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a wish for a webui could not be carried out", exc_info=error)
        self._bell.ring()

    async def _attempt(self, row: SwitchRow) -> None:
        try:
            await (self._refresh(row) if row.setting == REFRESH else self._carry_out(row))
        except Exception:  # boundary: whoever asked has to be told, and it must not be begun again and again
            log.exception("a wish for a webui could not be carried out")
            await on_database(self._rows.move, row, SwitchState.FAILED, BROKEN)

    async def _refresh(self, row: SwitchRow) -> None:
        """Let the webui read its folders. Nobody waits for that: on A1111 it comes after the running picture."""
        timing = self._timing
        going = asyncio.create_task(refresh_lists(self._pool.client(row.backend), timing.refresh_longest))
        try:
            done, _ = await asyncio.wait({going}, timeout=timing.refresh)
            if not done:
                await on_database(self._rows.move, row, SwitchState.DONE, LOOKS_LATER)
            await going
        finally:
            going.cancel()
        self._pool.list_soon(row.backend)
        await on_database(self._rows.move, row, SwitchState.DONE, LOOKED)

    async def _carry_out(self, row: SwitchRow) -> None:
        holder = f"switch-{row.id}"
        try:
            state, sentence = await self._switch(row, holder)
        finally:
            self._pool.release(holder)
            self._pool.set_switching(row.backend, False)
            self._pool.list_soon(row.backend)
        facts = {"person": row.person_id, "server": row.guild_id, "webui": row.backend, "wanted": row.wanted}
        log.info("%s of a webui: %s", row.setting, state.value, extra=facts | {"sentence": sentence})
        await on_database(self._rows.move, row, state, sentence)

    async def _switch(self, row: SwitchRow, holder: str) -> tuple[SwitchState, str]:
        """How it ended."""
        if row.age > self._timing.wait:
            return SwitchState.FAILED, TOO_OLD
        self._pool.set_switching(row.backend, True)
        await on_database(self._rows.move, row, SwitchState.WAITING)
        if (obstacle := await self._hold(row, holder)) is not None:
            return SwitchState.FAILED, obstacle
        if not await on_database(self._rows.move, row, SwitchState.LOADING):
            return SwitchState.FAILED, TOO_OLD
        try:
            return await self._set(row)
        except UserError as error:
            return SwitchState.FAILED, str(error)
        except WebuiError as error:
            log.warning("a webui could not be switched", extra={"webui": row.backend, "detail": error.detail})
            return SwitchState.FAILED, _trouble(error)

    async def _hold(self, row: SwitchRow, holder: str) -> str | None:
        """Have the webui, with nobody's picture in it; or the sentence why that was not to be had in time."""
        until = time.monotonic() + self._timing.wait - row.age
        while True:
            await asyncio.sleep(self._timing.poll)
            try:
                obstacle = await self._obstacle(row.backend, holder)
            except WebuiError as error:
                obstacle = _trouble(error)
            if obstacle is None or time.monotonic() >= until:
                return obstacle

    async def _obstacle(self, key: str, holder: str) -> str | None:
        """What is in the way now; None where the webui is ours, and idle."""
        view = next(view for view in self._pool.views() if view.key == key)
        if view.health is not Health.UP or view.catalog is None:
            return _TROUBLE[NotReady]
        if not self._pool.reserve(key, holder):
            return "Its picture was not done in time."
        if await is_at_work(self._pool.client(key), view.catalog):
            return "It is at work for somebody else."
        return None

    async def _set(self, row: SwitchRow) -> tuple[SwitchState, str]:
        """Set the option, and look whether it is set: a 200 says nothing (contract 4.2). UserError, WebuiError."""
        client, setting = self._pool.client(row.backend), Setting(row.setting)
        change = build_change(setting, row.wanted, await self._pool.reread(row.backend))
        answer = await client.set_options({change.key: change.value}, self._timing.load)
        catalog = await self._pool.reread(row.backend)
        if change.key in refused_keys(answer) or not is_set(change, await fetch_options(client), catalog):
            return SwitchState.FAILED, _not_taken(setting, change, catalog)
        return SwitchState.DONE, _taken(setting, change, catalog)


def _trouble(error: WebuiError) -> str:
    if isinstance(error, OutcomeUnknown):
        return NO_ANSWER
    return next((said for kind, said in _TROUBLE.items() if isinstance(error, kind)), "It refused the change.")


def _taken(setting: Setting, change: Change, catalog: Catalog) -> str:
    later = ", loaded with its next picture" if loads_later(catalog) else ""
    match setting:
        case Setting.CHECKPOINT if later:
            return f'It draws with "{change.said}" from now on{later}.'
        case Setting.CHECKPOINT:
            return f'It has loaded "{change.said}", and draws with it from now on.'
        case Setting.VAE if change.said == BUILT_IN:
            return f"It uses the checkpoint's own VAE and text encoders from now on{later}."
        case Setting.VAE:
            return f'It uses "{change.said}" from now on{later}.'
        case Setting.CLIP_SKIP:
            return f"Its CLIP skip is {change.said} from now on."


def _not_taken(setting: Setting, change: Change, catalog: Catalog) -> str:
    if setting is not Setting.CHECKPOINT:
        return f'It did not take "{change.said}"; nothing has changed.'
    loaded = None if catalog.loaded_checkpoint is None else find_checkpoint(catalog, catalog.loaded_checkpoint)
    still = "" if loaded is None else f' It still has "{loaded.stem or loaded.plain_title}".'
    return f'It could not load "{change.said}".{still}'
