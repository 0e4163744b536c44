"""A picture without what it says of how it was made: the same pixels, byte for byte where the format allows it."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import UnreadableAnswer, UserError
from core.images import png
from core.images.bare import strip
from core.images.kinds import AVI, GIF, JPEG, PNG, TIFF, WEBP, Kind, sniff
from core.images.metadata import read_metadata
from tests.core.images.pictures import INFOTEXT, as_photo, as_png, chunk, noise, same_pixels, user_comment

SECRET = "a secret lighthouse"
XMP = f"<x:xmpmeta>{SECRET}</x:xmpmeta>".encode()
EXIF = user_comment(b"UNICODE\0" + SECRET.encode("utf-16-be"))


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def traces(data: bytes) -> list[bytes]:
    marks = (SECRET.encode(), SECRET.encode("utf-16-be"), b"Steps: 24", "Steps: 24".encode("utf-16-be"))
    return [mark for mark in marks if mark in data]


def full_png() -> bytes:
    info = PngInfo()
    info.add_text("parameters", INFOTEXT)
    info.add_text("prompt", SECRET, zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    plain = saved(noise(24, 16), "PNG", pnginfo=info, exif=EXIF, icc_profile=b"p" * 40, dpi=(72, 72))
    place = plain.index(b"IDAT") - 4
    return plain[:place] + chunk(b"caBX", SECRET.encode()) + chunk(b"tIME", b"\0" * 7) + plain[place:] + SECRET.encode()


def kinds_of(data: bytes) -> list[bytes]:
    return [found.kind for found in png.walk(io.BytesIO(data))]


def test_a_png_keeps_what_it_takes_to_show_it_and_nothing_else() -> None:
    data = full_png()
    bare = strip(data, PNG)
    assert traces(data)
    assert not traces(bare)
    assert read_metadata(bare) is None
    assert same_pixels(bare, data)
    assert kinds_of(bare) == [b"IHDR", b"iCCP", b"pHYs", b"IDAT", b"IEND"]
    assert strip(bare, PNG) == bare


def test_a_png_without_any_text_stays_as_it_is() -> None:
    plain = saved(noise(24, 16), "PNG")
    assert strip(plain, PNG) == plain


def test_a_moving_png_still_moves() -> None:
    frames = [noise(8, 8, seed=seed) for seed in range(3)]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert strip(data, PNG) == data


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_loses_its_segments_and_no_pixel(progressive: bool) -> None:
    data = saved(
        noise(64, 48),
        "JPEG",
        exif=EXIF,
        xmp=XMP,
        comment=SECRET.encode(),
        icc_profile=b"p" * 40,
        progressive=progressive,
    )
    bare = strip(data + SECRET.encode(), JPEG)
    assert traces(data)
    assert not traces(bare)
    assert same_pixels(bare, data)
    with Image.open(io.BytesIO(bare)) as image:
        assert image.info["icc_profile"] == b"p" * 40
    assert strip(bare, JPEG) == bare


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"icc_profile": b"p" * 41}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_loses_its_chunks_and_no_pixel(mode: str, options: dict[str, Any]) -> None:
    data = saved(noise(33, 17, mode), "WEBP", exif=EXIF, xmp=XMP, **options)
    bare = strip(data, WEBP)
    assert traces(data)
    assert not traces(bare)
    assert same_pixels(bare, data)
    assert struct.unpack_from("<I", bare, 4)[0] == len(bare) - 8
    assert bare[20] & 0x0C == 0
    assert strip(bare, WEBP) == bare


@pytest.mark.parametrize("kind", [PNG, WEBP])
def test_what_forge_hides_in_an_alpha_that_nobody_sees_goes_too(kind: Kind) -> None:
    shown = noise(32, 32)
    hiding = shown.convert("RGBA")
    hiding.putalpha(noise(32, 32, "L").point(lambda value: 254 + value % 2))
    options: dict[str, Any] = {"lossless": True, "exact": True} if kind == WEBP else {}
    bare = strip(saved(hiding, kind.name.upper(), **options), kind)
    with Image.open(io.BytesIO(bare)) as image:
        assert image.mode == "RGB"
        assert image.tobytes() == shown.tobytes()
    see_through = saved(noise(32, 32, "RGBA"), kind.name.upper(), **options)
    assert strip(see_through, kind) == see_through


def test_what_webuis_write_says_nothing_any_more() -> None:
    for data in (as_photo(noise(24, 16), "JPEG", INFOTEXT), as_photo(noise(24, 16), "WEBP", INFOTEXT)):
        kind = sniff(data)
        assert kind is not None
        assert not traces(strip(data, kind))
    assert not traces(strip(as_png(noise(24, 16), INFOTEXT), PNG))


@pytest.mark.parametrize("kind", [GIF, AVI, TIFF])
def test_what_can_not_be_told_apart_from_its_metadata_is_refused(kind: Kind) -> None:
    with pytest.raises(UserError, match=f"{kind.name} can't be freed"):
        strip(b"whatever", kind)


@pytest.mark.parametrize(("kind", "data"), [(PNG, full_png()), (JPEG, b""), (WEBP, b"")])
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 4000))
def test_what_is_damaged_is_refused_and_never_let_through(kind: Kind, data: bytes, seed: int, cut: int) -> None:
    whole = data or as_photo(noise(24, 16, seed=seed), kind.name.upper(), SECRET)
    try:
        bare = strip(whole[:cut], kind)
    except UnreadableAnswer:
        return
    assert not traces(bare)
