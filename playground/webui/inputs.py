"""The images of requests as the webuis that never fetch a URL read them, and PNGs with raw UTF-8 text. No HTTP."""

import base64
import binascii
import io

from PIL import Image

from playground.webui.drawing import Encoder, Made
from playground.webui.faults import Fault, Planned
from playground.webui.images import insert_text
from playground.webui.rendering import Encoding, encode


def open_base64(text: str, *, strict: bool = False) -> Image.Image | None:
    """The image of base64 text, not turned upright, with its metadata in `.info`; None when it is none.

    Unless `strict`, everything up to the first comma is dropped, as of a data URI.
    """
    if not strict:
        text = text.partition(",")[2] or text
    try:
        data = base64.b64decode(text, validate=strict)
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image
    except (binascii.Error, OSError, SyntaxError, ValueError):
        return None


def file_format(usual: str, fault: Planned | None) -> str:
    """The format of the pictures' files: `usual`, or what a fault makes of it."""
    formats = {Fault.JPEG: "jpeg", Fault.WEBP: "webp"}
    return usual if fault is None else formats.get(fault.fault, usual)


def raw_text_encoder(fault: Planned | None, *, cheap: bool, with_text: bool = True) -> Encoder:
    """Writes PNGs whose tEXt chunk `parameters` holds UTF-8, although the standard says Latin-1."""
    kind = file_format("png", fault)
    with_text = with_text and not (fault is not None and fault.is_any(Fault.NO_METADATA))

    def encode_one(made: Made) -> bytes:
        file = encode(made.shot, made.picture, made.infotext, Encoding(kind, 90, False, cheap))
        if kind != "png" or not with_text:
            return file
        return insert_text(file, "parameters", made.infotext.encode("utf-8", "replace"))

    return encode_one
