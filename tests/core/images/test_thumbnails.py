"""Small JPEGs of pictures of every sort; none of what is no picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from core.images.thumbnails import SIDE, thumbnail
from tests.core.images.pictures import noise


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
