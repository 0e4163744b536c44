"""Width and height of a picture from its header. It decodes no pixels and refuses pictures too large to decode."""

from __future__ import annotations

import struct

from core.errors import UnreadableAnswer
from core.images import decoding, png
from core.images.kinds import AVI, JXL, PNG, Kind

_JXL_RATIOS = ((0, 0), (1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_JXL_WIDTHS_OF_NUMBERS = (9, 13, 18, 30)


def read_size(data: bytes, kind: Kind) -> tuple[int, int]:
    """Width and height in pixels; UnreadableAnswer where the header is broken."""
    if kind == PNG:
        return png.read_size(data)
    if kind == AVI:
        return _read_avi_size(data)
    if kind == JXL:
        return _read_jxl_size(data)
    return decoding.open_header(data, kind).size


def _read_avi_size(data: bytes) -> tuple[int, int]:
    # RIFF, size, "AVI ", LIST, size, "hdrl", "avih", size: the main header begins at 32, its width at 32 + 32.
    if data[24:28] != b"avih" or len(data) < 72:
        raise UnreadableAnswer("AVI without its main header")
    width, height = struct.unpack_from("<II", data, 64)
    return width, height


def _read_jxl_size(data: bytes) -> tuple[int, int]:
    # ISO/IEC 18181-1, SizeHeader: bits are read from the lowest of each byte.
    stream = _find_jxl_codestream(data)
    bits = _Bits(int.from_bytes(stream[2:14], "little"))
    small = bool(bits.take(1))
    height = _read_jxl_number(bits, small=small)
    numerator, denominator = _JXL_RATIOS[bits.take(3)]
    width = height * numerator // denominator if denominator else _read_jxl_number(bits, small=small)
    return width, height


def _find_jxl_codestream(data: bytes) -> bytes:
    if data.startswith(b"\xff\x0a"):
        return data[:14]
    for box, skip in ((b"jxlc", 4), (b"jxlp", 8)):
        place = data.find(box, 0, 65_536)
        if place >= 0 and data[place + skip : place + skip + 2] == b"\xff\x0a":
            return data[place + skip : place + skip + 14]
    raise UnreadableAnswer("JPEG XL without a codestream")


def _read_jxl_number(bits: _Bits, *, small: bool) -> int:
    if small:
        return (bits.take(5) + 1) * 8
    return bits.take(_JXL_WIDTHS_OF_NUMBERS[bits.take(2)]) + 1


class _Bits:
    def __init__(self, number: int) -> None:
        self._number = number

    def take(self, count: int) -> int:
        taken = self._number & ((1 << count) - 1)
        self._number >>= count
        return taken
