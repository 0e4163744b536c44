"""All the webuis: this process's own, and those of other workers as these describe them in the database.

On one machine there are no others, and the database only remembers what admins want and what was learned.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec
import sqlalchemy as sa

from core.catalogs import Catalogs
from core.store.backends import BackendRow, BackendRows, Said
from core.webui.catalog import Catalog, find_checkpoint
from core.webui.pool import BackendPool, BackendView, Health, Mode
from core.webui.views import MergedCatalog, explain

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 2.0
"""How often a worker says that it is there, where others read it."""
ALONE_SECONDS = 10.0
"""The same where nobody else does: only what was learned has to be kept."""
GONE_SECONDS = 60.0
"""A worker that said it is being restarted and was not heard of for so long is simply away."""
SILENT_SECONDS = 8.0
"""A webui whose worker was not heard of for so long can't be used."""
CLOSING_SECONDS = 1.0
"""How long a database that does not answer holds up the end of a process."""
FORGOTTEN_SECONDS = 3600.0
"""A webui whose worker was not heard of for so long is not there any more."""
FROZEN_SECONDS = 30.0
"""A worker that was not heard of for so long, though its connection stands, is taken for dead."""


class Fleet:
    """Every webui there is. `on_change` is called whenever one of another worker changed."""

    def __init__(
        self, *, rows: BackendRows, pool: BackendPool, worker: str, shared: bool, on_change: Callable[[], None]
    ) -> None:
        self._rows = rows
        self._catalogs = Catalogs(rows)
        self._pool = pool
        self._worker = worker
        self._shared = shared
        self._on_change = on_change
        self._others: dict[str, BackendView] = {}
        self._published: dict[str, BackendView] = {}
        self._kept: dict[str, tuple[float | None, float | None]] = {}
        self._ages: dict[str, float] = {}
        self._reading_since: float | None = None
        self._merged = MergedCatalog()
        self._wake = asyncio.Event()

    def views(self) -> tuple[BackendView, ...]:
        """Every webui now, one's own first."""
        return (*self._pool.views(), *self._others.values())

    def is_own(self, key: str) -> bool:
        """Whether this process draws on it."""
        return key not in self._others

    @property
    def has_room(self) -> bool:
        """Whether one of its own webuis could begin a picture now."""
        return any(view.idle and view.accepts for view in self._pool.views())

    def is_frozen(self, worker: str) -> bool:
        """Whether a worker has said nothing for so long that it stands still, wherever its locks are.

        Nobody can tell who has not read for as long: after an outage of the database all of them look like that.
        """
        now = time.monotonic()
        has_read = self._reading_since is not None and now - self._reading_since > FROZEN_SECONDS
        return has_read and self._ages.get(worker, math.inf) > FROZEN_SECONDS

    def catalog(self) -> Catalog | None:
        """What the known webuis offer together, those that are down included; None while none has ever answered."""
        return self._merged.of(self.views())

    def catalogs(self) -> list[tuple[str, Catalog]]:
        """What each known webui offers by itself, with its name."""
        return [(view.name, view.catalog) for view in self.views() if view.catalog is not None]

    def default_checkpoint(self) -> str | None:
        """What draws where nobody chooses, if that is the same everywhere."""
        catalog, found = self.catalog(), set()
        for view in self.views():
            name = view.default_checkpoint or (None if view.catalog is None else view.catalog.loaded_checkpoint)
            checkpoint = None if catalog is None or name is None else find_checkpoint(catalog, name)
            found.add(None if checkpoint is None else checkpoint.title)
        return found.pop() if len(found) == 1 else None

    def explain(self) -> str | None:
        """Why no picture can be drawn now, in a sentence without host names; None where a webui takes pictures."""
        return explain(self.views())

    async def close(self) -> None:
        """This process stops: its webuis get nothing more from it, and the others hear of that before it goes."""
        self._pool.close()
        with contextlib.suppress(sa.exc.SQLAlchemyError, TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._publish()

    def refresh(self) -> None:
        """Look again soon: somebody asked for a name that no catalog has."""
        self._pool.refresh()

    def note_own(self) -> None:
        """A webui of ours changed: tell the others soon, if there are any."""
        if self._shared:
            self._wake.set()

    def note_others(self) -> None:
        """Something of the others' changed, or what an admin wants: look soon."""
        self._wake.set()

    async def open(self) -> None:
        """Take over what admins wanted, what was learned and offered before; and learn of the others."""
        rows = await self._rows.fetch(self._worker, FORGOTTEN_SECONDS)
        offered = await self._catalogs.read(rows)
        for row in rows:
            if row.worker == self._worker:
                self._pool.teach(row.key, row.speed, row.load_seconds)
                self._pool.remind(row.key, offered.get(row.key))
        self._take(rows, offered)
        await self._publish()

    async def set_mode(self, key: str, mode: Mode) -> bool:
        """What an admin wants of a webui from now on, also after a restart; False where nobody knows it."""
        known = await self._rows.set_mode(key, mode)
        await self.look()
        return known

    async def look(self) -> None:
        """Read the rows: what others say of their webuis, and what is wanted of one's own."""
        rows = await self._rows.fetch(self._worker, FORGOTTEN_SECONDS)
        others = [row for row in rows if self._shared and row.worker != self._worker and row.age < FORGOTTEN_SECONDS]
        self._take(rows, await self._catalogs.read(others))

    async def run(self) -> None:
        """Publish and read for ever; the caller cancels it."""
        while True:
            try:
                async with asyncio.timeout(PUBLISH_SECONDS if self._shared else ALONE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._publish()
                await self.look()
            except sa.exc.SQLAlchemyError as error:
                self._reading_since = None
                log.warning("the webuis' rows can't be written, trying again: %s", type(error).__name__)
            await asyncio.sleep(PUBLISH_SECONDS / 10)  # many changes in a moment are written once

    async def _publish(self) -> None:
        views = {view.key: view for view in self._pool.views()}
        if not views:
            return
        catalogs = await self._catalogs.pack(views.values())
        learned = {key: (view.speed, view.load_seconds) for key, view in views.items()}
        if not self._shared and learned == self._kept and not catalogs:
            return
        try:
            await self._rows.publish(self._worker, {key: self._say(view) for key, view in views.items()}, catalogs)
        except sa.exc.SQLAlchemyError:
            self._catalogs.forget(catalogs)
            raise
        self._published, self._kept = views, learned

    def _say(self, view: BackendView) -> Said:
        """The catalog has a row of its own; what hasn't changed of a view is not written again."""
        is_new = self._shared and self._published.get(view.key) != view
        return Said(
            view=msgspec.json.encode(replace(view, catalog=None)).decode() if is_new else None,
            catalog_digest=self._catalogs.digest_of(view.key),
            loaded_checkpoint=None if view.catalog is None else view.catalog.loaded_checkpoint,
            speed=view.speed,
            load_seconds=view.load_seconds,
        )

    def _take(self, rows: list[BackendRow], catalogs: Mapping[str, Catalog]) -> None:
        """What the rows say: the wishes for our own webuis, and the others'."""
        if self._reading_since is None:
            self._reading_since = time.monotonic()
        self._ages = {row.worker: row.age for row in rows}
        others: dict[str, BackendView] = {}
        for row in rows:
            if row.worker == self._worker:
                self._pool.set_mode(row.key, Mode(row.mode))
            elif (
                self._shared
                and row.age < FORGOTTEN_SECONDS
                and (view := _decode(row, self._others.get(row.key), catalogs.get(row.key))) is not None
            ):
                others[row.key] = view
        others = dict(sorted(others.items(), key=lambda pair: pair[1].name))  # as people read them
        if others != self._others:
            self._others = others
            self._on_change()


def _decode(row: BackendRow, known: BackendView | None, catalog: Catalog | None) -> BackendView | None:
    """The view as its worker wrote it, with the catalog's tables kept where it is the same one."""
    if row.view is None:
        return None
    try:
        view = msgspec.json.decode(row.view, type=BackendView)
    except msgspec.MsgspecError:
        log.warning("a webui's row can't be read; its worker may be of another version", extra={"webui": row.key})
        return None
    if catalog is not None:
        view = replace(view, catalog=catalog.with_loaded(row.loaded_checkpoint))
    if known is not None and known.catalog == view.catalog:
        view = replace(view, catalog=known.catalog)
    return replace(
        view,
        mode=Mode(row.mode),
        closing=view.closing and row.age < GONE_SECONDS,
        health=Health.DOWN if row.age > SILENT_SECONDS else view.health,
    )
