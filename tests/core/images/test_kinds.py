"""Recognising pictures by their first bytes."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UnreadableAnswer
from core.images import kinds
from core.images.facts import read_facts
from core.images.kinds import Kind, kind_of_extension, sniff
from tests.core.images import pictures


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PNG", kinds.PNG),
        ("JPEG", kinds.JPEG),
        ("WEBP", kinds.WEBP),
        ("GIF", kinds.GIF),
        ("AVIF", kinds.AVIF),
        ("TIFF", kinds.TIFF),
        ("JPEG2000", kinds.JP2),
    ],
)
def test_what_pillow_writes_is_recognised_with_its_size(name: str, kind: Kind) -> None:
    out = io.BytesIO()
    pictures.noise(24, 16).save(out, name)
    facts = read_facts(out.getvalue())
    assert (facts.kind, facts.width, facts.height) == (kind, 24, 16)


def test_an_avi_is_recognised_with_its_size() -> None:
    header = (
        b"avih" + (56).to_bytes(4, "little") + bytes(32) + (640).to_bytes(4, "little") + (368).to_bytes(4, "little")
    )
    avi = b"RIFF\0\0\0\0AVI LIST\0\0\0\0hdrl" + header + bytes(16)
    facts = read_facts(avi)
    assert (facts.kind, facts.width, facts.height) == (kinds.AVI, 640, 368)


def _bits(*fields: tuple[int, int]) -> bytes:
    number = shift = 0
    for value, count in fields:
        number |= value << shift
        shift += count
    return number.to_bytes(12, "little")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ([(1, 1), (31, 5), (1, 3)], (256, 256)),
        ([(0, 1), (1, 2), (1023, 13), (1, 3)], (1024, 1024)),
        ([(0, 1), (1, 2), (1079, 13), (5, 3)], (1920, 1080)),
        ([(0, 1), (1, 2), (1215, 13), (0, 3), (1, 2), (831, 13)], (832, 1216)),
    ],
)
@pytest.mark.parametrize("boxed", [False, True])
def test_the_size_of_a_jpeg_xl_is_read_from_its_bits(
    fields: list[tuple[int, int]], size: tuple[int, int], *, boxed: bool
) -> None:
    stream = b"\xff\x0a" + _bits(*fields)
    data = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x16jxlc" + stream if boxed else stream
    facts = read_facts(data)
    assert (facts.kind, (facts.width, facts.height)) == (kinds.JXL, size)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b'{"detail":"x"}', b"RIFF\0\0\0\0WAVE", b"\x89PN", b"RIFF", b"\xff\xd8"]
)
def test_what_is_no_picture_is_not_taken_for_one(data: bytes) -> None:
    assert sniff(data) is None
    with pytest.raises(UnreadableAnswer):
        read_facts(data)


@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", b"\xff\x0a", b"RIFF\0\0\0\0AVI ", b"\xff\xd8\xff", b"GIF89a"]),
)
def test_any_bytes_are_facts_or_unreadable(data: bytes, start: bytes) -> None:
    try:
        facts = read_facts(start + data)
    except UnreadableAnswer:
        return
    assert facts.kind in kinds.KINDS


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_an_extension_leads_back_to_its_kind(kind: Kind) -> None:
    assert kind_of_extension(kind.extension) is kind


def test_an_unknown_extension_is_refused() -> None:
    with pytest.raises(ValueError, match="exe"):
        kind_of_extension("exe")
