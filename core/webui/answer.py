"""What a webui answered, as it came (Answer) and as the bot understands it (Rendered). It does no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from core.errors import NoCaption, UnreadableAnswer

CAPTION_LIMIT = 50_000
"""Characters of a caption that are kept: what a model says is seldom a thousand."""
_CAPTION_KEYS = ("caption", "tags", "answer")
_INVISIBLE = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0), *range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C}
    - {ord("\n"), ord("\t")}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `files[n]` is the file that holds `images[n]`, None for an entry without bytes.

    `info` is the decoded JSON inside the string `info`; {} where the webui left it empty, out, or unreadable.
    `caption` are the words about an image, where those were asked for.
    """

    files: tuple[str | None, ...]
    info: Mapping[str, Any] = field(default_factory=dict)
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """One picture: its file's name in the spool folder, its seed, and its infotext, from the file or from `info`."""

    file: str
    seed: int | None
    infotext: str | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a webui drew, and how: small and JSON-able by msgspec, since it is the recorded result of a step.

    `warnings` are sentences for people about what differs from the request. The rest are facts of the first picture,
    None where neither the webui nor the picture says; `width` and `height` are the picture's own, in pixels. `maps` are
    the files of preprocessors' maps that were asked for. `upscaler` is what enlarged it.
    A description has a `caption` and no picture.
    """

    pictures: tuple[RenderedPicture, ...]
    warnings: tuple[str, ...] = ()
    checkpoint: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    width: int | None = None
    height: int | None = None
    maps: tuple[str, ...] = ()
    upscaler: str | None = None
    caption: str | None = None


def decode_answer(rest: bytes, streamed: list[str | None], key: str = "images") -> Answer:
    """Join the JSON that was left over (each image string emptied) with the names of the files that were written.

    Raises UnreadableAnswer where `rest` is not a JSON object.
    """
    body = _decode(rest)
    if not isinstance(body, dict):
        raise UnreadableAnswer(f"expected a JSON object, got {type(body).__name__}")
    images = body.get(key) if key == "images" else [body.get(key)]
    files: list[str | None] = []
    if isinstance(images, list):
        written = iter(streamed)
        files = [next(written, None) if isinstance(entry, str) else None for entry in images]
    return Answer(files=tuple(files), info=decode_info(body.get("info")))


def decode_caption(body: bytes) -> Answer:
    """The words about an image, whichever of the webuis' keys they come under (contract 1.2).

    NoCaption where there are none, UnreadableAnswer where it is no JSON object.
    """
    answer = _decode(body)
    if not isinstance(answer, dict):
        raise UnreadableAnswer(f"expected a JSON object, got {type(answer).__name__}")
    texts = (answer.get(key) for key in _CAPTION_KEYS)
    caption = next((tidied for text in texts if isinstance(text, str) and (tidied := _visible(text))), None)
    if caption is None:
        raise NoCaption("the answer holds no caption")
    return Answer(files=(), caption=caption)


def _visible(text: str) -> str:
    """Without what can't be seen or turns the direction of reading, and without half characters."""
    whole = text[:CAPTION_LIMIT].encode("utf-8", "replace").decode("utf-8")
    return whole.translate(_INVISIBLE).strip()


def decode_info(info: Any) -> Mapping[str, Any]:
    """Read `info`, which is a string that contains JSON (contract 2.6), or already an object, or nothing usable."""
    if isinstance(info, str) and info.strip():
        try:
            info = _decode(info.encode("utf-8", "surrogatepass"))
        except UnreadableAnswer:
            return {}
    return info if isinstance(info, dict) else {}


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # Python's own json writes NaN and lone surrogates, which msgspec rightly refuses
    try:
        return json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(f"not JSON: {error}"[:200]) from None
