"""The words of a message with pictures, for whatever it shows in the end. It reads the disk, sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import discord

from cogs import say
from cogs.files import Upload, prepare
from cogs.growing import Caption, Shown
from core.images.kinds import kind_of_extension
from core.images.store import Kept, PictureStore
from core.jobs.model import Drawing, Job


def caption_of(job: Job, drawing: Drawing, store: PictureStore, *, limit: int, final: bool) -> Caption:
    """The finished caption, or that of the pictures that are there so far.

    Remarks of earlier deliveries are found anew: on a picture whose file there is not the kept one, and, at the end,
    on those that the message does not show.
    """
    pictures = {number + 1: kept for number, kept in drawing.shown(job.request.pictures)}

    async def caption(uploads: Sequence[Upload], refusals: Mapping[int, str], shown: Shown) -> str:
        encoded = {number: _re_encoded(shown[number], pictures[number]) for number in shown.keys() & pictures.keys()}
        encoded |= {upload.number: upload.remark for upload in uploads}
        if final:
            absent = pictures.keys() - encoded.keys() - refusals.keys()
            left = [(number - 1, pictures[number]) for number in sorted(absent)]
            _, earlier = await prepare(job.id, left, store, limit=limit, spoiler=job.request.spoiler)
            refusals = {**earlier, **refusals}
        said = {number: remark for number, remark in encoded.items() if remark is not None}
        asked = max(job.request.pictures, len(pictures))
        remarks = [text for texts in (refusals, said) for text in say.each_once(texts, asked)]
        return say.finished(job, drawing, remarks) if final else say.partly(job, drawing, remarks)

    return caption


def why_none(refusals: Mapping[int, str]) -> str:
    """One sentence or a few for a job none of whose pictures can be sent."""
    if len(set(refusals.values())) == 1:
        return next(iter(refusals.values()))
    return " ".join(say.each_once(refusals, len(refusals)))


def _re_encoded(shown: discord.Attachment, kept: Kept) -> str | None:
    """What there is to say of a file on Discord that is not the kept one."""
    if shown.size == kept.size:
        return None
    try:
        return f"re-encoded as {kind_of_extension(PurePath(shown.filename).suffix[1:]).name}"
    except ValueError:
        return None
