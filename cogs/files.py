"""Pictures as Discord takes them: named, not too large, not too many at once. It reads the disk, sends nothing."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import discord

from core.errors import UnreadableAnswer, UserError
from core.images.bare import strip
from core.images.fit import Fitted, fit
from core.images.kinds import kind_of_extension
from core.images.store import Kept, PictureStore

log = logging.getLogger(__name__)

FILES_LIMIT = 10
"""Discord's attachments in one message, and files in one request."""
REQUEST_BYTES = 24 * 2**20
"""What is put into one request: Discord documents 25 MiB, and the rest of the form wants some room."""
SHEET = 1000
"""The number of a job's contact sheet, behind all of its pictures and maps; its file is called `…-sheet`."""
DAMAGED = "The picture's file is damaged and can't be sent."
MISSING = "The picture's file is missing from the bot's disk."

_OURS = re.compile(r"(?:SPOILER_)?easel-(?P<job>\d+)-(?P<number>\d+|sheet)(?:\.\w+)?")


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture ready to be sent: where its bytes are (a path, or the bytes), its name, how many they are.

    `number` counts the job's pictures from 1. `bare`: it goes without what it says of how it was made.
    """

    original: Path
    picture: Kept
    filename: str
    size: int
    number: int = 1
    data: bytes | None = None
    remark: str | None = None
    bare: bool = False

    def open(self) -> discord.File:
        """A file for one request; discord.py closes it."""
        return discord.File(self.original if self.data is None else io.BytesIO(self.data), filename=self.filename)


async def prepare(
    job_id: str,
    pictures: Iterable[tuple[int, Kept]],
    store: PictureStore,
    *,
    limit: int,
    spoiler: bool,
    bare: bool = False,
) -> tuple[list[Upload], dict[int, str]]:
    """Every picture, given with its number from 0, within `limit` bytes; one re-encoded for that has a `remark`.

    `bare`: each without what it says of how it was made; the kept files stay as they are. What can't be sent is left
    out; for that the second value has a sentence by the picture's number, from 1.
    """
    uploads = [
        Upload(
            store.path(kept.name),
            kept,
            filename(job_id, number + 1, kept.extension, spoiler=spoiler),
            kept.size,
            number + 1,
            bare=bare,
        )
        for number, kept in pictures
    ]
    return await shrink_all(uploads, limit)


async def shrink_all(uploads: Sequence[Upload], limit: int) -> tuple[list[Upload], dict[int, str]]:
    """As `shrink` for each, and a sentence by number for each that is too large for good, damaged or missing."""
    shrunk: list[Upload] = []
    refusals: dict[int, str] = {}
    for upload in uploads:
        try:
            shrunk.append(await shrink(upload, limit))
        except UserError as error:
            refusals[upload.number] = f"{error} It is kept."
        except UnreadableAnswer as error:
            log.warning("a kept picture is damaged: %s", error, extra={"file": upload.picture.name})
            refusals[upload.number] = DAMAGED
        except FileNotFoundError:
            log.warning("a kept picture is missing", extra={"file": upload.picture.name})
            refusals[upload.number] = MISSING
    return shrunk, refusals


async def shrink(upload: Upload, limit: int) -> Upload:
    """The same picture in at most `limit` bytes, re-encoded from the original in a thread if need be.

    UserError where it can't be made that small, UnreadableAnswer where it would have to be and is damaged,
    FileNotFoundError where there is no such file.
    """
    if upload.bare and upload.data is None:
        data = await asyncio.to_thread(_strip, upload)
        upload = replace(upload, data=data, size=len(data))
    if upload.size <= limit:
        if upload.data is None:
            await asyncio.to_thread(upload.original.stat)
        return upload
    fitted = await asyncio.to_thread(_fit, upload, limit)
    stem = upload.filename.rpartition(".")[0]
    return replace(
        upload,
        filename=f"{stem}.{fitted.kind.extension}",
        size=len(fitted.data),
        data=fitted.data,
        remark=fitted.note,
    )


def filename(job_id: str, number: int, extension: str, *, spoiler: bool) -> str:
    """`easel-<job id>-<n>.png`: the job's id in it lets a later process recognise what was delivered."""
    which = "sheet" if number == SHEET else number
    return f"{'SPOILER_' if spoiler else ''}easel-{job_id}-{which}.{extension}"


def text_file(job_id: str, text: str) -> Upload:
    """Words as a file that is known again like a picture: the first, and only one, of its job."""
    data = text.encode()
    kept = Kept(name="", extension="txt", width=0, height=0, size=len(data), infotext=None)
    return Upload(Path(), kept, filename(job_id, 1, "txt", spoiler=False), len(data), data=data)


def sheet_file(job_id: str, data: bytes, *, spoiler: bool) -> Upload:
    """A contact sheet, a JPEG that was drawn for this delivery."""
    kept = Kept(name="", extension="jpg", width=0, height=0, size=len(data), infotext=None)
    name = filename(job_id, SHEET, "jpg", spoiler=spoiler)
    return Upload(Path(), kept, name, len(data), number=SHEET, data=data)


def number_in(name: str, job_id: str) -> int | None:
    """Which picture of the job a file on Discord is, from 1, whatever its extension became; None where it is none.

    Its contact sheet is SHEET.
    """
    found = _OURS.fullmatch(name)
    if found is None or found["job"] != job_id:
        return None
    return SHEET if found["number"] == "sheet" else int(found["number"])


def picture_in(name: str) -> tuple[str, int] | None:
    """The job and the number, from 0, of the picture that a file of ours is; None where it is none."""
    found = _OURS.fullmatch(name)
    return None if found is None or found["number"] == "sheet" else (found["job"], int(found["number"]) - 1)


def job_in(name: str) -> str | None:
    """The job of which a file of ours is a picture or the sheet; None where it is none."""
    found = _OURS.fullmatch(name)
    return None if found is None else found["job"]


class Sized(Protocol):
    """Something that has so many bytes."""

    @property
    def size(self) -> int: ...


Some = TypeVar("Some", bound=Sized)


def pack(uploads: Sequence[Some], *, request_bytes: int = REQUEST_BYTES) -> list[list[Some]]:
    """As few requests as Discord's limits allow, in order; a file larger than `request_bytes` travels alone."""
    parcels: list[list[Some]] = []
    size = 0
    for upload in uploads:
        if not parcels or len(parcels[-1]) == FILES_LIMIT or size + upload.size > request_bytes:
            parcels.append([])
            size = 0
        parcels[-1].append(upload)
        size += upload.size
    return parcels


async def size_without_metadata(kept: Kept, store: PictureStore) -> int | None:
    """The size of what is posted of a picture where its metadata is left out; None where that can't be told."""
    upload = Upload(store.path(kept.name), kept, kept.name, kept.size)
    try:
        return len(await asyncio.to_thread(_strip, upload))
    except (UserError, UnreadableAnswer, FileNotFoundError):
        return None


def _strip(upload: Upload) -> bytes:
    return strip(upload.original.read_bytes(), kind_of_extension(upload.picture.extension))


def _fit(upload: Upload, limit: int) -> Fitted:
    picture = upload.picture
    kind = kind_of_extension(picture.extension)
    # What has no file was made for this delivery; of a picture that was shrunk already the original is better.
    data = upload.original.read_bytes() if upload.data is None or picture.name else upload.data
    if upload.bare:
        return fit(strip(data, kind), kind=kind, limit=limit, infotext=None)
    return fit(data, kind=kind, limit=limit, infotext=picture.infotext)
