"""A picture's generation data, whichever program wrote them, read from its bytes alone. It asks no webui.

The text chunks of a PNG, its EXIF and XMP, the EXIF of a JPEG, WebP or AVIF. No pixel is decoded, so that what some
programs hide in pixels is not found.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from types import MappingProxyType

from core.images import comfyui, exif, infotext, invokeai, json_schemes, novelai, png
from core.images.facts import recognise
from core.images.generation import Metadata, as_text, read_object
from core.images.kinds import AVIF, JPEG, PNG, WEBP, Kind

__all__ = ["Metadata", "from_infotext", "read_metadata"]

_WITH_EXIF = (PNG, JPEG, WEBP, AVIF)
_TAGGED = re.compile(r"(prompt|workflow):(?=\s*\{)")  # how ComfyUI puts its two texts into any two tags of a WebP
_WRITERS = {
    "stable-diffusion.cpp": "stable-diffusion.cpp",
    "KoboldCpp": "KoboldCpp",
    "ComfyUI": "ComfyUI",
    "Easel": "Easel",
    "Fooocus": "Fooocus",
    "neo": "Forge Neo",
    "f0.": "Forge",
    "f1.": "reForge",
    "f2.": "Forge",
}
_XMP = "XML:com.adobe.xmp"
_A1111 = "AUTOMATIC1111"
_SD_NEXT = "SD.Next"


def read_metadata(data: bytes) -> Metadata | None:
    """What the picture tells of how it was made; None where it tells nothing that can be read.

    UnreadableAnswer where `data` are no picture that we know, or its header is broken.
    """
    kind = recognise(data)
    found = _read(kind, data)
    return None if found is None else _clean(found)


def from_infotext(raw: str) -> Metadata:
    """What an infotext says; any other text is all prompt."""
    read = infotext.parse(raw[: png.MAX_TEXT_BYTES])
    return Metadata(_name_writer(read.fields), read.prompt, read.negative_prompt, read.fields, raw)


def _read(kind: Kind, data: bytes) -> Metadata | None:
    texts = _read_texts(data, kind) if kind in _WITH_EXIF else {}
    written = _read_infotext(texts)
    if written is not None and written.fields:
        return written
    for read in (invokeai.read, novelai.read, comfyui.read):
        found = read(texts)
        if found is not None:
            return found
    return written


def _clean(found: Metadata) -> Metadata:
    """The same without what can't be written anywhere: JSON may hold half of a character."""
    fields = {png.clean_text(key): png.clean_text(value) for key, value in found.fields.items()}
    prompt, negative, raw = map(png.clean_text, (found.prompt, found.negative_prompt, found.raw))
    return Metadata(found.source, prompt, negative, MappingProxyType(fields), raw)


def _read_texts(data: bytes, kind: Kind) -> dict[str, str]:
    """Every text by its key, with those that other programs put into EXIF under the keys that they have in a PNG."""
    texts = png.read_texts(data) if kind == PNG else {}
    in_exif = exif.read_texts(data, kind)
    if comment := _comment_in(texts.get(_XMP, "")):
        in_exif.setdefault("UserComment", comment)
    for text in in_exif.values():
        if tagged := _TAGGED.match(text):
            texts.setdefault(tagged[1], text[tagged.end() :])
    comment = in_exif.get("UserComment", "")
    values = read_object(comment)
    if values is not None:
        for key, value in (*values.items(), ("prompt", comment), ("Comment", comment)):
            if text := as_text(value):
                texts.setdefault(key, text)
    return in_exif | texts


def _comment_in(xmp: str) -> str:
    """The UserComment of XMP, as Apple's frameworks write it; empty where there is none. No XML is parsed."""
    element = xmp.partition("<exif:UserComment>")[2].partition("</exif:UserComment>")[0]
    return html.unescape(element.partition("<rdf:li")[2].partition(">")[2].partition("</rdf:li>")[0])


def _read_infotext(texts: Mapping[str, str]) -> Metadata | None:
    # Without its line of parameters a text is known by its key alone: a camera's UserComment may be anything.
    for key in (png.INFOTEXT_KEY, "UserComment"):
        raw = texts.get(key, "")
        values = read_object(raw)
        if values is not None:  # which may hold what looks like a line of parameters
            found = json_schemes.read(values, raw)
            if found is not None or key == png.INFOTEXT_KEY:
                return found or Metadata("", raw.strip(), raw=raw)
            continue
        found = from_infotext(raw)
        if found.fields or (key == png.INFOTEXT_KEY and raw.strip()):
            return found
    return None


def _name_writer(fields: Mapping[str, str]) -> str:
    """Who wrote an infotext: many programs say so, and fields without a name are written as A1111 does."""
    if not fields:
        return ""
    version = fields.get("Version", "")
    if fields.get("App") == _SD_NEXT:
        return _SD_NEXT
    named = (name for start, name in _WRITERS.items() if version.startswith(start))
    return next(named, _A1111)
