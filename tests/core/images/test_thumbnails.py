"""Small JPEGs of pictures of every sort; none of what is no picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from core.images.store import PictureStore, Raw
from core.images.thumbnails import SIDE, Thumbnails, thumbnail
from tests.core.images.pictures import as_png, noise


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16"])
@pytest.mark.parametrize("extension", ["png", "webp"])
def test_a_thumbnail_is_a_small_jpeg_whatever_the_picture_is(tmp_path: Path, mode: str, extension: str) -> None:
    path = tmp_path / f"picture.{extension}"
    image = noise(600, 300, seed=1).convert(mode) if mode != "I;16" else Image.new(mode, (600, 300), 70)
    (image if extension == "png" else image.convert("RGBA")).save(path)
    made = thumbnail(path)
    assert made is not None
    with Image.open(io.BytesIO(made)) as small:
        assert (small.format, small.size) == ("JPEG", (SIDE, SIDE // 2))


def test_a_thumbnail_says_nothing_of_how_the_picture_was_made(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a secret fox"
    noise(600, 300, seed=1).save(path, "JPEG", comment=b"a secret fox", exif=exif)
    made = thumbnail(path)
    assert made is not None
    assert b"secret" not in made


def test_a_file_that_is_gone_or_damaged_has_none(tmp_path: Path) -> None:
    assert thumbnail(tmp_path / "gone.png") is None
    path = tmp_path / "damaged.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
    assert thumbnail(path) is None
    (tmp_path / "odd.xyz").write_bytes(b"x")
    assert thumbnail(tmp_path / "odd.xyz") is None


async def kept(store: PictureStore) -> str:
    raw = store.spool("1") / "0.raw"
    raw.write_bytes(as_png(noise(600, 300, seed=1)))
    (picture,) = await store.keep_all([Raw(raw)])
    await store.discard_spool("1")
    return picture.name


def beside(store: PictureStore, name: str) -> list[Path]:
    return [path for path in store.path(name).parent.iterdir() if path.name != name]


async def test_it_is_made_once_and_goes_with_its_picture(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    name, gone = await kept(store), f"{0:064x}.png"
    made = await Thumbnails(store).of([name, gone])
    assert made == {name: thumbnail(store.path(name))}
    (small,) = beside(store, name)
    small.write_bytes(b"another\xff\xd9")
    assert await Thumbnails(store).of([name]) == {name: b"another\xff\xd9"}
    small.write_bytes(b"cut o")
    assert await Thumbnails(store).of([name]) == made
    assert [file.name for file in await store.list_files()] == [name]
    await store.discard([name])
    assert beside(store, name) == []
    assert await Thumbnails(store).of([name]) == {}


async def test_none_is_left_of_a_picture_that_goes_meanwhile(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    name = await kept(store)
    await store.discard([name])
    store.keep_thumbnail(name, b"late")
    assert beside(store, name) == []


async def test_where_it_can_t_be_kept_it_is_made_all_the_same(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    name = await kept(store)
    store.path(f"{name}").with_name(f"{name}.thumbnail").mkdir()
    assert await Thumbnails(store).of([name]) == {name: thumbnail(store.path(name))}
