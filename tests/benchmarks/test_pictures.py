"""The benchmarks' pictures: as large as they say, and never the same file twice."""

from __future__ import annotations

import io

from PIL import Image

from benchmarks.pictures import infotext, make_pixels, sign


def test_a_large_picture_is_about_as_large_as_a_photo_like_png() -> None:
    assert 1.6e6 < len(make_pixels(1024)) < 2.0e6


def test_signing_changes_the_file_and_not_the_pixels() -> None:
    pixels = make_pixels(64)
    one, other = (sign(pixels, infotext("a harbour", seed, 64)) for seed in (1, 2))
    assert one != other
    with Image.open(io.BytesIO(one)) as picture, Image.open(io.BytesIO(pixels)) as plain:
        assert picture.info["parameters"] == infotext("a harbour", 1, 64)
        assert picture.tobytes() == plain.tobytes()
