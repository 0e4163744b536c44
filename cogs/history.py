"""`/history`: a person's pictures, page by page, and what they keep as favourites. Its answers are theirs alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from cogs.answers import NOBODY, answer_privately, answering, put_off
from cogs.completing import Offers, offer_names
from cogs.found import GONE
from cogs.history_items import CHOSEN_EVENT, PAGE_EVENT
from cogs.history_pages import (
    PAGE,
    card_view,
    files_of,
    is_undelivered,
    key_of,
    listed_filters,
    nothing_found,
    page_view,
)
from cogs.picture_buttons import KEEP, STAR, choice_view
from cogs.small_pictures import SmallPictures
from core.errors import UserError
from core.jobs.gallery import Entry, GalleryRows
from core.jobs.gallery_search import Filter
from core.jobs.patience import for_a_person
from core.looking import begin_of, from_json, in_words, read_filter, to_json
from core.store.searches import SearchRows
from core.webui.names import NameIndex

PAGE_GONE = "-# That page is gone: there are fewer pictures now. These are the newest."
SEARCH_GONE = "I don't keep this search any more: its pages are a month old. Use `/history` again."
UNDELIVERED = "-# 📭 could not be delivered. Choose one, then “Show here”."
NOT_YOURS = "This picture is somebody else's, and private."


class HistoryCog(commands.Cog):
    """Pages of pictures, the card of one, and the star."""

    def __init__(self, gallery: GalleryRows, searches: SearchRows, small: SmallPictures) -> None:
        self._gallery = gallery
        self._searches = searches
        self._small = small

    @app_commands.command(name="history", description="Your pictures, the newest first")
    @app_commands.describe(
        words="Words of the prompt, or their beginnings",
        checkpoint="A part of the checkpoint's name",
        lora="A part of a LoRA's name",
        since="From this day on: 2026-11-25, 2026-11, 7d, 2 weeks, yesterday",
        until="Up to this day, and all of it",
        favourites="Only what you keep with ⭐",
    )
    async def history(
        self,
        interaction: discord.Interaction,
        words: str = "",
        checkpoint: str = "",
        lora: str = "",
        since: str = "",
        until: str = "",
        favourites: bool = False,
    ) -> None:
        """The first page. Its filter is kept only where there is another one."""
        async with answering(interaction):
            wanted = read_filter(
                words=words,
                checkpoint=checkpoint,
                lora=lora,
                since=since,
                until=until,
                favourites=favourites,
                now=time.time(),
            )
            await put_off(interaction, private=True)
            search_id = str(interaction.id)
            found = await self._find(interaction, wanted, 0)
            if len(found) > PAGE:
                await for_a_person(lambda: self._searches.put(search_id, to_json(wanted), time.time()))
            changes = await self._page(found, wanted, search_id, 0)
            await interaction.edit_original_response(**changes, allowed_mentions=NOBODY)

    @history.autocomplete("checkpoint")
    async def complete_checkpoint(self, interaction: discord.Interaction, typed: str) -> Offers:
        """What drew one's own pictures; what others drew with is nobody's affair."""
        return await _offer(self._gallery.checkpoints, interaction, typed)

    @history.autocomplete("lora")
    async def complete_lora(self, interaction: discord.Interaction, typed: str) -> Offers:
        """The same of LoRAs."""
        return await _offer(self._gallery.loras, interaction, typed)

    @commands.Cog.listener(f"on_{PAGE_EVENT}")
    async def on_page(self, press: discord.Interaction, search_id: str, page: int) -> None:
        """Another page, in the place of the one that is there."""
        async with answering(press):
            text = await for_a_person(lambda: self._searches.fetch(search_id))
            if text is None:
                raise UserError(SEARCH_GONE)
            wanted = from_json(text)
            await press.response.defer()
            found = await self._find(press, wanted, page)
            is_gone = not found and page > 0
            if is_gone:
                page, found = 0, await self._find(press, wanted, 0)
            changes = await self._page(found, wanted, search_id, page, [PAGE_GONE] if is_gone else [])
            await press.edit_original_response(**changes, allowed_mentions=NOBODY)

    @commands.Cog.listener(f"on_{CHOSEN_EVENT}")
    async def on_chosen(self, press: discord.Interaction, job_id: str, number: int) -> None:
        """The card of one picture, beside the page."""
        async with answering(press):
            entry = await self._one(press, job_id, number)
            await put_off(press, private=True)
            thumbs = await self._small.of([entry])
            view = card_view(entry, thumbs, str(press.user.id))
            await press.edit_original_response(view=view, attachments=files_of(thumbs), allowed_mentions=NOBODY)

    @commands.Cog.listener(f"on_{KEEP.event}")
    async def on_keep(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """The star on a card, which says so itself."""
        async with answering(press):
            await self._one(press, job_id, number or 0)
            person_id = str(press.user.id)
            await for_a_person(lambda: self._gallery.star(person_id, job_id, number or 0, time.time()))
            entry = await self._one(press, job_id, number or 0)
            there = () if press.message is None else press.message.attachments
            thumbs = {key_of(entry): b""} if there else {}  # the file is on the card already
            await press.response.edit_message(view=card_view(entry, thumbs, person_id), allowed_mentions=NOBODY)

    @commands.Cog.listener(f"on_{STAR.event}")
    async def on_star(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """The star under a result; whoever sees it may keep it."""
        async with answering(press):
            person_id = str(press.user.id)
            entries = await for_a_person(lambda: self._gallery.fetch(job_id, person_id))
            if number is None and len(entries) > 1:
                view = choice_view(STAR, job_id, [entry.number for entry in entries])
                question = f"**{STAR.label}**: which picture?"
                await press.response.send_message(question, view=view, ephemeral=True, allowed_mentions=NOBODY)
                return
            chosen = entries[0].number if entries and number is None else number or 0
            await self._one(press, job_id, chosen)
            is_kept = await for_a_person(lambda: self._gallery.star(person_id, job_id, chosen, time.time()))
            said = (
                "⭐ Kept: `/history favourites:True` shows it." if is_kept else "It is no favourite of yours any more."
            )
            await answer_privately(press, said)

    async def _find(self, interaction: discord.Interaction, wanted: Filter, page: int) -> list[Entry]:
        """The pictures of the page, and one more where there is another page."""
        person_id = str(interaction.user.id)
        return await for_a_person(lambda: self._gallery.page(person_id, wanted, skip=page * PAGE, most=PAGE + 1))

    async def _page(
        self, found: Sequence[Entry], wanted: Filter, search_id: str, page: int, remarks: Sequence[str] = ()
    ) -> dict[str, Any]:
        """What becomes of the message."""
        filters = in_words(wanted, say.code)
        if not found:
            view = discord.ui.LayoutView(timeout=None)
            view.add_item(discord.ui.TextDisplay(nothing_found(filters)))
            return {"view": view, "attachments": []}
        title = "**Your favourites**" if filters[:1] == ["favourites"] else "**Your pictures**"
        head = [" · ".join([title, *([f"page {page + 1}"] if page or len(found) > PAGE else [])])]
        head += [f"-# {listed_filters(filters)}"] if filters else []
        shown = found[:PAGE]
        head += [UNDELIVERED] if any(map(is_undelivered, shown)) else []
        thumbs = await self._small.of(shown)
        has_more = len(found) > PAGE
        view = page_view(shown, thumbs, [*head, *remarks], search_id=search_id, page=page, has_more=has_more)
        return {"view": view, "attachments": files_of(thumbs)}

    async def _one(self, press: discord.Interaction, job_id: str, number: int) -> Entry:
        """The picture; UserError where it is gone or not theirs to see."""
        person_id = str(press.user.id)
        entries = await for_a_person(lambda: self._gallery.fetch(job_id, person_id))
        entry = next((one for one in entries if one.number == number), None)
        if entry is None:
            raise UserError(GONE)
        if entry.request.private and entry.owner_id != person_id:
            raise UserError(NOT_YOURS)
        return entry


async def _offer(find: Callable[[str], Awaitable[list[str]]], interaction: discord.Interaction, typed: str) -> Offers:
    """None while the database is away: there is nowhere to say it."""
    try:
        names = await for_a_person(lambda: find(str(interaction.user.id)))
    except UserError:
        return []
    return offer_names(NameIndex(names, lambda number: begin_of(names[number]) or None), typed)
