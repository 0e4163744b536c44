"""What servers call their checkpoints: offered, understood, corrected, and of no other server's business."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import UNSET

from core.bell import Bell
from core.errors import UserError
from core.families.detect import family_of, title_key
from core.families.table import load_table
from core.notes import FRIENDLY_LENGTH, CheckpointNotes
from core.request import ControlUse, GenerationRequest
from core.store.database import database_url, open_database
from core.store.notes import EVERYWHERE, Note, NoteRows
from core.understanding import Understanding
from core.webui.assets import Assets
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint
from core.webui.control_types import ControlType

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
    return Note(plain_title=title_key(checkpoint.plain_title), guild_id=guild_id, **said)  # type: ignore[arg-type]  # a test's own


async def put(notes: CheckpointNotes, row: Note) -> None:
    """Write a row as another process, or an older bot, would."""
    await notes._rows.put(row)
    await notes.load()


async def test_a_friendly_name_is_understood_on_its_server_alone(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Late  Hours"), CATALOG)
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
    await notes.write(
        note(NIGHT, EVERYWHERE, friendly_name="Everybody's", family="sdxl", trigger_words="moon"), CATALOG
    )
    await notes.write(note(NIGHT, family="pony"), CATALOG)
    here, elsewhere = notes.of(HERE, NIGHT, CATALOG), notes.of("901", NIGHT, CATALOG)
    assert (here.friendly_name, here.family, here.trigger_words) == ("Everybody's", "pony", "moon")
    assert elsewhere.family == "sdxl"
    assert notes.of(None, NIGHT, CATALOG).family == "sdxl"
    assert notes.of(HERE, DAY, CATALOG) == note(DAY)


async def test_a_note_adds_to_what_was_said_unless_it_is_to_be_forgotten(notes: CheckpointNotes) -> None:
    await notes.write(note(DAY, friendly_name="Noon", hidden=True), CATALOG)
    held = await notes.write(note(DAY, trigger_words="sun"), CATALOG)
    assert held == note(DAY, friendly_name="Noon", trigger_words="sun", hidden=True)
    assert (await notes.write(note(DAY, hidden=False), CATALOG)).hidden is False
    assert await notes.write(note(DAY, family="sdxl"), CATALOG, clear=True) == note(DAY, family="sdxl")
    await notes.write(note(DAY), CATALOG, clear=True)
    assert notes.of(HERE, DAY, CATALOG) == note(DAY)


async def test_two_checkpoints_have_no_one_name_and_names_are_short(notes: CheckpointNotes) -> None:
    await notes.write(note(DAY, friendly_name="Best"), CATALOG)
    with pytest.raises(UserError, match="Another checkpoint has that name"):
        await notes.write(note(NIGHT, friendly_name="best"), CATALOG)
    await notes.write(note(DAY, friendly_name="BEST"), CATALOG)
    with pytest.raises(UserError, match="may have 60 characters"):
        await notes.write(note(DAY, friendly_name="x" * (FRIENDLY_LENGTH + 1)), CATALOG)


def twins(*files: str) -> Catalog:
    return Catalog(checkpoints=tuple(Checkpoint(file, file.rpartition(".")[0] or file, stem="v1-5") for file in files))


CKPT, SAFE = "v1-5.ckpt", "v1-5.safetensors"


async def test_a_note_on_one_file_is_none_on_another_of_the_same_stem(notes: CheckpointNotes) -> None:
    table, both = load_table(None), twins(CKPT, SAFE)
    ckpt, safe = both.checkpoints
    await notes.write(note(ckpt, friendly_name="Old", family="sdxl", hidden=True), both)
    assert notes.resolve(HERE, "old", both) == CKPT
    assert notes.of(HERE, safe, both) == note(safe)
    assert [family_of(one, table, notes.corrections(HERE, both)).name for one in (ckpt, safe)] == ["sdxl", "unknown"]
    assert [choice.name for choice in notes.offers(HERE, both, "")] == [SAFE]
    assert [choice.name for choice in notes.offers(HERE, both, "old", with_hidden=True)] == ["Old · v1-5.ckpt"]
    await notes.write(note(safe, friendly_name="New"), both)
    assert notes.resolve(HERE, "new", both) == SAFE
    assert notes.resolve(HERE, "old", both) == CKPT
    assert notes.resolve(HERE, "old", twins(SAFE)) == "old"


@pytest.mark.parametrize(
    ("key", "files", "found"),
    [
        ("v1-5", (SAFE,), SAFE),
        ("v1-5", (CKPT,), CKPT),
        ("v1-5", (CKPT, SAFE), None),
        ("v1-5", ("v1-5", SAFE), "v1-5"),
        (SAFE, ("v1-5",), "v1-5"),
        (SAFE, (CKPT,), None),
    ],
)
async def test_a_title_without_an_ending_is_the_only_file_that_it_may_mean(
    notes: CheckpointNotes, key: str, files: tuple[str, ...], found: str | None
) -> None:
    await put(notes, Note(plain_title=key, guild_id=HERE, friendly_name="Best", hidden=True))
    listed = twins(*files)
    assert notes.resolve(HERE, "best", listed) == (found or "best")
    hidden = {one.title for one in listed.checkpoints if notes.of(HERE, one, listed).hidden}
    assert hidden == (set() if found is None else set(files))


async def test_a_note_moves_to_the_whole_title_when_it_is_written_anew(notes: CheckpointNotes) -> None:
    listed = twins(SAFE)
    await put(notes, Note(plain_title="v1-5", guild_id=HERE, friendly_name="Best", family="sdxl"))
    held = await notes.write(note(listed.checkpoints[0], trigger_words="x"), listed)
    assert (held.plain_title, held.friendly_name, held.family) == (SAFE, "Best", "sdxl")
    await notes.write(note(listed.checkpoints[0]), listed, clear=True)
    assert notes.resolve(HERE, "best", listed) == "best"


async def test_without_a_webui_a_friendly_name_becomes_what_its_note_says(notes: CheckpointNotes) -> None:
    await notes.write(note(DAY, EVERYWHERE, friendly_name="Best"), CATALOG)
    await put(notes, note(NIGHT, friendly_name="Best"))
    asked = GenerationRequest(prompt="x", checkpoint="BEST", refiner_checkpoint="other")
    for guild_id, checkpoint in ((HERE, NIGHT), ("901", DAY)):
        told = Understanding(notes=notes).read(asked, None, None, guild_id).request
        assert told.refiner_checkpoint == "other"
        assert isinstance(told.checkpoint, str)
        assert find_checkpoint(CATALOG, told.checkpoint) == checkpoint


async def test_a_friendly_name_is_no_other_checkpoint_s_own(notes: CheckpointNotes) -> None:
    for taken in ("day", "DAY.ckpt", "sub_night v2", "0123456789"):
        other = NIGHTS if taken != "day" else NIGHT
        with pytest.raises(UserError, match="the webui's own name for another"):
            await notes.write(note(other, friendly_name=taken), CATALOG)
    assert (await notes.write(note(DAY, friendly_name="Day"), CATALOG)).friendly_name == "Day"


async def test_a_checkpoint_that_comes_later_has_its_own_name(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Noon"), CATALOG)
    noon = Checkpoint("noon.ckpt", "noon", stem="noon")
    later = Catalog(checkpoints=(*CATALOG.checkpoints, noon))
    assert notes.resolve(HERE, "noon", later) == "noon"
    assert notes.of(HERE, NIGHT, later).friendly_name == ""
    assert (await notes.write(note(NIGHT, trigger_words="moon"), later)).friendly_name == "Noon"
    assert notes.resolve(HERE, "noon", CATALOG) == NIGHT.title


async def test_a_server_s_own_name_counts_before_that_for_every_server(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Best"), CATALOG)
    for general in (DAY, NIGHTS):
        await put(notes, note(general, EVERYWHERE, friendly_name="BEST", trigger_words="x"))
    assert notes.resolve(HERE, "best", CATALOG) == NIGHT.title
    assert (notes.of(HERE, DAY, CATALOG).friendly_name, notes.of(HERE, DAY, CATALOG).trigger_words) == ("", "x")
    assert [choice.name for choice in notes.offers(HERE, CATALOG, "best")] == ["Best · Night v2"]
    assert notes.resolve("901", "best", CATALOG) == DAY.title
    assert notes.of("901", NIGHTS, CATALOG).friendly_name == ""
    with pytest.raises(UserError, match="Another checkpoint has that name"):
        await notes.write(note(NIGHTS, "901", friendly_name="best"), CATALOG)


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "\u2066a", "\u200d", "a\u200bb", "\x07"])
async def test_what_nobody_can_see_is_no_part_of_a_name(notes: CheckpointNotes, text: str) -> None:
    for said in ({"friendly_name": text}, {"trigger_words": text}):
        with pytest.raises(UserError, match="nobody can see"):
            await notes.write(note(DAY, **said), CATALOG)
    painter = "Ma\u0308rchen \U0001f469\u200d\U0001f3a8 ❤️"
    assert (await notes.write(note(DAY, friendly_name=painter), CATALOG)).friendly_name == painter


async def test_autocomplete_offers_friendly_names_first_and_hides_what_is_hidden(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Day and night"), CATALOG)
    names = [choice.name for choice in notes.offers(HERE, CATALOG, "day")]
    assert names == ["Day and night · Night v2", "day.ckpt"]
    assert len(notes.offers(HERE, CATALOG, "")) == 3
    assert [choice.name for choice in notes.offers("901", CATALOG, "day")] == ["day.ckpt"]
    await notes.write(note(DAY, hidden=True), CATALOG)
    await notes.write(note(NIGHT, hidden=True), CATALOG)
    assert notes.offers(HERE, CATALOG, "day") == []
    assert [choice.name for choice in notes.offers(HERE, CATALOG, "day", with_hidden=True)] == names
    assert [choice.value for choice in notes.offers(HERE, CATALOG, "night")] == [NIGHTS.title]


async def test_autocomplete_is_quick_with_many_checkpoints_and_notes(notes: CheckpointNotes) -> None:
    many = Catalog(checkpoints=tuple(Checkpoint(f"m{n}.safetensors", f"m{n}", stem=f"m{n}") for n in range(10_000)))
    many.prepare()
    for number, one in enumerate(many.checkpoints[:300]):
        await notes._rows.put(note(one, friendly_name=f"name {number}", hidden=number % 2 == 0))
    await notes.load()
    took = []
    for _ in range(20):
        for typed in ("m", "name"):
            began = time.perf_counter()
            assert len(notes.offers(HERE, many, typed)) == 25
            took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.005  # some 0.2 ms; the first key after a change takes longer


async def test_a_correction_decides_the_defaults_of_its_server(notes: CheckpointNotes) -> None:
    table = load_table(None)
    understanding = Understanding(families=table, notes=notes)
    asked = GenerationRequest(prompt="a", checkpoint="moonlight")
    await notes.write(note(NIGHT, friendly_name="Moonlight", family="sdxl"), CATALOG)
    assert family_of(NIGHT, table, notes.corrections(HERE, CATALOG)).name == "sdxl"
    request = understanding.read(asked, CATALOG, None, HERE).request
    assert (request.checkpoint, request.width, request.height) == (NIGHT.title, 1024, 1024)
    controlled = replace(asked, control=(ControlUse(type="depth"),))
    guided = replace(CATALOG.capabilities, fields=CATALOG.capabilities.fields | {"control"})
    depth = Assets(control_types=(ControlType("Depth", "depth_midas", ("depth_sd15", "depth_xl")),))
    read = understanding.read(controlled, replace(CATALOG, capabilities=guided, assets=depth), None, HERE).request
    assert read.control == (ControlUse(type="depth", base="sdxl"),)
    plain = understanding.read(GenerationRequest(prompt="a", checkpoint="day"), CATALOG, None, HERE).request
    assert plain.width is UNSET
    with pytest.raises(UserError, match='no checkpoint called "moonlight"'):
        understanding.read(asked, CATALOG, None, "901")


async def test_a_sentence_names_what_the_server_shows(notes: CheckpointNotes) -> None:
    await notes.write(note(NIGHT, friendly_name="Photo Studio"), CATALOG)
    await notes.write(note(DAY, hidden=True), CATALOG)
    understanding = Understanding(notes=notes)

    def said(wanted: str, guild_id: str) -> str:
        with pytest.raises(UserError) as caught:
            understanding.read(GenerationRequest(prompt="a", checkpoint=wanted), CATALOG, None, guild_id)
        return str(caught.value)

    assert said("Photo Studo", HERE).startswith(
        'The webui has no checkpoint called "Photo Studo". The nearest are "Photo Studio", '
    )
    assert '"day"' not in said("dayz", HERE)
    assert '"day"' in said("dayz", "901")
    assert "Photo Studio" not in said("Photo Studo", "901")
    naming = notes.naming(HERE, CATALOG)
    assert naming.shown(CATALOG) == ["Night v2b", "Photo Studio", "Night v2"]
    assert "day" in naming.shown(CATALOG, with_hidden=True)


async def test_another_process_reads_them(notes: CheckpointNotes, tmp_path: Path) -> None:
    await notes.write(note(DAY, friendly_name="Noon"), CATALOG)
    async with open_database(database_url(None, tmp_path)) as engine:
        other = CheckpointNotes(NoteRows(engine, Bell().ring), Bell())
        assert other.resolve(HERE, "noon", CATALOG) == "noon"
        await other.load()
        assert other.resolve(HERE, "noon", CATALOG) == DAY.title
