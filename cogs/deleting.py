"""“Delete” under a result: its pictures, or one of them, are taken out of the world. Who may is decided here."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import discord
from discord.ext import commands

from cogs.answers import NOBODY, answer_privately, answering
from cogs.edits import TROUBLE, delete_shown, fetch_shown
from cogs.found import GONE, NO_PICTURE, Finder, asked_from, asker_of, shown_on
from cogs.picture_buttons import DELETE, PictureChoice, choice_view, result_view
from cogs.reply import ReplyAddress
from cogs.sheets import delete_sheet, delete_sheet_below
from cogs.taking_off import take_off
from core.errors import UserError
from core.jobs.model import Job
from core.recall import Result
from core.removal import Removal

Take = Callable[[discord.Message], Awaitable[bool]]
NOT_YOURS = "Only the person who asked for these pictures, and moderators, can delete them."
NOT_MINE = "I may not change this message."
NOT_CHANGED = "I have forgotten this, but I may not change the message that shows it."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be deleted of a job: `number` of its pictures, from 0; None: all of them.

    `result` is None where its rows are gone. `shown_at` is the message that was pressed. `only_here`: from that one
    alone, since whoever presses may delete messages there, and the picture is somebody else's.
    """

    job_id: str
    number: int | None
    result: Result | None
    shown_at: int | None
    only_here: bool


class DeleteCog(commands.Cog):
    """Listens for presses on results of any age, and for what is chosen of several pictures."""

    def __init__(self, finder: Finder, removal: Removal) -> None:
        self._finder = finder
        self._removal = removal

    @commands.Cog.listener(f"on_{DELETE.event}")
    async def on_delete(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """The picture, or the only one; of several is asked which."""
        async with answering(press):
            wanted, message = await self._check(press, job_id)
            numbers = sorted(shown_on(message, job_id)) if wanted.result is None else wanted.result.numbers
            if wanted.result is None and not numbers:
                raise UserError(GONE)
            if number is not None and number not in {*numbers, *shown_on(press.message, job_id)}:
                raise UserError(NO_PICTURE)
            if number is None and len(numbers) > 1:
                await _ask(press, job_id, numbers)
                return
            await self._delete(press, wanted if [number] == list(numbers) else replace(wanted, number=number))

    @commands.Cog.listener(f"on_{DELETE.event_of_all}")
    async def on_delete_all(self, press: discord.Interaction, job_id: str) -> None:
        """All of several pictures."""
        async with answering(press):
            wanted, _ = await self._check(press, job_id)
            await self._delete(press, wanted)

    async def _check(self, press: discord.Interaction, job_id: str) -> tuple[_Wanted, discord.Message | None]:
        """All of the job, as far as whoever presses may delete it, and the message that says whose it is."""
        result = await self._finder.result(job_id)
        message = press.message if result is not None else await self._finder.message(press, job_id)
        only_here = _is_only_here(press, job_id, result, message)
        return _Wanted(job_id, None, result, asked_from(press, job_id), only_here), message

    async def _delete(self, press: discord.Interaction, wanted: _Wanted) -> None:
        if not wanted.only_here:
            await self._forget(wanted.job_id, wanted.number)
        await press.response.defer()
        is_pressed = press.message is not None and press.message.id == wanted.shown_at
        if not await self._take_off(press, wanted, is_pressed=is_pressed):
            await answer_privately(press, NOT_MINE if wanted.only_here else NOT_CHANGED)
        elif not is_pressed:  # but a question, or a card of the history
            with contextlib.suppress(*TROUBLE):
                await press.delete_original_response()

    async def _forget(self, job_id: str, number: int | None) -> None:
        if number is None:
            await self._removal.forget(job_id)
        else:
            await self._removal.forget_one(job_id, number)

    async def _take_off(self, press: discord.Interaction, wanted: _Wanted, *, is_pressed: bool) -> bool:
        """From the message that was pressed, and from the job's own; whether Discord let that be done."""
        job = None if wanted.result is None else wanted.result.job
        view = result_view(wanted.job_id, "draw" if job is None else job.request.task)
        take = partial(take_off, job_id=wanted.job_id, number=wanted.number, view=view)
        try:
            here = await self._here(press, wanted.job_id, is_pressed=is_pressed)
            await self._take_sheet(press, wanted, here)
            is_taken = here is None or await take(here)
        except TROUBLE:
            here, is_taken = None, False
        if wanted.only_here:
            return is_taken and (here is not None or is_pressed)
        done = wanted.shown_at if is_pressed else None if here is None else here.id
        if job is None or job.message_id is None or job.message_id == str(done):
            return is_taken
        return is_taken and await self._take_off_own(press, wanted, job, take)

    async def _take_sheet(self, press: discord.Interaction, wanted: _Wanted, here: discord.Message | None) -> None:
        """The one with a message of its own: it shows every picture."""
        if wanted.only_here:
            return
        if wanted.result is not None:
            await delete_sheet(press.client, wanted.result.job)
        elif here is not None:
            await delete_sheet_below(here, wanted.job_id)

    async def _take_off_own(self, press: discord.Interaction, wanted: _Wanted, job: Job, take: Take) -> bool:
        """From the job's own message; a private one that nobody sees now is out of reach, and no trouble."""
        try:
            own = await fetch_shown(press.client, job)
        except discord.NotFound:
            return True
        except TROUBLE:
            own = None
        if own is not None:
            return await take(own)
        is_gone = wanted.number is None and await delete_shown(
            press.client, ReplyAddress.from_json(job.reply), job.delivered_to, int(job.message_id or 0)
        )
        return is_gone or job.message_id != str(wanted.shown_at)

    async def _here(self, press: discord.Interaction, job_id: str, *, is_pressed: bool) -> discord.Message | None:
        """The message that shows the job, as it is now; None where it is gone, or another one that can't be read."""
        if is_pressed:
            with contextlib.suppress(discord.NotFound):
                return await press.original_response()
            return None
        message = await self._finder.message(press, job_id)
        return message if shown_on(message, job_id) else None


def _is_only_here(
    press: discord.Interaction, job_id: str, result: Result | None, message: discord.Message | None
) -> bool:
    """Whether it may be deleted from this message alone; UserError where not even that."""
    owner = asker_of(message) if result is None else result.job.owner_id
    if str(press.user.id) == owner:
        return False
    if not press.permissions.manage_messages:
        raise UserError(NOT_YOURS)
    own = None if result is None else result.job.message_id
    return own is not None and own != str(asked_from(press, job_id))


async def _ask(press: discord.Interaction, job_id: str, numbers: Sequence[int]) -> None:
    """Below the pictures themselves where nobody else sees them: only from there they can be reached for ever."""
    message = press.message
    if message is not None and message.flags.ephemeral and shown_on(message, job_id):
        view = result_view(job_id, "draw") or discord.ui.View(timeout=None)
        view.add_item(PictureChoice(DELETE, job_id, numbers))
        await press.response.edit_message(view=view, allowed_mentions=NOBODY)
        return
    question = f"**{DELETE.label}**: which picture?"
    view = choice_view(DELETE, job_id, numbers)
    await press.response.send_message(question, view=view, ephemeral=True, allowed_mentions=NOBODY)
