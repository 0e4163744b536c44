"""A picture made small enough for a limit in bytes. It knows bytes and Pillow, no Discord; it blocks: use a thread.

What is small enough is not touched. Else the cheapest loss that fits: none at all (WebP, or PNG where WebP can't), then
JPEG at falling quality (WebP where there is real transparency or a very long infotext), at last fewer pixels. The
infotext goes along in EXIF UserComment, or in the text chunk of a PNG.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from core.errors import UserError
from core.images import decoding, png
from core.images.exif import JPEG_EXIF_BYTES, build_user_comment_exif, exif_length
from core.images.kinds import JPEG, PNG, TIFF, WEBP, Kind

WEBP_MAX_SIDE = 16_383
JPEG_MAX_SIDE = 65_500  # what libjpeg accepts

_QUALITIES = (95, 88, 78, 65)
_SCALED_QUALITY = 80
_MAX_SCALINGS = 12
_FINE_QUALITY = 90  # from here on JPEG keeps the colours of every pixel
_COLOUR_MODES = ("RGB", "RGBA", "P")
_WEBP_MODES = ("RGB", "RGBA", "L", "LA")  # palettes and bits are smaller as PNG; more than 8 bits don't fit into WebP
_HOPEFUL = 1.6  # no lossless encoder saves more than this of what a webui wrote


@dataclass(frozen=True, slots=True)
class Fitted:
    """`data` is at most as long as the limit; `note` says what was done, for the person, None where nothing was."""

    data: bytes
    kind: Kind
    note: str | None


@dataclass(frozen=True, slots=True)
class _Attempt:
    data: bytes
    kind: Kind
    remarks: tuple[str, ...]


def fit(data: bytes, *, kind: Kind, limit: int, infotext: str | None) -> Fitted:
    """Return `data` itself if it has at most `limit` bytes, else the best re-encoding that has.

    UserError where it can't be made that small; UnreadableAnswer where its pixels are damaged.
    """
    if len(data) <= limit:
        return Fitted(data, kind, None)
    if kind not in decoding.PILLOW_FORMATS:
        raise UserError(
            f"The file has {_format_size(len(data))}, only {_format_size(limit)} fit, "
            f"and {kind.name} can't be made smaller here."
        )
    image = decoding.decode(data, kind)
    if image.mode not in _COLOUR_MODES:
        image.info.pop("icc_profile", None)  # it describes grey or CMYK, and the result will be RGB
    moving = ("only its first frame",) if getattr(image, "n_frames", 1) > 1 else ()
    for attempt in _attempts(image, data, kind, limit, infotext or ""):
        if 0 < len(attempt.data) <= limit:
            how = ", ".join((*attempt.remarks, *moving))
            return Fitted(attempt.data, attempt.kind, f"re-encoded as {how} to fit into {_format_size(limit)}")
    raise UserError(f"The picture can't be made small enough to fit into {_format_size(limit)}.")


def _attempts(image: Image.Image, data: bytes, kind: Kind, limit: int, infotext: str) -> Iterator[_Attempt]:
    # IHDR's bit depth: Pillow has reduced 16-bit colours to 8 by now, so that nothing could be called lossless.
    reduced = kind == PNG and data[24] > 8 and image.mode in _WEBP_MODES
    if kind in (PNG, TIFF) and not reduced and len(data) <= limit * _HOPEFUL:
        yield _encode_losslessly(image, infotext)
    yield from _encode_lossily(image, limit, infotext)


def _encode_losslessly(image: Image.Image, infotext: str) -> _Attempt:
    if max(image.size) > WEBP_MAX_SIDE or image.mode not in _WEBP_MODES:
        packed = _save(image, PNG, compress_level=9)
        if packed and infotext:
            packed = png.splice_text(packed, png.INFOTEXT_KEY, infotext)
        return _Attempt(packed, PNG, ("optimised PNG",))
    exif = build_user_comment_exif(infotext) if infotext else b""
    plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
    packed = _save(plain, WEBP, lossless=True, quality=0, method=4, exact=True, exif=exif)
    return _Attempt(packed, WEBP, ("lossless WebP",))


def _encode_lossily(image: Image.Image, limit: int, infotext: str) -> Iterator[_Attempt]:
    see_through = _is_see_through(image)
    wants_webp = see_through or exif_length(infotext) > JPEG_EXIF_BYTES
    kind = WEBP if wants_webp and max(image.size) <= WEBP_MAX_SIDE else JPEG
    exif, remarks = _build_exif(infotext, kind, limit)
    if see_through and kind == JPEG:
        remarks = (*remarks, "on white")
    plain = _flatten(image) if kind == JPEG else image.convert("RGBA" if see_through else "RGB")
    attempt = _Attempt(b"", kind, ())
    if max(plain.size) <= JPEG_MAX_SIDE:
        for quality in _QUALITIES:
            attempt = _Attempt(_save_lossy(plain, kind, quality, exif), kind, (_describe(kind, quality), *remarks))
            yield attempt
    for _ in range(_MAX_SCALINGS):
        too_large = max(len(attempt.data) / max(limit, 1), 1.5)
        factor = min(math.sqrt(1 / too_large) * 0.95, JPEG_MAX_SIDE / max(plain.size))
        size = (max(1, int(plain.width * factor)), max(1, int(plain.height * factor)))
        plain = plain.resize(size, Image.Resampling.LANCZOS)
        how = (_describe(kind, _SCALED_QUALITY), f"scaled down to {size[0]}×{size[1]}", *remarks)
        attempt = _Attempt(_save_lossy(plain, kind, _SCALED_QUALITY, exif), kind, how)
        yield attempt


def _describe(kind: Kind, quality: int) -> str:
    return f"{kind.name} (quality {quality})"


def _build_exif(infotext: str, kind: Kind, limit: int) -> tuple[bytes, tuple[str, ...]]:
    room = min(JPEG_EXIF_BYTES if kind == JPEG else limit, limit // 4)
    if not infotext:
        return b"", ()
    if exif_length("") >= room:
        return b"", ("without its infotext",)
    shortened = exif_length(infotext) > room
    return build_user_comment_exif(infotext, max_bytes=room), ("with its infotext shortened",) if shortened else ()


def _is_see_through(image: Image.Image) -> bool:
    alpha = decoding.read_alpha_range(image)
    return alpha is not None and alpha[0] < decoding.OPAQUE


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if not _is_see_through(image):
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")


def _save_lossy(image: Image.Image, kind: Kind, quality: int, exif: bytes) -> bytes:
    if kind == WEBP:
        return _save(image, WEBP, quality=quality, method=2, exif=exif)
    subsampling = "4:4:4" if quality >= _FINE_QUALITY else "4:2:0"
    return _save(image, JPEG, quality=quality, subsampling=subsampling, exif=exif, comment=b"")


def _save(image: Image.Image, kind: Kind, **options: object) -> bytes:
    """The encoded picture; empty where the encoder gives up (a side or a profile too long for the format)."""
    out = io.BytesIO()
    profile = image.info.get("icc_profile")
    try:
        image.save(out, decoding.PILLOW_FORMATS[kind], icc_profile=profile, **options)
    except decoding.PILLOW_ERRORS:
        return b""
    return out.getvalue()


def _format_size(size: int) -> str:
    for unit, bytes_of_it in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= bytes_of_it:
            return f"{size / bytes_of_it:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
