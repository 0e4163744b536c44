"""PNG chunks: reading and splicing text, and surviving what is broken."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import UnreadableAnswer
from core.images import png
from tests.core.images import pictures

PLAIN = pictures.as_png(pictures.noise(24, 16))
TEXTS = st.text(max_size=300) | st.text(st.characters(max_codepoint=255), max_size=300)


@given(text=TEXTS.filter(lambda text: "\0" not in text))
def test_spliced_text_is_read_by_pillow_and_by_us_and_nothing_else_changes(text: str) -> None:
    spliced = png.splice_text(PLAIN, "parameters", text)
    assert pictures.pillow_text(spliced) == text
    assert png.read_text(spliced) == (text or None)
    assert pictures.same_pixels(spliced, PLAIN)
    added = len(spliced) - len(PLAIN)
    place = spliced.index(b"tEXt" if b"tEXt" in spliced else b"iTXt") - 4
    assert spliced[:place] + spliced[place + added :] == PLAIN


@given(text=st.text(st.characters(codec=None, categories=["Cs", "Cc", "L"]), max_size=50))
def test_text_that_no_encoding_can_write_is_cleaned_and_spliced(text: str) -> None:
    clean = png.clean_text(text)
    assert "\0" not in clean
    assert clean.encode() or not clean
    assert (png.read_text(png.splice_text(PLAIN, "parameters", text)) or "") == clean


@pytest.mark.parametrize(("text", "kind"), [("plain, café", b"tEXt"), ("лиса 🦊", b"iTXt"), ("Ã©", b"iTXt")])
def test_latin_text_goes_into_text_and_the_rest_into_itxt(text: str, kind: bytes) -> None:
    assert kind in png.splice_text(PLAIN, "parameters", text)


def test_the_spliced_chunk_stands_before_the_first_idat() -> None:
    spliced = png.splice_text(PLAIN, "parameters", "x")
    assert [found.kind for found in png.walk(io.BytesIO(spliced))] == [b"IHDR", b"tEXt", b"IDAT", b"IEND"]


def test_a_second_splice_wins_over_an_empty_text_for_pillow_and_for_us() -> None:
    spliced = png.splice_text(pictures.as_png(pictures.noise(4, 4), ""), "parameters", "the text")
    assert pictures.pillow_text(spliced) == png.read_text(spliced) == "the text"


@pytest.mark.parametrize("text", [pictures.INFOTEXT, "лиса 🦊 \n second line", "café"])
def test_what_pillow_wrote_is_read(text: str) -> None:
    assert png.read_text(pictures.as_png(pictures.noise(8, 8), text)) == text


@pytest.mark.parametrize("text", ["лиса 🦊", "café", "plain"])
def test_raw_utf8_in_text_as_stable_diffusion_cpp_writes_it_comes_out_right(text: str) -> None:
    data = pictures.with_chunk(PLAIN, pictures.chunk(b"tEXt", b"parameters\0" + text.encode()))
    assert png.read_text(data) == text


def test_latin1_in_text_comes_out_right() -> None:
    data = pictures.with_chunk(PLAIN, pictures.chunk(b"tEXt", b"parameters\0" + "déjà vu".encode("latin-1")))
    assert png.read_text(data) == "déjà vu"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"parameters\0\0" + zlib.compress("wörd".encode("latin-1"))),
        (b"iTXt", b"parameters\0\1\0en\0parameters\0" + zlib.compress("wörd".encode())),
        (b"iTXt", b"parameters\0\0\0\0\0" + "wörd".encode()),
    ],
)
def test_every_kind_of_text_chunk_is_read(kind: bytes, body: bytes) -> None:
    assert png.read_text(pictures.with_chunk(PLAIN, pictures.chunk(kind, body))) == "wörd"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"parameters\0\0" + zlib.compress(bytes(png.MAX_TEXT_BYTES + 1))),
        (b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 99)[:-6]),
        (b"zTXt", b"parameters\0\0rubbish"),
        (b"zTXt", b"parameters\0\7" + zlib.compress(b"x")),
        (b"zTXt", b"parameters\0"),
        (b"iTXt", b"parameters\0"),
        (b"iTXt", b"parameters\0\0\0no end"),
        (b"iTXt", b"parameters\0\1\0\0\0rubbish"),
        (b"tEXt", b"parameters\0"),
        (b"tEXt", b"parameters"),
        (b"tEXt", b"parametersX\0x"),
        (b"tEXt", b"parameters\0" + b"x" * png.MAX_TEXT_BYTES),
    ],
)
def test_a_text_chunk_that_cannot_be_read_counts_as_none(kind: bytes, body: bytes) -> None:
    assert png.read_text(pictures.with_chunk(PLAIN, pictures.chunk(kind, body))) is None


def test_a_text_of_another_key_is_not_the_infotext() -> None:
    data = pictures.with_chunk(PLAIN, pictures.chunk(b"tEXt", b"Comment\0hello"))
    assert png.read_text(data) is None
    assert png.read_text(data, "Comment") == "hello"


def test_text_after_the_pixels_is_found() -> None:
    assert png.read_text(PLAIN[:-12] + pictures.chunk(b"tEXt", b"parameters\0late") + PLAIN[-12:]) == "late"


def test_a_wrong_crc_is_tolerated() -> None:
    broken = bytearray(pictures.chunk(b"tEXt", b"parameters\0x"))
    broken[-1] ^= 0xFF
    assert png.read_text(pictures.with_chunk(PLAIN, bytes(broken))) == "x"


def test_a_file_is_read_as_its_bytes_are(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(pictures.as_png(pictures.noise(300, 300), pictures.INFOTEXT))
    assert png.read_text_from_file(path) == pictures.INFOTEXT


def test_size_is_read_from_ihdr() -> None:
    assert png.read_size(PLAIN) == (24, 16)


@pytest.mark.parametrize("width", [0, 1 << 31])
def test_an_impossible_size_is_refused(width: int) -> None:
    with pytest.raises(UnreadableAnswer):
        png.read_size(PLAIN[:16] + struct.pack(">I", width) + PLAIN[20:])


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, len(PLAIN)])
def test_a_lying_chunk_length_is_refused(length: int) -> None:
    liar = PLAIN[:33] + struct.pack(">I", length) + b"tEXt" + PLAIN[33:]
    for read in (png.read_text, png.check_whole, lambda data: png.splice_text(data, "parameters", "x")):
        with pytest.raises(UnreadableAnswer):
            read(liar)


@given(end=st.integers(0, len(PLAIN) - 1))
def test_a_truncated_png_is_refused(end: int) -> None:
    with pytest.raises(UnreadableAnswer):
        png.check_whole(PLAIN[:end])
    with pytest.raises(UnreadableAnswer):
        png.read_text(PLAIN[:end])


def test_a_png_without_pixels_is_refused() -> None:
    empty = PLAIN[:33] + PLAIN[-12:]
    with pytest.raises(UnreadableAnswer):
        png.check_whole(empty)
    with pytest.raises(UnreadableAnswer):
        png.splice_text(empty, "parameters", "x")


def test_endless_chunks_are_refused() -> None:
    with pytest.raises(UnreadableAnswer, match="more than"):
        png.check_whole(PLAIN[:33] + pictures.chunk(b"aaAa", b"") * 70_000 + PLAIN[33:])


@settings(max_examples=200)
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    damaged = bytearray(pictures.as_png(pictures.noise(4, 4), "some text"))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    for read in (png.read_text, png.read_size, png.check_whole):
        try:
            read(bytes(damaged))
        except UnreadableAnswer:
            continue


def test_a_picture_as_stable_diffusion_cpp_writes_it_stays_readable_after_the_splice() -> None:
    spliced = png.splice_text(PLAIN + b"trailing bytes", "parameters", pictures.INFOTEXT)
    assert spliced.endswith(b"trailing bytes")
    with Image.open(io.BytesIO(spliced)) as image:
        assert image.info["parameters"] == pictures.INFOTEXT


@pytest.mark.parametrize("packed", [False, True])
def test_every_text_is_read_by_its_key(packed: bool) -> None:
    info = PngInfo()
    texts = {"parameters": "a fox", "Comment": "café", "workflow": "лиса"}
    for key, text in texts.items():
        info.add_text(key, text, zip=packed)
    info.add_itxt("Title", "狐", zip=packed)
    info.add_text("empty", "")
    out = io.BytesIO()
    pictures.noise(8, 8).save(out, "PNG", pnginfo=info)
    assert png.read_texts(out.getvalue()) == texts | {"Title": "狐"}


def text_chunk(key: str, size: int) -> bytes:
    return pictures.chunk(b"tEXt", key.encode() + b"\0" + b"x" * size)


def test_all_texts_together_have_a_limit_and_what_is_too_long_hides_no_shorter_one() -> None:
    data = PLAIN
    for number in range(8):
        data = pictures.with_chunk(data, text_chunk(f"k{number}", 1_000_000))
    data = pictures.with_chunk(pictures.with_chunk(data, text_chunk("whole", png.MAX_TEXTS_BYTES)), text_chunk("a", 1))
    texts = png.read_texts(data)
    assert sum(map(len, texts.values())) <= png.MAX_TEXTS_BYTES
    assert list(texts) == ["a", "k7", "k6", "k5", "k4"]


def test_a_packed_text_has_the_room_that_is_left() -> None:
    fits, too_long = (zlib.compress(bytes(size).replace(b"\0", b"x")) for size in (3_000_000, 1_500_000))
    data = PLAIN
    for key, packed in ((b"second", too_long), (b"first", fits)):
        data = pictures.with_chunk(data, pictures.chunk(b"zTXt", key + b"\0\0" + packed))
    assert list(png.read_texts(data)) == ["first"]


def test_texts_before_a_break_are_read_and_no_png_is_refused() -> None:
    spliced = png.splice_text(PLAIN, "parameters", "a fox")
    assert png.read_texts(spliced[:-30]) == {"parameters": "a fox"}
    with pytest.raises(UnreadableAnswer):
        png.read_texts(b"GIF89a")


def test_the_exif_of_a_png_is_found() -> None:
    assert png.read_exif(pictures.with_chunk(PLAIN, pictures.chunk(b"eXIf", b"MM\0*"))) == b"MM\0*"
    assert png.read_exif(PLAIN) is None
