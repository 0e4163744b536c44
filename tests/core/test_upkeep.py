"""The pictures of this machine within their limits, on a real disk and a real database."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from core.images.store import PictureStore
from core.images.trimming import DiskLimits
from core.jobs.gallery import GalleryRows
from core.jobs.model import Delivered
from core.upkeep import Upkeep
from tests.core.jobs.conftest import DELIVERED, Bench, database, drawing_of, url  # noqa: F401  # fixtures


def put(store: PictureStore, number: int, age: float) -> Path:
    path = store.path(f"{number:064x}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 100)
    os.utime(path, (time.time() - age,) * 2)
    return path


async def test_old_pictures_go_but_favourites_and_what_nobody_was_shown(
    database: AsyncEngine,  # noqa: F811  # the fixture
    tmp_path: Path,
) -> None:
    bench, store, gallery = Bench(database), PictureStore(tmp_path), GalleryRows(database)
    for number, delivered in enumerate((DELIVERED, DELIVERED, Delivered("kept", None))):
        await bench.submit(str(number), count=1)
        assert await bench.parts.mark_drawn(await bench.give(str(number)), drawing_of(number))
        assert await bench.rows.mark_done(str(number), delivered, 1.0, [0])
    await gallery.star("43", "1", 0, 2.0)
    plain, starred, kept = (put(store, number, 10 * 3600.0) for number in range(3))
    young = put(store, 7, 60.0)
    stranger = tmp_path / "pictures" / "00" / "notes.txt"
    stranger.write_text("mine")
    assert await Upkeep(store, gallery, DiskLimits()).trim() == 0
    assert await Upkeep(store, gallery, DiskLimits(age=3600.0)).trim() == 1
    assert [path.exists() for path in (plain, starred, kept, young, stranger)] == [False, True, True, True, True]
    assert await Upkeep(store, gallery, DiskLimits(size=150)).trim() == 1
    assert [path.exists() for path in (starred, kept, young, stranger)] == [False, True, True, True]


async def test_a_picture_that_can_t_be_deleted_keeps_no_other(
    database: AsyncEngine,  # noqa: F811  # the fixture
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = PictureStore(tmp_path)
    stuck, *others = (put(store, number, 10 * 3600.0 - number) for number in range(3))
    stuck.unlink()
    stuck.mkdir()  # even root can't delete this as a file
    os.utime(stuck, (time.time() - 20 * 3600.0,) * 2)
    assert await Upkeep(store, GalleryRows(database), DiskLimits(age=3600.0)).trim() == 2
    assert [path.exists() for path in others] == [False, False]
    assert "1 pictures could not be deleted: IsADirectoryError" in caplog.text


async def test_what_a_job_that_goes_on_has_drawn_stays(
    database: AsyncEngine,  # noqa: F811  # the fixture
    tmp_path: Path,
) -> None:
    bench, store, gallery = Bench(database), PictureStore(tmp_path), GalleryRows(database)
    await bench.submit("1", count=2)
    assert await bench.parts.mark_drawn(await bench.give("1"), drawing_of(0))
    drawn, other = (put(store, number, 10 * 3600.0) for number in range(2))
    assert await Upkeep(store, gallery, DiskLimits(age=3600.0, size=0)).trim() == 1
    assert [drawn.exists(), other.exists()] == [True, False]
