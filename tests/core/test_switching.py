"""Switching models: whoever asks and whoever has the webui, on real rows and a real webui."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.bell import Bell
from core.errors import UserError
from core.store.database import database_url, open_database
from core.store.switches import SwitchRow, SwitchRows, SwitchState
from core.switch_desk import NOBODY_DID, SwitchDesk, Targets, targets_of
from core.switching import BROKEN, LOOKED, LOOKS_LATER, NO_ANSWER, REFRESH, TOO_OLD, Switcher, SwitchTiming
from core.webui.address import parse_addresses
from core.webui.catalog import Checkpoint as CatalogCheckpoint
from core.webui.client import open_session
from core.webui.options import Setting
from core.webui.pool import BackendPool, Health
from core.webui.views import explain
from playground.webui import Checkpoint, LocalKobold, LocalWebui
from tests.core.ground import QUICK, fast_webui

FAST = SwitchTiming(wait=10.0, load=10.0, poll=0.01, refresh=0.2, refresh_longest=10.0)
HASTY = SwitchTiming(wait=0.2, load=0.2, poll=0.01, refresh=0.05, refresh_longest=10.0)


@dataclass
class Office:
    """One process that asks, and one that has the webuis; in between only the rows."""

    rows: SwitchRows
    bell: Bell
    pool: BackendPool
    desk: SwitchDesk
    ready: list[bool] = field(default_factory=lambda: [True])
    numbers: int = 0

    async def wish(self, wanted: str, setting: str = Setting.CHECKPOINT) -> str:
        self.numbers += 1
        wish_id = str(self.numbers)
        targets = Targets(self.pool.views())
        await self.desk.wish(wish_id, targets, setting=setting, wanted=wanted, person_id=42, guild_id=900, reply="{}")
        return wish_id

    async def watch(self, wish_id: str) -> list[list[SwitchState]]:
        async with asyncio.timeout(10):
            return [[row.state for row in rows] async for rows in self.desk.watch(wish_id)]

    async def end(self, wish_id: str) -> tuple[SwitchState, str]:
        await self.watch(wish_id)
        row = (await self.rows.fetch(wish_id))[0]
        return row.state, row.sentence

    async def reaches(self, wish_id: str, state: SwitchState) -> SwitchRow:
        async with asyncio.timeout(10):
            heard = self.bell.listen()
            while (row := (await self.rows.fetch(wish_id))[0]).state is not state:
                await heard.wait()
                heard = self.bell.listen()
        return row

    def switcher(self, timing: SwitchTiming = FAST) -> Switcher:
        return Switcher(rows=self.rows, pool=self.pool, bell=self.bell, is_ready=lambda: self.ready[0], timing=timing)

    @asynccontextmanager
    async def switching(self, timing: SwitchTiming = FAST) -> AsyncIterator[None]:
        task = asyncio.create_task(self.switcher(timing).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def office_with(engine: AsyncEngine, *webuis: LocalWebui, timing: SwitchTiming = FAST) -> AsyncIterator[Office]:
    changed = asyncio.Event()
    async with open_session() as session:
        urls = ",".join(webui.url for webui in webuis)
        pool = BackendPool(parse_addresses(urls), session=session, on_change=changed.set, timing=QUICK)
        pool.start()
        async with asyncio.timeout(10):
            while any(view.health is Health.UNKNOWN for view in pool.views()):
                changed.clear()
                await changed.wait()
        bell = Bell()
        rows = SwitchRows(engine, bell.ring)
        yield Office(rows, bell, pool, SwitchDesk(rows=rows, views=pool.views, bell=bell, timing=timing))
        await pool.stop()


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url(None, tmp_path)) as engine:
        yield engine


async def test_a_wish_is_carried_out_while_somebody_watches(engine: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(engine, webui) as office, office.switching():
        wish = await office.wish("paperCutout_v12")
        seen = await office.watch(wish)
        assert seen[-1] == [SwitchState.DONE]
        assert len(seen) > 1
        (view,) = office.pool.views()
        assert (view.switching, view.job_id) == (False, None)
        assert (view.default_checkpoint or "").startswith("paperCutout_v12")
        assert view.catalog is not None
        assert view.catalog.loaded_checkpoint == view.default_checkpoint


async def test_the_webui_gets_nothing_meanwhile_and_people_are_told(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        assert office.pool.reserve(webui.url, "7:0:1")
        async with office.switching():
            wish = await office.wish("paperCutout_v12")
            await office.reaches(wish, SwitchState.WAITING)
            (view,) = office.pool.views()
            assert not view.accepts
            assert explain([view]) == "An admin is changing the webui's model; pictures wait until that is done."
            await asyncio.sleep(0.1)
            assert not [r for r in webui.requests if r.method == "POST" and r.path == "/sdapi/v1/options"]
            office.pool.release("7:0:1")
            assert (await office.end(wish))[0] is SwitchState.DONE


async def test_a_picture_of_somebody_else_s_is_waited_for_too(sqlite: AsyncEngine) -> None:
    async with (
        fast_webui() as webui,
        office_with(sqlite, webui) as office,
        office.switching(),
        aiohttp.ClientSession() as session,
    ):
        webui.hold(1)
        body = {"prompt": "a", "steps": 2, "width": 64, "height": 64}
        drawing = asyncio.create_task(_post(session, f"{webui.url}/sdapi/v1/txt2img", body))
        await webui.until(lambda: webui.running is not None)
        wish = await office.wish("paperCutout_v12")
        await office.reaches(wish, SwitchState.WAITING)
        await asyncio.sleep(0.1)
        assert (await office.rows.fetch(wish))[0].state is SwitchState.WAITING
        webui.release()
        await drawing
        assert (await office.end(wish))[0] is SwitchState.DONE
        assert webui.renders[0].checkpoint != "paperCutout_v12"


async def _post(session: aiohttp.ClientSession, url: str, body: object) -> None:
    async with session.post(url, json=body) as answer:
        await answer.read()


async def test_who_waits_too_long_gives_up_and_the_webui_goes_on(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        office.pool.reserve(webui.url, "7:0:1")
        async with office.switching(HASTY):
            assert await office.end(await office.wish("paperCutout_v12")) == (
                SwitchState.FAILED,
                "Its picture was not done in time.",
            )
        (view,) = office.pool.views()
        assert (view.switching, view.job_id) == (False, "7:0:1")


async def test_a_webui_that_is_away_is_said_to_be(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        webui.refuse_connections()
        async with office.switching(HASTY):
            assert await office.end(await office.wish("paperCutout_v12")) == (
                SwitchState.FAILED,
                "It can't be reached at the moment.",
            )


async def test_a_load_that_takes_too_long_is_no_success_though_the_option_says_so(sqlite: AsyncEngine) -> None:
    async with fast_webui(load_seconds=2.0) as webui, office_with(sqlite, webui) as office, office.switching(HASTY):
        wish = await office.wish("paperCutout_v12")
        assert await office.end(wish) == (SwitchState.FAILED, NO_ANSWER)
        assert webui.options["sd_model_checkpoint"] == "paperCutout_v12.safetensors"


async def test_a_broken_file_is_a_failure_though_the_webui_says_200(sqlite: AsyncEngine) -> None:
    files = [Checkpoint("good.safetensors"), Checkpoint("bad.safetensors", broken=True)]
    async with fast_webui(checkpoints=files) as webui, office_with(sqlite, webui) as office, office.switching():
        state, sentence = await office.end(await office.wish("bad"))
        assert (state, sentence) == (SwitchState.FAILED, 'It could not load "bad". It still has "good".')
        assert (await office.end(await office.wish("gone")))[1].startswith('The webui has no checkpoint called "gone".')


async def test_wishes_for_one_webui_come_one_after_the_other(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        wishes = [await office.wish(name) for name in ("paperCutout_v12", "v1-5-pruned-emaonly", "dreamLandscapes_v4")]
        async with office.switching():
            for wish in wishes:
                assert (await office.end(wish))[0] is SwitchState.DONE
        assert webui.swaps == ["paperCutout_v12", "v1-5-pruned-emaonly", "dreamLandscapes_v4"]


async def test_a_process_that_dies_while_it_loads_takes_it_up_again(engine: AsyncEngine) -> None:
    async with fast_webui(load_seconds=1.0) as webui, office_with(engine, webui) as office:
        async with office.switching():
            wish = await office.wish("paperCutout_v12")
            await office.reaches(wish, SwitchState.LOADING)
        (view,) = office.pool.views()
        assert (view.switching, view.job_id) == (False, None)
        async with office.switching():
            assert (await office.end(wish))[0] is SwitchState.DONE
        assert webui.swaps == ["paperCutout_v12"]


async def test_nothing_is_begun_before_running_pictures_have_their_webuis_again(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        office.ready[0] = False
        wish = await office.wish("paperCutout_v12")
        async with office.switching():
            await asyncio.sleep(0.1)
            assert (await office.rows.fetch(wish))[0].state is SwitchState.WISHED
            office.ready[0] = True
            assert (await office.end(wish))[0] is SwitchState.DONE


async def test_a_wish_that_came_too_long_ago_is_not_carried_out_any_more(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office:
        wish = await office.wish("paperCutout_v12")
        await asyncio.sleep(HASTY.wait + 0.05)
        async with office.switching(HASTY):
            assert await office.end(wish) == (SwitchState.FAILED, TOO_OLD)
        assert webui.swaps == []


async def test_a_wish_that_nobody_carries_out_is_given_up_by_who_asked(sqlite: AsyncEngine) -> None:
    timing = SwitchTiming(wait=-30.0, load=0.2)
    async with fast_webui() as webui, office_with(sqlite, webui, timing=timing) as office:
        wish = await office.wish("paperCutout_v12")
        assert await office.end(wish) == (SwitchState.FAILED, NOBODY_DID)
        async with office.switching():
            await asyncio.sleep(0.1)
        assert webui.swaps == []


async def test_a_wish_of_a_newer_version_s_kind_is_a_sentence_too(
    sqlite: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office, office.switching():
        assert await office.end(await office.wish("x", "outdir_samples")) == (SwitchState.FAILED, BROKEN)
        assert "could not be carried out" in caplog.text
        assert not [r for r in webui.requests if r.method == "POST" and r.path == "/sdapi/v1/options"]


async def test_refreshing_waits_for_no_picture_and_finds_new_files(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, office_with(sqlite, webui) as office, office.switching():
        assert await office.end(await office.wish("", REFRESH)) == (SwitchState.DONE, LOOKED)
        webui.hold(1)
        async with aiohttp.ClientSession() as session:
            body = {"prompt": "a", "steps": 2, "width": 64, "height": 64}
            drawing = asyncio.create_task(_post(session, f"{webui.url}/sdapi/v1/txt2img", body))
            await webui.until(lambda: webui.running is not None)
            webui.catalog.arrive("checkpoints", "newcomer.safetensors")
            assert await office.end(await office.wish("", REFRESH)) == (SwitchState.DONE, LOOKS_LATER)
            assert office.pool.views()[0].accepts
            webui.release()
            await drawing
        async with asyncio.timeout(10):
            while not any(one.stem == "newcomer" for one in _checkpoints(office)):  # noqa: ASYNC110  # the pool's event
                await asyncio.sleep(0.02)


def _checkpoints(office: Office) -> tuple[CatalogCheckpoint, ...]:
    catalog = office.pool.views()[0].catalog
    return () if catalog is None else catalog.checkpoints


async def test_who_can_be_asked_is_said_with_the_reasons_of_the_others(sqlite: AsyncEngine) -> None:
    async with fast_webui() as webui, LocalKobold() as kobold, office_with(sqlite, webui, kobold) as office:
        views = office.desk.find(None)
        targets = targets_of(views, Setting.CHECKPOINT, "paperCutout_v12")
        assert [view.key for view in targets.chosen] == [webui.url]
        assert [why for _, why in targets.left_out] == [
            "It can't be switched from here: KoboldCpp draws with the model that it was started with."
        ]
        assert len(targets_of(views, REFRESH, "").chosen) == 2
        with pytest.raises(UserError, match=r'webui 1: The webui has no checkpoint called "x".*webui 2: It can\'t be'):
            targets_of(views, Setting.CHECKPOINT, "x")
        with pytest.raises(UserError, match=r"^Say which webui: webui 1, webui 2\.$"):
            office.desk.find("webui 3")
        assert [view.key for view in office.desk.find(" WEBUI 1")] == [webui.url]
