"""The only module that writes pictures to disk: a spool of what webuis sent, and pictures named by their content.

Nothing a person typed reaches a path. A picture is in its place whole or not at all: its bytes are on the disk before
its name is, and the spooled file stays until `discard_spool`, so `keep_all` can be asked again after any crash.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigurationError
from core.images.facts import Facts, read_facts
from core.images.kinds import PNG
from core.images.png import INFOTEXT_KEY, clean_text, splice_text
from core.images.trimming import OnDisk

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{3,4}")
JPEG_END = b"\xff\xd9"
_SPOOL = re.compile(r"[0-9]{1,20}(-[0-9]{1,9}){0,2}")


@dataclass(frozen=True, slots=True)
class Raw:
    """One spooled file; `infotext` is spliced into it if it is a PNG that carries none."""

    path: Path
    infotext: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in its final place. `size` in bytes, `infotext` is what the kept file carries. JSON by msgspec."""

    name: str
    extension: str
    width: int
    height: int
    size: int
    infotext: str | None


class PictureStore:
    """Files below `root`: `pictures/ab/ab…<sha256>.<extension>`, some with a thumbnail beside, and `spool/<picture>/`.

    A kept picture and its spooled file are one file with two names: a spooled file is written once. To draw it
    again, `discard_spool` comes first.
    """

    def __init__(self, root: Path) -> None:
        self._pictures = root / "pictures"
        self._spool = root / "spool"
        self._root = root

    def spool(self, name: str) -> Path:
        """The folder for what a webui sends, made if need be. `name`: a job's id, `-3` for its fourth picture and
        `-1` for the first attempt at it.

        ValueError for any other name: nothing that a person typed may reach a path.

        Names that end in `.part` are the store's own.
        """
        folder = self._spool_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def keep_all(self, raws: Sequence[Raw]) -> list[Kept]:
        """Put spooled pictures in their places, in one hop to a thread; they are on the disk when this returns.

        The spooled files stay. Asking again gives the same answer. UnreadableAnswer where one is no picture.
        """
        return await asyncio.to_thread(self._keep_all, raws)

    def path(self, name: str) -> Path:
        """Where the picture `name` (of `Kept.name`) is or would be; ValueError where it is no such name."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not the name of a picture: {name!r}")
        return self._pictures / name[:2] / name

    def read_thumbnail(self, name: str) -> bytes | None:
        """The kept thumbnail of a picture; None where there is none that is whole. It blocks: use a thread."""
        try:
            data = _beside(self.path(name)).read_bytes()
        except OSError:
            return None
        return data if data.endswith(JPEG_END) else None  # it may have been cut off by a crash

    def keep_thumbnail(self, name: str, data: bytes) -> None:
        """Keep a JPEG beside its picture, for as long as that is there. It blocks: use a thread.

        They are some hundredths of their pictures' size, and not counted for it.
        """
        picture = self.path(name)
        _beside(picture).write_bytes(data)
        if not picture.exists():  # it was discarded meanwhile
            _beside(picture).unlink(missing_ok=True)

    async def discard(self, names: Collection[str]) -> int:
        """Remove pictures, with their thumbnails; how many are not here any more.

        What the disk does not let go of stays, and keeps no other. ValueError where one is no picture's name.
        """
        paths = [self.path(name) for name in names]
        return await asyncio.to_thread(_unlink, paths)

    def remove(self, name: str) -> None:
        """The same for one, at once."""
        _unlink([self.path(name)])

    async def list_files(self) -> list[OnDisk]:
        """Every kept picture; what goes meanwhile, or can't be looked at, is left out."""
        return await asyncio.to_thread(lambda: list(self._list_files()))

    async def discard_spool(self, name: str) -> None:
        """Remove raw pictures, once they are kept and that is recorded; nothing happens if there are none."""
        folder = self._spool_folder(name)
        if await asyncio.to_thread(folder.is_dir):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def sweep_spool(self, names: Collection[str]) -> None:
        """Remove the raw pictures of all other jobs: a crash may have left them behind."""
        await asyncio.to_thread(self._sweep_spool, frozenset(names))

    def writable(self) -> None:
        """Raise ConfigurationError with a sentence for the operator unless files can be written below root."""
        probe = self._spool / f".probe-{uuid.uuid4().hex}"
        try:
            for folder in (self._pictures, self._spool):
                folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"Easel")
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"DATA_DIR: {self._root} can't be written ({error.strerror or type(error).__name__})."
            ) from error

    def _list_files(self) -> Iterator[OnDisk]:
        for path in self._pictures.glob("*/*"):
            if _NAME.fullmatch(path.name):
                with contextlib.suppress(OSError):
                    facts = path.stat()
                    yield OnDisk(path.name, facts.st_size, facts.st_mtime)

    def _sweep_spool(self, names: frozenset[str]) -> None:
        for folder in self._spool.iterdir() if self._spool.is_dir() else ():
            if folder.name not in names and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)

    def _spool_folder(self, name: str) -> Path:
        if not _SPOOL.fullmatch(name):
            raise ValueError(f"not the name of a spool folder: {name!r}")
        return self._spool / name

    def _keep_all(self, raws: Sequence[Raw]) -> list[Kept]:
        kept = [self._keep_one(raw) for raw in raws]
        folders = {self.path(picture.name).parent for picture in kept}
        _sync_folders(folders)
        return kept

    def _keep_one(self, raw: Raw) -> Kept:
        data = raw.path.read_bytes()
        facts = read_facts(data)
        data, infotext = _add_infotext(data, facts, raw.infotext)
        name = f"{hashlib.sha256(data).hexdigest()}.{facts.kind.extension}"
        target = self.path(name)
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync_folders([self._pictures])
        _place(data, raw.path, target, changed=infotext != facts.infotext)
        return Kept(name, facts.kind.extension, facts.width, facts.height, len(data), infotext)


def _beside(picture: Path) -> Path:
    """Where its thumbnail is or would be; no picture has such a name."""
    return picture.with_name(f"{picture.name}.thumbnail")


def _unlink(pictures: Sequence[Path]) -> int:
    troubles = []
    for picture in pictures:
        try:
            picture.unlink(missing_ok=True)
            _beside(picture).unlink(missing_ok=True)
        except OSError as error:
            troubles.append(type(error).__name__)
    if troubles:
        log.warning("%d pictures could not be deleted: %s", len(troubles), ", ".join(sorted(set(troubles))))
    return len(pictures) - len(troubles)


def _add_infotext(data: bytes, facts: Facts, infotext: str | None) -> tuple[bytes, str | None]:
    """The bytes to keep, and the infotext in them."""
    text = clean_text(infotext or "")
    if facts.kind != PNG or facts.infotext or not text:
        return data, facts.infotext
    return splice_text(data, INFOTEXT_KEY, text), text


def _place(data: bytes, raw: Path, target: Path, *, changed: bool) -> None:
    if _holds(target, data):
        return
    if not changed and _link(raw, target):
        return
    part = raw.with_name(f"{raw.name}.part")  # what a crash leaves of it goes with the spool
    with part.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)


def _link(source: Path, target: Path) -> bool:
    """Give the spooled file its final name as a second one; False where the file system or an older file forbids it."""
    with source.open("rb+") as stream:
        os.fsync(stream.fileno())
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _holds(target: Path, data: bytes) -> bool:
    # After a power cut a name can stand before bytes that never reached the disk: the content is compared, too.
    try:
        return target.stat().st_size == len(data) and target.read_bytes() == data
    except FileNotFoundError:
        return False


def _sync_folders(folders: Iterable[Path]) -> None:
    if os.name == "nt":  # Windows can't open a folder to flush it
        return
    for folder in folders:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
