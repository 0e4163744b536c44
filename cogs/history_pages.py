"""What a history looks like: a page of pictures with their thumbnails, the card of a chosen one. It reads nothing."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import discord

from cogs import say
from cogs.history_items import HistoryChoice, PageButton
from cogs.picture_buttons import AGAIN, DELETE, DETAILS, KEEP, SHOW, PictureButton
from cogs.said import title
from core.jobs.gallery import Entry
from core.webui.names import CHOICE_LENGTH, shorten, utf16_length

PAGE = 5
"""Pictures on a page: each has a thumbnail, which is a file, and Discord takes forty components in all."""
PROMPT_ROOM = 250
LABEL_ROOM = 90
ALT_ROOM = 200
Thumbs = Mapping[tuple[str, int], bytes]
"""Small JPEGs by job and number; those that could not be made are missing."""


def page_view(
    entries: Sequence[Entry], thumbs: Thumbs, head: Sequence[str], *, search_id: str, page: int, has_more: bool
) -> discord.ui.LayoutView:
    """A page; `head` are the lines above it."""
    view = discord.ui.LayoutView(timeout=None)
    first = page * PAGE + 1
    view.add_item(discord.ui.TextDisplay("\n".join(head)))
    for number, entry in enumerate(entries, first):
        view.add_item(_picture(entry, thumbs, f"**{number}** · "))
    labels = {key_of(entry): f"{n} · {say.cut(_title(entry), LABEL_ROOM)}" for n, entry in enumerate(entries, first)}
    view.add_item(_row(HistoryChoice(labels)))
    turns = [PageButton(search_id, 0, "Newest")] if page > 1 else []
    turns += [PageButton(search_id, page - 1, "Newer")] if page else []
    turns += [PageButton(search_id, page + 1, "Older")] if has_more else []
    if turns:
        view.add_item(_row(*turns))
    return view


def card_view(entry: Entry, thumbs: Thumbs, person_id: str) -> discord.ui.LayoutView:
    """One picture and what can be done with it. What was not delivered is shown as a whole."""
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(_picture(entry, thumbs))
    whole = is_undelivered(entry) or entry.pictures == 1
    show = PictureButton(SHOW, entry.job_id, None if whole else entry.number)
    show.item.label = f"Show all {entry.pictures} here" if whole and entry.pictures > 1 else SHOW.label
    keep = PictureButton(KEEP, entry.job_id, entry.number)
    keep.item.label = "No favourite" if entry.favourite else KEEP.label
    buttons = [show, keep, PictureButton(DETAILS, entry.job_id, entry.number)]
    if entry.request.task in AGAIN.tasks:
        buttons.insert(0, PictureButton(AGAIN, entry.job_id, entry.number))
    if entry.owner_id == person_id:
        buttons.append(PictureButton(DELETE, entry.job_id, entry.number))
    view.add_item(_row(*buttons))
    return view


def files_of(thumbs: Thumbs) -> list[discord.File]:
    """The thumbnails as the views name them."""
    return [discord.File(io.BytesIO(data), filename=_filename(*key)) for key, data in thumbs.items()]


def key_of(entry: Entry) -> tuple[str, int]:
    """Job and number."""
    return entry.job_id, entry.number


def is_undelivered(entry: Entry) -> bool:
    """Whether nobody has seen it yet."""
    return entry.delivered_to == "kept"


def nothing_found(filters: Sequence[str]) -> str:
    """Why there is nothing to see."""
    if not filters:
        return "You have no pictures yet. `/draw` makes the first one."
    if list(filters) == ["favourites"]:
        return "You have no favourites yet. ⭐ under a picture makes it one."
    return f"None of your pictures fits: {listed_filters(filters)}. Leave something out, or write less of a name."


def listed_filters(filters: Sequence[str]) -> str:
    """What a history is filtered by, in one line."""
    return " · ".join(filters)


def listed_name(entry: Entry) -> str:
    """What a picture is called in a list of choices: of several the number is said, however long their prompt is."""
    of = f" {entry.number + 1}/{entry.pictures}" if entry.pictures > 1 else ""
    begin = "⭐ " if entry.favourite else ""
    return f"{begin}{shorten(_title(entry), CHOICE_LENGTH - utf16_length(begin + of))}{of}"


def _picture(entry: Entry, thumbs: Thumbs, begin: str = "") -> discord.ui.Item[Any]:
    facts = [f"<t:{int(entry.made_at)}:R>", f"{entry.width}×{entry.height}"]
    facts += [] if entry.seed is None else [f"seed {entry.seed}"]
    facts += [] if entry.checkpoint is None else [say.code(entry.checkpoint)]
    facts += [f"picture {entry.number + 1} of {entry.pictures}"] if entry.pictures > 1 else []
    marks = ["⭐"] if entry.favourite else []
    marks += ["📭 **not delivered**"] if is_undelivered(entry) else []
    marks += ["private"] if entry.request.private else []
    shown = key_of(entry) in thumbs
    marks += [] if shown else ["no file here"]
    lines = [begin + " · ".join([*marks, *facts]), say.plain(_title(entry), PROMPT_ROOM)]
    text = discord.ui.TextDisplay[discord.ui.LayoutView]("\n".join(line for line in lines if line))
    if not shown:
        return text
    media = f"attachment://{_filename(*key_of(entry))}"
    alt = say.cut(" ".join(_title(entry).split()), ALT_ROOM) or None
    thumb = discord.ui.Thumbnail[discord.ui.LayoutView](media, description=alt, spoiler=entry.request.spoiler)
    return discord.ui.Section(text, accessory=thumb)


def _title(entry: Entry) -> str:
    """What it was drawn from; a prompt may be empty."""
    request = entry.request
    own = title(request if request.task != "draw" else request.of(entry.number))
    return " ".join(own.split()) or "(no prompt)"


def _filename(job_id: str, number: int) -> str:
    return f"thumbnail-{job_id}-{number + 1}.jpg"


def _row(*items: discord.ui.Item[Any]) -> discord.ui.ActionRow[discord.ui.LayoutView]:
    row: discord.ui.ActionRow[discord.ui.LayoutView] = discord.ui.ActionRow()
    for item in items:
        row.add_item(item)
    return row
