"""`/show` and “Show here”: a finished picture once more, with its buttons. Whose it may be is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from cogs import say
from cogs.again_files import collect
from cogs.answers import NOBODY, answering, put_off
from cogs.captions import made_from, why_none
from cogs.completing import Offers
from cogs.files import Upload, pack
from cogs.growing import TOO_LARGE
from cogs.history_pages import listed_name
from cogs.originals import Originals
from cogs.picture_buttons import SHOW, result_view
from cogs.reply import ReplyAddress, guild_of
from core.errors import UserError
from core.images.store import PictureStore
from core.jobs.gallery import GalleryRows
from core.jobs.gallery_search import Filter
from core.jobs.model import Delivered, Job, join
from core.jobs.patience import for_a_person
from core.jobs.rows import JobRows
from core.looking import first_words
from core.pointing import read_id
from core.preferences import Preferences
from core.recall import Recall, Result
from core.webui.names import CHOICE_COUNT

NO_SUCH = "There is no picture of yours, or of this server, with that id. `/show` lists yours while you type."


class ShowCog(commands.Cog):
    """Posts what is kept; `originals` is asked for what the disk lacks, `preferences` for what may go along."""

    def __init__(
        self,
        recall: Recall,
        gallery: GalleryRows,
        rows: JobRows,
        pictures: PictureStore,
        originals: Originals,
        preferences: Preferences,
    ) -> None:
        self._recall = recall
        self._gallery = gallery
        self._rows = rows
        self._pictures = pictures
        self._originals = originals
        self._preferences = preferences

    @app_commands.command(name="show", description="Post one of your pictures again, or one of this server's")
    @app_commands.describe(id="The picture's id; yours are listed while you type")
    async def show(self, interaction: discord.Interaction, id: str) -> None:
        """By its id, as the name of its file has it."""
        async with answering(interaction):
            meant = read_id(id)
            if meant is None:
                raise UserError(NO_SUCH)
            await self._show(interaction, meant.id, meant.number)

    @show.autocomplete("id")
    async def complete_id(self, interaction: discord.Interaction, typed: str) -> Offers:
        """One's own newest ones, or those whose prompts have the words."""
        wanted = Filter(words="" if read_id(typed) is not None else first_words(typed))
        person_id = str(interaction.user.id)
        try:
            page = await for_a_person(lambda: self._gallery.page(person_id, wanted, skip=0, most=CHOICE_COUNT))
        except UserError:  # there is nowhere to say it
            return []
        offers = [(listed_name(entry), f"{entry.job_id}-{entry.number + 1}") for entry in page]
        return [
            app_commands.Choice(name=name, value=value)
            for name, value in offers
            if wanted.words or value.startswith(typed.strip())
        ]

    @commands.Cog.listener(f"on_{SHOW.event}")
    async def on_show(self, press: discord.Interaction, job_id: str, number: int | None) -> None:
        """“Show here” in a history."""
        async with answering(press):
            await self._show(press, job_id, number)

    async def _show(self, interaction: discord.Interaction, job_id: str, number: int | None) -> None:
        result = await self._recall.result(job_id)
        if result is None or not _may_see(interaction, result.job):
            raise UserError(NO_SUCH)
        numbers = result.numbers if number is None else [one for one in result.numbers if one == number]
        if not numbers:
            raise UserError("This job has no such picture (any more).")
        private = result.job.request.private
        await put_off(interaction, private=private)
        limit = interaction.filesize_limit
        wishes = await self._preferences.of(result.job.owner_id, (), guild_of(interaction))
        uploads, refusals = await collect(
            result, numbers, self._pictures, self._read_original, limit=limit, bare=not wishes.metadata
        )
        if not uploads:
            raise UserError(why_none(refusals))
        message_id = await _post(interaction, result, numbers, uploads, refusals)
        if result.job.delivered_to == "kept" and len(uploads) == len(result.numbers):
            await self._note(interaction, result.job, message_id)

    async def _read_original(self, job: Job, number: int) -> bytes:
        return await self._originals.read(job.id, number, kept=None, job=job)

    async def _note(self, interaction: discord.Interaction, job: Job, message_id: int) -> None:
        """What was only kept is delivered now, if it is its owner who sees it."""
        if str(interaction.user.id) == job.owner_id:
            here = ReplyAddress.of(interaction, private=job.request.private)
            reply = replace(here, made_from=ReplyAddress.from_json(job.reply).made_from).to_json()
            delivered = Delivered("reply", str(message_id))
            await for_a_person(lambda: self._rows.note_shown(job.id, delivered, reply))


async def _post(
    interaction: discord.Interaction,
    result: Result,
    numbers: Sequence[int],
    uploads: Sequence[Upload],
    refusals: Mapping[int, str],
) -> int:
    """As many messages as it takes; the buttons are under the first, whose id is returned."""
    job = result.job
    one = numbers[0] if len(numbers) == 1 and job.request.pictures > 1 else None
    about = job if one is None else replace(job, request=job.request.of(one), sentence=None)
    drawing = join(result.drawings[number] for number in numbers)
    re_encoded = {upload.number: upload.remark for upload in uploads if upload.remark is not None}
    asked = 1 if one is not None else job.request.pictures
    remarks = [*say.each_once(refusals, asked), *say.each_once(re_encoded, asked)]
    content = "" if drawing is None else say.finished(about, drawing, remarks, made_from(job))
    first, *more = pack(uploads)
    view = result_view(job.id, job.request.task, one) or discord.utils.MISSING
    private = job.request.private
    message = await _send(interaction, content, first, view=view, private=private)
    for parcel in more:
        await _send(interaction, "", parcel, view=discord.utils.MISSING, private=private)
    return message.id


async def _send(
    interaction: discord.Interaction, content: str, parcel: Sequence[Upload], *, view: discord.ui.View, private: bool
) -> discord.WebhookMessage:
    """Once more in safe words where it may be the words that Discord refuses; UserError where it is the size."""

    async def send(words: str) -> discord.WebhookMessage:
        files = [upload.open() for upload in parcel]
        return await interaction.followup.send(
            words, files=files, view=view, ephemeral=private, allowed_mentions=NOBODY, wait=True
        )

    try:
        return await send(content)
    except discord.HTTPException as error:
        if error.status == 413 or error.code in TOO_LARGE:
            raise UserError("Discord says that the picture is too large for this place.") from error
        if error.status != 400:
            raise
    return await send(say.PICTURES_ALONE)


def _may_see(interaction: discord.Interaction, job: Job) -> bool:
    """Their own; on the server where it was drawn also others' that are not private, where they may read them."""
    if job.owner_id == str(interaction.user.id):
        return True
    guild = interaction.guild
    if guild is None or job.guild_id != str(guild.id) or job.request.private:
        return False
    channel = guild.get_channel_or_thread(ReplyAddress.from_json(job.reply).channel_id)
    person = interaction.user
    if channel is None or not isinstance(person, discord.Member):
        return False
    if isinstance(channel, discord.Thread) and channel.is_private():
        return False  # who is in it is not known here
    return channel.permissions_for(person).view_channel
