"""UserComment of JPEG and WebP."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import UnreadableAnswer
from core.images import exif, kinds
from core.images.kinds import Kind
from core.images.png import clean_text
from tests.core.images import pictures

PHOTOS = [("JPEG", kinds.JPEG), ("WEBP", kinds.WEBP)]
TEXT = 'лиса 🦊, "quoted"\nSteps: 20'


@pytest.mark.parametrize(("name", "kind"), PHOTOS)
@pytest.mark.parametrize("text", [pictures.INFOTEXT, TEXT])
def test_what_a_webui_wrote_is_read(name: str, kind: Kind, text: str) -> None:
    assert exif.read_user_comment(pictures.as_photo(pictures.noise(16, 16), name, text), kind) == text


@pytest.mark.parametrize(("name", "kind"), PHOTOS)
def test_the_header_alone_is_no_infotext(name: str, kind: Kind) -> None:
    assert exif.read_user_comment(pictures.as_photo(pictures.noise(16, 16), name, None), kind) is None


@pytest.mark.parametrize(("name", "kind"), PHOTOS)
def test_no_exif_is_no_infotext(name: str, kind: Kind) -> None:
    out = io.BytesIO()
    pictures.noise(8, 8).save(out, name)
    assert exif.read_user_comment(out.getvalue(), kind) is None


@pytest.mark.parametrize(
    "comment",
    [
        b"ASCII\0\0\0Steps: 20",
        b"\0\0\0\0\0\0\0\0Steps: 20",
        b"UNICODE\0" + "Steps: 20".encode("utf-16-le"),
        b"UNICODE\0" + "Steps: 20".encode("utf-16-be") + b"\0\0",
        b"UNICODE\0\xff\xfe" + "Steps: 20".encode("utf-16-le"),
        b"UNICODE\0\xfe\xff" + "Steps: 20".encode("utf-16-be"),
        b"Steps: 20",
    ],
)
def test_every_encoding_of_a_comment_is_read(comment: bytes) -> None:
    assert exif.decode_user_comment(comment) == "Steps: 20"


@pytest.mark.parametrize("comment", [b"", b"UNICODE\0", b"ASCII\0\0\0", bytes(8), bytes(20)])
def test_an_empty_comment_is_none(comment: bytes) -> None:
    assert exif.decode_user_comment(comment) is None


@given(comment=st.binary(max_size=60))
def test_any_comment_is_text_or_none(comment: bytes) -> None:
    for start in (b"", b"UNICODE\0", b"ASCII\0\0\0"):
        text = exif.decode_user_comment(start + comment)
        assert text is None or text


@pytest.mark.parametrize(("name", "kind"), PHOTOS)
@given(text=st.text(min_size=1, max_size=100))
def test_what_we_build_is_read_back_by_us_and_as_webuis_write_it_by_pillow(name: str, kind: Kind, text: str) -> None:
    text = f"Steps: 1 {clean_text(text)} Seed: 2"
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, name, exif=exif.build_user_comment_exif(text))
    assert exif.read_user_comment(out.getvalue(), kind) == text
    with Image.open(out) as image:
        comment = image.getexif().get_ifd(0x8769)[0x9286]
    assert comment == b"UNICODE\0" + text.encode("utf-16-be")


def test_too_long_a_text_is_cut_between_two_characters_for_jpeg() -> None:
    text = "🦊" * 40_000
    block = exif.build_user_comment_exif(text, max_bytes=exif.JPEG_EXIF_BYTES)
    assert exif.JPEG_EXIF_BYTES - 4 < len(block) <= exif.JPEG_EXIF_BYTES
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=block)
    read = exif.read_user_comment(out.getvalue(), kinds.JPEG)
    assert read
    assert set(read) == {"🦊"}


def test_the_length_is_known_without_building() -> None:
    assert exif.exif_length(TEXT) == len(exif.build_user_comment_exif(TEXT))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow says so to the log, and goes on
def test_broken_exif_counts_as_none() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff garbage")
    assert exif.read_user_comment(out.getvalue(), kinds.JPEG) is None


def test_a_jpeg_without_a_readable_header_is_refused() -> None:
    with pytest.raises(UnreadableAnswer):
        exif.read_user_comment(b"\xff\xd8\xff\xe0 nothing more", kinds.JPEG)


@pytest.mark.parametrize(("name", "kind"), [*PHOTOS, ("PNG", kinds.PNG)])
def test_every_text_of_exif_is_read_by_its_tag(name: str, kind: Kind) -> None:
    block = pictures.user_comment(b"UNICODE\0" + TEXT.encode("utf-16-be"))
    block[0x010E], block[0x0131], block[0x010F] = "лиса".encode(), "NovelAI", ""
    out = io.BytesIO()
    pictures.noise(8, 8).save(out, name, exif=block)
    assert exif.read_texts(out.getvalue(), kind) == {
        "ImageDescription": "лиса",
        "Software": "NovelAI",
        "UserComment": TEXT,
    }


def test_a_png_without_exif_has_no_such_texts() -> None:
    assert exif.read_texts(pictures.as_png(pictures.noise(8, 8), TEXT), kinds.PNG) == {}


@pytest.mark.parametrize(
    "comment",
    [
        b"Unicode\0" + "füchs, 狐".encode("utf-16-be"),
        b"UNICODE\0" + "füchs, 狐".encode(),
        b"JIS\0\0\0\0\0" + "füchs, 狐".encode(),
        b"ascii\0\0\0" + "füchs, 狐".encode(),
    ],
)
def test_headers_that_are_written_otherwise_or_before_utf_8_are_understood(comment: bytes) -> None:
    assert exif.decode_user_comment(comment) == "füchs, 狐"


def test_what_the_standard_means_by_jis_and_what_old_programs_mean_by_ascii_is_read() -> None:
    assert exif.decode_user_comment(b"JIS\0\0\0\0\0" + "a fox, 狐".encode("iso2022_jp")) == "a fox, 狐"
    assert exif.decode_user_comment(b"ASCII\0\0\0" + "füchs".encode("latin-1")) == "füchs"
