"""`/history` over a hundred thousand finished pictures: how long a page takes in this process.

All of them are one person's, beside ten thousand of somebody else's. A page is what the command asks for: the rows of
one person's pictures that a filter lets through, five and one more. On SQLite, and on PostgreSQL where one is here.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.figures import Figure, summary, table
from benchmarks.pictures import make_pixels
from cogs.history_pages import PAGE, key_of, page_view
from core.images.store import PictureStore
from core.images.thumbnails import Thumbnails
from core.jobs.columns import new_row
from core.jobs.gallery import GalleryRows
from core.jobs.gallery_search import Filter
from core.jobs.model import NewJob
from core.request import GenerationRequest
from core.store.database import database_url, open_database
from core.store.schema import favourites, gallery, jobs
from tests.postgres import LocalPostgres

PICTURES = 100_000
OTHERS = 10_000
AT_ONCE = 2_000
STARRED = 500
ROUNDS = 15
SIDE = 1024
BAR = 50.0
PERSON, STRANGER = "42", "43"
START, BETWEEN = 1_700_000_000.0, 60.0
CHECKPOINTS = tuple(f"{name}_v{number} [{number:010x}]" for name in ("dream", "photo", "ink") for number in range(20))
WORDS = ("harbour", "fox", "snow", "night", "portrait", "castle", "forest", "city", "rain", "robot", "tea", "cat")
MIDDLE = START + PICTURES / 2 * BETWEEN
ASKED: Mapping[str, tuple[Filter, int]] = {
    "first page": (Filter(), 0),
    "page 100": (Filter(), 99),
    "page 19,000": (Filter(), 18_999),
    "a word that few prompts have": (Filter(words="zebra"), 0),
    "a word that every prompt has": (Filter(words="light"), 0),
    "  its page 100": (Filter(words="light"), 99),
    "a word that only others' prompts have": (Filter(words="theirs"), 0),
    "two words, one of them in every prompt": (Filter(words="light harb"), 0),
    "a checkpoint that drew many": (Filter(checkpoint="dream"), 0),
    "a checkpoint that drew ten, long ago": (Filter(checkpoint="OLD"), 0),
    "a checkpoint that there is not": (Filter(checkpoint="nothing"), 0),
    "a LoRA that many have": (Filter(lora="style"), 0),
    "a LoRA that ten have, long ago": (Filter(lora="first"), 0),
    "favourites": (Filter(favourites=True), 0),
    "favourites with a word": (Filter(favourites=True, words="light"), 0),
    "until the middle": (Filter(until=MIDDLE), 0),
    "a word of every prompt, until the first day": (Filter(words="light", until=START + 1440 * BETWEEN), 0),
}


async def measure() -> list[Figure]:
    """Both databases, one after the other."""
    with tempfile.TemporaryDirectory(prefix="easel-history-") as folder:
        figures = [*await _thumbnails(Path(folder)), *await _measure_on("SQLite", database_url(None, Path(folder)))]
        try:
            server = LocalPostgres(durable=True)
        except ImportError:
            return figures
        async with server:
            figures += await _measure_on("PostgreSQL", database_url(server.url(server.create_database()), Path(folder)))
    return figures


async def _thumbnails(folder: Path) -> list[Figure]:
    """A page's, in a thread, while the person sees that the bot is thinking: nothing else waits for them."""
    pictures = PictureStore(folder)
    names = [f"{number:064x}.png" for number in range(PAGE)]
    for name in names:
        pictures.path(name).parent.mkdir(parents=True, exist_ok=True)
        pictures.path(name).write_bytes(make_pixels(SIDE))
    made: list[float] = []
    kept: list[float] = []
    for _ in range(ROUNDS):
        for times in (made, kept):
            start = time.perf_counter()
            await Thumbnails(pictures).of(names)
            times.append(1000 * (time.perf_counter() - start))
        await asyncio.to_thread(_forget, folder)
    what = f"a page's thumbnails, of {PAGE} PNGs of {SIDE}x{SIDE}"
    parts = ((f"{what}: the first time", made), ("  and any other time", kept))
    return [
        Figure(what=one, value=statistics.median(times), unit="ms", detail=summary(times, "ms")) for one, times in parts
    ]


def _forget(folder: Path) -> None:
    for path in folder.rglob("*.thumbnail"):
        path.unlink()


async def _measure_on(kind: str, url: sa.URL) -> list[Figure]:
    async with open_database(url) as engine:
        await _fill(engine)
        rows = GalleryRows(engine)
        figures = [await _one(rows, f"{kind}: {what}", *asked) for what, asked in ASKED.items()]
        names = {"checkpoints": rows.checkpoints, "LoRAs": rows.loras}
        figures += [await _names(f"{kind}: the names of one's {of}", find) for of, find in names.items()]
        return [*figures, await _whole(rows, kind)]


async def _one(rows: GalleryRows, what: str, wanted: Filter, page: int) -> Figure:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = await rows.page(PERSON, wanted, skip=page * PAGE, most=PAGE + 1)
        times.append(1000 * (time.perf_counter() - start))
    detail = f"{len(found)} rows; {summary(times, 'ms')}"
    return Figure(what=what, value=statistics.median(times), unit="ms", bar=BAR, detail=detail)


async def _names(what: str, find: Callable[[str], Awaitable[list[str]]]) -> Figure:
    """As autocomplete asks for them, letter by letter."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = await find(PERSON)
        times.append(1000 * (time.perf_counter() - start))
    detail = f"{len(found)} names; {summary(times, 'ms')}"
    return Figure(what=what, value=statistics.median(times), unit="ms", bar=BAR, detail=detail)


async def _whole(rows: GalleryRows, kind: str) -> Figure:
    """With the page that is made of them, but for its thumbnails, which a thread makes once the answer is put off."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = await rows.page(PERSON, Filter(), skip=0, most=PAGE + 1)
        thumbs = {key_of(entry): b"" for entry in found}
        view = page_view(found[:PAGE], thumbs, ["**Your pictures**"], search_id="1", page=0, has_more=True)
        view.to_components()  # type: ignore[no-untyped-call]  # discord.py's own
        times.append(1000 * (time.perf_counter() - start))
    what = f"{kind}: first page, and the message of it"
    return Figure(what=what, value=statistics.median(times), unit="ms", bar=BAR, detail=summary(times, "ms"))


async def _fill(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        entries = list(_entries())
        for first in range(0, len(entries), AT_ONCE):
            some = entries[first : first + AT_ONCE]
            await connection.execute(sa.insert(jobs), [_job(entry) for entry in some])
            await connection.execute(sa.insert(gallery), some)
        if connection.dialect.name == "sqlite":
            await connection.execute(sa.text("INSERT INTO gallery_words (gallery_words) VALUES ('rebuild')"))
        starred = random.Random(5).sample(range(PICTURES), STARRED)  # noqa: S311  # the same each time
        mine = [{"person_id": PERSON, "job_id": str(at + 1), "number": 0, "made_at": 1.0} for at in starred]
        await connection.execute(sa.insert(favourites), mine)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(sa.text("ANALYZE" if connection.dialect.name == "sqlite" else "VACUUM ANALYZE"))


def _entries() -> Iterator[dict[str, Any]]:
    chance = random.Random(3)  # noqa: S311  # the same pictures each time
    for at in range(PICTURES + OTHERS):
        checkpoint = "Old_Faithful" if at < 10 else chance.choice(CHECKPOINTS)
        is_mine, is_old, is_rare = at < PICTURES, at < 10, at % (PICTURES // 10) == 7
        words = ["light", *chance.sample(WORDS, 3), *(f"word{chance.randrange(5000)}" for _ in range(20))]
        words += ["zebra"] * is_rare + ["theirs"] * (not is_mine)
        lora = "first" if is_old else f"style_{chance.randrange(50)}" if chance.random() < 0.3 else ""
        yield {
            "id": at + 1,
            "job_id": str(at + 1),
            "number": 0,
            "owner_id": PERSON if is_mine else STRANGER,
            "guild_id": "900",
            "made_at": START + at * BETWEEN,
            "file": f"{at:064x}.png",
            "bytes": 1_500_000,
            "width": 1024,
            "height": 1024,
            "seed": at,
            "checkpoint": checkpoint,
            "folded_checkpoint": checkpoint.lower(),
            "loras": f"\n{lora}\n",
            "words": " ".join(words),
        }


def _job(entry: Mapping[str, Any]) -> dict[str, Any]:
    request = GenerationRequest(prompt=entry["words"], seed=entry["seed"], steps=20, width=1024, height=1024)
    reply = '{"application_id":1,"token":"' + "t" * 180 + '","channel_id":5}'
    job = NewJob(
        id=entry["job_id"],
        owner_id=entry["owner_id"],
        guild_id="900",
        request=request,
        notes=(),
        reply=reply,
        created_at=entry["made_at"],
    )
    return {**new_row(job), "state": "done", "delivered_to": "reply", "message_id": "5"}


if __name__ == "__main__":
    print(table(asyncio.run(measure())), file=sys.stdout)
