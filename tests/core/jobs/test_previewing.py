"""Half-done pictures on their way from a real local webui: this task's alone, where wanted, and not too often."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from core.jobs.model import Job
from core.jobs.previewing import never
from core.jobs.watch import RenderWatch, WatchTiming
from core.webui.address import parse_addresses
from core.webui.client import WebuiClient, open_session
from playground.webui import Fault, LocalSdNext, LocalWebui
from tests.core.ground import fast_webui, opened_ground
from tests.core.jobs.test_watch import TASK, Seen, drawing, polls, watching

OFTEN = WatchTiming(poll=0.01, edit=0.0, preview=0.0)
EVERY_STEP: dict[str, Any] = {"show_progress_every_n_steps": 1}


class Previews(Seen):
    """What was shown, pictures above all."""

    def pictures(self) -> list[bytes]:
        return [glimpse.preview for glimpse in self.glimpses if glimpse.preview is not None]

    async def until_pictures(self, number: int) -> None:
        async with asyncio.timeout(5):
            while len(self.pictures()) < number:
                await self.until(len(self.glimpses) + 1)


async def always() -> bool:
    return True


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
async def webui() -> AsyncIterator[LocalWebui]:
    async with fast_webui(options=EVERY_STEP) as webui:
        yield webui


async def known(webui: LocalWebui, session: aiohttp.ClientSession) -> WebuiClient:
    (address,) = parse_addresses(webui.url)
    client = WebuiClient(address, session)
    await client.fetch_catalog()
    return client


def asked_for_previews(webui: LocalWebui) -> bool:
    asked = [one.body for one in webui.requests if one.path == "/internal/progress"]
    return any(body["live_preview"] for body in asked) or any(
        one.query.get("skip_current_image") != "true" for one in webui.requests if one.path == "/sdapi/v1/progress"
    )


async def test_each_is_shown_once_as_a_jpeg(webui: LocalWebui, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    client, seen = await known(webui, session), Previews()
    webui.hold(at_step=5)
    async with drawing(client, tmp_path):
        await webui.until(lambda: webui.step == 5)
        async with watching(RenderWatch(client, TASK, seen, OFTEN, always)):
            await seen.until_pictures(1)
            await polls(webui, 5)
            assert len(seen.pictures()) == 1
            webui.hold(at_step=6)
            await seen.until_pictures(2)
            await polls(webui, 5)
    first, second = seen.pictures()
    assert Image.open(io.BytesIO(first)).format == "JPEG"
    assert first != second


async def test_where_nobody_wants_them_the_webui_is_not_asked(
    webui: LocalWebui, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    client, seen = await known(webui, session), Previews()
    webui.hold(at_step=5)
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, OFTEN, never)):
        await webui.until(lambda: webui.step == 5)
        await polls(webui, 5)
    assert seen.glimpses
    assert not seen.pictures()
    assert not asked_for_previews(webui)


async def test_they_are_not_asked_for_more_often_than_they_are_shown(
    webui: LocalWebui, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    client, seen = await known(webui, session), Previews()
    webui.hold(at_step=2)
    slowly = WatchTiming(poll=0.01, edit=0.0, preview=60.0)
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, slowly, always)):
        await seen.until_pictures(1)
        webui.hold(at_step=9)
        await webui.until(lambda: webui.step == 9)
        await polls(webui, 5)
    assert len(seen.pictures()) == 1
    assert sum(one.body["live_preview"] for one in webui.requests if one.path == "/internal/progress") == 1


async def test_another_s_picture_is_never_taken_for_ours(
    webui: LocalWebui, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    client, seen = await known(webui, session), Previews()
    webui.hold(at_step=5)
    async with drawing(client, tmp_path / "theirs", "somebody-else"):
        await webui.until(lambda: webui.step == 5)
        async with drawing(client, tmp_path / "own"), watching(RenderWatch(client, TASK, seen, OFTEN, always)):
            await webui.until(lambda: TASK in webui.waiting)
            asked = webui.count("/internal/progress")
            await webui.until(lambda: webui.count("/internal/progress") >= asked + 6)
    assert not seen.pictures()


@pytest.mark.parametrize("kind", ["no UI", "SD.Next"])
async def test_a_webui_that_can_not_say_whose_picture_it_has_is_not_asked_for_it(
    session: aiohttp.ClientSession, tmp_path: Path, kind: str
) -> None:
    options: dict[str, Any] = {"seconds_per_step": 0.0, "cheap_pictures": True, "options": EVERY_STEP}
    webui = LocalSdNext(**options) if kind == "SD.Next" else LocalWebui(internal=False, **options)
    async with webui:
        client, seen = await known(webui, session), Previews()
        webui.hold(at_step=5)
        async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, OFTEN, always)):
            await webui.until(lambda: webui.step == 5)
            await polls(webui, 5)
        assert seen.glimpses
        assert not seen.pictures()
        assert not asked_for_previews(webui)


async def test_a_webui_that_has_none_still_tells_how_far_it_is(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with fast_webui(options={"live_previews_enable": False}) as webui:
        client, seen = await known(webui, session), Previews()
        webui.hold(at_step=15)
        async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, OFTEN, always)):
            await webui.until(lambda: webui.step == 15)
            await polls(webui, 5)
        assert seen.glimpses
        assert not seen.pictures()


async def test_trouble_with_a_preview_is_no_trouble_for_the_picture(
    webui: LocalWebui, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    client, seen = await known(webui, session), Previews()
    webui.hold(at_step=5)
    async with drawing(client, tmp_path), watching(RenderWatch(client, TASK, seen, OFTEN, always)) as watch:
        await webui.until(lambda: webui.step == 5)
        webui.fault(Fault.UNAVAILABLE, times=3, route="/internal/progress")
        await seen.until_pictures(1)
        assert not watch.done()


async def test_of_several_pictures_the_first_alone_is_previewed(tmp_path: Path) -> None:
    async def wanted(_: Job) -> bool:
        return True

    async with (
        fast_webui(options=EVERY_STEP) as one,
        fast_webui(options=EVERY_STEP) as two,
        opened_ground(tmp_path, one, two, timing=OFTEN) as ground,
    ):
        ground.pipeline.wants_preview = wanted
        for webui in ground.webuis:
            webui.hold(at_step=1)
        ticket = await ground.submit(count=2)
        await ground.until(lambda: all(webui.running is not None for webui in ground.webuis))
        for webui in ground.webuis:
            await polls(webui, 5)
        shown = [one.glimpse for one in ground.delivery.of("progress") if one.glimpse is not None]
        assert len([glimpse for glimpse in shown if glimpse.preview is not None]) == 1
        assert sorted(asked_for_previews(webui) for webui in ground.webuis) == [False, True]
        for webui in ground.webuis:
            webui.release()
        await ground.until_delivered(ticket.job_id)
