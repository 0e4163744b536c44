"""The pool against webuis that come, go, forbid and start slowly."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from core.errors import AuthenticationFailed, NoApi, NotReady, OutcomeUnknown, OutOfMemory, ServerFault
from core.webui.address import parse_addresses
from core.webui.catalog import Catalog
from core.webui.dialects import Speech
from core.webui.pool import BackendPool, BackendView, Circuit, Health, Mode, Timing
from core.webui.views import MergedCatalog, explain
from playground.webui import Fault, LocalWebui
from tests.core.webui.conftest import RawServer, http
from tests.core.webui.features import WEBUIS

QUICK = Timing(idle=0.1, shortest=0.02, longest=0.05)
PATIENT = Timing(idle=60.0, shortest=0.02, longest=0.05)
RARE = Timing(idle=60.0, shortest=60.0, longest=60.0)


class Watch:
    """Counts the pool's changes, and waits for one that makes something true."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def __call__(self) -> None:
        self.count += 1
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def _pool(urls: str, session: aiohttp.ClientSession, timing: Timing) -> AsyncIterator[tuple[BackendPool, Watch]]:
    watch = Watch()
    pool = BackendPool(parse_addresses(urls), session=session, on_change=watch, timing=timing)
    pool.start()
    try:
        yield pool, watch
    finally:
        await pool.stop()


def _fast(**options: Any) -> LocalWebui:
    return LocalWebui(seconds_per_step=0.0, cheap_pictures=True, **options)


def _only(pool: BackendPool) -> BackendView:
    (view,) = pool.views()
    return view


def _speech(pool: BackendPool) -> Speech | None:
    catalog = _only(pool).catalog
    return None if catalog is None or not catalog.capabilities.recognised else catalog.capabilities.speech


def _has(pool: BackendPool, health: Health) -> Callable[[], bool]:
    return lambda: _only(pool).health is health


async def test_a_webui_that_answers_is_up_and_has_a_catalog(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        assert _only(pool) == BackendView(webui.url, "webui 1", Health.UNKNOWN, True, None, None)
        assert MergedCatalog().of(pool.views()) is None
        assert explain(pool.views()) == "The webui has not answered yet; pictures wait until it does."
        await watch.until(_has(pool, Health.UP))
        catalog = _only(pool).catalog
        assert catalog is not None
        assert catalog.checkpoints
        assert MergedCatalog().of(pool.views()) is catalog
        assert explain(pool.views()) is None
        assert pool.client(webui.url).address.url == webui.url


async def test_a_webui_that_goes_is_noticed_and_so_is_its_return(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        known = _only(pool).catalog
        webui.refuse_connections()
        await watch.until(_has(pool, Health.DOWN))
        assert _only(pool).catalog is known
        assert MergedCatalog().of(pool.views()) is known
        assert "can't be reached" in (explain(pool.views()) or "")
        assert "127.0.0.1" not in (explain(pool.views()) or "")
        await webui.accept_connections()
        await watch.until(_has(pool, Health.UP))
        assert explain(pool.views()) is None


async def test_wrong_credentials_are_said_and_noticed_when_mended(session: aiohttp.ClientSession) -> None:
    async with _fast(auth=("ann", "right")) as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        webui.fault(Fault.UNAUTHORIZED, times=None, route="/sdapi/*")
        await watch.until(_has(pool, Health.UNAUTHORISED))
        assert "login" in (explain(pool.views()) or "")
        webui.clear_faults()
        await watch.until(_has(pool, Health.UP))


async def test_a_missing_api_is_said(session: aiohttp.ClientSession, raw: RawServer) -> None:
    async with _pool(raw.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.NO_API))
        assert "--api" in (explain(pool.views()) or "")


async def test_a_webui_that_starts_is_not_up_while_its_lists_are_empty(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        known = _only(pool).catalog
        restarting = asyncio.create_task(webui.restart(refused=0.2, routes_missing=0.2, lists_empty=0.2))
        await watch.until(_has(pool, Health.DOWN))
        await watch.until(_has(pool, Health.NO_API))
        await watch.until(_has(pool, Health.UP))
        assert not restarting.done() or restarting.exception() is None
        assert _only(pool).catalog == known
        await restarting


@pytest.mark.parametrize("route", ["sd-models", "samplers", "schedulers"])
@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.HTML_200])
async def test_a_list_that_can_not_be_read_again_stays_known(
    session: aiohttp.ClientSession, route: str, fault: Fault
) -> None:
    async with _fast() as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        known = _only(pool).catalog
        webui.fault(fault, times=None, route=f"/sdapi/v1/{route}")
        # What tells us that it was probed since.
        await session.post(f"{webui.url}/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 4})
        await watch.until(
            lambda: (catalog := MergedCatalog().of(pool.views())) is not None and catalog.capabilities.clip_skip == 4
        )
        now = _only(pool)
        assert known is not None
        assert now.health is Health.UP
        assert now.catalog == replace(known, capabilities=replace(known.capabilities, clip_skip=4))


async def test_a_list_that_was_never_read_is_read_as_soon_as_it_can_be(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui:
        webui.fault(Fault.UNAVAILABLE, times=1, route="/sdapi/v1/sd-models")
        async with _pool(webui.url, session, QUICK) as (pool, watch):
            await watch.until(_has(pool, Health.UP))
            assert _only(pool).catalog is not None
            await watch.until(lambda: bool((catalog := MergedCatalog().of(pool.views())) and catalog.checkpoints))
            assert _only(pool).health is Health.UP


async def test_one_that_did_not_say_in_time_what_it_is_is_asked_again_soon(session: aiohttp.ClientSession) -> None:
    async with WEBUIS["SD.Next"](seconds_per_step=0.0, cheap_pictures=True) as webui:
        webui.fault(Fault.UNAVAILABLE, route="/sdapi/v1/version", times=1)
        async with _pool(webui.url, session, Timing(unsure=0.02)) as (pool, watch):
            await watch.until(_has(pool, Health.UP))
            await watch.until(lambda: _speech(pool) is Speech.SDNEXT)
            assert _only(pool).health is Health.UP


async def test_each_webui_is_one_of_its_own(session: aiohttp.ClientSession) -> None:
    async with _fast(checkpoints=("one.ckpt",)) as first, _fast(checkpoints=("two.ckpt",)) as second:
        first.refuse_connections()
        async with _pool(f"{first.url},{second.url}", session, QUICK) as (pool, watch):
            await watch.until(lambda: [view.health for view in pool.views()] == [Health.DOWN, Health.UP])
            assert [view.name for view in pool.views()] == ["webui 1", "webui 2"]
            assert explain(pool.views()) is None
            await first.accept_connections()
            await watch.until(lambda: all(view.health is Health.UP for view in pool.views()))
            together = MergedCatalog()
            merged = together.of(pool.views())
            assert merged is not None
            assert [checkpoint.stem for checkpoint in merged.checkpoints] == ["one", "two"]
            pool.report_success(first.url, "one")
            assert together.of(pool.views()) is merged


async def test_a_reserved_webui_is_nobody_else_s_until_it_is_released(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        assert pool.reserve(webui.url, "1")  # before it answered: a job that an earlier process began
        assert not _only(pool).idle
        assert _only(pool).job_id == "1"
        assert pool.reserve(webui.url, "1")
        assert not pool.reserve(webui.url, "2")
        assert not pool.reserve("http://elsewhere", "3")
        await watch.until(_has(pool, Health.UP))
        assert _only(pool).job_id == "1"
        pool.release("2")
        assert not _only(pool).idle
        before = watch.count
        pool.release("1")
        assert watch.count == before + 1
        pool.release("1")
        assert watch.count == before + 1
        assert _only(pool).idle
        assert pool.reserve(webui.url, "2")


async def test_a_webui_at_work_is_not_probed_until_it_is_free(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, Timing(idle=0.05)) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert pool.reserve(webui.url, "1")
        probes = webui.count("/sdapi/v1/sd-models")
        await asyncio.sleep(0.3)
        assert webui.count("/sdapi/v1/sd-models") <= probes + 1
        pool.release("1")
        await webui.until(lambda: webui.count("/sdapi/v1/sd-models") >= probes + 3, what="the next probes")


@pytest.mark.parametrize(
    ("error", "health"),
    [
        (NotReady("x"), Health.DOWN),
        (NoApi("x"), Health.NO_API),
        (AuthenticationFailed("x"), Health.UNAUTHORISED),
        (OutcomeUnknown("x"), Health.UP),
        (OutOfMemory("x"), Health.UP),
    ],
)
async def test_a_failed_job_says_how_its_webui_is(session: aiohttp.ClientSession, error: Any, health: Health) -> None:
    async with _fast() as webui, _pool(webui.url, session, RARE) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_failure(webui.url, error)
        assert _only(pool).health is health
        pool.report_failure("http://elsewhere", error)


async def test_a_reported_failure_is_followed_by_a_probe(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_failure(webui.url, NotReady("x"))
        await watch.until(_has(pool, Health.UP))
        webui.refuse_connections()
        pool.report_failure(webui.url, OutcomeUnknown("x"))
        await watch.until(_has(pool, Health.DOWN))


async def test_a_refresh_reads_the_lists_again(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        before = _only(pool).catalog
        pool.refresh()
        await webui.until(lambda: webui.count("/sdapi/v1/sd-models") == 2, what="the second probe")
        await session.post(f"{webui.url}/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 4})
        pool.refresh()
        await watch.until(lambda: _only(pool).catalog is not before)


async def test_lists_that_did_not_change_keep_their_tables(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, Timing(idle=0.02)) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        before, changes = _only(pool).catalog, watch.count
        await webui.until(lambda: webui.count("/sdapi/v1/sd-models") >= 4, what="two more probes")
        assert _only(pool).catalog is before
        assert watch.count == changes


async def test_the_loaded_checkpoint_is_the_last_one_drawn_with(session: aiohttp.ClientSession) -> None:
    files = ("one.ckpt", "two.ckpt")
    async with _fast(checkpoints=files) as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert _loaded(pool).startswith("one.ckpt")
        pool.report_success(webui.url, "two")
        assert _loaded(pool) == "two"
        # The webui's options still name the other one, and another CLIP skip makes the catalog a new one.
        await session.post(f"{webui.url}/sdapi/v1/options", json={"CLIP_stop_at_last_layers": 4})
        pool.refresh()
        await watch.until(lambda: _catalog(pool).capabilities.clip_skip == 4)
        assert _loaded(pool) == "two"


async def test_a_checkpoint_that_the_operator_chose_counts_as_loaded(session: aiohttp.ClientSession) -> None:
    files = ("one.ckpt", "two.ckpt", "three.ckpt")
    async with _fast(checkpoints=files) as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_success(webui.url, "two")
        await session.post(f"{webui.url}/sdapi/v1/options", json={"sd_model_checkpoint": "three.ckpt"})
        pool.refresh()
        await watch.until(lambda: _loaded(pool).startswith("three"))


@pytest.mark.parametrize("health", list(Health))
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("circuit", list(Circuit))
def test_jobs_are_accepted_by_what_is_up_open_and_trusted(health: Health, mode: Mode, circuit: Circuit) -> None:
    view = BackendView("key", "webui 1", health, True, None, None, circuit=circuit, mode=mode)
    assert view.accepts == (health is Health.UP and mode is Mode.OPEN and circuit is not Circuit.OPEN)


async def test_a_webui_whose_lists_answer_while_every_job_fails_attracts_no_jobs(
    session: aiohttp.ClientSession,
) -> None:
    async with _fast() as webui, _pool(webui.url, session, RARE) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        for number in range(3):
            assert _only(pool).accepts
            assert pool.reserve(webui.url, f"{number}:0")
            pool.report_failure(webui.url, ServerFault("x"))
            pool.release(f"{number}:0")
        pool.refresh()
        await webui.until(lambda: webui.count("/sdapi/v1/sd-models") == 2, what="its lists to be read again")
        await watch.until(_has(pool, Health.UP))
        assert _only(pool).circuit is Circuit.OPEN
        assert not _only(pool).accepts
        assert "keeps failing" in (explain(pool.views()) or "")


async def test_a_success_between_faults_keeps_it_trusted(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, RARE) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        for _ in range(4):
            pool.report_failure(webui.url, ServerFault("x"))
            pool.report_failure(webui.url, ServerFault("x"))
            pool.report_success(webui.url, None)
        assert _only(pool).circuit is Circuit.CLOSED
        assert _only(pool).accepts


async def test_a_left_alone_webui_gets_one_job_that_shows_whether_it_works(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_failure(webui.url, NotReady("x"))
        assert _only(pool).circuit is Circuit.OPEN
        await watch.until(_is(pool, Circuit.HALF_OPEN))
        assert _only(pool).accepts
        assert explain(pool.views()) is None
        assert pool.reserve(webui.url, "1:0")
        assert not pool.reserve(webui.url, "2:0")
        pool.report_failure(webui.url, ServerFault("x"))
        pool.release("1:0")
        assert _only(pool).circuit is Circuit.OPEN
        await watch.until(_is(pool, Circuit.HALF_OPEN))
        assert pool.reserve(webui.url, "2:0")
        pool.release("2:0")  # as the renderer does, before the picture is looked at
        assert not _only(pool).accepts
        pool.report_success(webui.url, None)
        assert _only(pool).circuit is Circuit.CLOSED
        assert _only(pool).accepts


async def test_a_trial_that_told_nothing_is_followed_by_another(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, Timing(shortest=0.02)) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_failure(webui.url, NotReady("x"))
        for number in range(3):
            await watch.until(_is(pool, Circuit.HALF_OPEN))
            assert pool.reserve(webui.url, f"{number}:0")
            pool.report_failure(webui.url, OutOfMemory("x"))
            pool.release(f"{number}:0")
            assert not _only(pool).accepts


async def test_lists_read_too_early_do_not_end_the_wait(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, RARE) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        pool.report_failure(webui.url, NotReady("x"))
        pool.refresh()
        await watch.until(_has(pool, Health.UP))
        assert _only(pool).circuit is Circuit.OPEN
        assert not _only(pool).accepts


@pytest.mark.parametrize("mode", [Mode.PAUSED, Mode.DRAINING])
async def test_a_paused_webui_is_watched_and_takes_no_jobs(session: aiohttp.ClientSession, mode: Mode) -> None:
    async with _fast() as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert pool.reserve(webui.url, "1:0")
        assert pool.set_mode(webui.url, mode)
        assert (_only(pool).mode, _only(pool).job_id) == (mode, "1:0")
        assert not _only(pool).accepts
        assert explain(pool.views()) == "The webuis are paused by an admin; pictures wait until one is resumed."
        pool.release("1:0")
        webui.refuse_connections()
        await watch.until(_has(pool, Health.DOWN))
        await webui.accept_connections()
        await watch.until(_has(pool, Health.UP))
        assert _only(pool).mode is mode
        assert pool.set_mode(webui.url, Mode.OPEN)
        assert _only(pool).accepts
        assert explain(pool.views()) is None
        assert not pool.set_mode("http://elsewhere", mode)


async def test_what_keeps_pictures_waiting_is_said_of_a_webui_that_is_not_paused(
    session: aiohttp.ClientSession,
) -> None:
    async with _fast() as first, _fast() as second:
        second.refuse_connections()
        async with _pool(f"{first.url},{second.url}", session, RARE) as (pool, watch):
            await watch.until(lambda: [view.health for view in pool.views()] == [Health.UP, Health.DOWN])
            pool.set_mode(first.url, Mode.PAUSED)
            assert "can't be reached" in (explain(pool.views()) or "")
            pool.set_mode(second.url, Mode.DRAINING)
            assert "paused" in (explain(pool.views()) or "")


def test_modes_are_kept_under_these_names() -> None:
    assert [str(mode) for mode in Mode] == ["open", "paused", "draining"]


async def test_a_holder_is_remembered_with_its_work_and_its_beginning(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert (_only(pool).since, _only(pool).work) == (None, 0.0)
        before = time.time()
        assert pool.reserve(webui.url, "123:0", work=20.0)
        began = _only(pool).since
        assert began is not None
        assert before <= began <= time.time()
        assert pool.reserve(webui.url, "123:0")
        assert (_only(pool).since, _only(pool).work) == (began, 20.0)
        assert pool.reserve(webui.url, "123:0", work=30.0)
        assert (_only(pool).since, _only(pool).work) == (began, 30.0)
        pool.release("123:0")
        assert (_only(pool).since, _only(pool).work) == (None, 0.0)


async def test_jobs_teach_how_fast_a_webui_is(session: aiohttp.ClientSession) -> None:
    files = ("one.ckpt", "two.ckpt")
    async with _fast(checkpoints=files) as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert (_only(pool).speed, _only(pool).load_seconds) == (None, None)
        pool.report_success(webui.url, "one", seconds=10.0, work=20.0)  # the options call it one.ckpt [hash]
        assert (_only(pool).speed, _only(pool).load_seconds) == (0.5, None)
        pool.report_success(webui.url, "two", seconds=16.0, work=20.0)
        assert (_only(pool).speed, _only(pool).load_seconds) == (0.5, 6.0)
        pool.report_success(webui.url, "two", seconds=17.0, work=20.0, loaded_before="one")
        pool.report_success(webui.url, "two", seconds=10.0, work=20.0)
        assert (_only(pool).speed, _only(pool).load_seconds) == (0.5, 6.0)
        pool.report_success(webui.url, None, seconds=10.0, work=20.0)
        pool.report_success("http://elsewhere", "two", seconds=1.0, work=1.0)
        assert _only(pool).speed == 0.5


async def test_what_an_earlier_process_learned_is_known_at_once(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, _):
        pool.teach(webui.url, 0.5, None)
        assert (_only(pool).speed, _only(pool).load_seconds) == (0.5, None)
        pool.teach(webui.url, 0.25, 8.0)
        pool.teach("http://elsewhere", 1.0, 1.0)
        assert (_only(pool).speed, _only(pool).load_seconds) == (0.25, 8.0)


async def test_what_is_drawn_with_where_nobody_names_one_is_what_the_options_say(
    session: aiohttp.ClientSession,
) -> None:
    files = ("one.ckpt", "two.ckpt", "three.ckpt")
    async with _fast(checkpoints=files) as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert _default(pool).startswith("one")
        pool.report_success(webui.url, "two")
        assert _default(pool).startswith("one")
        webui.fault(Fault.UNAVAILABLE, route="/sdapi/v1/options")
        pool.refresh()
        await watch.until(lambda: _catalog(pool).capabilities.clip_skip is None)
        assert (_default(pool).startswith("one"), _loaded(pool)) == (True, "two")
        pool.refresh()
        await watch.until(lambda: _catalog(pool).capabilities.clip_skip is not None)
        assert (_default(pool).startswith("one"), _loaded(pool)) == (True, "two")
        await session.post(f"{webui.url}/sdapi/v1/options", json={"sd_model_checkpoint": "three.ckpt"})
        pool.refresh()
        await watch.until(lambda: _default(pool).startswith("three"))


async def test_the_override_of_a_running_job_is_not_taken_for_the_webui_s_choice(
    session: aiohttp.ClientSession,
) -> None:
    files = ("one.ckpt", "two.ckpt")
    async with _fast(checkpoints=files) as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        assert pool.reserve(webui.url, "1:0")
        webui.options.set("sd_model_checkpoint", "two.ckpt")
        webui.options.set("CLIP_stop_at_last_layers", 4)  # what tells us that it was probed since
        pool.refresh()
        await watch.until(lambda: _catalog(pool).capabilities.clip_skip == 4)
        assert _default(pool).startswith("one")
        assert _loaded(pool).startswith("one")


def _default(pool: BackendPool) -> str:
    return _only(pool).default_checkpoint or ""


def _is(pool: BackendPool, circuit: Circuit) -> Callable[[], bool]:
    return lambda: _only(pool).circuit is circuit


def _catalog(pool: BackendPool) -> Catalog:
    catalog = _only(pool).catalog
    assert catalog is not None
    return catalog


def _loaded(pool: BackendPool) -> str:
    return _catalog(pool).loaded_checkpoint or ""


async def test_a_probe_asked_for_at_the_last_moment_does_not_outlive_the_pool(session: aiohttp.ClientSession) -> None:
    async with _fast() as webui, _pool(webui.url, session, PATIENT) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        await asyncio.sleep(0)
        pool.refresh()
        async with asyncio.timeout(2):
            await pool.stop()


async def test_stopping_ends_every_task(session: aiohttp.ClientSession, raw: RawServer) -> None:
    before = asyncio.all_tasks()
    async with _pool(raw.url, session, QUICK):
        started = [task.get_name() for task in asyncio.all_tasks() - before]
        assert started == ["probe of webui 1"]
    assert not [task for task in asyncio.all_tasks() - before if task.get_name().startswith("probe")]


async def test_a_probe_that_ends_by_a_fault_of_our_own_is_logged(
    session: aiohttp.ClientSession, raw: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    raw.otherwise = http("200 OK", b"[]")

    def broken() -> None:
        raise RuntimeError("a listener with a fault")

    pool = BackendPool(parse_addresses(raw.url), session=session, on_change=broken, timing=QUICK)
    with caplog.at_level(logging.ERROR, "core.webui.pool"):
        pool.start()
        await asyncio.wait([task for task in asyncio.all_tasks() if task.get_name() == "probe of webui 1"], timeout=5)
        await pool.stop()
    assert "probe of webui 1 ended" in caplog.text
    assert "a listener with a fault" in caplog.text


async def test_no_password_gets_into_the_log(session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with _fast(auth=("ann", "s3cret")) as webui, _pool(webui.url, session, QUICK) as (pool, watch):
        await watch.until(_has(pool, Health.UP))
        webui.refuse_connections()
        await watch.until(_has(pool, Health.DOWN))
    assert [record.message for record in caplog.records if record.name == "core.webui.backend"] == [
        "a webui is up",
        "a webui can't be used",
    ]
    assert not any("s3cret" in str(record.__dict__) for record in caplog.records)
