"""Pictures as Discord takes them: named, not too large, not too many at once. It reads the disk, sends nothing."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import discord

from core.errors import UserError
from core.images.fit import Fitted, fit
from core.images.kinds import kind_of_extension
from core.images.store import Kept, PictureStore

FILES_LIMIT = 10
"""Discord's attachments in one message."""
REQUEST_BYTES = 24 * 2**20
"""What is put into one request: Discord documents 25 MiB, and the rest of the form wants some room."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture ready to be sent: where its bytes are (a path, or the bytes), its name and how many they are."""

    original: Path
    picture: Kept
    filename: str
    size: int
    data: bytes | None = None
    remark: str | None = None

    def open(self) -> discord.File:
        """A file for one request; discord.py closes it."""
        return discord.File(self.original if self.data is None else io.BytesIO(self.data), filename=self.filename)


async def prepare(
    job_id: str, pictures: Sequence[Kept], store: PictureStore, *, limit: int, spoiler: bool
) -> list[Upload]:
    """Every picture within `limit` bytes; one that had to be re-encoded for that says so in `remark`.

    A picture that can't be made that small is left out of the list, unless none is left: then UserError.
    """
    uploads: list[Upload] = []
    refusal: UserError | None = None
    for number, picture in enumerate(pictures, 1):
        name = filename(job_id, number, picture.extension, spoiler=spoiler)
        upload = Upload(store.path(picture.name), picture, name, picture.size)
        try:
            uploads.append(await shrink(upload, limit))
        except UserError as error:
            refusal = error
    if refusal is not None and not uploads:
        raise refusal
    return uploads


async def shrink(upload: Upload, limit: int) -> Upload:
    """The same picture in at most `limit` bytes, re-encoded from the original in a thread if need be."""
    if upload.size <= limit:
        return upload
    fitted = await asyncio.to_thread(_fit, upload, limit)
    stem = upload.filename.rpartition(".")[0]
    return Upload(
        upload.original,
        upload.picture,
        f"{stem}.{fitted.kind.extension}",
        len(fitted.data),
        fitted.data,
        fitted.note,
    )


def filename(job_id: str, number: int, extension: str, *, spoiler: bool) -> str:
    """`easel-<job id>-<n>.png`: the job's id in it lets a later process recognise what was delivered."""
    return f"{'SPOILER_' if spoiler else ''}easel-{job_id}-{number}.{extension}"


def pack(uploads: Sequence[Upload], *, request_bytes: int = REQUEST_BYTES) -> list[list[Upload]]:
    """As few messages as Discord's limits allow, in order; a file larger than `request_bytes` travels alone."""
    parcels: list[list[Upload]] = []
    size = 0
    for upload in uploads:
        if not parcels or len(parcels[-1]) == FILES_LIMIT or size + upload.size > request_bytes:
            parcels.append([])
            size = 0
        parcels[-1].append(upload)
        size += upload.size
    return parcels


def _fit(upload: Upload, limit: int) -> Fitted:
    picture = upload.picture
    data = upload.original.read_bytes()
    return fit(data, kind=kind_of_extension(picture.extension), limit=limit, infotext=picture.infotext)
