"""Images that people send in, made harmless and plain: what a webui gets is a PNG of our own writing, or nothing.

It knows bytes and Pillow, and says sentences; it fetches and keeps nothing. Every function blocks: use a thread.
A file is what its first bytes say. Its size is checked before a pixel is decoded, and nothing of it but pixels goes on.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass, field

from PIL import Image

from core.errors import UnreadableAnswer, UserError
from core.images import decoding, png
from core.images.kinds import AVIF, GIF, HEAD_BYTES, JPEG, PNG, WEBP, Kind, sniff

TAKEN = frozenset({PNG, JPEG, WEBP, AVIF, GIF})

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation but 1, which is upright (EXIF 2.32, tag 274)."""
_FIRST_SIDEWAYS = 5
_COMPRESSION = 1  # a third of level 6's time for a third more bytes, which are kept for some minutes
_START_OF_SCAN = b"\xff\xda"  # in a JPEG's pixels themselves no 0xFF is followed by this
_MAX_SCANS = 100  # encoders write about ten; each of thousands, 42 bytes long, is a pass over all pixels
_SAME_SHAPE = 0.02
_DAMAGED = "The image can't be read: it is damaged, incomplete or far too large. Save it anew and send that."


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundLimits:
    """`pixels` and `side` refuse. What has more than `kept_pixels` is scaled down to these: a 4K screen fits."""

    pixels: int = 25_000_000
    side: int = 16_384
    kept_pixels: int = 1 << 23


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """A PNG in RGB, RGBA or (masks) grey without any metadata; `key` is its SHA-256 in hex.

    `scaled_from` is the width and height it was sent with, turned upright, where it had to be made smaller.
    """

    png: bytes = field(repr=False)
    width: int
    height: int
    has_alpha: bool
    key: str
    scaled_from: tuple[int, int] | None = None


def prepare(data: bytes, limits: InboundLimits) -> PreparedImage:
    """The image (a moving one's first frame), upright, as a new PNG; UserError where it can't be taken."""
    kind = sniff(data[:HEAD_BYTES])
    if kind is None or kind not in TAKEN:
        raise UserError("This is no image that is taken here: send a PNG, JPEG, WebP, AVIF or GIF file.")
    image = _decode(data, kind, limits)
    orientation = _read_orientation(image)
    plain = _to_rgb(image)
    kept = _shrink(plain, limits.kept_pixels)
    sent = plain.size if orientation < _FIRST_SIDEWAYS else plain.size[::-1]
    upright = kept.transpose(_TURNS[orientation]) if orientation in _TURNS else kept
    return _encode(upright, scaled_from=None if kept is plain else sent)


def mask_from_alpha(prepared: PreparedImage) -> PreparedImage | None:
    """White where the image is transparent, which is what is to be painted anew; None where it is opaque all over."""
    if not prepared.has_alpha:
        return None
    alpha = decoding.decode(prepared.png, PNG).getchannel("A")
    return _encode(alpha.point(lambda value: 0 if value >= decoding.OPAQUE else 255 - value))


def opaque(prepared: PreparedImage) -> PreparedImage:
    """The image on white where it is transparent: a webui's preprocessors look at colours alone."""
    if not prepared.has_alpha:
        return prepared
    image = decoding.decode(prepared.png, PNG)
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return _encode(ground, scaled_from=prepared.scaled_from)


def fit_mask(mask: PreparedImage, size: tuple[int, int]) -> PreparedImage:
    """The mask in grey and as large as its image, `size` being width and height. Where it is white, paint anew.

    A mask that is transparent somewhere counts where it isn't, whatever colour it was painted in, as A1111 has it.
    UserError where it has another shape than the image, or nothing in it.
    """
    width, height = size
    if abs(mask.width * height - mask.height * width) > _SAME_SHAPE * mask.width * height:
        raise UserError(
            f"The mask ({mask.width}×{mask.height}) has another shape than the image ({width}×{height}): "
            "paint it on a copy of the image."
        )
    image = decoding.decode(mask.png, PNG)
    grey = image.getchannel("A") if mask.has_alpha else image.convert("L")
    if grey.getextrema() == (0, 0):
        raise UserError("The mask is black all over: make white what is to be painted anew.")
    return _encode(grey if grey.size == size else grey.resize(size, Image.Resampling.LANCZOS))


def resized(png_bytes: bytes, size: tuple[int, int]) -> bytes:
    """One of our own PNGs with this width and height; as it is where it has them."""
    image = decoding.decode(png_bytes, PNG)
    return png_bytes if image.size == size else _encode(image.resize(size, Image.Resampling.LANCZOS)).png


def _decode(data: bytes, kind: Kind, limits: InboundLimits) -> Image.Image:
    try:
        if kind == PNG:  # any size can be named, while Pillow opens only some
            _check_size(png.read_size(data), limits)
        # What would be decoded: that of a PNG's second header, of a GIF's first frame.
        _check_size(decoding.open_header(data, kind).size, limits)
        if kind == JPEG and data.count(_START_OF_SCAN) > _MAX_SCANS:
            raise UserError(_DAMAGED)
        return decoding.decode(data, kind)
    except UnreadableAnswer as error:
        raise UserError(_DAMAGED) from error


def _check_size(size: tuple[int, int], limits: InboundLimits) -> None:
    width, height = size
    if width * height > limits.pixels or max(size) > limits.side:
        raise UserError(
            f"The image is too large: it has {width}×{height} pixels, and at most {limits.pixels / 1e6:g} million "
            f"with no side above {limits.side} are taken."
        )


def _read_orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except decoding.PILLOW_ERRORS:  # broken EXIF says nothing
        return 1
    return orientation if isinstance(orientation, int) else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    """RGBA where something can be seen through, else RGB. Grey of 16 bits keeps its upper eight."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        alpha = decoding.read_alpha_range(image)
        if alpha is not None and alpha[0] < decoding.OPAQUE:
            return image
    return image if image.mode == "RGB" else image.convert("RGB")


def _shrink(image: Image.Image, pixels: int) -> Image.Image:
    if image.width * image.height <= pixels:
        return image
    factor = math.sqrt(pixels / (image.width * image.height))
    size = (max(1, int(image.width * factor)), max(1, int(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encode(image: Image.Image, scaled_from: tuple[int, int] | None = None) -> PreparedImage:
    image.info.clear()  # a colour profile would go along
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_COMPRESSION)
    data = out.getvalue()
    return PreparedImage(
        png=data,
        width=image.width,
        height=image.height,
        has_alpha=image.mode == "RGBA",
        key=hashlib.sha256(data).hexdigest(),
        scaled_from=scaled_from,
    )
