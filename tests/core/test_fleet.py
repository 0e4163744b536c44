"""All the webuis: one's own, and those of others through a real database of either kind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core import fleet as module
from core.fleet import Fleet
from core.jobs.outlook import facts_of
from core.store.backends import BACKENDS_SIGNAL, FORGET_AFTER, MODE_SIGNAL, BackendRows, Said, StoredCatalog
from core.store.database import database_url, open_database
from core.store.schema import backends, catalogs
from core.store.signals import Signal, open_listener
from core.webui.address import parse_addresses
from core.webui.client import open_session
from core.webui.pool import BackendPool, BackendView, Health, Mode
from playground.webui import LocalForge, LocalWebui
from tests.core.ground import QUICK, fast_webui

WAIT = 10.0


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """The table of the webuis in a database of either kind; of both it is asked what several processes ask."""
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


class Worker:
    """One process with webuis of its own, or none."""

    def __init__(self, engine: AsyncEngine, session: aiohttp.ClientSession, name: str, *webuis: LocalWebui) -> None:
        self.name = name
        self.changes = 0
        self.changed = asyncio.Event()
        self.shared = name != "alone"
        urls = ",".join(webui.url for webui in webuis)
        addresses = [one.of_worker(name, name) if self.shared else one for one in parse_addresses(urls)] if urls else []
        self.pool = BackendPool(addresses, session=session, on_change=self._own, timing=QUICK)
        self.fleet = Fleet(
            rows=BackendRows(engine), pool=self.pool, worker=name, shared=self.shared, on_change=self._others
        )

    def _own(self) -> None:
        self.fleet.note_own()
        self.changed.set()

    def _others(self) -> None:
        self.changes += 1
        self.changed.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Worker]:
        await self.fleet.open()
        self.pool.start()
        task = asyncio.create_task(self.fleet.run())
        try:
            await self.until(lambda: all(view.health is not Health.UNKNOWN for view in self.pool.views()))
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.pool.stop()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def seen(self, worker: str) -> list[BackendView]:
        """What it knows of this worker's webuis."""
        return [view for view in self.fleet.views() if view.key.startswith(f"{worker} ")]

    def names(self) -> list[str]:
        """The checkpoints that it knows of."""
        catalog = self.fleet.catalog()
        return [] if catalog is None else [checkpoint.title for checkpoint in catalog.checkpoints]

    async def look(self) -> None:
        """As after a ring of another's."""
        await self.fleet.look()


@pytest.fixture
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite carries no rings: the table is read often instead."""
    monkeypatch.setattr(module, "PUBLISH_SECONDS", 0.05)


async def test_an_admin_s_wish_is_done_at_once_and_outlives_the_process(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui:
        async with Worker(database, session, "alone", webui).running() as worker:
            assert await worker.fleet.set_mode(webui.url, Mode.PAUSED)
            (view,) = worker.fleet.views()
            assert (view.mode, view.accepts) == (Mode.PAUSED, False)
            assert worker.fleet.explain() == "The webuis are paused by an admin; pictures wait until one is resumed."
        async with Worker(database, session, "alone", webui).running() as worker:
            assert worker.fleet.views()[0].mode is Mode.PAUSED
            assert await worker.fleet.set_mode(webui.url, Mode.OPEN)
            assert worker.fleet.views()[0].accepts
            assert worker.fleet.explain() is None


async def test_a_webui_that_nobody_knows_can_not_be_paused(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui, Worker(database, session, "alone", webui).running() as worker:
        assert not await worker.fleet.set_mode("http://gone:7860", Mode.PAUSED)
        assert worker.fleet.views()[0].mode is Mode.OPEN


async def test_what_was_learned_of_a_webui_outlives_the_process(
    database: AsyncEngine, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALONE_SECONDS", 0.01)
    async with fast_webui() as webui:
        async with Worker(database, session, "alone", webui).running() as worker:
            worker.pool.teach(webui.url, 0.5, 9.0)
            await _until(lambda: _is_kept(database, 0.5, 9.0))
        worker = Worker(database, session, "alone", webui)
        await worker.fleet.open()
        (view,) = worker.fleet.views()
        assert (view.speed, view.load_seconds) == (0.5, 9.0)


async def test_a_webui_that_was_taken_out_of_the_settings_is_forgotten(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as first, fast_webui() as second:
        await Worker(database, session, "alone", first, second).fleet.open()
        await Worker(database, session, "alone", second).fleet.open()
        assert [row.key for row in await BackendRows(database).fetch("", 60.0)] == [second.url]


@pytest.mark.usefixtures("_often")
async def test_others_webuis_are_seen_as_their_workers_see_them(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui(checkpoints=("ink.safetensors",)) as webui, AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(Worker(database, session, "gateway").running())
        assert "No webui is connected" in (gateway.fleet.explain() or "")
        worker = await stack.enter_async_context(Worker(database, session, "w", webui).running())
        await gateway.until(lambda: [view.health for view in gateway.seen("w")] == [Health.UP])
        (own,) = worker.pool.views()
        assert gateway.fleet.views() == (own,)
        assert not gateway.fleet.is_own(own.key)
        assert worker.fleet.is_own(own.key)
        assert worker.fleet.views() == (own,)
        assert gateway.fleet.explain() is None
        catalog = gateway.fleet.catalog()
        assert catalog is not None
        assert [checkpoint.stem for checkpoint in catalog.checkpoints] == ["ink"]
        worker.pool.reserve(own.key, "9-0-1", work=3.0)
        await gateway.until(lambda: not gateway.seen("w")[0].idle)
        assert gateway.seen("w")[0].work == 3.0
        worker.pool.release("9-0-1")
        await gateway.until(lambda: gateway.seen("w")[0].idle)
        assert not facts_of(gateway.seen("w")[0], mine=gateway.fleet.is_own(own.key)).idle


@pytest.mark.usefixtures("_often")
async def test_two_workers_see_each_other_and_a_wish_reaches_whose_webui_it_is(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with (
        fast_webui() as webui,
        Worker(database, session, "a", webui).running() as a,
        Worker(database, session, "b", webui).running() as b,
    ):
        await a.until(lambda: [view.health for view in a.seen("b")] == [Health.UP])
        await b.until(lambda: [view.health for view in b.seen("a")] == [Health.UP])
        assert [view.key for view in a.fleet.views()] == [f"a {webui.url}", f"b {webui.url}"]  # its own first
        assert await a.fleet.set_mode(f"b {webui.url}", Mode.DRAINING)
        assert a.seen("b")[0].mode is Mode.DRAINING
        await b.until(lambda: b.pool.views()[0].mode is Mode.DRAINING)
        assert await b.fleet.set_mode(f"b {webui.url}", Mode.OPEN)
        await a.until(lambda: a.seen("b")[0].accepts)
        assert a.pool.views()[0].mode is Mode.OPEN


@pytest.mark.usefixtures("_often")
async def test_others_hear_of_a_worker_that_closes_until_it_is_back(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui, Worker(database, session, "gateway").running() as gateway:
        async with Worker(database, session, "w", webui).running() as worker:
            await gateway.until(lambda: [view.health for view in gateway.seen("w")] == [Health.UP])
            await worker.fleet.close()
            assert "is being restarted" in (worker.fleet.explain() or "")
            await gateway.until(lambda: not gateway.seen("w")[0].accepts)
            assert gateway.fleet.explain() == worker.fleet.explain()  # and not that an admin paused it
            assert gateway.seen("w")[0].mode is Mode.OPEN
            await worker.look()  # what the row says does not open it again
            assert not worker.pool.views()[0].accepts
        async with Worker(database, session, "w", webui).running():
            await gateway.until(lambda: gateway.seen("w")[0].accepts)


async def test_a_worker_that_is_silent_has_no_webui_that_can_be_used(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui:
        async with Worker(database, session, "w", webui).running() as worker:
            await worker.fleet._publish()
        gateway = Worker(database, session, "gateway")
        await gateway.look()
        assert gateway.seen("w")[0].health is Health.UP
        async with database.begin() as connection:
            silent = backends.c.seen_at - module.SILENT_SECONDS - 1
            await connection.execute(sa.update(backends).values(seen_at=silent))
        await gateway.look()
        (view,) = gateway.seen("w")
        assert (view.health, view.accepts) == (Health.DOWN, False)
        assert gateway.fleet.catalog() is not None  # names may be asked for all the same


async def test_an_unchanged_webui_is_no_news(database: AsyncEngine, session: aiohttp.ClientSession) -> None:
    async with fast_webui() as webui, Worker(database, session, "w", webui).running() as worker:
        gateway = Worker(database, session, "gateway")
        await worker.fleet._publish()
        await gateway.look()
        (view,) = gateway.seen("w")
        for _ in range(3):
            await worker.fleet._publish()
            await gateway.look()
        assert gateway.changes == 1
        assert gateway.seen("w")[0].catalog is view.catalog  # its look-up tables stay


async def test_a_catalog_is_written_where_it_changed_and_not_with_every_picture(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui, Worker(database, session, "w", webui).running() as worker:
        gateway, key = Worker(database, session, "gateway"), f"w {webui.url}"
        await worker.fleet._publish()
        await gateway.look()
        async with database.begin() as connection:
            await connection.execute(sa.update(catalogs).values(catalog="{}"))  # whoever reads it again has this
        worker.pool.reserve(key, "9-0-1")
        worker.pool.report_success(key, worker.names()[-1], seconds=None, work=None, loaded_before=None)
        await worker.fleet._publish()
        await gateway.look()
        (view,) = gateway.seen("w")
        assert view.job_id == "9-0-1"
        assert view == worker.pool.views()[0]
        assert view.catalog is not None
        assert view.catalog.loaded_checkpoint == worker.names()[-1]
        (row,) = await BackendRows(database).fetch("", 60.0)
        assert len(row.view or "") < 1000
        webui.catalog.checkpoints.pop()
        worker.pool.refresh()
        await worker.until(lambda: len(worker.names()) == len(webui.catalog.checkpoints))
        await worker.fleet._publish()
        await gateway.look()
        assert gateway.names() == worker.names()


async def test_what_a_webui_offered_is_known_after_a_restart_until_it_answers(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui:
        async with Worker(database, session, "alone", webui).running() as worker:
            await worker.fleet._publish()
            names, default = worker.names(), worker.fleet.default_checkpoint()
        later = Worker(database, session, "alone", webui)
        await later.fleet.open()
        assert later.names() == names
        assert later.fleet.default_checkpoint() == default
        assert "has not answered yet" in (later.fleet.explain() or "")
        webui.catalog.checkpoints.clear()
        async with later.running():  # nothing of what was known holds for what is there now
            assert [view.health for view in later.pool.views()] == [Health.UP]
            assert later.names() == []


async def test_a_catalog_that_could_not_be_written_is_written_later(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui:
        worker = Worker(database, session, "w", webui)
        await worker.fleet.open()
        worker.pool.start()
        try:
            await worker.until(lambda: worker.pool.views()[0].health is Health.UP)
            async with database.begin() as connection:
                await connection.execute(sa.text("ALTER TABLE backends RENAME TO away"))
            with pytest.raises(sa.exc.SQLAlchemyError):
                await worker.fleet._publish()
            async with database.begin() as connection:
                await connection.execute(sa.text("ALTER TABLE away RENAME TO backends"))
            await worker.fleet._publish()
        finally:
            await worker.pool.stop()
        gateway = Worker(database, session, "gateway")
        await gateway.look()
        assert gateway.names() == worker.names()


async def test_a_worker_of_an_older_version_is_understood(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui, Worker(database, session, "w", webui).running() as worker:
        (view,) = worker.pool.views()
        old = Said(view=msgspec.json.encode(view).decode())
        await BackendRows(database).publish("w", {view.key: old})
        gateway = Worker(database, session, "gateway")
        await gateway.look()
        assert gateway.seen("w") == [view]


async def test_a_catalog_that_can_not_be_read_is_none(
    database: AsyncEngine, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with fast_webui() as webui, Worker(database, session, "w", webui).running() as worker:
        (view,) = worker.pool.views()
    said = Said(view=msgspec.json.encode(replace(view, catalog=None)).decode(), catalog_digest="d")
    await BackendRows(database).publish("w", {view.key: said}, {view.key: StoredCatalog("d", '{"samplers": 1}')})
    gateway = Worker(database, session, "gateway")
    await gateway.look()
    assert [view.catalog for view in gateway.seen("w")] == [None]
    assert "another version" in caplog.text


async def test_a_row_of_another_version_is_left_out(
    database: AsyncEngine, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    rows = BackendRows(database)
    await rows.publish("w", {"w http://gpu": Said(view='{"colour": 1}'), "w http://cpu": Said()})
    gateway = Worker(database, session, "gateway")
    await gateway.fleet.open()
    assert gateway.fleet.views() == ()
    assert "another version" in caplog.text


async def test_rows_that_can_not_be_written_are_written_later(
    database: AsyncEngine,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "ALONE_SECONDS", 0.01)
    async with fast_webui() as webui, Worker(database, session, "alone", webui).running() as worker:
        async with database.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE backends RENAME TO away"))
        worker.pool.teach(webui.url, 0.5, 9.0)
        async with asyncio.timeout(WAIT):
            while "can't be written" not in caplog.text:  # noqa: ASYNC110  # a log rings no bell
                await asyncio.sleep(0.01)
        async with database.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE away RENAME TO backends"))
        await _until(lambda: _is_kept(database, 0.5, 9.0))


async def test_changes_are_rung_to_others_and_signs_of_life_are_not(
    postgres_url: str, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    url = database_url(postgres_url, tmp_path)
    heard: list[Signal] = []
    async with open_database(url) as engine, fast_webui() as webui:
        worker = Worker(engine, session, "w", webui)
        await worker.fleet.open()
        async with open_listener(url, on_signal=heard.append, on_resync=lambda: None):
            for _ in range(3):
                await worker.fleet._publish()
            worker.pool.reserve(f"w {webui.url}", "9-0-1")
            await worker.fleet._publish()
            await worker.fleet.set_mode(f"w {webui.url}", Mode.PAUSED)
            async with asyncio.timeout(WAIT):
                while len(heard) < 2:  # noqa: ASYNC110  # counted where they arrive
                    await asyncio.sleep(0.01)
    assert heard == [Signal(BACKENDS_SIGNAL, "w"), Signal(MODE_SIGNAL, f"w {webui.url}")]


async def _is_kept(database: AsyncEngine, speed: float, load_seconds: float) -> bool:
    try:
        rows = await BackendRows(database).fetch("", 60.0)
    except sa.exc.SQLAlchemyError:
        return False
    return [(row.speed, row.load_seconds) for row in rows] == [(speed, load_seconds)]


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT):
        for _ in itertools.count():
            if await condition():
                return
            await asyncio.sleep(0.01)


async def test_a_worker_that_was_not_heard_of_for_days_leaves_no_row(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with fast_webui() as webui:
        await Worker(database, session, "gone", webui).fleet.open()
        async with database.begin() as connection:
            await connection.execute(sa.update(backends).values(seen_at=backends.c.seen_at - FORGET_AFTER - 1))
        living = Worker(database, session, "living", webui)
        await living.fleet.open()
        assert living.seen("gone") == []
        assert [row.worker for row in await BackendRows(database).fetch("gone", 60.0)] == ["living"]


@pytest.mark.usefixtures("_often")
async def test_a_worker_that_is_in_no_row_any_more_stands_still_and_one_that_speaks_does_not(
    database: AsyncEngine, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FROZEN_SECONDS", 1.0)
    async with (
        fast_webui() as webui,
        fast_webui() as other,
        Worker(database, session, "here", webui).running() as here,
        Worker(database, session, "there", other).running(),
    ):

        async def is_gone() -> bool:
            return here.fleet.is_frozen("gone")

        assert not await is_gone()  # it has not read for as long
        await _until(is_gone)
        assert not here.fleet.is_frozen("there")


FIRST, SECOND = "one.safetensors", "two.safetensors"


@pytest.mark.parametrize(
    ("webuis", "expected"),
    [
        ([], None),
        ([(FIRST, SECOND)], FIRST),
        ([(FIRST, SECOND), (FIRST,)], FIRST),
        ([(FIRST, SECOND), (SECOND, FIRST)], None),
    ],
    ids=["none", "one", "two alike", "two that differ"],
)
async def test_what_draws_where_nobody_chooses_is_known_if_it_is_the_same_everywhere(
    tmp_path: Path, session: aiohttp.ClientSession, webuis: list[tuple[str, ...]], expected: str | None
) -> None:
    async with open_database(database_url(None, tmp_path)) as engine, AsyncExitStack() as stack:
        local = [await stack.enter_async_context(fast_webui(checkpoints=files)) for files in webuis]
        worker = await stack.enter_async_context(Worker(engine, session, "alone", *local).running())
        found = worker.fleet.default_checkpoint()
        assert (None if found is None else found.partition(" [")[0]) == expected


async def test_of_a_webui_that_never_answered_nobody_knows_what_draws(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    async with open_database(database_url(None, tmp_path)) as engine, fast_webui() as webui, fast_webui() as away:
        away.refuse_connections()
        async with Worker(engine, session, "alone", webui, away).running() as worker:
            assert worker.fleet.catalog() is not None
            assert worker.fleet.default_checkpoint() is None


@pytest.mark.usefixtures("_often")
async def test_another_process_knows_all_that_a_webui_can(
    database: AsyncEngine, session: aiohttp.ClientSession
) -> None:
    async with (
        LocalForge(seconds_per_step=0.0, cheap_pictures=True) as webui,
        Worker(database, session, "there", webui).running() as there,
    ):
        await there.fleet._publish()
        here = Worker(database, session, "here")
        await here.fleet.open()
        (seen,), (own,) = here.seen("there"), there.fleet.views()
        assert own.catalog is not None
        assert seen.catalog == own.catalog
        assert seen.catalog.assets.modules
        assert seen.catalog.assets.find_lora("INKWASH") is not None
        assert here.fleet.default_checkpoint() == there.fleet.default_checkpoint() is not None
