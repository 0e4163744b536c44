"""Images that people send: fetched from a real server in Discord's place, and kept in a real database."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from msgspec import UNSET
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import NoDatabase, UserError
from core.fetch import FetchLimits, open_fetcher
from core.images.inbound import InboundLimits
from core.intake import Intake, Sent, Typed, forget_inputs
from core.request import GenerationRequest
from core.store import forgetting as module
from core.store.database import database_url, open_database
from core.store.inputs import InputRows
from core.store.schema import inputs
from tests.core.images.pictures import as_png, noise
from tests.core.test_fetch import PUBLIC, Internet
from tests.core.webui.conftest import RawServer, http

FOX = GenerationRequest(prompt="a fox", seed=7)
KIB = 1024


@pytest.fixture
async def cdn() -> AsyncIterator[RawServer]:
    """What Discord's CDN would have."""
    see_through = noise(64, 96, "RGBA")
    see_through.putalpha(Image.linear_gradient("L").resize((64, 96)))
    files = {
        "image.png": as_png(noise(64, 96)),
        "glass.png": as_png(see_through),
        "mask.png": as_png(Image.new("L", (64, 96), 255)),
        "half.png": as_png(Image.new("L", (32, 48), 255)),
        "wide.png": as_png(Image.new("L", (96, 64), 255)),
        "black.png": as_png(Image.new("L", (64, 96), 0)),
        "text.png": b"this is no picture at all, whatever it is called",
        "cut.png": as_png(noise(64, 96))[:4000],
        "odd.png": as_png(noise(101, 67)),
    }
    server = RawServer({f"/{name}": http("200 OK", data, "image/png") for name, data in files.items()})
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    yield server
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url(None, tmp_path)) as engine:
        yield engine


@contextlib.asynccontextmanager
async def door(cdn: RawServer, engine: AsyncEngine, limits: InboundLimits | None = None) -> AsyncIterator[Intake]:
    async with open_fetcher(FetchLimits(megabytes=1), allow_urls=False, origins=[cdn.url]) as fetcher:
        yield Intake(fetcher, InputRows(engine), limits)


def sent(cdn: RawServer, name: str | None, size: int = KIB) -> Sent | None:
    return None if name is None else Sent(f"{cdn.url}/{name}", size)


async def take(
    cdn: RawServer, engine: AsyncEngine, image: str | None, mask: str | None = None, request: GenerationRequest = FOX
) -> GenerationRequest:
    async with door(cdn, engine) as intake:
        return await intake.add(request, sent(cdn, image), sent(cdn, mask))


async def kept(engine: AsyncEngine, key: object) -> Image.Image:
    png = await InputRows(engine).get(str(key))
    assert png is not None
    assert hashlib.sha256(png).hexdigest() == key
    return Image.open(io.BytesIO(png))


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(inputs)) or 0)


async def test_an_image_is_kept_and_gives_the_picture_its_shape(cdn: RawServer, engine: AsyncEngine) -> None:
    request = await take(cdn, engine, "image.png")
    assert (request.shape, request.width, request.mask) == ((64, 96), UNSET, UNSET)
    image = await kept(engine, request.image)
    assert (image.size, image.mode) == ((64, 96), "RGB")


async def test_a_size_that_was_chosen_stays(cdn: RawServer, engine: AsyncEngine) -> None:
    request = await take(cdn, engine, "image.png", request=GenerationRequest(prompt="x", width=512, height=512))
    assert (request.width, request.height) == (512, 512)


async def test_where_the_image_is_transparent_it_is_drawn_anew(cdn: RawServer, engine: AsyncEngine) -> None:
    request = await take(cdn, engine, "glass.png")
    mask = await kept(engine, request.mask)
    assert (mask.size, mask.mode) == ((64, 96), "L")
    pixels = mask.tobytes()
    assert min(pixels[:64]) > 240  # nothing is seen at the top
    assert max(pixels[-64:]) == 0


async def test_a_mask_counts_more_than_transparency(cdn: RawServer, engine: AsyncEngine) -> None:
    request = await take(cdn, engine, "glass.png", "half.png")
    mask = await kept(engine, request.mask)
    assert (mask.size, mask.getextrema()) == ((64, 96), (255, 255))


async def test_the_same_image_twice_is_one_row(cdn: RawServer, engine: AsyncEngine) -> None:
    first, again = await take(cdn, engine, "image.png"), await take(cdn, engine, "image.png", "mask.png")
    assert first.image == again.image
    assert await count(engine) == 2


async def test_without_an_image_nothing_happens(cdn: RawServer, engine: AsyncEngine) -> None:
    assert await take(cdn, engine, None) is FOX
    assert cdn.heads == []


@pytest.mark.parametrize(
    ("image", "mask", "sentence"),
    [
        (None, "mask.png", "send the image with it"),
        ("image.png", "wide.png", "has another shape than the image"),
        ("image.png", "black.png", "black all over"),
        ("image.png", "text.png", "no image that is taken here"),
        ("text.png", None, "no image that is taken here"),
        ("cut.png", None, "damaged, incomplete"),
        ("gone.png", None, "no longer has this image"),
    ],
)
async def test_what_can_not_be_taken_is_said_and_nothing_is_kept(
    cdn: RawServer, engine: AsyncEngine, image: str | None, mask: str | None, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        await take(cdn, engine, image, mask)
    assert await count(engine) == 0


async def test_a_file_that_is_too_large_is_never_asked_for(cdn: RawServer, engine: AsyncEngine) -> None:
    async with door(cdn, engine) as intake:
        with pytest.raises(UserError, match="larger than 1 MB"):
            await intake.add(FOX, sent(cdn, "image.png", size=2 * KIB * KIB), None)
    assert cdn.heads == []


async def test_more_pixels_than_are_kept_become_fewer_and_the_mask_with_them(
    cdn: RawServer, engine: AsyncEngine
) -> None:
    async with door(cdn, engine, InboundLimits(kept_pixels=32 * 48)) as intake:
        request = await intake.add(FOX, sent(cdn, "image.png"), sent(cdn, "mask.png"))
    assert request.shape == (32, 48)
    assert (await kept(engine, request.mask)).size == (32, 48)
    async with door(cdn, engine, InboundLimits(pixels=100)) as intake:
        with pytest.raises(UserError, match="too large"):
            await intake.add(FOX, sent(cdn, "image.png"), None)


async def test_an_image_that_would_become_smaller_is_not_enlarged(cdn: RawServer, engine: AsyncEngine) -> None:
    upscale = GenerationRequest(prompt="", task="upscale", upscale_factor=1.5)
    async with door(cdn, engine, InboundLimits(kept_pixels=32 * 48)) as intake:
        with pytest.raises(UserError, match="64×96 pixels, more than"):
            await intake.add_image(upscale, sent_file(cdn))
        assert await count(engine) == 0
        described = await intake.add_image(GenerationRequest(prompt="", task="describe"), sent_file(cdn))
    assert (described.width, described.height) == (32, 48)
    async with door(cdn, engine) as intake:
        assert (await intake.add_image(upscale, sent_file(cdn))).width == 64


def sent_file(cdn: RawServer) -> Sent:
    return Sent(f"{cdn.url}/image.png", KIB)


async def test_only_one_image_is_decoded_at_a_time_and_all_arrive(cdn: RawServer, engine: AsyncEngine) -> None:
    async with door(cdn, engine) as intake:
        names = ("image.png", "glass.png", "odd.png") * 3
        requests = await asyncio.gather(*(intake.add(FOX, sent(cdn, name), None) for name in names))
    assert len({request.image for request in requests}) == 3


async def test_a_database_that_is_away_is_said(cdn: RawServer, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE inputs RENAME TO elsewhere"))
    with pytest.raises(NoDatabase, match="can't reach its database"):
        await take(cdn, engine, "image.png")


# Forgetting


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.01)


@contextlib.asynccontextmanager
async def forgetting(engine: AsyncEngine, *in_use: str) -> AsyncIterator[asyncio.Queue[None]]:
    """The chore at work; something is in the queue for each time that it asked what is needed."""
    asked: asyncio.Queue[None] = asyncio.Queue()

    async def needed() -> set[str]:
        asked.put_nowait(None)
        return set(in_use)

    task = asyncio.create_task(forget_inputs(InputRows(engine), needed))
    try:
        yield asked
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def twice(asked: asyncio.Queue[None]) -> None:
    """Once more means that the first time is over."""
    async with asyncio.timeout(10):
        await asked.get()
        await asked.get()


@pytest.mark.usefixtures("_hurried")
async def test_what_is_old_and_needed_by_nobody_is_deleted(cdn: RawServer, engine: AsyncEngine) -> None:
    rows = InputRows(engine)
    young = await take(cdn, engine, "image.png")
    await rows.put("old", b"png", 1.0)
    await rows.put("old and needed", b"png", 1.0)
    async with forgetting(engine, "old and needed") as asked:
        await twice(asked)
    assert await rows.get("old") is None
    assert await rows.get("old and needed") == b"png"
    assert await rows.get(str(young.image)) is not None


@pytest.mark.usefixtures("_hurried")
async def test_a_database_that_is_away_does_not_end_it(engine: AsyncEngine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE inputs RENAME TO elsewhere"))
    async with forgetting(engine) as asked:
        await twice(asked)
        async with engine.begin() as connection:
            await connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO inputs"))
        await InputRows(engine).put("old", b"png", 1.0)
        await twice(asked)
        await twice(asked)
    assert "could not be deleted" in caplog.text
    assert await count(engine) == 0


# Addresses that people type


async def test_a_typed_address_is_as_good_as_a_file_where_that_is_allowed(cdn: RawServer, engine: AsyncEngine) -> None:
    internet = Internet(cdn, {"example.com": [[PUBLIC]]})
    opening = open_fetcher(
        FetchLimits(megabytes=1), allow_urls=True, lookup=internet.look_up, make_socket=internet.make_socket
    )
    async with opening as fetcher:
        intake = Intake(fetcher, InputRows(engine))
        image, mask = Typed("http://example.com/image.png?key=secret"), Typed("http://example.com/mask.png")
        assert intake.takes_addresses
        request = await intake.add(FOX, image, mask)
        upscale = await intake.add_image(GenerationRequest(prompt="", task="upscale", upscale_factor=2.0), image)
    assert upscale.image == request.image
    assert (await kept(engine, request.image)).size == (await kept(engine, request.mask)).size == (64, 96)
    assert "secret" not in request.to_json() + repr(image)


async def test_a_typed_address_is_refused_where_that_is_not_allowed(cdn: RawServer, engine: AsyncEngine) -> None:
    async with door(cdn, engine) as intake:
        assert not intake.takes_addresses
        with pytest.raises(UserError, match="Addresses of images aren't taken here"):
            await intake.add_image(FOX, Typed(f"{cdn.url}/image.png"))
    assert cdn.heads == []


async def test_bytes_that_are_here_are_taken_without_a_fetch(cdn: RawServer, engine: AsyncEngine) -> None:
    async with door(cdn, engine, InboundLimits(pixels=200 * 200, kept_pixels=64 * 64)) as intake:
        stored = await intake.take(as_png(noise(64, 32)), whole=True)
        assert (stored.width, stored.height) == (64, 32)
        assert await InputRows(engine).get(stored.key) is not None
        with pytest.raises(UserError, match="can be enlarged here"):
            await intake.take(as_png(noise(100, 100)), whole=True)
        assert (await intake.take(as_png(noise(100, 100)))).width == 64
        with pytest.raises(UserError, match="too large"):
            await intake.take(as_png(noise(400, 400)))
        with pytest.raises(UserError, match="no image"):
            await intake.take(b"words")


async def test_images_of_an_earlier_request_are_kept_longer_or_said_to_be_gone(
    cdn: RawServer, engine: AsyncEngine
) -> None:
    async with door(cdn, engine) as intake:
        await intake.keep_longer(FOX)
        over = await intake.add(FOX, sent(cdn, "image.png"), sent(cdn, "mask.png"))
        await intake.keep_longer(over)
        await InputRows(engine).delete_unused(float("inf"), [str(over.image)])
        with pytest.raises(UserError, match="no longer kept"):
            await intake.keep_longer(over)
