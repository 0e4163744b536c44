"""Image files: encoded with their infotext as webui 1.10.1 does it, and read back. Knows no HTTP and no prompt."""

import base64
import binascii
import io
import struct
import zlib
from functools import lru_cache

from PIL import ExifTags, Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from playground.webui.errors import CrashError, RefusedError

USER_COMMENT_PREFIX = b"UNICODE\0"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_image(
    image: Image.Image, samples_format: str, texts: dict[str, str], *, quality: int = 80, level: int = 6
) -> bytes:
    """The file: PNG with text chunks (tEXt in Latin-1, else iTXt), or JPEG/WebP with the EXIF UserComment.

    `level` is zlib's, for PNG. Raises RefusedError (500) for any other format.
    """
    out = io.BytesIO()
    match samples_format.lower():
        case "png":
            chunks = PngInfo()
            for key, text in texts.items():
                chunks.add_text(key, text)
            image.save(out, "PNG", pnginfo=chunks, compress_level=level)
        case "jpg" | "jpeg" | "webp" as lossy:
            exif = Image.Exif()
            comment = USER_COMMENT_PREFIX + texts.get("parameters", "").encode("utf-16-be")
            exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
            kind = "WEBP" if lossy == "webp" else "JPEG"
            image.convert("RGB").save(out, kind, quality=quality, exif=exif)
        case _:
            raise RefusedError(500, "Invalid image format")
    return out.getvalue()


def decode_input(text: str) -> Image.Image:
    """The image of a request's base64 or data-URI, turned upright, with its metadata in `.info`.

    Raises RefusedError (500) in the server's words. URLs are never fetched: refused as its guard refuses local ones.
    """
    if text.startswith(("http://", "https://")):
        raise RefusedError(500, "Request to local resource not allowed")
    if text.startswith("data:image/"):
        _, semicolon, text = text.partition(";")
        if not semicolon:
            raise CrashError("IndexError", "list index out of range")
        text = text.partition(",")[2]
    try:
        with Image.open(io.BytesIO(base64.b64decode(text))) as image:
            info = dict(image.info)
            upright = ImageOps.exif_transpose(image)
            upright.load()
    except (binascii.Error, OSError, SyntaxError, ValueError) as error:
        raise RefusedError(500, "Invalid encoded image") from error
    upright.info = info
    return upright


def read_metadata(image: Image.Image) -> tuple[str, dict[str, str]]:
    """The infotext ("" if there is none) and the other text entries."""
    items = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
    text = items.pop("parameters", "")
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    if not text and isinstance(comment, bytes) and comment.startswith(USER_COMMENT_PREFIX):
        text = comment.removeprefix(USER_COMMENT_PREFIX).decode("utf-16-be", "replace")
    return text, items


def cheap_png(width: int, height: int, key: bytes, texts: dict[str, str]) -> bytes:
    """A valid striped PNG of that size for load tests, unlike any other key's, made without touching pixels.

    `key` is at least 6 bytes: the two colours of its palette.
    """
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    chunks = [_chunk(b"IHDR", header), _chunk(b"PLTE", key[:6])]
    for name, text in texts.items():
        try:
            chunks.append(_chunk(b"tEXt", name.encode() + b"\0" + text.encode("latin-1")))
        except UnicodeEncodeError:
            chunks.append(_chunk(b"iTXt", name.encode() + b"\0\0\0\0\0" + text.encode()))
    return _PNG_SIGNATURE + b"".join(chunks) + _striped_pixels(width, height)


def insert_text(png: bytes, key: str, text: bytes) -> bytes:
    """The PNG with a tEXt chunk of those very bytes behind its header, whatever their encoding is."""
    end_of_header = len(_PNG_SIGNATURE) + 25
    chunk = _chunk(b"tEXt", key.encode() + b"\0" + text)
    return png[:end_of_header] + chunk + png[end_of_header:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=64)
def _striped_pixels(width: int, height: int) -> bytes:
    row = b"\0" + b"\xf0" * ((width + 7) // 8)
    return _chunk(b"IDAT", zlib.compress(row * height, 6)) + _chunk(b"IEND", b"")
