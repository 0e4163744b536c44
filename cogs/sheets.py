"""The contact sheet of a job on Discord: beside its pictures, or in a message of its own where they leave no room."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath

import discord
from msgspec import UNSET

from cogs import say
from cogs.edits import TROUBLE
from cogs.files import FILES_LIMIT, SHEET, Upload, sheet_file
from cogs.growing import Place, Post, pictures_on
from cogs.originals import look
from cogs.places import ChannelPlace, DirectPlace
from cogs.reply import ReplyAddress
from core.errors import UserError
from core.images.marks import with_marks
from core.images.sheet import BYTES, Plan, draw_sheet
from core.images.store import PictureStore
from core.jobs.model import Delivered, Drawing, Job
from core.sheets import PathOf, plan_sheet

log = logging.getLogger(__name__)

FETCHING_SECONDS = 15.0
"""How long the last pictures wait at most for those of other machines."""
MARKS_TOGETHER = 3
LEGEND_ROOM = 180
"""The characters of so many marks in one remark; escaped they may become more."""
NEARBY = 100
"""So many messages are looked at for the sheet of pictures: half of them before the moment when these were complete."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet as a file, and what the marks on it stand for, each in a sentence of at most a line."""

    upload: Upload
    legend: Sequence[str] = ()


async def make_sheet(
    client: discord.Client, job: Job, drawing: Drawing, store: PictureStore, *, limit: int
) -> Sheet | None:
    """The sheet in at most `limit` bytes, drawn in a thread.

    Pictures that lie on other machines are read from the job's message. None where the job has none, and where some of
    them can't be had.
    """
    if plan_sheet(job.request, drawing, store.path) is None:
        return None
    missing = await asyncio.to_thread(_missing, drawing, store)
    if not missing:
        return await _make(job, drawing, store.path, limit)
    try:
        with tempfile.TemporaryDirectory(prefix="easel-sheet-") as folder:
            fetched = await _fetch(client, job, missing, Path(folder))
            return await _make(job, drawing, lambda name: fetched.get(name) or store.path(name), limit)
    except (UserError, *TROUBLE) as error:
        log.info("pictures for a sheet could not be had: %s", type(error).__name__, extra={"job": job.id})
        return None


def _missing(drawing: Drawing, store: PictureStore) -> Mapping[int, str]:
    """The names of the pictures that are not here, by number from 1."""
    return {number + 1: kept.name for number, kept in drawing.numbered() if not store.path(kept.name).is_file()}


async def _fetch(client: discord.Client, job: Job, missing: Mapping[int, str], folder: Path) -> Mapping[str, Path]:
    """Those of them that the job's message shows, as files in the folder, by their names."""
    fetched: dict[str, Path] = {}
    async with asyncio.timeout(FETCHING_SECONDS):
        shown = await look(client, job)
        for number in missing.keys() & shown.keys():
            path = folder / f"{number}{PurePath(shown[number].filename).suffix}"
            await asyncio.to_thread(path.write_bytes, await shown[number].read())
            fetched[missing[number]] = path
    return fetched


async def _make(job: Job, drawing: Drawing, path_of: PathOf, limit: int) -> Sheet | None:
    plan = plan_sheet(job.request, drawing, path_of)
    made = None if plan is None else await asyncio.to_thread(_draw, plan, min(limit, BYTES))
    if made is None:
        return None
    data, marks = made
    return Sheet(sheet_file(job.id, data, spoiler=job.request.spoiler), legend_of(marks))


def legend_of(marks: Mapping[str, str]) -> list[str]:
    """Every mark with its words, in as few remarks as hold them all."""
    said = [f"{mark} {say.cut(words, LEGEND_ROOM // MARKS_TOGETHER - len(mark))}" for mark, words in marks.items()]
    together = [said[first : first + MARKS_TOGETHER] for first in range(0, len(said), MARKS_TOGETHER)]
    return [f"On the sheet: {', '.join(some)}" for some in together]


def has_room(job: Job, drawing: Drawing) -> bool:
    """Whether a message that shows all of the job's pictures holds its sheet, too."""
    return len(drawing.shown(job.request.pictures)) < FILES_LIMIT


def sheet_post(job: Job, sheet: Sheet, shown: Delivered) -> Post:
    """The message of its own, with a link to the pictures that are `shown` elsewhere."""
    address = ReplyAddress.from_json(job.reply)
    words = f"The {job.request.pictures} pictures on one sheet."
    if shown.message_id is not None and shown.where in ("reply", "channel") and not address.by_token_alone:
        words = f"The [{job.request.pictures} pictures](<{address.link_to(shown.message_id)}>) on one sheet."

    async def caption(_uploads: Sequence[Upload], _refusals: Mapping[int, str], _shown: object) -> str:
        return say.assemble(words, say.notes(sheet.legend, say.NOTES_ROOM))

    return Post(job_id=job.id, caption=caption, uploads=[sheet.upload], safe_content=words)


def sheet_places(client: discord.Client, job: Job, shown: Delivered, *, search: bool) -> list[Place]:
    """Where it may be, the best first: below the pictures, else where only their owner sees it.

    None of them is a follow-up of the command: Discord knows no nonce there, so that one could be there twice.
    """
    address = ReplyAddress.from_json(job.reply)
    places: list[Place] = []
    if shown.where in ("reply", "channel") and not address.by_token_alone:
        places.append(ChannelPlace(client, address.channel_id, job.id, None, search=search, sheet=True))
    if shown.where != "kept":
        places.append(DirectPlace(client, address.owner_id, job.id, None, search=search, sheet=True))
    return places


async def delete_sheet(client: discord.Client, job: Job) -> None:
    """Delete the sheet where it has a message of its own: below the pictures, else with their owner. Best effort."""
    request, address = job.request, ReplyAddress.from_json(job.reply)
    maps = () if request.control is UNSET else [use for use in request.control if use.save_map]
    if request.sheet is not True or request.pictures + len(maps) < FILES_LIMIT or job.finished_at is None:
        return
    complete = datetime.fromtimestamp(job.finished_at, UTC)
    try:
        if job.delivered_to in ("reply", "channel") and not address.by_token_alone:
            channel = client.get_partial_messageable(address.channel_id)
            if await _delete_near(complete, channel, client.user, job.id):
                return
        direct = await client.create_dm(discord.Object(address.owner_id))
        await _delete_near(complete, direct, client.user, job.id)
    except TROUBLE as error:
        log.info("a sheet could not be deleted: %s", type(error).__name__, extra={"job": job.id})


async def delete_sheet_below(message: discord.Message, job_id: str) -> None:
    """The same where nothing but the message with the pictures is known of the job."""
    if len(message.attachments) < FILES_LIMIT:
        return
    try:
        complete = message.edited_at or message.created_at
        await _delete_near(complete, message.channel, message.author, job_id)
    except TROUBLE as error:
        log.info("a sheet could not be deleted: %s", type(error).__name__, extra={"job": job_id})


async def _delete_near(
    complete: datetime, channel: discord.abc.Messageable, us: discord.abc.User | None, job_id: str
) -> bool:
    """Whether there was one. The pictures themselves may stand far above: their message is as old as the question."""
    async for message in channel.history(limit=NEARBY, around=complete):
        if message.author == us and SHEET in pictures_on(message, job_id):
            await message.delete()
            return True
    return False


def _draw(plan: Plan, limit: int) -> tuple[bytes, Mapping[str, str]] | None:
    """With what the marks on it stand for."""
    if not all(cell.path is None or cell.path.is_file() for cell in plan.cells):
        return None
    marked, marks = with_marks(plan)
    try:
        return draw_sheet(marked, limit=limit), marks
    except ValueError as error:
        log.info("there is no contact sheet: %s", error)
        return None
