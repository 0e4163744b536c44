"""What people send in becomes a plain PNG, or a sentence; and nothing is decoded that is too large to be."""

from __future__ import annotations

import hashlib
import io
import random
import resource
import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from core.errors import UserError
from core.images import png
from core.images.inbound import InboundLimits, PreparedImage, fit_mask, mask_from_alpha, opaque, prepare
from tests.core.images.pictures import INFOTEXT, as_photo, as_png, chunk, noise, smooth, user_comment, with_chunk

LIMITS = InboundLimits()
FORMATS = ["PNG", "JPEG", "WEBP", "AVIF", "GIF"]
DAMAGED = "it is damaged, incomplete or far too large"
ORIENTATION = 0x0112


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def opened(prepared: PreparedImage) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.png), formats=["PNG"])
    image.load()
    return image


def refusal_of(data: bytes, limits: InboundLimits = LIMITS) -> str:
    with pytest.raises(UserError) as refused:
        prepare(data, limits)
    return str(refused.value)


def of_colours(mode: str) -> Image.Image:
    """Two by one blocks, so that lossy formats keep the colours: the left dark, the right bright."""
    image = Image.new("L", (64, 32), 40)
    image.paste(200, (32, 0, 64, 32))
    return image.convert(mode)


def levels(image: Image.Image) -> list[int]:
    """The red of both blocks' middles."""
    return [image.convert("RGBA").getpixel(place)[0] for place in ((16, 16), (48, 16))]  # type: ignore[index]  # a pixel of RGBA is a tuple


def is_near(found: list[int], wanted: list[int]) -> bool:
    return all(abs(one - other) <= 4 for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_becomes_a_png(name: str) -> None:
    prepared = prepare(saved(of_colours("RGB"), name), LIMITS)
    image = opened(prepared)
    assert (image.mode, image.size, prepared.has_alpha, prepared.scaled_from) == ("RGB", (64, 32), False, None)
    assert (prepared.width, prepared.height) == image.size
    assert is_near(levels(image), [40, 200])
    assert prepared.key == hashlib.sha256(prepared.png).hexdigest()


def test_the_pixels_of_a_png_stay_as_they_are() -> None:
    for mode in ("RGB", "RGBA"):
        image = noise(40, 30, mode)
        assert opened(prepare(as_png(image), LIMITS)).tobytes() == image.tobytes()


def test_the_same_image_has_the_same_key_whatever_its_file() -> None:
    image = noise(40, 30)
    keys = {prepare(data, LIMITS).key for data in (as_png(image), as_png(image, INFOTEXT), saved(image, "PNG"))}
    assert len(keys) == 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_opaque_modes_become_rgb(mode: str) -> None:
    if mode == "I;16":
        image = Image.frombytes(mode, (64, 32), (b"\x00\x28" * 32 + b"\xff\xc8" * 32) * 32)  # little endian
    else:
        image = of_colours(mode)
    found = opened(prepare(as_png(image), LIMITS))
    assert found.mode == "RGB"
    assert is_near(levels(found), levels(image) if mode in ("1", "P") else [40, 200])


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_jpeg_of_print_or_grey_becomes_rgb(mode: str) -> None:
    found = opened(prepare(saved(of_colours(mode), "JPEG", quality=95), LIMITS))
    assert found.mode == "RGB"
    assert is_near(levels(found), [40, 200])


@pytest.mark.parametrize(
    ("mode", "options"),
    [("LA", {}), ("RGBA", {}), ("P", {"transparency": b"\x00\xff"}), ("L", {"transparency": 40})],
)
def test_transparency_of_every_kind_becomes_rgba(mode: str, options: dict[str, object]) -> None:
    image = of_colours("L")
    if mode in ("LA", "RGBA"):
        image = of_colours("RGBA")
        image.putalpha(of_colours("L").point(lambda value: 255 if value > 100 else 0))
        image = image.convert(mode)
    elif mode == "P":
        image = image.point(lambda value: value > 100).convert("P")
        image.putpalette([40, 40, 40, 200, 200, 200])
    prepared = prepare(saved(image, "PNG", **options), LIMITS)
    found = opened(prepared)
    assert (found.mode, prepared.has_alpha) == ("RGBA", True)
    assert [found.getchannel("A").getpixel(place) for place in ((16, 16), (48, 16))] == [0, 255]


@pytest.mark.parametrize("alpha", [254, 255])
def test_what_nobody_can_see_through_has_no_alpha(alpha: int) -> None:
    image = of_colours("RGBA")
    image.putalpha(alpha)
    prepared = prepare(as_png(image), LIMITS)
    assert (opened(prepared).mode, prepared.has_alpha) == ("RGB", False)


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_a_moving_picture_the_first_frame_is_taken(name: str) -> None:
    frames = [Image.new("RGB", (64, 32), (level, 0, 0)) for level in (200, 90, 10)]
    data = saved(frames[0], name, save_all=True, append_images=frames[1:])
    image = opened(prepare(data, LIMITS))
    assert (image.size, getattr(image, "n_frames", 1)) == ((64, 32), 1)
    assert is_near(levels(image), [200, 200])


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_stands_upright(name: str, orientation: int) -> None:
    upright = Image.new("RGB", (48, 32), (20, 20, 20))
    upright.paste((220, 220, 220), (0, 0, 24, 16))
    sent = upright
    if orientation > 1:
        undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Pillow's numbers of the inverse turns
        sent = upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    prepared = prepare(saved(sent, name, exif=exif, quality=95), LIMITS)
    image = opened(prepared)
    assert image.size == (48, 32) == (prepared.width, prepared.height)
    corners = [image.getpixel(place)[0] > 128 for place in ((6, 4), (42, 4), (6, 28), (42, 28))]  # type: ignore[index]  # of RGB, too
    assert corners == [True, False, False, False]


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_is_none_turns_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    assert opened(prepare(saved(noise(40, 30), "PNG", exif=exif), LIMITS)).size == (40, 30)


def test_nothing_but_pixels_goes_on() -> None:
    exif = user_comment(b"UNICODE\0" + "secret".encode("utf-16-be"))
    exif[0x010E] = "secret place"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sources = [
        saved(noise(40, 30), "JPEG", exif=exif, icc_profile=profile, comment=b"secret"),
        saved(noise(40, 30), "WEBP", exif=exif, icc_profile=profile, xmp=b"secret"),
        with_chunk(
            saved(noise(40, 30), "PNG", exif=exif, icc_profile=profile, dpi=(300, 300)), chunk(b"tEXt", b"a\0b")
        ),
        as_png(noise(40, 30), INFOTEXT),
        as_photo(noise(40, 30), "JPEG", INFOTEXT),
        saved(noise(40, 30, "RGBA"), "PNG", icc_profile=profile),
    ]
    for data in sources:
        prepared = prepare(data, LIMITS)
        assert {part.kind for part in png.walk(io.BytesIO(prepared.png))} == {b"IHDR", b"IDAT", b"IEND"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
        b"\x00\x00\x00\x18ftypheic" + bytes(40),
        saved(of_colours("RGB"), "TIFF"),
        saved(of_colours("RGB"), "JPEG2000"),
        saved(of_colours("RGB"), "BMP"),
        saved(of_colours("RGB"), "PPM"),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_other_files_are_refused_by_what_they_are(data: bytes) -> None:
    assert refusal_of(data) == "This is no image that is taken here: send a PNG, JPEG, WebP, AVIF or GIF file."


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("part", [0.1, 0.6])
def test_a_file_that_ends_early_is_refused(name: str, part: float) -> None:
    data = saved(noise(200, 200), name)
    assert DAMAGED in refusal_of(data[: int(len(data) * part)])


def test_an_avif_without_its_image_is_refused() -> None:
    assert DAMAGED in refusal_of(saved(noise(24, 16), "AVIF").replace(b"av01Color", b"none\0olor"))


def decode_bomb_png(side: int) -> bytes:
    """A real PNG of side x side pixels: 200 megapixels of black are some 600 KB."""
    packer = zlib.compressobj(9)
    row = bytes(side * 3 + 1)
    pixels = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def claim_jpeg(width: int, height: int) -> bytes:
    data = bytearray(saved(noise(8, 8), "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def claim_webp(width: int, height: int) -> bytes:
    data = bytearray(saved(noise(8, 8), "WEBP", lossless=True))
    place = data.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, place)
    struct.pack_into("<I", data, place, bits & ~0xFFFFFFF | (width - 1) | (height - 1) << 14)
    return bytes(data)


def claim_gif(width: int, height: int, *, frame: bool) -> bytes:
    """The screen's size is at 6; the frame's follows the image separator."""
    data = bytearray(saved(Image.new("P", (8, 8)), "GIF"))
    place = data.index(b"\x2c\0\0\0\0\x08\0\x08\0") + 5 if frame else 6
    struct.pack_into("<HH", data, place, width, height)
    return bytes(data)


def claim_avif(width: int, height: int) -> bytes:
    data = bytearray(saved(noise(64, 64), "AVIF"))
    place = data.index(b"ispe") + 8
    struct.pack_into(">II", data, place, width, height)
    return bytes(data)


def with_second_header(width: int, height: int) -> bytes:
    """Pillow believes the last IHDR."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return with_chunk(as_png(noise(8, 8)), chunk(b"IHDR", header))


BOMBS = {
    "PNG of 200 megapixels": decode_bomb_png(14_143),
    "PNG above the warning": decode_bomb_png(9_600),
    "PNG just above": decode_bomb_png(5_001),
    "PNG with a second header": with_second_header(8000, 8000),
    "JPEG": claim_jpeg(65_000, 65_000),
    "JPEG just above": claim_jpeg(5_001, 5_001),
    "WebP": claim_webp(16_383, 16_383),
    "WebP just above": claim_webp(5_001, 5_001),
    "GIF by its screen": claim_gif(65_535, 65_535, frame=False),
    "GIF by its frame": claim_gif(65_535, 65_535, frame=True),
    "GIF just above": claim_gif(5_001, 5_001, frame=True),
    "AVIF": claim_avif(32_000, 32_000),
    "AVIF just above": claim_avif(5_001, 5_001),
}


@pytest.mark.parametrize("name", BOMBS)
def test_too_many_pixels_are_refused_before_any_is_decoded(name: str) -> None:
    prepare(saved(noise(8, 8), name.split()[0].upper()), LIMITS)  # loads the plugin, which costs time and memory once
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert "too large" in refusal_of(BOMBS[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000  # KiB; 25 million pixels have 75,000
    assert time.process_time() - began < 1.0


def test_the_sentence_says_what_is_allowed() -> None:
    assert refusal_of(BOMBS["PNG just above"]) == (
        "The image is too large: it has 5001×5001 pixels, and at most 25 million with no side above 16384 are taken."
    )


def test_of_a_png_of_any_size_the_sentence_says_it() -> None:
    assert "it has 14143×14143 pixels" in refusal_of(BOMBS["PNG of 200 megapixels"])


def test_a_very_long_side_is_refused() -> None:
    assert "16385×1" in refusal_of(as_png(Image.new("L", (16_385, 1))))
    assert prepare(as_png(Image.new("L", (16_384, 1))), LIMITS).width == 16_384


def test_a_jpeg_of_a_thousand_passes_is_refused_before_it_is_decoded() -> None:
    data = saved(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    assert prepare(data[:-2] + last * 20 + data[-2:], LIMITS).width == 2000
    began = time.process_time()
    assert DAMAGED in refusal_of(data[:-2] + last * 1000 + data[-2:])
    assert time.process_time() - began < 1.0


def test_texts_and_profiles_that_unpack_to_much_are_no_trouble() -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    for kind, body in ((b"zTXt", b"a\0\0" + bomb), (b"iTXt", b"a\0\1\0\0\0" + bomb), (b"iCCP", b"a\0\0" + bomb)):
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        data = with_chunk(as_png(noise(8, 8)), chunk(kind, body))
        try:
            assert prepare(data, LIMITS).width == 8
        except UserError as refused:
            assert DAMAGED in str(refused)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 50_000


def test_a_moving_picture_costs_no_more_than_its_first_frame() -> None:
    frames = [noise(300, 300, "L", seed) for seed in range(3)]
    long = saved(frames[0], "GIF", save_all=True, append_images=frames[1:] * 100)
    prepare(long, LIMITS)
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert prepare(long, LIMITS).width == 300
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000
    assert time.process_time() - began < 1.0


def test_what_is_larger_than_is_kept_is_scaled_down_and_said_to_be() -> None:
    limits = InboundLimits(kept_pixels=1000)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    prepared = prepare(saved(smooth(100, 50), "JPEG", exif=exif), limits)
    assert (prepared.width, prepared.height, prepared.scaled_from) == (22, 44, (50, 100))
    exact = prepare(as_png(noise(50, 20)), limits)
    assert (exact.width, exact.height, exact.scaled_from) == (50, 20, None)


def test_a_sliver_keeps_its_one_pixel() -> None:
    prepared = prepare(as_png(Image.new("RGB", (2000, 1))), InboundLimits(kept_pixels=100))
    assert prepared.height == 1


def with_alpha(alpha: Image.Image) -> PreparedImage:
    image = noise(*alpha.size)
    image.putalpha(alpha)
    return prepare(as_png(image), LIMITS)


def test_what_is_transparent_is_white_in_the_mask() -> None:
    alpha = Image.new("L", (4, 1))
    alpha.putdata([0, 100, 254, 255])
    mask = mask_from_alpha(with_alpha(alpha))
    assert mask is not None
    image = opened(mask)
    assert (image.mode, list(image.tobytes()), mask.has_alpha) == ("L", [255, 155, 0, 0], False)
    assert (mask.width, mask.height, mask.key) == (4, 1, hashlib.sha256(mask.png).hexdigest())


def test_an_opaque_image_has_no_mask() -> None:
    assert mask_from_alpha(prepare(as_png(noise(8, 8)), LIMITS)) is None


def test_a_mask_is_grey_and_as_large_as_its_image() -> None:
    sent = of_colours("RGB").point(lambda value: 255 if value > 100 else 0)
    mask = fit_mask(prepare(as_png(sent), LIMITS), (128, 64))
    image = opened(mask)
    assert (image.mode, image.size, (mask.width, mask.height)) == ("L", (128, 64), (128, 64))
    assert [image.getpixel(place) for place in ((20, 32), (100, 32))] == [0, 255]


def test_a_mask_painted_on_a_transparent_layer_counts_where_it_is_painted() -> None:
    layer = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
    layer.paste((10, 20, 30, 255), (32, 0, 64, 32))
    image = opened(fit_mask(prepare(as_png(layer), LIMITS), (64, 32)))
    assert [image.getpixel(place) for place in ((16, 16), (48, 16))] == [0, 255]


@pytest.mark.parametrize("size", [(64, 32), (65, 32), (640, 320)])
def test_a_mask_of_the_same_shape_fits(size: tuple[int, int]) -> None:
    assert opened(fit_mask(prepare(as_png(of_colours("L")), LIMITS), size)).size == size


@pytest.mark.parametrize("size", [(32, 64), (64, 64), (64, 30)])
def test_a_mask_of_another_shape_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="another shape than the image"):
        fit_mask(prepare(as_png(of_colours("L")), LIMITS), size)


def test_a_black_mask_is_refused() -> None:
    with pytest.raises(UserError, match="black all over"):
        fit_mask(prepare(as_png(Image.new("RGB", (8, 8))), LIMITS), (8, 8))


VALID = [saved(noise(24, 16), name) for name in FORMATS] + [
    saved(noise(24, 16), "JPEG", exif=user_comment(b"UNICODE\0")),
    saved(noise(24, 16, "RGBA"), "WEBP"),
    saved(of_colours("P"), "GIF"),
]


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some damage
@given(st.sampled_from(VALID), st.integers(0, 2**32), st.integers(1, 12))
def test_damage_of_any_kind_ends_in_an_image_or_a_sentence(data: bytes, seed: int, count: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # damage is no secret
    damaged = bytearray(data)
    for _ in range(count):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    try:
        prepared = prepare(bytes(damaged), InboundLimits(pixels=1_000_000))
    except UserError:
        return
    assert opened(prepared).size == (prepared.width, prepared.height)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some EXIF
@given(st.binary(max_size=200), st.sampled_from([b"", b"Exif\0\0", b"MM\0*\0\0\0\x08\0\x02", b"II*\0\x08\0\0\0\x02\0"]))
def test_exif_of_any_kind_is_no_trouble(body: bytes, start: bytes) -> None:
    plain = saved(noise(24, 16), "JPEG")
    segment = b"Exif\0\0" + start + body
    jpeg = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    for data in (jpeg, with_chunk(as_png(noise(24, 16)), chunk(b"eXIf", start + body))):
        assert {prepare(data, LIMITS).width, 24, 16} == {24, 16}


def test_what_can_be_seen_through_is_put_on_white() -> None:
    image = Image.new("RGBA", (4, 2), (10, 20, 30, 255))
    image.paste((10, 20, 30, 0), (2, 0, 4, 2))
    laid = opaque(prepare(saved(image, "PNG"), LIMITS))
    found = opened(laid)
    assert (found.mode, laid.has_alpha, found.size) == ("RGB", False, (4, 2))
    assert [found.getpixel(place) for place in ((0, 0), (3, 1))] == [(10, 20, 30), (255, 255, 255)]
    assert laid.key == hashlib.sha256(laid.png).hexdigest()
    plain = prepare(saved(Image.new("RGB", (2, 2)), "PNG"), LIMITS)
    assert opaque(plain) is plain
