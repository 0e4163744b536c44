"""Pictures made to fit: what is kept, what is said, and never a byte too many."""

from __future__ import annotations

import io
import random
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from core.errors import UnreadableAnswer, UserError
from core.images import exif, kinds, png
from core.images.facts import read_facts
from core.images.fit import Fitted, fit
from core.images.kinds import sniff
from tests.core.images import pictures


def _open(fitted: Fitted) -> Image.Image:
    assert sniff(fitted.data) is fitted.kind
    image = Image.open(io.BytesIO(fitted.data))
    image.load()
    return image


def _stored(image: Image.Image, compress_level: int = 1) -> bytes:
    """A PNG packed badly, so that something can be saved without a loss."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=compress_level)
    return out.getvalue()


def test_what_fits_is_not_touched() -> None:
    data = pictures.as_png(pictures.noise(16, 16))
    fitted = fit(data, kind=kinds.PNG, limit=len(data), infotext="x")
    assert fitted.data is data
    assert (fitted.kind, fitted.note) == (kinds.PNG, None)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L"])
def test_the_first_choice_loses_no_pixel_and_keeps_the_infotext(mode: str) -> None:
    image = pictures.smooth(256, 256).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L"))
    data = _stored(image)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) * 98 // 100, infotext=pictures.INFOTEXT)
    assert fitted.note == f"re-encoded as lossless WebP to fit into {len(data) * 98 // 100 / 1024:.1f} KiB"
    result = _open(fitted)
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    assert result.convert(wanted).tobytes() == image.convert(wanted).tobytes()
    assert exif.read_user_comment(fitted.data, fitted.kind) == pictures.INFOTEXT


@pytest.mark.parametrize("mode", ["P", "1"])
def test_few_colours_stay_a_png(mode: str) -> None:
    data = _stored(pictures.smooth(256, 256).convert(mode), compress_level=0)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) * 9 // 10, infotext="x")
    assert (fitted.kind, (fitted.note or "")[:27]) == (kinds.PNG, "re-encoded as optimised PNG")
    assert pictures.same_pixels(fitted.data, data)
    assert png.read_text(fitted.data) == "x"


def test_a_colour_profile_is_kept_and_one_for_other_colours_is_not() -> None:
    for mode, wanted in (("RGB", b"a profile"), ("L", None)):
        out = io.BytesIO()
        pictures.noise(128, 128, mode).save(out, "PNG", icc_profile=b"a profile")
        fitted = fit(out.getvalue(), kind=kinds.PNG, limit=len(out.getvalue()) // 2, infotext=None)
        assert _open(fitted).info.get("icc_profile") == wanted


def test_noise_becomes_a_jpeg_that_looks_the_same_and_keeps_the_infotext() -> None:
    image = pictures.noise(256, 256)
    data = pictures.as_png(image)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) * 95 // 100, infotext=pictures.INFOTEXT)
    assert fitted.kind is kinds.JPEG
    assert fitted.note is not None
    assert fitted.note.startswith("re-encoded as JPEG (quality 95) to fit")
    difference = ImageStat.Stat(ImageChops.difference(_open(fitted), image)).mean
    assert max(difference) < 12
    assert read_facts(fitted.data).infotext == pictures.INFOTEXT


def test_real_transparency_stays_in_a_lossy_webp() -> None:
    image = pictures.noise(256, 256, "RGBA")
    data = pictures.as_png(image)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) // 2, infotext=None)
    assert fitted.kind is kinds.WEBP
    assert _open(fitted).mode == "RGBA"
    assert _open(fitted).size == (256, 256)


def test_forges_nearly_opaque_alpha_is_no_transparency() -> None:
    image = pictures.noise(128, 128)
    alpha = Image.new("L", image.size, 255)
    alpha.paste(254, (0, 0, 50, 50))
    image.putalpha(alpha)
    data = pictures.as_png(image)
    assert fit(data, kind=kinds.PNG, limit=len(data) // 2, infotext=None).kind is kinds.JPEG


def test_transparency_is_put_on_white_only_for_jpeg() -> None:
    image = Image.new("RGBA", (16_500, 8), (255, 0, 0, 0))
    image.paste(pictures.noise(16_000, 8, "RGB").convert("RGBA"), (0, 0))
    data = pictures.as_png(image)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) // 2, infotext="x")
    assert fitted.kind is kinds.JPEG
    assert "on white" in (fitted.note or "")
    pixel = _open(fitted).getpixel((16_490, 4))
    assert isinstance(pixel, tuple)
    assert min(pixel) > 250


def test_what_is_too_wide_for_webp_stays_a_png_with_its_text_chunk() -> None:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((17_000, 20)).save(out, "PNG", compress_level=0)
    fitted = fit(out.getvalue(), kind=kinds.PNG, limit=len(out.getvalue()) * 9 // 10, infotext=pictures.INFOTEXT)
    assert fitted.kind is kinds.PNG
    assert png.read_text(fitted.data) == pictures.INFOTEXT
    assert pictures.same_pixels(fitted.data, out.getvalue())


def test_an_infotext_too_long_for_jpeg_goes_whole_into_webp() -> None:
    text = "лиса, " * 15_000
    data = pictures.as_png(pictures.noise(700, 700))
    fitted = fit(data, kind=kinds.PNG, limit=len(data) * 6 // 10, infotext=text)
    assert fitted.kind is kinds.WEBP
    assert read_facts(fitted.data).infotext == text


def test_an_infotext_is_shortened_only_where_no_format_holds_it_and_that_is_said() -> None:
    text = "word, " * 15_000
    data = pictures.as_png(pictures.noise(17_000, 40))
    fitted = fit(data, kind=kinds.PNG, limit=len(data) // 2, infotext=text)
    assert fitted.kind is kinds.JPEG
    assert "with its infotext shortened" in (fitted.note or "")
    kept = read_facts(fitted.data).infotext
    assert kept is not None
    assert len(kept) > 32_000
    assert text.startswith(kept)


def test_fewer_pixels_are_the_last_resort() -> None:
    data = pictures.as_png(pictures.noise(512, 512))
    fitted = fit(data, kind=kinds.PNG, limit=10_000, infotext="short")
    image = _open(fitted)
    assert max(image.size) < 512
    assert f"scaled down to {image.width}×{image.height}" in (fitted.note or "")
    assert len(fitted.data) > 2_000  # not smaller than need be
    assert read_facts(fitted.data).infotext == "short"


@pytest.mark.parametrize("name", ["JPEG", "WEBP"])
def test_a_photo_that_is_too_large_is_made_smaller_and_keeps_its_infotext(name: str) -> None:
    data = pictures.as_photo(pictures.noise(256, 256), name, pictures.INFOTEXT, quality=100)
    kind = kinds.JPEG if name == "JPEG" else kinds.WEBP
    fitted = fit(data, kind=kind, limit=len(data) * 2 // 3, infotext=pictures.INFOTEXT)
    assert len(fitted.data) <= len(data) * 2 // 3
    assert "lossless" not in (fitted.note or "")
    assert read_facts(fitted.data).infotext == pictures.INFOTEXT


def test_a_moving_picture_is_shown_by_its_first_frame_and_that_is_said() -> None:
    out = io.BytesIO()
    frames = [pictures.noise(64, 64, "L", seed) for seed in range(4)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    fitted = fit(out.getvalue(), kind=kinds.GIF, limit=9_000, infotext=None)
    assert "only its first frame" in (fitted.note or "")
    assert _open(fitted).size == (64, 64)


def test_sixteen_bits_of_colour_are_not_called_lossless() -> None:
    header = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + random.Random(row).randbytes(64 * 6) for row in range(64))  # noqa: S311 - no secret
    parts = (
        pictures.chunk(b"IHDR", header),
        pictures.chunk(b"IDAT", zlib.compress(rows)),
        pictures.chunk(b"IEND", b""),
    )
    data = png.SIGNATURE + b"".join(parts)
    fitted = fit(data, kind=kinds.PNG, limit=len(data) * 3 // 4, infotext=None)
    assert "lossless" not in (fitted.note or "lossless")


def test_sixteen_bits_of_grey_keep_their_brightness() -> None:
    image = Image.new("I;16", (128, 128), 0x8000)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=0)
    fitted = fit(out.getvalue(), kind=kinds.PNG, limit=20_000, infotext=None)
    pixel = _open(fitted).getpixel((5, 5))
    assert isinstance(pixel, tuple)
    assert 124 <= pixel[0] <= 132


def test_a_video_that_is_too_large_is_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match=r"The file has 2 KiB, only 1 KiB fit, and AVI can't"):
        fit(bytes(2048), kind=kinds.AVI, limit=1024, infotext=None)


@pytest.mark.parametrize("limit", [50, 0])
def test_an_absurd_limit_is_refused_with_a_sentence(limit: int) -> None:
    with pytest.raises(UserError, match=f"to fit into {limit} bytes"):
        fit(pictures.as_png(pictures.noise(64, 64)), kind=kinds.PNG, limit=limit, infotext="x")


def test_damaged_pixels_are_unreadable() -> None:
    data = pictures.as_png(pictures.noise(64, 64))
    with pytest.raises(UnreadableAnswer):
        fit(data[: len(data) // 2], kind=kinds.PNG, limit=1000, infotext=None)


def test_a_picture_of_absurd_size_is_not_decoded() -> None:
    small = pictures.as_png(Image.new("L", (8, 8)))
    data = small[:8] + pictures.chunk(b"IHDR", struct.pack(">II", 9_000, 9_000) + small[24:29]) + small[33:]
    with pytest.raises(UnreadableAnswer, match="claims to be 9000x9000"):
        fit(data, kind=kinds.PNG, limit=10, infotext=None)


@settings(max_examples=25, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    mode=st.sampled_from(["RGB", "RGBA", "L", "LA"]),
    share=st.floats(0.01, 1.1),
    infotext=st.none() | st.text(max_size=400),
)
def test_the_result_is_never_larger_than_the_limit(
    size: tuple[int, int], mode: str, share: float, infotext: str | None
) -> None:
    data = pictures.as_png(pictures.noise(*size, mode=mode))
    limit = int(len(data) * share)
    try:
        fitted = fit(data, kind=kinds.PNG, limit=limit, infotext=infotext)
    except UserError:
        assert limit < 1500  # only what not even a few pixels fit into
        return
    assert len(fitted.data) <= limit
    assert (fitted.note is None) == (len(data) <= limit)
    _open(fitted)


def test_a_picture_of_2048_pixels_a_side_takes_a_sensible_time() -> None:
    data = pictures.as_png(pictures.noise(2048, 2048))
    assert len(data) > 10 << 20
    began = time.process_time()
    fitted = fit(data, kind=kinds.PNG, limit=10 << 20, infotext=pictures.INFOTEXT)
    assert time.process_time() - began < 5
    assert fitted.note is not None
    assert fitted.note.endswith("to fit into 10 MiB")
