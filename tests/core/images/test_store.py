"""Pictures on disk: named by content, whole or not at all, and the same when asked again."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from core.errors import ConfigurationError, UnreadableAnswer
from core.images.store import Kept, PictureStore, Raw
from tests.core.images import pictures

WITH_TEXT = pictures.as_png(pictures.noise(24, 16), pictures.INFOTEXT)
WITHOUT_TEXT = pictures.as_png(pictures.noise(24, 16))


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    return PictureStore(tmp_path / "data")


def _spool(store: PictureStore, data: bytes, name: str = "0") -> Path:
    path = store.spool("123") / name
    path.write_bytes(data)
    return path


async def _keep(store: PictureStore, raw: Path, infotext: str | None = None) -> Kept:
    (kept,) = await store.keep_all([Raw(raw, infotext)])
    return kept


def _files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "data" / "pictures").rglob("*") if path.is_file()}


async def test_a_png_with_infotext_is_kept_byte_for_byte(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITH_TEXT), infotext="something else")
    assert store.path(kept.name).read_bytes() == WITH_TEXT
    digest = hashlib.sha256(WITH_TEXT).hexdigest()
    assert kept == Kept(f"{digest}.png", "png", 24, 16, len(WITH_TEXT), pictures.INFOTEXT)
    assert store.path(kept.name).parent.name == digest[:2]


async def test_a_png_that_needs_no_splice_is_not_written_again(store: PictureStore) -> None:
    raw = _spool(store, WITH_TEXT)
    kept = await _keep(store, raw)
    assert store.path(kept.name).samefile(raw)


async def test_a_png_without_infotext_gets_it_spliced_in(store: PictureStore) -> None:
    raw = _spool(store, WITHOUT_TEXT)
    kept = await _keep(store, raw, infotext=pictures.INFOTEXT)
    data = store.path(kept.name).read_bytes()
    assert pictures.pillow_text(data) == kept.infotext == pictures.INFOTEXT
    assert pictures.same_pixels(data, WITHOUT_TEXT)
    assert (kept.size, kept.name) == (len(data), f"{hashlib.sha256(data).hexdigest()}.png")
    assert raw.read_bytes() == WITHOUT_TEXT


async def test_without_any_infotext_the_bytes_stay(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITHOUT_TEXT))
    assert kept.infotext is None
    assert store.path(kept.name).read_bytes() == WITHOUT_TEXT


@pytest.mark.parametrize(("name", "extension"), [("JPEG", "jpg"), ("WEBP", "webp")])
async def test_jpeg_and_webp_are_named_for_what_they_are_and_kept_as_they_are(
    store: PictureStore, name: str, extension: str
) -> None:
    data = pictures.as_photo(pictures.noise(40, 24), name, pictures.INFOTEXT)
    kept = await _keep(store, _spool(store, data), infotext="not used")
    assert store.path(kept.name).read_bytes() == data
    assert (kept.extension, kept.width, kept.height, kept.infotext) == (extension, 40, 24, pictures.INFOTEXT)


async def test_a_jpeg_without_infotext_says_so(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, pictures.as_photo(pictures.noise(8, 8), "JPEG", None)), infotext="lost")
    assert kept.infotext is None


@pytest.mark.parametrize("data", [WITH_TEXT, WITHOUT_TEXT])
async def test_keeping_again_gives_the_same_answer_and_no_second_file(
    store: PictureStore, tmp_path: Path, data: bytes
) -> None:
    raw = _spool(store, data)
    first = await _keep(store, raw, infotext=pictures.INFOTEXT)
    again = await _keep(store, raw, infotext=pictures.INFOTEXT)
    restarted = await _keep(PictureStore(tmp_path / "data"), raw, infotext=pictures.INFOTEXT)
    assert first == again == restarted
    assert _files(tmp_path) == {first.name}


async def test_a_file_whose_bytes_were_lost_in_a_power_cut_is_written_anew(store: PictureStore) -> None:
    for data in (WITH_TEXT, WITHOUT_TEXT):
        raw = _spool(store, data)
        kept = await _keep(store, raw, infotext=pictures.INFOTEXT)
        good = store.path(kept.name).read_bytes()
        for lost in (b"", bytes(len(good))):
            store.path(kept.name).unlink()
            store.path(kept.name).write_bytes(lost)
            assert await _keep(store, raw, infotext=pictures.INFOTEXT) == kept
            assert store.path(kept.name).read_bytes() == good
    assert {path.name for path in store.spool("123").iterdir()} == {"0"}


async def test_a_crash_before_the_bytes_are_on_the_disk_leaves_no_picture_and_keep_can_be_asked_again(
    store: PictureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    for data in (WITH_TEXT, WITHOUT_TEXT):
        raw = _spool(store, data)
        (store.spool("123") / "0.part").write_bytes(b"half of a pict")
        with monkeypatch.context() as patched, pytest.raises(OSError, match="Input/output"):
            patched.setattr(os, "fsync", fail)
            await _keep(store, raw, infotext=pictures.INFOTEXT)
        assert _files(tmp_path) == set()
        kept = await _keep(store, raw, infotext=pictures.INFOTEXT)
        assert pictures.pillow_text(store.path(kept.name).read_bytes()) == pictures.INFOTEXT
        store.path(kept.name).unlink()


async def test_where_files_cannot_be_linked_they_are_copied(
    store: PictureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    kept = await _keep(store, _spool(store, WITH_TEXT))
    assert store.path(kept.name).read_bytes() == WITH_TEXT


async def test_a_kept_picture_outlives_its_spool(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITH_TEXT))
    await store.discard_spool("123")
    assert store.path(kept.name).read_bytes() == WITH_TEXT
    assert not list(store.spool("123").iterdir())


async def test_drawing_again_after_discarding_leaves_the_kept_picture_alone(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITH_TEXT))
    await store.discard_spool("123")
    _spool(store, WITHOUT_TEXT)
    assert store.path(kept.name).read_bytes() == WITH_TEXT


async def test_discarding_an_empty_spool_does_nothing(store: PictureStore) -> None:
    await store.discard_spool("77")


async def test_a_batch_keeps_its_order(store: PictureStore) -> None:
    batch = [pictures.as_png(pictures.noise(16, 16, seed=seed)) for seed in range(5)]
    raws = [Raw(_spool(store, data, str(index)), f"text {index}") for index, data in enumerate(batch)]
    kept = await store.keep_all(raws)
    assert [picture.infotext for picture in kept] == [f"text {index}" for index in range(5)]
    assert all(
        pictures.same_pixels(store.path(picture.name).read_bytes(), data)
        for picture, data in zip(kept, batch, strict=True)
    )


async def test_two_equal_pictures_of_a_batch_are_one_file(store: PictureStore, tmp_path: Path) -> None:
    first, second = await store.keep_all([Raw(_spool(store, WITH_TEXT, name)) for name in ("0", "1")])
    assert first == second
    assert len(_files(tmp_path)) == 1


@pytest.mark.parametrize(
    "data", [b"", b"<html>error</html>", WITH_TEXT[:-20], WITH_TEXT[:33], b"\xff\xd8\xff\xe0rubbish"]
)
async def test_what_is_no_whole_picture_is_refused_and_leaves_nothing(
    store: PictureStore, tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(UnreadableAnswer):
        await _keep(store, _spool(store, data), infotext="x")
    assert _files(tmp_path) == set()


async def test_an_infotext_that_no_encoding_can_write_is_cleaned(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITHOUT_TEXT), infotext="\ud83d fox\0, Steps: 1")
    assert kept.infotext == "? fox, Steps: 1"
    assert pictures.pillow_text(store.path(kept.name).read_bytes()) == kept.infotext


async def test_an_empty_infotext_changes_nothing(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITHOUT_TEXT), infotext="")
    assert store.path(kept.name).read_bytes() == WITHOUT_TEXT


async def test_kept_goes_through_json(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITH_TEXT))
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Kept) == kept


async def test_kept_pictures_open_in_pillow(store: PictureStore) -> None:
    kept = await _keep(store, _spool(store, WITHOUT_TEXT), infotext="лиса 🦊")
    with Image.open(io.BytesIO(store.path(kept.name).read_bytes())) as image:
        image.load()
        assert image.size == (kept.width, kept.height)


_NO_NAMES = [
    "",
    "..",
    "1/2",
    "../1",
    "1\n",
    "12a",
    "-1",
    "٣",
    "1" * 21,
    "1-",
    "1-1234567890",
    "1-2-3-4",
    "1-٣",
    "1-2\n",
    "1--2",
]


@pytest.mark.parametrize("name", _NO_NAMES)
def test_a_name_that_is_not_a_picture_of_a_job_never_reaches_a_path(
    store: PictureStore, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ValueError, match="not the name of a spool folder"):
        store.spool(name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", _NO_NAMES)
async def test_a_name_that_is_not_a_picture_of_a_job_discards_nothing(store: PictureStore, name: str) -> None:
    raw = _spool(store, WITH_TEXT)
    with pytest.raises(ValueError, match="not the name of a spool folder"):
        await store.discard_spool(name)
    assert raw.read_bytes() == WITH_TEXT


async def test_each_picture_of_a_job_has_a_folder_of_its_own(store: PictureStore) -> None:
    names = ["123", "123-0", "123-12"]
    for name in names:
        (store.spool(name) / "0").write_bytes(WITH_TEXT)
    await store.discard_spool("123-0")
    assert {path.parent.name for path in store.spool("123").parent.rglob("0")} == {"123", "123-12"}


async def test_what_a_crash_left_in_the_spool_is_swept_but_for_what_is_in_hand(store: PictureStore) -> None:
    for name in ("1-0", "1-1", "2-0"):
        (store.spool(name) / "0").write_bytes(WITH_TEXT)
    await store.sweep_spool({"1-1"})
    assert [path.name for path in store.spool("1-1").parent.iterdir()] == ["1-1"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../x.png",
        "a" * 64,
        "a" * 64 + ".png\n",
        "A" * 64 + ".png",
        "a" * 63 + ".png",
        "a" * 64 + "./..",
        "/" * 64 + ".png",
    ],
)
def test_only_the_store_s_own_names_lead_to_a_path(store: PictureStore, name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        store.path(name)


def test_a_writable_folder_is_fine_and_left_clean(store: PictureStore, tmp_path: Path) -> None:
    store.writable()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_be_written_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")
    with pytest.raises(ConfigurationError, match=r"DATA_DIR: .*data can't be written \(.+\)\.") as raised:
        PictureStore(tmp_path / "data").writable()
    assert len(raised.value.problems) == 1
