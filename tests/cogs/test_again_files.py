"""Pictures for posting once more: from the disk, else from elsewhere, in numbered files within the limit."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from cogs.again_files import GONE_FROM_DISK, collect
from core.errors import UserError
from core.images.metadata import read_metadata
from core.images.store import Kept, PictureStore, Raw
from core.jobs.model import Drawing, Job, JobState
from core.recall import Result
from core.request import GenerationRequest
from tests.core.images.pictures import INFOTEXT, as_png, noise

LARGE = 10 * 2**20


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path)


async def keep(store: PictureStore, seed: int) -> Kept:
    path = store.spool("1") / f"{seed}.raw"
    path.write_bytes(as_png(noise(64, 64, seed=seed), INFOTEXT))
    return (await store.keep_all([Raw(path)]))[0]


def result(*kept: Kept) -> Result:
    job = Job(
        id="7",
        state=JobState.DONE,
        owner_id="42",
        guild_id=None,
        request=GenerationRequest(prompt="a fox", count=len(kept), spoiler=True),
        notes=(),
        reply="{}",
        weight=1.0,
        avoid=frozenset(),
        sentence=None,
        message_id=None,
        created_at=1.0,
        expected_at=None,
        started_at=None,
    )
    return Result(job, {number: Drawing(pictures=(one,), seeds=(7,)) for number, one in enumerate(kept)})


async def test_what_the_disk_lacks_is_fetched_in_whatever_kind_it_was_posted(store: PictureStore) -> None:
    gone, here = await keep(store, 1), await keep(store, 2)
    store.path(gone.name).unlink()
    asked: list[tuple[str, int]] = []

    async def originals(job: Job, number: int) -> bytes:
        asked.append((job.id, number))
        out = io.BytesIO()
        Image.new("RGB", (64, 64)).save(out, "WEBP")
        return out.getvalue()

    uploads, refusals = await collect(result(gone, here), [0, 1], store, originals, limit=LARGE, bare=False)
    assert asked == [("7", 0)]
    assert [upload.filename for upload in uploads] == ["SPOILER_easel-7-1.webp", "SPOILER_easel-7-2.png"]
    assert refusals == {}


async def test_what_is_nowhere_has_a_sentence_and_the_others_are_shown(store: PictureStore) -> None:
    gone, here = await keep(store, 1), await keep(store, 2)
    store.path(gone.name).unlink()

    async def nowhere(_job: Job, _number: int) -> bytes:
        raise UserError("The message is gone.")

    async def no_picture(_job: Job, _number: int) -> bytes:
        return b"<html>"

    for originals, sentence in (
        (nowhere, "The message is gone."),
        (no_picture, GONE_FROM_DISK),
    ):
        uploads, refusals = await collect(result(gone, here), [0, 1], store, originals, limit=LARGE, bare=False)
        assert [upload.number for upload in uploads] == [2]
        assert refusals == {1: sentence}


async def test_what_is_fetched_obeys_the_limit(store: PictureStore) -> None:
    gone = await keep(store, 1)
    data = store.path(gone.name).read_bytes()
    store.path(gone.name).unlink()

    async def originals(_job: Job, _number: int) -> bytes:
        return data

    (upload,), _ = await collect(result(gone), [0], store, originals, limit=6000, bare=False)
    assert upload.size <= 6000 < len(data)
    assert upload.remark is not None


async def test_what_is_left_out_stays_out_wherever_it_comes_from(store: PictureStore) -> None:
    gone, here = await keep(store, 1), await keep(store, 2)
    data = store.path(gone.name).read_bytes()
    store.path(gone.name).unlink()

    async def originals(_job: Job, _number: int) -> bytes:
        return data

    uploads, _ = await collect(result(gone, here), [0, 1], store, originals, limit=LARGE, bare=True)
    assert read_metadata(data) is not None
    assert [read_metadata(upload.data or b"") for upload in uploads] == [None, None]
