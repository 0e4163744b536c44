"""Pictures of one colour, as NaNs leave them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from core.errors import UnreadableAnswer
from core.images.blank import is_blank
from tests.core.images import pictures


def _encode(image: Image.Image, name: str) -> bytes:
    out = io.BytesIO()
    image.save(out, name)
    return out.getvalue()


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("colour", ["black", "white", "#7f3010"])
@pytest.mark.parametrize("side", [64, 1024])
def test_one_colour_is_blank(name: str, colour: str, side: int) -> None:
    assert is_blank(_encode(Image.new("RGB", (side, side), colour), name))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "LA", "I;16"])
def test_one_colour_is_blank_in_every_mode(mode: str) -> None:
    assert is_blank(_encode(Image.new(mode, (64, 64)), "PNG"))


def test_one_other_pixel_is_a_picture() -> None:
    for mode in ("RGB", "L", "P", "RGBA"):
        image = Image.new(mode, (512, 512))
        if mode == "P":
            image.putpalette([0, 0, 0, 255, 0, 0])
        image.putpixel((300, 200), (1,) * len(image.getbands()) if mode.startswith("RGB") else 1)
        assert not is_blank(_encode(image, "PNG")), mode


def test_a_shape_cut_out_of_black_is_a_picture() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 40, 40))
    assert not is_blank(_encode(image, "PNG"))


def test_forges_hidden_infotext_does_not_make_black_a_picture() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    image.paste((0, 0, 0, 254), (10, 10, 40, 40))
    assert is_blank(_encode(image, "PNG"))


def test_a_long_infotext_does_not_hide_black() -> None:
    assert is_blank(pictures.as_png(Image.new("RGB", (512, 512)), pictures.INFOTEXT * 20))


def test_drawn_pictures_are_not_blank_and_not_even_decoded() -> None:
    data = pictures.as_png(pictures.smooth(512, 512))
    assert not is_blank(data)
    assert not is_blank(data[: len(data) // 2])  # decoding it would raise


def test_a_damaged_small_file_is_refused() -> None:
    data = pictures.as_png(Image.new("RGB", (512, 512)))
    with pytest.raises(UnreadableAnswer):
        is_blank(data[:200])
    with pytest.raises(UnreadableAnswer):
        is_blank(b"nothing")
