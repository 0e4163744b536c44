"""Whether a picture is one colour all over, as NaNs in a model leave it. It decodes only what is suspiciously small."""

from __future__ import annotations

from core.images import decoding, sizes
from core.images.facts import recognise

_BYTES_PER_PIXEL = 0.05  # stb_image_write packs a black picture to 0.02 and JPEG to 0.03; drawn ones need over 0.2
_ALLOWANCE = 16_384  # headers, profile and infotext; pictures this small cost next to nothing to decode


def is_blank(data: bytes) -> bool:
    """True only where every pixel has the same colour. A thread's work: some 30 ms where it has to decode a megapixel.

    False for kinds that can't be decoded here; UnreadableAnswer for what is no picture or is damaged.
    """
    kind = recognise(data)
    if kind not in decoding.PILLOW_FORMATS:
        return False
    width, height = sizes.read_size(data, kind)
    if len(data) - _ALLOWANCE > width * height * _BYTES_PER_PIXEL:
        return False
    image = decoding.decode(data, kind)
    if getattr(image, "n_frames", 1) > 1:
        return False
    alpha = decoding.read_alpha_range(image)
    if alpha is not None and alpha[0] != alpha[1] and alpha[0] < decoding.OPAQUE:
        return False
    if alpha is not None or image.mode == "P":
        image = image.convert("RGB")
    return all(band.getextrema()[0] == band.getextrema()[1] for band in image.split())
