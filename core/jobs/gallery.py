"""Finished pictures, to be found again: a row for each, an index of their words, and people's favourites.

Rows are written in the transaction that ends a job. Words are searched with what each database brings along: FTS5 on
SQLite, text search on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from core.jobs.gallery_names import find_checkpoints, find_loras
from core.jobs.gallery_search import Filter, find_ids, words_of
from core.jobs.model import UNFINISHED, Drawing
from core.request import GenerationRequest
from core.store.schema import favourites, gallery, jobs, parts
from core.store.signals import Signal, notify_all
from core.tags import lora_tags

DELETED_SIGNAL = "deleted"
"""Its subject is a picture's file that no row names any more."""
NAME_LENGTH = 200
NAMES_LENGTH = 500
"""Characters of names that are kept: more would not fit into PostgreSQL's index of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finished picture. `made_at` is in unix seconds; `delivered_to` as in its job's row."""

    job_id: str
    number: int
    owner_id: str
    guild_id: str | None
    made_at: float
    file: str
    width: int
    height: int
    seed: int | None
    checkpoint: str | None
    delivered_to: str | None
    message_id: str | None
    reply: str
    pictures: int
    favourite: bool
    request: GenerationRequest
    """Of its whole job."""


_DRAWN = (
    sa.select(parts.c.number, parts.c.result)
    .where(parts.c.job_id == sa.bindparam("of_job"), parts.c.result.is_not(None))
    .order_by(parts.c.number)
)
_ENTER = sa.insert(gallery)
_INDEX_WORDS = sa.text(
    "INSERT INTO gallery_words (rowid, words, owner_id) SELECT id, words, owner_id FROM gallery WHERE job_id = :of_job"
)
"""Executed as every job ends, and made once."""


async def enter(connection: AsyncConnection, job: Any) -> None:
    """Write what is drawn of a job that comes to its end in this transaction, which it does once; `job` is its row."""
    about = {"of_job": job.id}
    rows = (await connection.execute(_DRAWN, about)).all()
    if not rows:
        return
    request = GenerationRequest.from_json(job.request)
    entries = [entry for row in rows if (entry := _entry(job, request, row)) is not None]
    if not entries:
        return
    await connection.execute(_ENTER, entries)
    if connection.dialect.name == "sqlite":
        await connection.execute(_INDEX_WORDS, about)


def _entry(job: Any, request: GenerationRequest, part: Any) -> dict[str, Any] | None:
    drawing = _drawing(part.result)
    if not drawing.pictures:
        return None  # a description has no picture
    kept, one = drawing.pictures[0], request.of(part.number)
    negative = "" if one.negative_prompt is UNSET else one.negative_prompt
    uses = () if one.loras is UNSET else tuple(use.name for use in one.loras)
    loras = [name.lower() for name in (*uses, *lora_tags(one.prompt))]
    return {
        "job_id": job.id,
        "number": part.number,
        "owner_id": job.owner_id,
        "guild_id": job.guild_id,
        "made_at": job.finished_at or job.created_at,
        "file": kept.name,
        "bytes": kept.size,
        "width": kept.width,
        "height": kept.height,
        "seed": drawing.seeds[0] if drawing.seeds else None,
        "checkpoint": drawing.checkpoint,
        "folded_checkpoint": None if drawing.checkpoint is None else drawing.checkpoint.lower()[:NAME_LENGTH],
        "loras": "\n".join(["", *dict.fromkeys(loras), ""])[:NAMES_LENGTH],
        "words": words_of(f"{one.prompt}\n{negative}"),
    }


class GalleryRows:
    """The tables `gallery` and `favourites`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, person_id: str, wanted: Filter, *, skip: int, most: int) -> list[Entry]:
        """So many of a person's pictures that `wanted` lets through, the newest first, without the first `skip`.

        Their own; with `favourites` also those of others that they starred.
        """
        async with self._engine.connect() as connection:
            ids = await find_ids(connection, person_id, wanted, skip=skip, most=most)
            rows = await connection.execute(_select(person_id).where(gallery.c.id.in_(ids)))
            found = {row.id: _as_entry(row) for row in rows}
        return [found[one] for one in ids if one in found]

    async def checkpoints(self, person_id: str) -> list[str]:
        """Those that drew this person's own pictures, each once, in lower case and in order."""
        async with self._engine.connect() as connection:
            return await find_checkpoints(connection, person_id)

    async def loras(self, person_id: str) -> list[str]:
        """Those that these were drawn with, as far as they are known."""
        async with self._engine.connect() as connection:
            return await find_loras(connection, person_id)

    async def fetch(self, job_id: str, person_id: str) -> list[Entry]:
        """All pictures of a job, in order; whether each is a favourite is this person's."""
        query = _select(person_id).where(gallery.c.job_id == job_id).order_by(gallery.c.number)
        async with self._engine.connect() as connection:
            return [_as_entry(row) for row in await connection.execute(query)]

    async def dear_files(self) -> set[str]:
        """The files of everybody's favourites."""
        starred = sa.and_(favourites.c.job_id == gallery.c.job_id, favourites.c.number == gallery.c.number)
        async with self._engine.connect() as connection:
            return set(await connection.scalars(sa.select(gallery.c.file).join(favourites, starred)))

    async def undelivered_files(self) -> set[str]:
        """The files of what was finished and could be shown nowhere, and of all that unfinished jobs have drawn."""
        kept = sa.and_(jobs.c.id == gallery.c.job_id, jobs.c.delivered_to == "kept")
        async with self._engine.connect() as connection:
            names = set(await connection.scalars(sa.select(gallery.c.file).join(jobs, kept)))
            return names | await _unfinished_files(connection)

    async def job_shown_in(self, person_id: str, message_id: str) -> str | None:
        """The job of this person's whose answer that message carries."""
        query = sa.select(jobs.c.id).where(jobs.c.owner_id == person_id, jobs.c.message_id == message_id)
        async with self._engine.connect() as connection:
            return (await connection.execute(query.limit(1))).scalar()

    async def star(self, person_id: str, job_id: str, number: int, now: float) -> bool:
        """Make a picture this person's favourite, or none any more if it is one; whether it is one now."""
        mine = sa.and_(
            favourites.c.person_id == person_id, favourites.c.job_id == job_id, favourites.c.number == number
        )
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(favourites)
        row = insert.values(person_id=person_id, job_id=job_id, number=number, made_at=now).on_conflict_do_nothing()
        async with self._engine.begin() as connection:
            if (await connection.execute(sa.delete(favourites).where(mine))).rowcount:
                return False
            await connection.execute(row)
        return True

    async def delete(self, job_id: str, numbers: Collection[int] | None = None) -> list[str]:
        """Take a job's pictures and their stars out (all, or those numbers); the files that no row names now.

        Other processes, on whose disks they may be, hear of these.
        """
        which = gallery.c.job_id == job_id
        if numbers is not None:
            which = sa.and_(which, gallery.c.number.in_(numbers))
        async with self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                out = sa.select(sa.literal("delete"), gallery.c.id, gallery.c.words, gallery.c.owner_id).where(which)
                columns = "gallery_words, rowid, words, owner_id"
                statement = sa.text(f"INSERT INTO gallery_words ({columns}) VALUES (:a, :b, :c, :d)")  # noqa: S608  # no value is in it
                for row in (await connection.execute(out)).all():
                    await connection.execute(statement, dict(zip("abcd", row, strict=True)))
            gone = await connection.scalars(sa.delete(gallery).where(which).returning(gallery.c.file))
            files = {*gone, *await _own_maps(connection, job_id, numbers)}
            stars = favourites.c.job_id == job_id
            if numbers is not None:
                stars = sa.and_(stars, favourites.c.number.in_(numbers))
            await connection.execute(sa.delete(favourites).where(stars))
            still = sa.select(gallery.c.file).where(gallery.c.file.in_(files))
            free = sorted(files - set(await connection.scalars(still)) - await _unfinished_files(connection))
            await notify_all(connection, [Signal(DELETED_SIGNAL, name) for name in free])
        return free


def _drawing(result: str) -> Drawing:
    return msgspec.json.decode(result, type=Drawing)


async def _own_maps(connection: AsyncConnection, job_id: str, numbers: Collection[int] | None) -> list[str]:
    """What preprocessors made of control images for these pictures alone: that is in no gallery."""
    its = parts.c.job_id == job_id
    if numbers is not None:
        its = sa.and_(its, parts.c.number.in_(numbers))
    results = await connection.scalars(sa.select(parts.c.result).where(its, parts.c.result.is_not(None)))
    names = {kept.name for result in results for kept in _drawing(result).maps}
    others = {name: sa.select(sa.exists().where(sa.not_(its), parts.c.result.contains(name))) for name in names}
    return [name for name in names if not await connection.scalar(others[name])]


async def _unfinished_files(connection: AsyncConnection) -> set[str]:
    """The files that unfinished jobs have drawn."""
    unfinished = sa.and_(jobs.c.id == parts.c.job_id, jobs.c.state.in_(UNFINISHED))
    results = sa.select(parts.c.result).join(jobs, unfinished).where(parts.c.result.is_not(None))
    drawings = [_drawing(result) for result in await connection.scalars(results)]
    return {picture.name for drawing in drawings for picture in (*drawing.pictures, *drawing.maps)}


def _select(person_id: str) -> sa.Select[Any]:
    starred = sa.exists().where(
        favourites.c.person_id == person_id,
        favourites.c.job_id == gallery.c.job_id,
        favourites.c.number == gallery.c.number,
    )
    place = (jobs.c.delivered_to, jobs.c.message_id, jobs.c.reply, jobs.c.pictures, jobs.c.request)
    query = sa.select(gallery, *place, starred.label("favourite"))
    return query.join(jobs, jobs.c.id == gallery.c.job_id)


def _as_entry(row: Any) -> Entry:
    facts = {name: getattr(row, name) for name in Entry.__slots__ if name != "request"}
    return Entry(**facts, request=GenerationRequest.from_json(row.request))
