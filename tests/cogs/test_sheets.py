"""A job's sheet as its last delivery makes it: also of pictures that other machines drew; and its legend."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cogs import say
from cogs.files import number_in, sheet_file
from cogs.sheets import Sheet, legend_of, sheet_post
from core.jobs.model import Delivered, Drawing, Job
from tests.cogs.scene import Scene, opened_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened_scene(tmp_path) as opened:
        yield opened


async def ask(scene: Scene, *, private: bool = False) -> Job:
    """For two pictures and their sheet."""
    job = await scene.ask(count=2, private=private)
    scene.rows[job.id] = replace(job, request=replace(job.request, sheet=True))
    return scene.rows[job.id]


def sheets(scene: Scene, job: Job) -> list[bytes]:
    files = [one for message in scene.carriers(job) for one in message.attachments]
    return [one.data for one in files if (number_in(one.filename, job.id) or 0) > 2]


def forget(scene: Scene, drawing: Drawing, number: int) -> None:
    """As on a machine that did not draw it."""
    scene.pictures.path(drawing.pictures[number].name).unlink()


@pytest.mark.parametrize("where", ["reply", "private", "channel", "dm"])
async def test_pictures_of_another_machine_are_read_from_the_message(scene: Scene, where: str) -> None:
    job = await ask(scene, private=where == "private")
    if where in ("channel", "dm"):
        scene.expire(job)
    if where == "dm":
        scene.discord.fail("POST", r"^/channels/\d+/messages$", status=403, code=50013)
        scene.discord.fail("PATCH", r"^/channels/\d+/messages/\d+$", status=403, code=50013)
    drawing = await scene.drawn(0, 1)
    job = await scene.deliver(job, drawing, [0])
    whole = io.BytesIO(scene.pictures.path(drawing.pictures[0].name).read_bytes())
    forget(scene, drawing, 0)
    await scene.deliver(job, drawing, [1], final=True)
    (sheet,) = sheets(scene, job)
    with Image.open(io.BytesIO(sheet)) as seen, Image.open(whole) as picture:
        assert seen.format == "JPEG"
        colours = seen.convert("RGB").getcolors(seen.width * seen.height) or []
        assert len(colours) > len(picture.convert("RGB").getcolors(picture.width * picture.height) or [])


async def test_there_is_none_where_a_picture_is_nowhere_and_the_pictures_are_shown_all_the_same(scene: Scene) -> None:
    job = await ask(scene)
    drawing = await scene.drawn(0, 1)
    job = await scene.deliver(job, drawing, [0])
    forget(scene, drawing, 0)
    scene.discord.fail("GET", r"^/channels/\d+/messages/\d+$", status=404, code=10008)
    await scene.deliver(job, drawing, [1], final=True)
    assert sheets(scene, job) == []
    scene.arrived_once(job, 0, 1)


async def test_a_sheet_of_its_own_has_its_legend_below_the_link(scene: Scene) -> None:
    job = await ask(scene)
    sheet = Sheet(sheet_file(job.id, b"jpg", spoiler=False), legend_of({"(A)": "[狐](https://evil.example)"}))
    post = sheet_post(job, sheet, Delivered("reply", "5"))
    words, legend = (await post.caption([], {}, {})).split("\n")
    assert words.startswith("The [2 pictures](<")
    assert legend == "-# On the sheet: (A) \\[狐\\](https\\://evil.example)"
    assert post.safe_content == words


def test_a_legend_has_every_mark_in_remarks_that_fit() -> None:
    marks = {f"({chr(65 + number)})": f"<@1> *{number}* " + "狐" * 200 for number in range(10)}
    legend = legend_of(marks)
    said = say.notes(legend, 2000)
    assert all(mark in said for mark in marks)
    assert all(say.units(line) < say.NOTE_ROOM + 10 for line in said.split("\n"))
    assert "<@1>" not in said
    assert legend_of({}) == []
