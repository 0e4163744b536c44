"""The words of a message with pictures, for whatever it shows in the end. It reads the disk, sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

import discord

from cogs import say
from cogs.files import Upload, prepare, size_without_metadata, text_file
from cogs.growing import Caption, Shown
from cogs.reply import ReplyAddress
from cogs.said import about_image
from core.images.kinds import kind_of_extension
from core.images.store import Kept, PictureStore
from core.jobs.model import Drawing, Job
from core.webui.answer import CAPTION_LIMIT

DESCRIPTION_ALONE = "(The server's rules did not let me repeat the words that were found for your image.)"
MADE_FROM = {
    "again": "The same again as",
    "vary": "A variation of",
    "strong": "A strong variation of",
    "edit": "Edited from",
    "hires": "A second pass over",
    "upscale": "Enlarged from",
    "use": "Drawn over",
}
"""What was done with the picture that a job was made from."""
DESCRIPTION_ELSEWHERE = {
    "channel": "The description is below.",
    "dm": "The description is in your direct messages.",
    "kept": "The image is described; the words could not be posted here.",
}
"""What is left to say in a reply whose words went there."""


def caption_of(
    job: Job,
    drawing: Drawing,
    store: PictureStore,
    *,
    limit: int,
    final: bool,
    bare: bool = False,
    legend: Sequence[str] = (),
) -> Caption:
    """The finished caption, or that of the pictures that are there so far.

    A description is its words alone. `bare`: the pictures go without their metadata. `legend` are remarks on a sheet.
    Remarks of earlier deliveries are found anew: on a picture whose file there is not the kept one, and, at the end, on
    those that the message does not show.
    """
    if drawing.caption is not None:

        async def words(*_: object) -> str:
            return described(job, drawing)[0]

        return words
    pictures = {number + 1: kept for number, kept in drawing.shown(job.request.pictures)}

    async def caption(uploads: Sequence[Upload], refusals: Mapping[int, str], shown: Shown) -> str:
        there = shown.keys() & pictures.keys()
        encoded = {number: await _re_encoded(shown[number], pictures[number], store) for number in there}
        encoded |= {upload.number: upload.remark for upload in uploads}
        if final:
            absent = pictures.keys() - encoded.keys() - refusals.keys()
            left = [(number - 1, pictures[number]) for number in sorted(absent)]
            _, earlier = await prepare(job.id, left, store, limit=limit, spoiler=job.request.spoiler, bare=bare)
            refusals = {**earlier, **refusals}
        said = {number: remark for number, remark in encoded.items() if remark is not None}
        asked = max(job.request.pictures, len(pictures))
        remarks = [*legend, *(text for texts in (refusals, said) for text in say.each_once(texts, asked))]
        return say.finished(job, drawing, remarks, made_from(job)) if final else say.partly(job, drawing, remarks)

    return caption


def made_from(job: Job) -> str:
    """What the pictures were made from, with a link to it; empty where they were made from nothing, or nobody knows."""
    link = ReplyAddress.from_json(job.reply).made_from
    words = None if job.origin is None else MADE_FROM.get(job.origin.verb)
    if words is None:
        return ""
    return say.small([f"{words} {'another picture' if link is None else f'[another picture](<{link}>)'}"])


def described(job: Job, drawing: Drawing) -> tuple[str, bool]:
    """The words about an image in a block that can be copied, and whether all of them are in it."""
    facts = say.small([*about_image(job.request, say.code), f"{drawing.seconds:.1f} s"])
    room = say.CONTENT_LIMIT - say.PING_ROOM - say.units(say.quote("", 0)) - say.units(facts) - 1
    text = drawing.caption or ""
    block = say.quote(text, room)
    return say.assemble(block, facts), block == say.quote(text, CAPTION_LIMIT * 2)


def texts_of(job: Job, drawing: Drawing) -> list[Upload]:
    """The words of a description as a file, where they don't fit into the message."""
    if drawing.caption is None or described(job, drawing)[1]:
        return []
    return [text_file(job.id, drawing.caption)]


def why_none(refusals: Mapping[int, str]) -> str:
    """One sentence or a few for a job none of whose pictures can be sent."""
    if len(set(refusals.values())) == 1:
        return next(iter(refusals.values()))
    return " ".join(say.each_once(refusals, len(refusals)))


async def _re_encoded(shown: discord.Attachment, kept: Kept, store: PictureStore) -> str | None:
    """What there is to say of a file on Discord that is not the kept one, nor that without its metadata."""
    extension = PurePath(shown.filename).suffix[1:]
    if shown.size == kept.size:
        return None
    if extension == kept.extension and shown.size == await size_without_metadata(kept, store):
        return None
    try:
        return f"re-encoded as {kind_of_extension(extension).name}"
    except ValueError:
        return None
