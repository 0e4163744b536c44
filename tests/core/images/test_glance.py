"""A webui's half-done picture made small, and what is no picture refused before it is decoded."""

import base64
import io

import pytest
from PIL import Image

from core.errors import UnreadableAnswer
from core.images import glance as module
from core.images.glance import SIDE, glance
from core.images.kinds import JPEG, sniff
from tests.core.images.pictures import as_photo, as_png, noise, smooth


def uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def opened(data: bytes) -> Image.Image:
    assert sniff(data) == JPEG
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("size", "small"), [((1024, 1536), (341, SIDE)), ((SIDE, 256), (SIDE, 256)), ((64, 64), (64, 64))]
)
def test_it_is_a_small_jpeg_and_never_larger_than_it_was(size: tuple[int, int], small: tuple[int, int]) -> None:
    data = glance(uri(as_png(smooth(*size), "a secret prompt")))
    image = opened(data)
    assert image.size == small
    assert len(data) < 80_000
    assert b"secret" not in data


@pytest.mark.parametrize("name", ["JPEG", "WEBP"])
def test_other_formats_are_taken_and_lose_their_metadata(name: str) -> None:
    data = glance(uri(as_photo(smooth(600, 300), name, "a secret prompt"), name.lower()))
    assert opened(data).size == (SIDE, 256)
    assert not opened(data).getexif()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "LA"])
def test_every_kind_of_pixels_becomes_a_jpeg(mode: str) -> None:
    assert opened(glance(uri(as_png(noise(32, 32).convert(mode))))).mode == "RGB"


def test_base64_without_a_prefix_is_taken_too() -> None:
    assert opened(glance(base64.b64encode(as_png(noise(8, 8))).decode())).size == (8, 8)


@pytest.mark.parametrize(
    "text",
    ["", "data:image/png;base64,", "data:", "no base64!", "ü", uri(b"GIF89a....."), uri(as_png(noise(64, 64))[:900])],
)
def test_what_is_no_picture_is_refused(text: str) -> None:
    with pytest.raises(UnreadableAnswer):
        glance(text)


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    with pytest.raises(UnreadableAnswer, match="claims to be 5000x4000"):
        glance(uri(as_png(Image.new("1", (5000, 4000)))))


def test_more_characters_than_any_preview_has_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS", 100)
    with pytest.raises(UnreadableAnswer, match="characters"):
        glance(uri(as_png(noise(64, 64))))
