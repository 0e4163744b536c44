"""What servers call their checkpoints: offered, understood, corrected, and of no other server's business."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import UNSET

from core.bell import Bell
from core.errors import UserError
from core.families.detect import correction_key, family_of
from core.families.table import load_table
from core.notes import FRIENDLY_LENGTH, CheckpointNotes
from core.request import GenerationRequest
from core.store.database import database_url, open_database
from core.store.notes import EVERYWHERE, Note, NoteRows
from core.understanding import Understanding
from core.webui.catalog import Catalog, Checkpoint

NIGHT = Checkpoint("sub/Night v2.safetensors [0123456789]", "sub_Night v2", "0123456789", stem="Night v2")
NIGHTS = Checkpoint("sub/Night v2b.safetensors", "sub_Night v2b", stem="Night v2b")
DAY = Checkpoint("day.ckpt", "day", stem="day")
CATALOG = Catalog(checkpoints=(NIGHTS, NIGHT, DAY))
HERE = "900"


@pytest.fixture
async def notes(tmp_path: Path) -> AsyncIterator[CheckpointNotes]:
    async with open_database(database_url(None, tmp_path)) as engine:
        bell = Bell()
        yield CheckpointNotes(NoteRows(engine, bell.ring), bell)


def note(checkpoint: Checkpoint, guild_id: str = HERE, **said: object) -> Note:
    return Note(plain_title=correction_key(checkpoint.plain_title), guild_id=guild_id, **said)  # type: ignore[arg-type]  # a test's own


async def test_a_friendly_name_is_understood_on_its_server_alone(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Late  Hours"))
    for typed in ("late hours", " LATE  HOURS "):
        assert notes.resolve(HERE, typed, CATALOG) == NIGHT.title
    assert notes.resolve("901", "late hours", CATALOG) == "late hours"
    assert notes.resolve(None, "late hours", CATALOG) == "late hours"
    assert notes.resolve(HERE, "day", CATALOG) == "day"
    assert notes.resolve(HERE, "late hours", Catalog()) == "late hours"
    asked = GenerationRequest(prompt="x", checkpoint="day", refiner_checkpoint="late hours")
    told = notes.apply(asked, HERE, CATALOG)
    assert (told.checkpoint, told.refiner_checkpoint) == ("day", NIGHT.title)
    assert notes.apply(asked, "901", CATALOG) == asked


async def test_what_is_said_for_every_server_holds_where_a_server_says_nothing_else(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, EVERYWHERE, friendly_name="Everybody's", family="sdxl", trigger_words="moon"))
    await notes.write(note(NIGHT, family="pony"))
    here, elsewhere = notes.of(HERE, NIGHT), notes.of("901", NIGHT)
    assert (here.friendly_name, here.family, here.trigger_words) == ("Everybody's", "pony", "moon")
    assert elsewhere.family == "sdxl"
    assert notes.of(None, NIGHT).family == "sdxl"
    assert notes.of(HERE, DAY) == note(DAY)


async def test_a_note_adds_to_what_was_said_unless_it_is_to_be_forgotten(notes: CheckpointNotes) -> None:
    await notes.write(note(DAY, friendly_name="Noon", hidden=True))
    held = await notes.write(note(DAY, trigger_words="sun"))
    assert held == note(DAY, friendly_name="Noon", trigger_words="sun", hidden=True)
    assert (await notes.write(note(DAY, hidden=False))).hidden is False
    assert await notes.write(note(DAY, family="sdxl"), clear=True) == note(DAY, family="sdxl")
    await notes.write(note(DAY), clear=True)
    assert notes.of(HERE, DAY) == note(DAY)


async def test_two_checkpoints_have_no_one_name_and_names_are_short(notes: CheckpointNotes) -> None:
    await notes.write(note(DAY, friendly_name="Best"))
    with pytest.raises(UserError, match="Another checkpoint has that name"):
        await notes.write(note(NIGHT, friendly_name="best"))
    await notes.write(note(DAY, friendly_name="BEST"))
    with pytest.raises(UserError, match="may have 60 characters"):
        await notes.write(note(DAY, friendly_name="x" * (FRIENDLY_LENGTH + 1)))


async def test_autocomplete_offers_friendly_names_first_and_hides_what_is_hidden(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Day and night"))
    names = [choice.name for choice in notes.offers(HERE, CATALOG, "day")]
    assert names == ["Day and night · Night v2", "day.ckpt"]
    assert len(notes.offers(HERE, CATALOG, "")) == 3
    assert [choice.name for choice in notes.offers("901", CATALOG, "day")] == ["day.ckpt"]
    await notes.write(note(DAY, hidden=True))
    await notes.write(note(NIGHT, hidden=True))
    assert notes.offers(HERE, CATALOG, "day") == []
    assert [choice.name for choice in notes.offers(HERE, CATALOG, "day", with_hidden=True)] == names
    assert [choice.value for choice in notes.offers(HERE, CATALOG, "night")] == [NIGHTS.title]


async def test_autocomplete_is_quick_with_many_checkpoints_and_notes(notes: CheckpointNotes) -> None:
    many = Catalog(checkpoints=tuple(Checkpoint(f"m{n}.safetensors", f"m{n}", stem=f"m{n}") for n in range(10_000)))
    many.prepare()
    for number in range(50):
        await notes.write(note(many.checkpoints[number], friendly_name=f"name {number}", hidden=number % 2 == 0))
    began = time.perf_counter()
    for _ in range(20):
        assert notes.offers(HERE, many, "m")
        assert notes.offers(HERE, many, "name")
    assert (time.perf_counter() - began) / 40 < 0.02  # some 1 ms; a busy machine is given room


async def test_a_correction_decides_the_defaults_of_its_server(notes: CheckpointNotes) -> None:
    table = load_table(None)
    understanding = Understanding(families=table, notes=notes)
    asked = GenerationRequest(prompt="a", checkpoint="moonlight")
    await notes.write(note(NIGHT, friendly_name="Moonlight", family="sdxl"))
    assert family_of(NIGHT, table, notes.corrections(HERE)).name == "sdxl"
    request = understanding.read(asked, CATALOG, None, HERE).request
    assert (request.checkpoint, request.width, request.height) == (NIGHT.title, 1024, 1024)
    plain = understanding.read(GenerationRequest(prompt="a", checkpoint="day"), CATALOG, None, HERE).request
    assert plain.width is UNSET
    with pytest.raises(UserError, match='no checkpoint called "moonlight"'):
        understanding.read(asked, CATALOG, None, "901")


async def test_another_process_reads_them(notes: CheckpointNotes, tmp_path: Path) -> None:
    await notes.write(note(DAY, friendly_name="Noon"))
    async with open_database(database_url(None, tmp_path)) as engine:
        other = CheckpointNotes(NoteRows(engine, Bell().ring), Bell())
        assert other.resolve(HERE, "noon", CATALOG) == "noon"
        await other.load()
        assert other.resolve(HERE, "noon", CATALOG) == DAY.title
