"""Which pictures a filter lets through, as queries of their ids: quick over a hundred thousand pictures of one person.

`benchmarks/history.py` measures them. They only read, and decide nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from core.store.schema import favourites, gallery

_WORD = re.compile(r"[^\W_]+")
_RECENT = 300
"""So many more of somebody's newest pictures than are wanted are looked at on PostgreSQL before it is asked for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What of somebody's pictures is wanted; everything empty: all. Times are unix seconds.

    `words` all occur in the prompts (beginnings of words count; among favourites, any part of them); `checkpoint` and
    `lora` are parts of names, any case.
    """

    words: str = ""
    checkpoint: str = ""
    lora: str = ""
    since: float | None = None
    until: float | None = None
    favourites: bool = False


def words_of(text: str) -> str:
    """The words of a prompt as they are searched: PostgreSQL would take a/b for a path, and <lora:a:1> for nothing."""
    return " ".join(_WORD.findall(text))


async def find_ids(connection: AsyncConnection, person_id: str, wanted: Filter, *, skip: int, most: int) -> list[int]:
    """The pictures of one page, the newest first."""
    words = _WORD.findall(wanted.words.lower())
    mine = [_whose(person_id, wanted), *_named(wanted), *_dated(wanted)]
    newest = (gallery.c.made_at.desc(), gallery.c.id.desc())
    whole = sa.select(gallery.c.id).where(*mine).order_by(*newest)
    if words and wanted.favourites:
        return (await _saying(connection, words, whole))[skip : skip + most]
    plain = whole.offset(skip).limit(most)
    if not words:
        return await _run(connection, plain)
    if connection.dialect.name == "sqlite":
        query = _matching(person_id, words, wanted).where(*mine)
        return await _run(connection, query.offset(skip).limit(most))
    oldest = sa.select(gallery.c.made_at).where(gallery.c.owner_id == person_id, *_dated(wanted))
    oldest = oldest.order_by(gallery.c.made_at.desc()).offset(_RECENT + skip + most).limit(1)
    is_recent = gallery.c.made_at >= sa.func.coalesce(oldest.scalar_subquery(), 0.0)
    letters = (gallery.c.words.icontains(word, autoescape=True) for word in words)  # cheap, and so looked at first
    found = await _run(connection, plain.where(is_recent, *letters, _has_words(words)))
    if len(found) == most:
        return found
    # Without a limit of its own the index is used: with one, PostgreSQL expects to come across rare words soon.
    every = sa.select(gallery.c.id, gallery.c.made_at).where(*mine, _has_words(words)).cte("every")
    every = every.prefix_with("MATERIALIZED", dialect="postgresql")
    query = sa.select(every.c.id).order_by(every.c.made_at.desc(), every.c.id.desc())
    return await _run(connection, query.offset(skip).limit(most))


async def _run(connection: AsyncConnection, query: sa.Select[Any]) -> list[int]:
    return list((await connection.execute(query)).scalars())


async def _saying(connection: AsyncConnection, words: Sequence[str], query: sa.Select[Any]) -> list[int]:
    """Favourites are few: their words are read, where the index would name everybody's pictures with these words.

    They are read here, since SQLite knows capitals of English letters alone.
    """
    rows = await connection.execute(query.add_columns(gallery.c.words))
    return [row.id for row in rows if all(word in row.words.lower() for word in words)]


def _whose(person_id: str, wanted: Filter) -> sa.ColumnElement[bool]:
    if not wanted.favourites:
        return gallery.c.owner_id == person_id
    pairs = sa.select(favourites.c.job_id, favourites.c.number).where(favourites.c.person_id == person_id)
    return sa.tuple_(gallery.c.job_id, gallery.c.number).in_(pairs)


def _named(wanted: Filter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.checkpoint:
        yield gallery.c.folded_checkpoint.contains(wanted.checkpoint.lower(), autoescape=True)
    if wanted.lora:
        yield gallery.c.loras.contains(wanted.lora.lower(), autoescape=True)


def _dated(wanted: Filter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.since is not None:
        yield gallery.c.made_at >= wanted.since
    if wanted.until is not None:
        yield gallery.c.made_at < wanted.until


def _matching(person_id: str, words: Sequence[str], wanted: Filter) -> sa.Select[Any]:
    """SQLite's index, which knows the owner too, read from its end: pictures are entered as they are made.

    Nothing but letters and digits gets into the question, so that no operator of its language is among them.
    """
    every = " ".join(f'"{word}"*' for word in words)
    match = f'words : ({every}) AND owner_id : "{person_id}"'
    table = sa.table("gallery_words", sa.column("rowid", sa.Integer))
    query = sa.select(table.c.rowid).select_from(table.join(gallery, gallery.c.id == table.c.rowid))
    query = query.where(sa.text("gallery_words MATCH :match").bindparams(match=match))
    if wanted.until is not None:
        last = sa.select(gallery.c.id).where(gallery.c.owner_id == person_id, gallery.c.made_at < wanted.until)
        last = last.order_by(gallery.c.made_at.desc(), gallery.c.id.desc())
        query = query.where(table.c.rowid <= last.limit(1).scalar_subquery())
    return query.order_by(table.c.rowid.desc())


def _has_words(words: Sequence[str]) -> sa.ColumnElement[bool]:
    """PostgreSQL's index; the same holds of the question."""
    query = sa.func.to_tsquery("simple", " & ".join(f"{word}:*" for word in words))
    return sa.func.to_tsvector(sa.literal_column("'simple'"), gallery.c.words).op("@@")(query)
