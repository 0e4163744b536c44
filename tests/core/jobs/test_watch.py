"""Watching a render at a real local webui: edits, cancellation, and a job that was lost."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from core.errors import OutcomeUnknown
from core.jobs.model import Glimpse
from core.jobs.watch import RenderWatch, WatchTiming
from core.webui.address import parse_addresses
from core.webui.client import WebuiClient, open_session
from playground.webui import LocalWebui
from tests.core.ground import fast_webui

TASK = "easel-1-abcd"
PAYLOAD = {"prompt": "a red fox", "seed": 7, "steps": 20, "width": 64, "height": 64}
QUICK = WatchTiming(poll=0.01, edit=0.0, silent=5.0, forgotten=5.0)


class Seen:
    """What was shown, and when."""

    def __init__(self) -> None:
        self.glimpses: list[Glimpse] = []
        self.times: list[float] = []
        self._changed = asyncio.Event()

    async def __call__(self, glimpse: Glimpse) -> None:
        self.glimpses.append(glimpse)
        self.times.append(time.monotonic())
        self._changed.set()

    async def until(self, number: int) -> None:
        async with asyncio.timeout(5):
            while len(self.glimpses) < number:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    async with fast_webui() as webui:
        yield webui


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
async def client(webui: LocalWebui, session: aiohttp.ClientSession) -> WebuiClient:
    (address,) = parse_addresses(webui.url)
    client = WebuiClient(address, session)
    await client.fetch_catalog()
    return client


@asynccontextmanager
async def drawing(client: WebuiClient, spool: Path, task_id: str | None = TASK) -> AsyncIterator[None]:
    payload = PAYLOAD if task_id is None else {**PAYLOAD, "force_task_id": task_id}
    task = asyncio.create_task(client.txt2img(payload, spool))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def watching(watch: RenderWatch) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(watch.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def polls(webui: LocalWebui, more: int) -> None:
    path = "/sdapi/v1/progress"
    before = webui.count(path)
    await webui.until(lambda: webui.count(path) >= before + more, what="polls")


async def test_the_same_progress_is_shown_once(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.hold(at_step=5)
    seen = Seen()
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, QUICK)):
        await webui.until(lambda: webui.step == 5)
        await polls(webui, 10)
    assert len(set(seen.glimpses)) == len(seen.glimpses)
    last = seen.glimpses[-1]
    assert (last.step, last.steps, last.picture, last.pictures) == (5, 20, None, None)
    assert last.fraction == pytest.approx(0.25)


async def test_edits_are_no_more_frequent_than_discord_likes(
    client: WebuiClient, webui: LocalWebui, tmp_path: Path
) -> None:
    webui.pace.seconds_per_step = 0.03
    seen = Seen()
    timing = WatchTiming(poll=0.01, edit=0.15, silent=5.0, forgotten=5.0)
    began = time.monotonic()
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, timing)):
        await seen.until(3)
    assert seen.times[0] - began >= 0.15  # the reply has just been written
    assert all(later - earlier >= 0.15 for earlier, later in itertools.pairwise(seen.times))


def test_discord_s_patience_is_one_edit_in_two_and_a_half_seconds() -> None:
    assert WatchTiming().edit == 2.5


async def test_nothing_is_shown_of_another_person_s_job(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.hold(at_step=1)
    seen = Seen()
    async with drawing(client, tmp_path, "somebody-else"):
        await webui.until(lambda: webui.running)
        async with drawing(client, tmp_path / "own"), watching(RenderWatch(client, TASK, seen, QUICK)):
            await webui.until(lambda: TASK in webui.waiting)
            before = webui.count("/internal/progress")
            await webui.until(lambda: webui.count("/internal/progress") >= before + 6)
    assert seen.glimpses == []


async def test_a_cancelled_render_is_interrupted_once(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.hold(at_step=1)
    seen = Seen()
    watch = RenderWatch(client, TASK, seen, QUICK)
    async with drawing(client, tmp_path), watching(watch):
        await webui.until(lambda: webui.running)
        watch.cancel()
        await webui.until(lambda: webui.renders[0].state == "interrupted")
        shown = len(seen.glimpses)
        before = webui.count("/internal/progress")
        await webui.until(lambda: webui.count("/internal/progress") >= before + 3)
    assert len(webui.interrupts) == 1
    assert len(seen.glimpses) == shown


async def test_a_click_on_cancel_is_not_kept_waiting_for_the_next_poll(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold()
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=2.0))
    async with drawing(client, tmp_path), watching(watch):
        await webui.until(lambda: webui.running)
        began = time.monotonic()
        watch.cancel()
        await webui.until(lambda: webui.interrupts)
        assert time.monotonic() - began < 1.0


async def test_another_person_s_job_is_not_interrupted_by_a_cancellation(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), QUICK)
    async with drawing(client, tmp_path, "somebody-else"):
        await webui.until(lambda: webui.running)
        async with drawing(client, tmp_path / "own"), watching(watch):
            await webui.until(lambda: TASK in webui.waiting)
            watch.cancel()
            before = webui.count("/internal/progress")
            await webui.until(lambda: webui.count("/internal/progress") >= before + 6)
            assert webui.interrupts == []


async def test_a_task_that_the_webui_forgot_is_an_unknown_outcome(client: WebuiClient) -> None:
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=0.01, forgotten=0.1, silent=5.0))
    with pytest.raises(OutcomeUnknown, match=r"unknown for 0\.1 s"):
        await asyncio.wait_for(watch.run(), 5)


async def test_a_webui_that_falls_silent_is_an_unknown_outcome(webui: LocalWebui, client: WebuiClient) -> None:
    webui.refuse_connections()
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=0.01, forgotten=5.0, silent=0.1))
    with pytest.raises(OutcomeUnknown, match=r"nothing was heard for 0\.1 s"):
        await asyncio.wait_for(watch.run(), 5)


async def test_a_task_in_the_webui_s_queue_is_not_lost(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=0.01, forgotten=0.1, silent=5.0))
    async with drawing(client, tmp_path, "somebody-else"):
        await webui.until(lambda: webui.running)
        async with drawing(client, tmp_path / "own"):
            await webui.until(lambda: TASK in webui.waiting)
            async with watching(watch) as task:
                done, _ = await asyncio.wait([task], timeout=0.4)
                assert not done


async def test_pieces_of_the_answer_are_signs_of_life(client: WebuiClient) -> None:
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=0.01, forgotten=0.2, silent=5.0))
    async with watching(watch) as task:
        for _ in range(8):
            watch.hear()
            done, _pending = await asyncio.wait([task], timeout=0.05)
            assert not done


async def test_without_a_task_route_the_global_progress_is_shown(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with fast_webui(internal=False) as webui:
        (address,) = parse_addresses(webui.url)
        client = WebuiClient(address, session)
        await client.fetch_catalog()
        webui.hold(at_step=4)
        seen = Seen()
        watch = RenderWatch(client, None, seen, WatchTiming(poll=0.01, edit=0.0, forgotten=0.1))
        async with drawing(client, tmp_path, None), watching(watch):
            await webui.until(lambda: webui.step == 4)
            await seen.until(1)
            await polls(webui, 5)
        assert seen.glimpses[-1].step == 4
