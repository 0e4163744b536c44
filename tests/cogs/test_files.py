"""Pictures as Discord takes them: packed into requests, named, and made smaller where they are too large."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cogs.files import (
    DAMAGED,
    FILES_LIMIT,
    MISSING,
    REQUEST_BYTES,
    SHEET,
    Upload,
    filename,
    number_in,
    pack,
    prepare,
    sheet_file,
    shrink,
    size_without_metadata,
)
from core.images.metadata import read_metadata
from core.images.store import Kept, PictureStore, Raw
from tests.core.images.pictures import INFOTEXT, as_png, noise

PICTURE = Kept("x.png", "png", 1, 1, 1, None)
sizes = st.lists(st.integers(1, 30 * 2**20), max_size=30)


def upload(number: int, size: int) -> Upload:
    return Upload(Path("nowhere"), PICTURE, f"easel-1-{number}.png", size)


@given(sizes)
def test_every_picture_travels_once_in_order(sizes: list[int]) -> None:
    uploads = [upload(number, size) for number, size in enumerate(sizes)]
    assert [one for parcel in pack(uploads) for one in parcel] == uploads


@given(sizes)
def test_no_request_is_more_than_discord_takes(sizes: list[int]) -> None:
    for parcel in pack([upload(number, size) for number, size in enumerate(sizes)]):
        assert 1 <= len(parcel) <= FILES_LIMIT
        assert len(parcel) == 1 or sum(one.size for one in parcel) <= REQUEST_BYTES


@given(sizes)
def test_no_two_neighbouring_requests_would_have_fitted_into_one(sizes: list[int]) -> None:
    parcels = pack([upload(number, size) for number, size in enumerate(sizes)])
    for before, after in zip(parcels, parcels[1:], strict=False):  # noqa: RUF007  # read as what it is
        assert len(before) == FILES_LIMIT or sum(one.size for one in before) + after[0].size > REQUEST_BYTES


def test_ten_files_and_the_bytes_of_one_request_are_discord_s() -> None:
    assert FILES_LIMIT == 10
    assert REQUEST_BYTES <= 25 * 2**20


@given(st.integers(0, 2**64), st.integers(1, 10), st.sampled_from(["png", "jpg", "webp"]))
def test_a_file_name_carries_the_job_and_nothing_that_was_typed(job_id: int, number: int, extension: str) -> None:
    plain = filename(str(job_id), number, extension, spoiler=False)
    assert plain == f"easel-{job_id}-{number}.{extension}"
    assert filename(str(job_id), number, extension, spoiler=True) == f"SPOILER_{plain}"


@given(st.integers(0, 2**64), st.integers(1, 10), st.sampled_from(["png", "jpg", "webp"]), st.booleans())
def test_a_picture_is_known_by_its_file_s_name(job_id: int, number: int, extension: str, spoiler: bool) -> None:
    name = filename(str(job_id), number, extension, spoiler=spoiler)
    assert number_in(name, str(job_id)) == number
    assert number_in(name, str(job_id + 1)) is None


@pytest.mark.parametrize("spoiler", [False, True])
async def test_a_sheet_is_known_by_its_file_s_name_and_can_be_made_smaller(spoiler: bool) -> None:
    out = io.BytesIO()
    noise(200, 200).save(out, "JPEG", quality=95)
    sheet = sheet_file("7", out.getvalue(), spoiler=spoiler)
    assert sheet.filename == f"{'SPOILER_' * spoiler}easel-7-sheet.jpg"
    assert number_in(sheet.filename, "7") == SHEET == sheet.number
    assert (await shrink(sheet, sheet.size)).data == sheet.data
    smaller = await shrink(sheet, sheet.size // 2)
    assert smaller.size <= sheet.size // 2
    assert number_in(smaller.filename, "7") == SHEET


@pytest.mark.parametrize(
    "name", ["", "cat.png", "easel-7.png", "easel-7-.png", "easel-7-1.png.exe", "my-easel-7-1.png"]
)
def test_other_files_are_no_pictures_of_a_job(name: str) -> None:
    assert number_in(name, "7") is None


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path)


async def keep(store: PictureStore, side: int, number: int = 0) -> Kept:
    raw = store.spool("1") / f"{number}.raw"
    raw.write_bytes(as_png(noise(side, side, seed=number), INFOTEXT))
    return (await store.keep_all([Raw(raw)]))[0]


async def test_what_is_small_enough_is_sent_as_it_lies_on_the_disk(store: PictureStore) -> None:
    kept = [await keep(store, 32, number) for number in range(3)]
    uploads, refusals = await prepare("77", enumerate(kept), store, limit=10**6, spoiler=False)
    assert refusals == {}
    assert [one.number for one in uploads] == [1, 2, 3]
    assert [one.filename for one in uploads] == ["easel-77-1.png", "easel-77-2.png", "easel-77-3.png"]
    assert all(one.data is None and one.remark is None for one in uploads)
    file = uploads[0].open()
    assert file.fp.read() == store.path(kept[0].name).read_bytes()
    file.close()


async def test_what_is_too_large_is_re_encoded_with_a_remark_and_keeps_its_infotext(store: PictureStore) -> None:
    small, large = await keep(store, 32), await keep(store, 300, 1)
    limit = large.size // 2
    (first, second), refusals = await prepare("77", enumerate([small, large]), store, limit=limit, spoiler=True)
    assert refusals == {}
    assert first.remark is None
    assert second.filename.startswith("SPOILER_easel-77-2.")
    assert not second.filename.endswith(".png")
    assert second.size <= limit
    assert second.remark is not None
    assert second.remark.startswith("re-encoded as ")
    assert second.data is not None
    assert len(second.data) == second.size
    with Image.open(io.BytesIO(second.data)) as image:
        assert image.size == (300, 300)
        comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert "Seed: 1234567890" in comment.removeprefix(b"UNICODE\0").decode("utf-16-be")


async def test_a_picture_is_named_by_its_own_number_whatever_comes_along(store: PictureStore) -> None:
    uploads, _ = await prepare("77", [(3, await keep(store, 32))], store, limit=10**6, spoiler=False)
    assert [(one.number, one.filename) for one in uploads] == [(4, "easel-77-4.png")]


async def test_a_second_squeeze_begins_at_the_original(store: PictureStore) -> None:
    kept = await keep(store, 300)
    (once,), _ = await prepare("77", enumerate([kept]), store, limit=kept.size // 2, spoiler=False)
    twice = await shrink(once, kept.size // 8)
    assert twice.size <= kept.size // 8
    assert (twice.original, twice.picture) == (store.path(kept.name), kept)
    assert twice.filename.startswith("easel-77-1.")


async def test_a_picture_that_can_not_be_made_small_enough_is_left_out(
    store: PictureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny, large = await keep(store, 4), await keep(store, 300, 1)
    limit = tiny.size
    monkeypatch.setattr("core.images.fit._MAX_SCALINGS", 0)
    uploads, refusals = await prepare("77", enumerate([large, tiny]), store, limit=limit, spoiler=False)
    assert [one.filename for one in uploads] == ["easel-77-2.png"]
    assert list(refusals) == [1]
    assert "can't be made small enough" in refusals[1]
    assert refusals[1].endswith("It is kept.")


async def test_a_damaged_picture_that_is_too_large_costs_itself_alone(store: PictureStore) -> None:
    good, bad = await keep(store, 300), await keep(store, 300, 1)
    path = store.path(bad.name)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + bytes(len(data) // 2))
    uploads, refusals = await prepare("77", enumerate([bad, good]), store, limit=good.size // 2, spoiler=False)
    assert [one.number for one in uploads] == [2]
    assert refusals == {1: DAMAGED}


@pytest.mark.parametrize("squeezed", [False, True])
async def test_a_missing_picture_costs_itself_alone(store: PictureStore, squeezed: bool) -> None:
    good, gone = await keep(store, 300), await keep(store, 300, 1)
    store.path(gone.name).unlink()
    limit = good.size // 2 if squeezed else 10**7
    uploads, refusals = await prepare("77", enumerate([good, gone]), store, limit=limit, spoiler=False)
    assert [one.number for one in uploads] == [1]
    assert refusals == {2: MISSING}


async def test_what_goes_bare_says_nothing_and_the_kept_file_still_does(store: PictureStore) -> None:
    small, large = await keep(store, 32), await keep(store, 300, 1)
    limit = large.size // 2
    uploads, refusals = await prepare("77", enumerate([small, large]), store, limit=limit, spoiler=False, bare=True)
    assert refusals == {}
    first, second = uploads
    assert first.data is not None
    assert first.remark is None
    assert (first.filename, first.size) == ("easel-77-1.png", len(first.data))
    assert first.size == await size_without_metadata(small, store)
    assert second.size <= limit
    for one in uploads:
        assert one.data is not None
        assert read_metadata(one.data) is None
    again = await shrink(second, limit // 2)
    assert again.data is not None
    assert read_metadata(again.data) is None
    assert read_metadata(store.path(small.name).read_bytes()) is not None


async def test_what_can_not_go_bare_is_left_out_and_said(store: PictureStore) -> None:
    gone, damaged, moving = [await keep(store, 32, number) for number in range(3)]
    store.path(gone.name).unlink()
    path = store.path(damaged.name)
    path.write_bytes(path.read_bytes()[:100])
    moving = replace(moving, extension="gif")
    pictures = enumerate([gone, damaged, moving])
    uploads, refusals = await prepare("77", pictures, store, limit=10**6, spoiler=False, bare=True)
    assert uploads == []
    assert refusals[1] == MISSING
    assert refusals[2] == DAMAGED
    assert "GIF can't be freed" in refusals[3]
    assert [await size_without_metadata(one, store) for one in (gone, damaged, moving)] == [None] * 3
