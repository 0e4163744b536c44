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
from playground.webui import Fault, LocalWebui
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


class Hanging:
    """Edits that take until they are cancelled, or until the next one is let begin; it may then raise."""

    def __init__(self, error: Exception | None = None) -> None:
        self.began = asyncio.Event()
        self.count = self.ended = 0
        self._error = error
        self._go_on = asyncio.Event()

    async def __call__(self, _: Glimpse) -> None:
        self.count += 1
        self.began.set()
        try:
            await self._go_on.wait()
        finally:
            self.ended += 1
            if self._error is not None:
                raise self._error

    def begin_again(self) -> None:
        self.began.clear()
        self._go_on.set()


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


async def asks_without_interrupting(webui: LocalWebui, watch: RenderWatch) -> None:
    watch.cancel()
    before = webui.count("/internal/progress")
    await webui.until(lambda: webui.count("/internal/progress") >= before + 6)
    assert webui.count("/sdapi/v1/interrupt") == 0


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
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=3600.0))
    async with drawing(client, tmp_path), watching(watch):
        await webui.until(lambda: webui.running)
        watch.cancel()
        await webui.until(lambda: webui.interrupts)


async def test_a_click_on_cancel_waits_neither_for_discord_nor_for_a_poll_under_way(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold(at_step=1)
    show = Hanging()
    watch = RenderWatch(client, TASK, show, QUICK)
    async with drawing(client, tmp_path), watching(watch):
        await show.began.wait()
        webui.fault(Fault.HANG, times=None, route="/sdapi/v1/progress")
        await webui.until(lambda: webui.hanging)
        watch.cancel()
        await webui.until(lambda: webui.interrupts)
        assert webui.hanging == 1
        assert (show.count, show.ended) == (1, 0)
        webui.clear_faults()


async def test_a_slow_edit_holds_up_no_poll_and_no_second_one_is_begun(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.pace.seconds_per_step = 0.01
    show = Hanging()
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, show, QUICK)):
        await show.began.wait()
        step = webui.step
        await webui.until(lambda: webui.step >= step + 3)
        await polls(webui, 3)
        assert (show.count, show.ended) == (1, 0)
    assert (show.count, show.ended) == (1, 1)  # nothing of it outlives the watch


async def test_the_next_edit_follows_a_slow_one(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.pace.seconds_per_step = 0.01
    show = Hanging()
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, show, QUICK)):
        await show.began.wait()
        show.begin_again()
        await show.began.wait()
    assert show.count == 2


async def test_an_edit_that_raises_ends_the_watch_with_its_error(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    async def fail(glimpse: Glimpse) -> None:
        raise ZeroDivisionError(glimpse)

    webui.hold(at_step=1)
    async with drawing(client, tmp_path), asyncio.timeout(5):
        with pytest.raises(ZeroDivisionError):
            await RenderWatch(client, TASK, fail, QUICK).run()


async def test_an_edit_that_raises_at_the_end_is_in_the_log(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    show = Hanging(ZeroDivisionError("while it was ended"))
    webui.hold(at_step=1)
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, show, QUICK)):
        await show.began.wait()
    assert "while it was ended" in caplog.text


async def test_the_interrupt_follows_at_once_on_the_word_that_our_task_runs(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), WatchTiming(poll=3600.0))
    async with drawing(client, tmp_path), watching(watch):
        await webui.until(lambda: webui.running)
        watch.cancel()
        await webui.until(lambda: webui.interrupts)
    question, interrupt = [one for one in webui.requests if one.method == "POST"][-2:]
    assert (question.path, question.body["id_task"]) == ("/internal/progress", TASK)
    assert interrupt.path == "/sdapi/v1/interrupt"


async def test_no_progress_is_shown_after_a_cancellation(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.pace.seconds_per_step = 0.01
    webui.fault(Fault.UNAVAILABLE, times=None, route="/sdapi/v1/interrupt")
    seen = Seen()
    watch = RenderWatch(client, TASK, seen, QUICK)
    async with drawing(client, tmp_path), watching(watch):
        await seen.until(1)
        watch.cancel()
        shown, step = len(seen.glimpses), webui.step
        await webui.until(lambda: webui.step >= step + 3)
        await polls(webui, 3)
        assert len(seen.glimpses) == shown


async def test_an_interrupt_that_fails_is_sent_again(webui: LocalWebui, client: WebuiClient, tmp_path: Path) -> None:
    webui.hold(at_step=1)
    webui.fault(Fault.UNAVAILABLE, times=2, route="/sdapi/v1/interrupt")
    watch = RenderWatch(client, TASK, Seen(), QUICK)
    async with drawing(client, tmp_path), watching(watch):
        await webui.until(lambda: webui.running)
        watch.cancel()
        await webui.until(lambda: webui.interrupts)


async def test_a_cancellation_before_the_task_has_begun_takes_effect_when_it_has(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), QUICK)
    watch.cancel()
    async with watching(watch):
        await webui.until(lambda: webui.count("/internal/progress") >= 4)
        assert webui.interrupts == []
        async with drawing(client, tmp_path):
            await webui.until(lambda: webui.renders and webui.renders[0].state == "interrupted")


async def test_another_person_s_job_is_not_interrupted_by_a_cancellation(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), QUICK)
    async with drawing(client, tmp_path, "somebody-else"):
        await webui.until(lambda: webui.running)
        async with drawing(client, tmp_path / "own"), watching(watch):
            await webui.until(lambda: TASK in webui.waiting)
            await asks_without_interrupting(webui, watch)


async def test_a_job_after_ours_is_not_interrupted_by_a_late_cancellation(
    webui: LocalWebui, client: WebuiClient, tmp_path: Path
) -> None:
    async with drawing(client, tmp_path / "own"):
        await webui.until(lambda: webui.renders and webui.renders[0].state == "done")
    webui.hold(at_step=1)
    watch = RenderWatch(client, TASK, Seen(), QUICK)
    async with drawing(client, tmp_path, "somebody-else"), watching(watch):
        await webui.until(lambda: webui.running)
        await asks_without_interrupting(webui, watch)


@pytest.mark.parametrize("task_id", [None, TASK])
@pytest.mark.parametrize("probed", [True, False])
async def test_where_a_webui_can_not_tell_whose_task_runs_it_is_never_interrupted(
    session: aiohttp.ClientSession, tmp_path: Path, task_id: str | None, probed: bool
) -> None:
    async with fast_webui(internal=False) as webui:
        (address,) = parse_addresses(webui.url)
        client = WebuiClient(address, session)
        if probed:
            await client.fetch_catalog()
        webui.hold(at_step=1)
        watch = RenderWatch(client, task_id, Seen(), QUICK)
        async with drawing(client, tmp_path, task_id), watching(watch):
            await webui.until(lambda: webui.running)
            watch.cancel()
            before = len(webui.requests)
            await webui.until(lambda: len(webui.requests) >= before + 6)
        assert webui.count("/sdapi/v1/interrupt") == 0


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
