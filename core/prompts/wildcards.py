"""Wildcards: lists of texts from the operator's folder, kept in memory. The only module that reads its files.

What somebody types is looked up among names that are already here, and never becomes a path. A file is kept as its
bytes and where its lines begin, so that a large collection costs about its own size.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from core.errors import UserError
from core.prompts.changes import look
from core.prompts.syntax import NAME
from core.webui.names import nearest, shorten

log = logging.getLogger(__name__)

FILE_BYTES = 8 * 1024 * 1024
"""A larger file is skipped: it is no list that somebody wrote."""
TOTAL_BYTES = 256 * 1024 * 1024
"""What all files may hold together; the rest is skipped."""
FILES = 20_000
"""How many files are read; the rest is skipped."""
EVERY_SECONDS = 30.0
"""How often the folder is looked at for changes."""
SUFFIXES = frozenset({".txt", ".json"})

_NAME = re.compile(NAME)
_NAMED = re.compile(rf"__({NAME})__")


@dataclass(frozen=True, slots=True)
class _File:
    """The values of one file: UTF-8, and where each begins (one more than there are: they end with a newline each)."""

    blob: bytes
    starts: array[int]
    plain: bool

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> str:
        return self.blob[self.starts[number] : self.starts[number + 1] - 1].decode()


class Values:
    """What a name stands for: at least one text. `plain`: none of them holds syntax."""

    __slots__ = ("_ends", "_files", "plain")

    def __init__(self, files: Sequence[_File]) -> None:
        self._files = tuple(files)
        self._ends = list(accumulate(len(file) for file in files))
        self.plain = all(file.plain for file in files)

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self):
            raise IndexError(number)
        place = bisect_right(self._ends, number)
        return self._files[place][number - (self._ends[place - 1] if place else 0)]

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """All that was read, by name; globs that were asked for are remembered."""

    files: Mapping[str, _File] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    globs: dict[str, Values | None] = field(default_factory=dict)


class Wildcards:
    """The wildcards below `folder`, once `refresh` was called; without a folder there are none, and none is missed."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._shelf = _Shelf()
        self._seen = 0

    @property
    def configured(self) -> bool:
        """Whether there is a folder, so that a name which isn't known is a mistake."""
        return self._folder is not None

    @property
    def names(self) -> tuple[str, ...]:
        """All names in order, such as `colours/warm`: for autocomplete, without the underscores."""
        return self._shelf.names

    def refresh(self) -> int:
        """Read the folder again and answer how many wildcards there are; it blocks, so call it in a thread.

        A folder that can't be read leaves no wildcards, and a line in the log.
        """
        if self._folder is not None:
            folder = self._folder.expanduser()
            self._seen = look(folder, SUFFIXES, FILES)  # first: what is written meanwhile is read the next time
            files = dict(_read_folder(folder))
            self._shelf = _Shelf(files, tuple(files))
            self._warn_of_unknown()
            log.info("%d wildcards with %d values", len(files), sum(map(len, files.values())))
        return len(self._shelf.files)

    def refresh_if_changed(self) -> bool:
        """Read the folder again where something in it changed, and answer whether it had; it blocks, too."""
        if self._folder is None or look(self._folder.expanduser(), SUFFIXES, FILES) == self._seen:
            return False
        self.refresh()
        return True

    async def keep_fresh(self) -> None:
        """Find what the operator changes, within half a minute; for ever."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self.refresh_if_changed)

    def _warn_of_unknown(self) -> None:
        """Tell the operator which names in values are not known: in a prompt they stay text."""
        for name, file in self._shelf.files.items():
            named = set(_NAMED.findall(file.blob.decode())) if b"__" in file.blob else set()
            unknown = sorted(other for other in named if self.find(other) is None)
            if unknown:
                log.warning("wildcard %s names %d unknown ones, such as __%s__", name, len(unknown), unknown[0])

    def find(self, name: str) -> Values | None:
        """The values of a wildcard, or of all whose names match a glob (`*` stands for any text, / included)."""
        shelf = self._shelf
        key = fold(name)
        if "*" not in key:
            file = shelf.files.get(key)
            return None if file is None else Values((file,))
        try:
            return shelf.globs[key]
        except KeyError:
            if len(shelf.globs) >= 256:
                shelf.globs.clear()  # perhaps while another thread looks
            found = [shelf.files[name] for name in shelf.names if _matches(key.split("*"), name)]
            values = shelf.globs[key] = Values(found) if found else None
            return values

    def work(self, name: str) -> int:
        """How many steps it takes to find a name: globs are compared with every name."""
        return 1 + len(self._shelf.names) // 8 if "*" in name and fold(name) not in self._shelf.globs else 1

    def unknown(self, name: str) -> UserError:
        """The sentence for somebody who named a wildcard that isn't here."""
        as_text = f"To keep it as text, write \\__{name}__."
        near = nearest(self.names, name)
        if not near:
            return UserError(f"There is no wildcard __{name}__ here, nor any other yet. {as_text}")
        listed = " or ".join(f"__{shorten(other, 60)}__" for other in near)
        return UserError(f"There is no wildcard __{shorten(name, 60)}__ here. Did you mean {listed}? {as_text}")


def fold(name: str) -> str:
    """A name as it is looked up: any case, either form of accents (macOS keeps file names decomposed)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _matches(pieces: Sequence[str], name: str) -> bool:
    """Whether `name` is the pieces with any text between them; each is looked for once, from left to right."""
    first, *middle, last = pieces
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for piece in middle:
        position = name.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True


def _read_folder(folder: Path) -> Iterator[tuple[str, _File]]:
    """Every wildcard below `folder` in the order of their names, each once."""
    known: set[str] = set()
    left = TOTAL_BYTES
    for name, path in sorted(_list_files(folder)):
        if name in known:
            log.warning("wildcard file skipped, another has the same name: %s", path)
            continue
        data = _read(path, min(left, FILE_BYTES))
        file = None if data is None else _parse_file(path, data)
        if data is None or file is None:
            continue
        left -= len(data)
        known.add(name)
        yield name, file


def _list_files(folder: Path) -> list[tuple[str, Path]]:
    """Names and paths of the files that may be read. Hidden ones are passed over, and so is what leads outside."""
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # links in a circle are a RuntimeError before Python 3.13
        log.warning("WILDCARDS_DIR can't be read: %s", getattr(error, "strerror", error))
        return []
    found: list[tuple[str, Path]] = []
    for parent, folders, files in os.walk(root, onerror=_report):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file_name in files:
            path = Path(parent, file_name)
            if path.suffix.casefold() not in SUFFIXES or file_name.startswith("."):
                continue
            if len(found) >= FILES:
                log.warning("only the first %d wildcard files are read", FILES)
                return found
            name = fold(path.relative_to(root).with_suffix("").as_posix())
            if not _NAME.fullmatch(name) or "*" in name:
                log.warning("wildcard file skipped, no prompt can say its name: %s", path)
            elif _leads_outside(path, root):
                log.warning("wildcard file skipped, it is a link that leads out of the folder: %s", path)
            else:
                found.append((name, path))
    return found


def _leads_outside(path: Path, root: Path) -> bool:
    """Whether a file is a link to something that isn't below `root`, or to nothing."""
    try:
        return path.is_symlink() and not path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # as above
        return True


def _report(error: OSError) -> None:
    log.warning("wildcard folder skipped: %s: %s", error.filename, error.strerror)


def _read(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes; otherwise None, and a line in the log."""
    try:
        if not path.is_file():  # a pipe would never end
            log.warning("wildcard file skipped, it is no file: %s", path)
            return None
        with path.open("rb", buffering=0) as file:
            data = file.read(limit + 1)
    except OSError as error:
        log.warning("wildcard file skipped: %s: %s", path, error.strerror)
        return None
    if data is None or len(data) > limit:
        log.warning("wildcard file skipped, there is too much of it: %s", path)
        return None
    return data


def _parse_file(path: Path, data: bytes) -> _File | None:
    """The values of a file; None, and a line in the log, where there are none."""
    try:
        data = data.removeprefix(b"\xef\xbb\xbf")
        data.decode()
        values = _json_values(data) if path.suffix.casefold() == ".json" else _lines(data)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        log.warning("wildcard file skipped, it is no text in UTF-8, or no JSON: %s", path)
        return None
    if not values:
        log.warning("wildcard file skipped, it holds no values: %s", path)
        return None
    return _pack(values)


def _lines(data: bytes) -> list[bytes]:
    return [value for line in data.split(b"\n") if (value := line.strip()) and not value.startswith(b"#")]


def _json_values(data: bytes) -> list[bytes]:
    """A list of texts and numbers; what else is in it is left out. ValueError where it is no list."""
    body = json.loads(data)
    if not isinstance(body, list):
        raise ValueError("no list")  # noqa: TRY004  # a fault of the file, like all others of its kind
    texts = (str(item).strip() for item in body if isinstance(item, str | int | float) and not isinstance(item, bool))
    return [text.encode("utf-8", "replace") for text in texts if text]


def _pack(values: Iterable[bytes]) -> _File:
    values = list(values)
    blob = b"\n".join(values) + b"\n"
    starts = array("I", accumulate((len(value) + 1 for value in values), initial=0))
    return _File(blob, starts, plain=not any(sign in blob for sign in (b"{", b"__", b"\\")))
