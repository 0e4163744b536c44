"""The files of finished pictures for posting them once more: from the disk, else from where they were posted before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cogs.files import Upload, filename, prepare
from core.errors import UnreadableAnswer, UserError
from core.images.bare import strip
from core.images.facts import read_facts
from core.images.fit import Fitted, fit
from core.images.store import Kept, PictureStore
from core.jobs.model import Job
from core.recall import Result

ReadOriginal = Callable[[Job, int], Awaitable[bytes]]
"""A picture's bytes by its job and its number from 0, for what the disk lacks; UserError where there are none."""
GONE_FROM_DISK = "The picture's file is no longer on the bot's disk."


async def collect(
    result: Result, numbers: Sequence[int], store: PictureStore, originals: ReadOriginal, *, limit: int, bare: bool
) -> tuple[list[Upload], dict[int, str]]:
    """These pictures within `limit` bytes each, and a sentence by number (from 1) for each that can't be had.

    `originals` is asked for what the disk lacks. `bare`: without what they say of how they were made.
    """
    job = result.job
    pictures = [(number, result.drawings[number].pictures[0]) for number in numbers]
    paths = [store.path(kept.name) for _, kept in pictures]
    is_here = await asyncio.to_thread(lambda: [path.is_file() for path in paths])
    here = [picture for picture, there in zip(pictures, is_here, strict=True) if there]
    uploads, refusals = await prepare(job.id, here, store, limit=limit, spoiler=job.request.spoiler, bare=bare)
    gone = [picture for picture, there in zip(pictures, is_here, strict=True) if not there]
    for number, kept in gone:
        try:
            uploads.append(await _fetch(job, number, kept, originals, limit, bare=bare))
        except UserError as error:
            refusals[number + 1] = str(error)
        except UnreadableAnswer:
            refusals[number + 1] = GONE_FROM_DISK
    return sorted(uploads, key=lambda upload: upload.number), refusals


async def _fetch(job: Job, number: int, kept: Kept, originals: ReadOriginal, limit: int, *, bare: bool) -> Upload:
    data = await originals(job, number)
    fitted = await asyncio.to_thread(_fit, data, limit, kept, bare)
    name = filename(job.id, number + 1, fitted.kind.extension, spoiler=job.request.spoiler)
    return Upload(Path(), kept, name, len(fitted.data), number + 1, fitted.data, fitted.note)


def _fit(data: bytes, limit: int, kept: Kept, bare: bool) -> Fitted:
    """What was posted need not be of the kind that was kept."""
    kind = read_facts(data).kind
    return fit(strip(data, kind) if bare else data, kind=kind, limit=limit, infotext=None if bare else kept.infotext)
