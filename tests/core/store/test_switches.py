"""Wishes for webuis and notes on checkpoints, on a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from core.store.database import database_url, open_database
from core.store.notes import EVERYWHERE, NOTES_SIGNAL, Note, NoteRows
from core.store.schema import switches
from core.store.signals import Signal, open_listener
from core.store.switches import KEPT_SECONDS, SWITCH_SIGNAL, SwitchRow, SwitchRows, SwitchState

WISH: dict[str, Any] = {
    "setting": "checkpoint",
    "wanted": "day",
    "person_id": "42",
    "guild_id": "900",
    "reply": "{}",
}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    configured = None if request.param == "SQLite" else request.getfixturevalue("postgres_url")
    async with open_database(database_url(configured, tmp_path)) as engine:
        yield engine


class Rings:
    def __init__(self) -> None:
        self.count = 0

    def ring(self) -> None:
        self.count += 1


async def only(rows: SwitchRows, wish_id: str = "1") -> SwitchRow:
    (row,) = await rows.fetch(wish_id)
    return row


async def test_a_wish_is_there_for_each_webui_and_once(engine: AsyncEngine) -> None:
    rings = Rings()
    rows = SwitchRows(engine, rings.ring)
    await rows.wish("1", ["a", "b"], **WISH)
    await rows.wish("1", ["a", "b"], **WISH)
    found = await rows.fetch("1")
    assert [(row.backend, row.state, row.wanted, row.person_id) for row in found] == [
        ("a", SwitchState.WISHED, "day", "42"),
        ("b", SwitchState.WISHED, "day", "42"),
    ]
    assert all(0 <= row.age < 10 for row in found)
    assert rings.count == 2
    assert [row.backend for row in await rows.fetch_open(["b", "c"])] == ["b"]
    unfinished = await rows.fetch_unfinished()
    assert [(row.backend, row.reply) for row in unfinished] == [("a", "{}"), ("b", "{}")]
    await rows.move(found[0], SwitchState.DONE)
    assert [row.backend for row in await rows.fetch_unfinished()] == ["b"]


async def test_what_has_ended_stays_as_it_ended(engine: AsyncEngine) -> None:
    rows = SwitchRows(engine, Rings().ring)
    await rows.wish("1", ["a"], **WISH)
    row = await only(rows)
    assert await rows.move(row, SwitchState.WAITING)
    assert await rows.move(row, SwitchState.LOADING)
    ends = await asyncio.gather(
        rows.move(row, SwitchState.DONE, "loaded"), rows.move(row, SwitchState.FAILED, "given up")
    )
    assert sorted(ends) == [False, True]
    ended = await only(rows)
    assert (ended.state, ended.sentence) in {(SwitchState.DONE, "loaded"), (SwitchState.FAILED, "given up")}
    assert not await rows.move(row, SwitchState.LOADING)
    assert await rows.fetch_open(["a"]) == []


async def test_who_did_what_last_is_known(engine: AsyncEngine) -> None:
    rows = SwitchRows(engine, Rings().ring)
    assert await rows.fetch_last(["checkpoint"]) is None
    for wish_id, setting, state in (
        ("1", "checkpoint", SwitchState.DONE),
        ("2", "vae", SwitchState.DONE),
        ("3", "checkpoint", SwitchState.FAILED),
        ("4", "refresh", SwitchState.DONE),
    ):
        await rows.wish(wish_id, ["a"], **{**WISH, "setting": setting})
        await rows.move(await only(rows, wish_id), state)
    last = await rows.fetch_last(["checkpoint", "vae"])
    assert last is not None
    assert last.id == "2"


async def test_very_old_wishes_are_forgotten(engine: AsyncEngine) -> None:
    rows = SwitchRows(engine, Rings().ring)
    await rows.wish("1", ["a"], **WISH)
    await rows.wish("2", ["a"], **WISH)
    async with engine.begin() as connection:
        older = switches.c.created_at - KEPT_SECONDS - 1
        await connection.execute(sa.update(switches).where(switches.c.id == "1").values(created_at=older))
    await rows.wish("3", ["a"], **WISH)
    assert [bool(await rows.fetch(wish_id)) for wish_id in "123"] == [False, True, True]


async def test_other_processes_hear_of_wishes_of_changes_and_of_notes(postgres_url: str, tmp_path: Path) -> None:
    heard: list[Signal] = []
    something = asyncio.Event()

    def hear(signal: Signal) -> None:
        heard.append(signal)
        if len(heard) == 3:
            something.set()

    url = database_url(postgres_url, tmp_path)
    async with open_database(url) as engine, open_listener(url, on_signal=hear, on_resync=lambda: None):
        rows = SwitchRows(engine, Rings().ring)
        await rows.wish("1", ["a"], **WISH)
        await rows.move(await only(rows), SwitchState.DONE)
        await NoteRows(engine, Rings().ring).put(Note(plain_title="day", guild_id="900", family="sdxl"))
        await asyncio.wait_for(something.wait(), 10)
    assert heard == [Signal(SWITCH_SIGNAL, "1"), Signal(SWITCH_SIGNAL, "1"), Signal(NOTES_SIGNAL)]


async def test_a_note_is_written_over_and_removed_where_it_says_nothing(engine: AsyncEngine) -> None:
    rings = Rings()
    rows = NoteRows(engine, rings.ring)
    note = Note(plain_title="day", guild_id="900", family="sdxl", trigger_words="sun, 光", hidden=False)
    general = Note(plain_title="day", guild_id=EVERYWHERE, friendly_name="Day")
    for one in (note, general, Note(plain_title="day", guild_id="900", friendly_name="Sun")):
        await rows.put(one)
    assert await rows.fetch_all() == [general, Note(plain_title="day", guild_id="900", friendly_name="Sun")]
    await rows.put(note)
    assert await rows.fetch_all() == [general, note]
    await rows.put(Note(plain_title="day", guild_id="900"))
    assert await rows.fetch_all() == [general]
    assert rings.count == 5
