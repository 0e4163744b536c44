"""Reads the JSON of a webui's list routes, whatever is odd about it. Pure; a bad item is left out, not an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import ijson  # type: ignore[import-untyped]  # it has no types

from core.webui.assets import Lora
from core.webui.catalog import Capabilities, Checkpoint, Named
from core.webui.own import read_own

FACE_MODEL = "face_yolov8n.pt"
"""What ADetailer has in every installation."""
_FACE_SIZE = re.compile(r"yolo(?:v?[0-9]+)?([nsmlx])(?![a-z])")
_FACE_SIZES = "nsmlx"
"""How YOLO's models are named, from the smallest to the largest."""
_LORA_FIELDS = frozenset({"item.name", "item.alias", "item.path"})
# sd.cpp and KoboldCpp answer GET options with these two alone, and ignore override_settings and n_iter.
_TOKEN_OPTIONS = frozenset({"samples_format", "sd_model_checkpoint"})


class NoListError(ValueError):
    """What came is no JSON list."""


class LoraReader:
    """`/sdapi/v1/loras`, read while it arrives: with each file come megabytes of training data that nobody needs."""

    def __init__(self) -> None:
        self._loras: list[Lora] = []
        self._now: dict[str, str] = {}
        self._is_list = False
        self._events = ijson.sendable_list()
        self._parser = ijson.parse_coro(self._events)

    def feed(self, data: bytes) -> None:
        """The next piece; NoListError where it is no JSON list."""
        try:
            self._parser.send(data)
        except (ijson.JSONError, ValueError) as error:
            raise NoListError(f"loras: {error}") from None
        for prefix, event, value in self._events:
            if not self._is_list:
                self._begin(event)
            elif event == "string" and prefix in _LORA_FIELDS:
                self._now[prefix.removeprefix("item.")] = value.strip()
            elif event == "end_map" and prefix == "item":
                self._end_item()
        del self._events[:]

    def close(self) -> tuple[Lora, ...]:
        """What was read; NoListError where the end is missing."""
        try:
            self._parser.close()
        except ijson.JSONError as error:
            raise NoListError(f"loras: {error}") from None
        if not self._is_list:
            raise NoListError("loras: it is no list")
        return tuple({lora.name: lora for lora in self._loras}.values())

    def _begin(self, event: str) -> None:
        """An object may have a key `item`, too."""
        if event != "start_array":
            raise NoListError("loras: it is no list")
        self._is_list = True

    def _end_item(self) -> None:
        now, self._now = self._now, {}
        if name := now.get("name", ""):
            path = now.get("path", "")
            # A relative path is what sd.cpp wants back; an absolute one is nobody's affair, and costs memory.
            is_relative = path and not path.startswith(("/", "\\")) and path[1:2] != ":"
            alias = now.get("alias", "")
            self._loras.append(Lora(name, "" if alias == name else alias, path if is_relative else ""))


def read_names(body: Any, key: str, *, needs: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names of a list of objects, each once; with `needs`, of those that have any of these texts."""
    found = (_text(item, key) for item in _objects(body) if not needs or any(_text(item, need) for need in needs))
    return tuple(dict.fromkeys(name for name in found if name))


def read_scripts(body: Any) -> frozenset[str]:
    """The titles of `/sdapi/v1/scripts` for txt2img, in small letters."""
    titles = body.get("txt2img") if isinstance(body, dict) else None
    titles = titles if isinstance(titles, list) else ()
    return frozenset(title.casefold() for title in titles if isinstance(title, str))


def read_face_models(body: Any) -> tuple[str, ...]:
    """`/adetailer/v1/ad_model`: those that look for faces, the smallest first; where it says nothing, the usual one."""
    names = body.get("ad_model") if isinstance(body, dict) else None
    faces = [name for name in (names if isinstance(names, list) else ()) if isinstance(name, str) and "face" in name]
    return tuple(sorted(faces, key=lambda name: (not name.startswith("face_yolo"), _face_size(name), name))) or (
        FACE_MODEL,
    )


def _face_size(name: str) -> int:
    """A model's place among the sizes, the last where its name says none."""
    found = _FACE_SIZE.search(name)
    return len(_FACE_SIZES) if found is None else _FACE_SIZES.index(found[1])


def is_token(options: Any) -> bool:
    """Whether GET options answered with nothing but the two keys of sd.cpp and KoboldCpp."""
    return isinstance(options, dict) and bool(options) and _TOKEN_OPTIONS.issuperset(options)


def read_checkpoints(body: Any) -> tuple[Checkpoint, ...]:
    """`/sdapi/v1/sd-models`. The absolute server paths in it are cut down to the file's name."""
    found: list[Checkpoint] = []
    for item in _objects(body):
        title = _text(item, "title") or _text(item, "model_name")
        if not title:
            continue
        file_name = PurePosixPath(_text(item, "filename").replace("\\", "/")).name
        model_name = _text(item, "model_name") or title
        checkpoint = Checkpoint(
            title=title,
            model_name=model_name,
            hash=_text(item, "hash") or None,
            sha256=_text(item, "sha256") or None,
            stem=PurePosixPath(file_name).stem or model_name,
            file_name=file_name,
        )
        found.append(checkpoint)
    return tuple(dict.fromkeys(found))


def read_samplers(body: Any) -> tuple[Named, ...]:
    """`/sdapi/v1/samplers`."""
    return _named(body, "name")


def read_schedulers(body: Any) -> tuple[Named, ...]:
    """`/sdapi/v1/schedulers`. The label is what A1111 understands in every version, so it is the name."""
    return _named(body, "label")


def read_loaded_checkpoint(options: Any) -> str | None:
    """The option `sd_model_checkpoint`, in whatever form it was set; null on a fresh reForge."""
    return (_text(options, "sd_model_checkpoint") or None) if isinstance(options, dict) else None


def read_capabilities(options: Any, *, progress: bool, task_progress: bool) -> Capabilities:
    """What follows from the routes that answered.

    interrupt and png-info are there exactly where progress is (contract, section 5), and asking them would do work.
    `options` is None where that route failed, as it does with a null model (A1111#11805): overriding works there.
    """
    known = options if isinstance(options, dict) else {}
    token = is_token(known)
    full = "sd_model_checkpoint" in known and not token
    return Capabilities(
        task_progress=task_progress,
        progress=progress,
        interrupt=progress,
        png_info=progress,
        override_settings=full or progress,
        n_iter=progress or not token,
        **read_own(known),
    )


def _named(body: Any, shown: str) -> tuple[Named, ...]:
    found: dict[str, Named] = {}
    for item in _objects(body):
        name = _text(item, shown) or _text(item, "name")
        if not name:
            continue
        aliases = item.get("aliases")
        others = [_text(item, "name"), *(aliases if isinstance(aliases, list) else [])]
        kept = tuple(dict.fromkeys(other for other in others if isinstance(other, str) and other not in ("", name)))
        found.setdefault(name, Named(name, kept))
    return tuple(found.values())


def _objects(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, list):
        yield from (item for item in body if isinstance(item, dict))


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value.strip() if isinstance(value, str) else ""
