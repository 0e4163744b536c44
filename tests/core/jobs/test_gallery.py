"""Finished pictures in a real database of either kind: entered once, found again, starred, taken out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.ext.asyncio import AsyncEngine

from core.jobs.columns import new_row
from core.jobs.gallery import GalleryRows
from core.jobs.gallery_search import Filter
from core.jobs.model import Delivered, JobState
from core.request import LoraUse
from core.store.database import open_database
from core.store.schema import gallery, jobs, parts
from tests.core.jobs.conftest import DELIVERED, GPU, Bench, drawing_of, new_job
from tests.core.store.test_database import plain_engine, run_alembic


@pytest.fixture
def bench(database: AsyncEngine) -> Bench:
    return Bench(database)


@pytest.fixture
def shelf(database: AsyncEngine) -> GalleryRows:
    return GalleryRows(database)


async def finish(bench: Bench, job_id: str, at: float, *, pictures: int = 1, **asked: Any) -> None:
    """A job that was drawn and shown."""
    checkpoint = asked.pop("drawn_by", "dream")
    await bench.submit(job_id, count=pictures, **asked)
    for number in range(pictures):
        piece = await bench.give(job_id)
        drawing = replace(drawing_of(number), checkpoint=checkpoint)
        assert await bench.parts.mark_drawn(piece, drawing)
    assert await bench.rows.mark_done(job_id, DELIVERED, at, range(pictures))


async def ids(shelf: GalleryRows, person: str = "42", *, skip: int = 0, most: int = 50, **wanted: Any) -> list[str]:
    found = await shelf.page(person, Filter(**wanted), skip=skip, most=most)
    return [f"{entry.job_id}:{entry.number}" for entry in found]


async def test_finished_pictures_are_there_newest_first_some_at_a_time(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0)
    await finish(bench, "2", 200.0, pictures=2)
    await finish(bench, "3", 150.0, owner_id="43")
    assert await ids(shelf) == ["2:1", "2:0", "1:0"]
    assert await ids(shelf, skip=1, most=1) == ["2:0"]
    assert await ids(shelf, "43") == ["3:0"]
    (entry,) = await shelf.fetch("3", "42")
    assert (entry.file, entry.seed, entry.checkpoint) == (f"{0:064x}.png", 7, "dream")
    assert (entry.delivered_to, entry.message_id, entry.favourite) == ("reply", "555", False)
    assert (entry.owner_id, entry.guild_id, entry.made_at) == ("43", "900", 150.0)


async def test_a_message_leads_to_the_job_whose_answer_it_is_for_its_owner_alone(
    bench: Bench, shelf: GalleryRows
) -> None:
    await finish(bench, "1", 100.0)
    assert await shelf.job_shown_in("42", "555") == "1"
    assert await shelf.job_shown_in("43", "555") is None
    assert await shelf.job_shown_in("42", "556") is None


async def test_what_has_not_ended_is_not_there_and_what_ended_early_is(bench: Bench, shelf: GalleryRows) -> None:
    for job_id in ("1", "2", "3"):
        await bench.submit(job_id, count=2)
        assert await bench.parts.mark_drawn(await bench.give(job_id), drawing_of(0))
    assert await ids(shelf) == []
    await bench.rows.mark_failed("1", "It failed.", Delivered("kept", None), 300.0)
    assert await bench.rows.mark_cancelled("2", 400.0) is JobState.RUNNING
    assert await ids(shelf) == ["2:0", "1:0"]


async def test_words_are_found_by_their_beginnings_in_any_order_and_case(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0, prompt="A red Fox, sitting in the snow", negative_prompt="fog")
    await finish(bench, "2", 200.0, prompt="a blue fox", prompts=("a café fox", "an owl"), pictures=2)
    await finish(bench, "3", 300.0, prompt="Füchse im Schnee; DROP TABLE gallery")
    assert await ids(shelf, words="fox") == ["2:0", "1:0"]
    assert await ids(shelf, words="SNOW fo") == ["1:0"]
    assert await ids(shelf, words="owl") == ["2:1"]
    assert await ids(shelf, words="fog") == ["1:0"]
    assert await ids(shelf, words="füch") == ["3:0"]
    assert await ids(shelf, words="'; DROP drop*") == ["3:0"]
    assert await ids(shelf, words='" OR "fox') == []
    assert await ids(shelf, words="!!!") == ["3:0", "2:1", "2:0", "1:0"]


async def test_words_are_found_whatever_stands_between_them(bench: Bench, shelf: GalleryRows) -> None:
    prompt = "a cat/dog, f/1.8 red.blue <lora:ink:0.8> (masterpiece:1.2)best_quality a@b.com sci-fi -42 हिन्दी में"
    await finish(bench, "1", 100.0, prompt=prompt)
    await shelf.star("42", "1", 0, 1.0)
    for word in ("dog", "1.8", "blue", "ink", "best", "quality", "b", "sci-fi", "42", "हिन्दी"):
        assert await ids(shelf, words=word) == ["1:0"], word
        assert await ids(shelf, words=word, favourites=True) == ["1:0"], word


async def test_names_are_those_of_one_s_own_pictures_each_once_in_order(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0, prompt="a <lora:Ink_Wash:0.5>", loras=(LoraUse("pixel"),), drawn_by="dream_V4")
    await finish(bench, "2", 200.0, prompt="b", loras=(LoraUse("x" * 300), LoraUse("y" * 300)), drawn_by="paper")
    await finish(bench, "3", 300.0, prompt="c <lora:INK_wash:1>", drawn_by="Dream_v4", pictures=2)
    await finish(bench, "4", 400.0, prompt="d <lora:theirs:1>", drawn_by="theirs", owner_id="43")
    await finish(bench, "5", 500.0, prompt="e", drawn_by=None)
    await shelf.star("42", "4", 0, 1.0)
    assert await shelf.checkpoints("42") == ["dream_v4", "paper"]
    assert await shelf.loras("42") == ["ink_wash", "pixel", "x" * 300]
    assert (await shelf.checkpoints("43"), await shelf.loras("43")) == (["theirs"], ["theirs"])
    assert (await shelf.checkpoints("7"), await shelf.loras("7")) == ([], [])


async def test_filters_narrow_each_other(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0, prompt="a fox <lora:Ink_Wash:0.5>", drawn_by="Dream_v4 [abc]")
    await finish(bench, "2", 200.0, prompt="a fox", loras=(LoraUse("pixel"),), drawn_by="paper%cut")
    await finish(bench, "3", 300.0, prompt="an owl", drawn_by=None)
    assert await ids(shelf, checkpoint="dream") == ["1:0"]
    assert await ids(shelf, checkpoint="r%c") == ["2:0"]
    assert await ids(shelf, lora="ink") == ["1:0"]
    assert await ids(shelf, lora="PIX", words="fox") == ["2:0"]
    assert await ids(shelf, words="fox", until=200.0) == ["1:0"]
    assert await ids(shelf, words="fox", since=150.0) == ["2:0"]
    assert await ids(shelf, since=200.0) == ["3:0", "2:0"]
    assert await ids(shelf, since=100.0, until=300.0) == ["2:0", "1:0"]


async def test_favourites_are_a_person_s_own_also_of_others_pictures(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0, pictures=2)
    await finish(bench, "2", 200.0, owner_id="43", prompt="an owl")
    assert await shelf.star("42", "1", 1, 1.0)
    assert await shelf.star("42", "2", 0, 2.0)
    assert await ids(shelf, favourites=True) == ["2:0", "1:1"]
    assert await ids(shelf, favourites=True, words="owl") == ["2:0"]
    assert await ids(shelf, "43", favourites=True) == []
    assert [entry.favourite for entry in await shelf.fetch("1", "42")] == [False, True]
    assert not await shelf.star("42", "2", 0, 3.0)
    assert await ids(shelf, favourites=True) == ["1:1"]


async def test_words_of_favourites_are_found_in_any_case_of_any_alphabet_some_at_a_time(
    bench: Bench, shelf: GalleryRows
) -> None:
    for number, prompt in enumerate(("Ärger im Verzug", "Лиса", "kein ÄRGERNIS", "ärger"), 1):
        await finish(bench, str(number), 100.0 * number, prompt=prompt)
        assert await shelf.star("42", str(number), 0, 1.0)
    assert await ids(shelf, favourites=True, words="ärger") == ["4:0", "3:0", "1:0"]
    assert await ids(shelf, favourites=True, words="ärger", skip=1, most=1) == ["3:0"]
    assert await ids(shelf, favourites=True, words="ЛИСА") == ["2:0"]
    assert await ids(shelf, favourites=True, words="ärger", until=350.0) == ["3:0", "1:0"]


async def test_what_is_taken_out_is_found_no_more_and_its_file_is_free_if_nobody_else_has_it(
    bench: Bench, shelf: GalleryRows
) -> None:
    await finish(bench, "1", 100.0, pictures=2)
    await finish(bench, "2", 200.0)  # the same first file
    assert await shelf.star("43", "1", 0, 1.0)
    assert await shelf.delete("1", [0]) == []
    assert await shelf.star("43", "1", 0, 2.0)  # it had no star any more
    assert await ids(shelf, words="fox") == ["2:0", "1:1"]
    assert await shelf.delete("1") == [f"{1:064x}.png"]
    assert await shelf.delete("2") == [f"{0:064x}.png"]
    await finish(bench, "4", 100.0)
    await bench.submit("5", count=2)
    await bench.draw(await bench.give("5"))  # the same picture again, on its way to whoever asked
    assert await shelf.delete("4") == []
    assert await ids(shelf) == await ids(shelf, words="fox") == []
    assert await shelf.delete("2") == []


async def test_maps_of_control_images_go_with_their_picture_unless_another_has_them_too(
    bench: Bench, shelf: GalleryRows
) -> None:
    (picture,), (other,) = drawing_of(0).pictures, drawing_of(1).pictures
    own, shared = (f"{letters * 32}.png" for letters in ("cd", "ef"))
    for job_id, count, names in (("1", 2, (own, shared)), ("2", 1, (shared,))):
        await bench.submit(job_id, count=count)
        maps = tuple(replace(picture, name=name) for name in names)
        assert await bench.parts.mark_drawn(await bench.give(job_id), replace(drawing_of(0), maps=maps))
    assert await bench.parts.mark_drawn(await bench.give("1"), drawing_of(1))
    for job_id, numbers in (("1", [0, 1]), ("2", [0])):
        assert await bench.rows.mark_done(job_id, DELIVERED, 100.0, numbers)
    assert await shelf.delete("1", {1}) == [other.name]
    assert await shelf.delete("1", {0}) == [own]
    assert await bench.rows.delete_ended("1")
    assert await shelf.delete("2") == sorted([picture.name, shared])


def test_pictures_of_earlier_versions_are_entered(url: sa.URL) -> None:
    run_alembic(url, command.upgrade, "0006")
    engine = plain_engine(url)
    new = new_job("1", prompt="{a|b}", prompts=("an owl", "a fox"), count=2, loras=(LoraUse("Ink"),))
    row = {**new_row(new), "finished_at": 300.0, "state": "done", "delivered_to": "reply"}
    row = {name: value for name, value in row.items() if not name.startswith("origin")}
    part = {"worker": "w", "backend": GPU, "attempt": 1, "breaks": 0, "job_id": "1", "state": "shown"}
    with engine.begin() as connection:
        connection.execute(sa.insert(jobs), [row, {**row, "id": "2", "state": "running"}])
        for number in range(2):
            result = msgspec.json.encode(drawing_of(number)).decode()
            connection.execute(sa.insert(parts), {**part, "number": number, "result": result})
        connection.execute(sa.insert(parts), {**part, "job_id": "2", "number": 0, "result": result})
    engine.dispose()

    async def look() -> list[str]:
        async with open_database(url) as opened:
            shelf = GalleryRows(opened)
            assert await ids(shelf, words="owl", lora="ink") == ["1:0"]
            return await ids(shelf)

    assert asyncio.run(look()) == ["1:1", "1:0"]


async def test_words_are_found_beyond_the_pictures_looked_at_first(bench: Bench, shelf: GalleryRows) -> None:
    await finish(bench, "1", 100.0, prompt="an owl")
    for number in range(310):
        row = {"job_id": "1", "number": number + 1, "owner_id": "42", "made_at": 200.0 + number}
        row |= {
            "file": f"{number}.png",
            "bytes": 1,
            "width": 8,
            "height": 8,
            "loras": "\n\n",
            "words": "a fox",
        }
        async with bench.engine.begin() as connection:
            await connection.execute(sa.insert(gallery), row)
    assert await ids(shelf, words="owl") == ["1:0"]
    async with bench.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.execute(sa.text("INSERT INTO gallery_words (gallery_words) VALUES ('rebuild')"))
    assert await ids(shelf, words="fox", skip=308) == ["1:2", "1:1"]
    assert await ids(shelf, skip=309) == ["1:1", "1:0"]


async def test_names_too_long_for_an_index_do_no_harm(bench: Bench, shelf: GalleryRows) -> None:
    loras = tuple(LoraUse(f"style {number} " + "雪" * 90) for number in range(12))
    await finish(bench, "1", 100.0, loras=loras, drawn_by="模" * 3000)
    assert await ids(shelf, lora="style 1", checkpoint="模模") == ["1:0"]
