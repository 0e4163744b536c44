"""`/preset`: keep settings under a name, look at them, share them, delete them. No policy is made here."""

from __future__ import annotations

from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from cogs import preset_pages as pages
from cogs.admins import check_admin, manages_server, may_see_hidden
from cogs.answers import NOBODY, answer_error
from cogs.asking import AskingCog, Desk
from cogs.completing import Offers, offer
from cogs.options import read_options
from cogs.reply import guild_of
from cogs.shelves import offer_presets
from core.derive import Source
from core.errors import UserError
from core.extra import NO_FIELDS, parse_extra
from core.jobs.gallery import GalleryRows
from core.jobs.gallery_search import Filter
from core.jobs.patience import for_a_person
from core.looking import first_words
from core.pointing import read_pointer
from core.preset_desk import PresetDesk
from core.presets import PLACE, check_name, from_picture, kept_of, lay_under
from core.recall import Recall
from core.request import GenerationRequest
from core.webui.catalog import find_checkpoint
from core.webui.names import CHOICE_COUNT

NO_SETTINGS = ("self", "interaction", "name", "picture", "with_prompt")
"""Parameters of `/preset save` that say nothing about the next picture."""
EXAMPLE = GenerationRequest(prompt="a picture")
"""What a preset is tried with before it is kept."""
NOT_YOURS = "I know no such picture of yours (any more)."
SHARE = "share presets"


class PresetCog(
    AskingCog, commands.GroupCog, group_name="preset", group_description="Settings that are kept under a name"
):
    """Presets of people and servers."""

    def __init__(self, desk: Desk, shelves: PresetDesk, gallery: GalleryRows, recall: Recall) -> None:
        super().__init__(desk)
        self._shelves = shelves
        self._gallery = gallery
        self._recall = recall

    async def complete_picture(self, interaction: discord.Interaction, typed: str) -> Offers:
        """One's own pictures, the latest first, by words of their prompts."""
        wanted, person = Filter(words=first_words(typed)), str(interaction.user.id)
        try:
            page = partial(self._gallery.page, person, wanted, skip=0, most=CHOICE_COUNT)
            entries = await for_a_person(page)
        except UserError:  # there is nowhere to say it
            return []
        return offer(choice for entry in entries if (choice := pages.picture_choice(entry)) is not None)

    async def complete_name(self, interaction: discord.Interaction, typed: str) -> Offers:
        """All presets that there are here for this person."""
        return await offer_presets(self._shelves, interaction, typed)

    async def complete_mine(self, interaction: discord.Interaction, typed: str) -> Offers:
        """One's own alone."""
        return await offer_presets(self._shelves, interaction, typed, mine_alone=True)

    @app_commands.command(name="save", description="Keep the settings of a picture of yours, or those that you say")
    @app_commands.describe(
        name="What it is to be called; one of yours of that name is replaced",
        picture="Whose settings are kept: choose one, or paste a message's link; what you say comes before them",
        with_prompt="Keep the words of that picture, too",
        prompt="Words that are added to those you draw with; {prompt} says where these go",
        negative_prompt="What should not be in the picture",
        checkpoint="The model that draws",
        size="832x1216, 16:9, portrait …",
        steps="Sampling steps",
        cfg_scale="How closely the prompt is followed",
        sampler="The sampling method",
        scheduler="The noise schedule",
        seed="Only where every picture is to have the same",
        count="How many pictures",
        clip_skip="Layers of the text encoder to stop before the end",
        styles="The webui's saved styles, with commas between them",
        loras="LoRAs with their weights: name:0.8, other",
        vae="The VAE (or, on Forge, VAE and text encoders with commas between them)",
        hires="A second pass, so many times as large (1.5, 2 …)",
        hires_upscaler="How the picture is enlarged for the second pass",
        distilled_cfg="Guidance of Flux and its like",
        denoising_strength="How much may change of an image that is drawn over: 0 to 1",
        face_fix="Draw faces anew once the picture is there",
        extra="Rarer settings as key:value words",
    )
    @app_commands.autocomplete(
        name=complete_mine,
        picture=complete_picture,
        checkpoint=AskingCog.complete_checkpoint,
        size=AskingCog.complete_size,
        sampler=AskingCog.complete_sampler,
        scheduler=AskingCog.complete_scheduler,
        styles=AskingCog.complete_styles,
        loras=AskingCog.complete_loras,
        vae=AskingCog.complete_vae,
        hires_upscaler=AskingCog.complete_hires_upscaler,
        extra=AskingCog.complete_extra,
    )
    async def save(  # noqa: PLR0913  # the options of a slash command are its parameters
        self,
        interaction: discord.Interaction,
        name: str,
        picture: str | None = None,
        with_prompt: bool = False,
        prompt: str | None = None,
        negative_prompt: str | None = None,
        checkpoint: str | None = None,
        size: str | None = None,
        steps: int | None = None,
        cfg_scale: float | None = None,
        sampler: str | None = None,
        scheduler: str | None = None,
        seed: int | None = None,
        count: int | None = None,
        clip_skip: int | None = None,
        styles: str | None = None,
        loras: str | None = None,
        vae: str | None = None,
        hires: float | None = None,
        hires_upscaler: str | None = None,
        distilled_cfg: float | None = None,
        denoising_strength: float | None = None,
        face_fix: bool | None = None,
        extra: str | None = None,
    ) -> None:
        """Keep it, once it is known that it could be drawn with."""
        said = {option: value for option, value in locals().items() if option not in NO_SETTINGS}
        try:
            said["prompt"] = prompt if prompt and prompt.strip() else PLACE
            refuse_what_is_no_setting(extra)
            source = None if picture is None else await self._source(picture, str(interaction.user.id))
            made_with = None if source is None else from_picture(source, with_prompt=with_prompt)
            await self._save(interaction, check_name(name), read_options(said, made_with, image=True))
        except UserError as error:
            await answer_error(interaction, error, prompt or "")

    async def _save(self, interaction: discord.Interaction, name: str, said: GenerationRequest) -> None:
        """A checkpoint is kept by its own name: that of one server means nothing on another."""
        guild, kept = guild_of(interaction), kept_of(said)
        if self._notes is not None:
            kept = self._notes.apply(kept, guild, self._studio.get_catalog())
        checked = await self._studio.understand(lay_under(EXAMPLE, kept), guild)
        preset, replaced = await self._shelves.save(name, kept, str(interaction.user.id))
        await _answer(interaction, pages.saved(preset, checked.notes, replaced=replaced))

    async def _source(self, picture: str, person: str) -> Source:
        """One of this person's own; UserError where there is none such, or it isn't there yet."""
        pointer = read_pointer(picture)
        result = None if pointer.of_message else await self._recall.result(pointer.id)
        if result is None:
            job_id = await for_a_person(lambda: self._gallery.job_shown_in(person, pointer.id))
            result = None if job_id is None else await self._recall.result(job_id)
        if result is None or result.job.owner_id != person:
            raise UserError(NOT_YOURS)
        return result.source(pointer.number)

    @app_commands.command(name="list", description="Your presets, and this server's")
    async def list_(self, interaction: discord.Interaction) -> None:
        """What there is, to whoever asks."""
        try:
            shelf = await self._shelves.shelf(str(interaction.user.id), guild_of(interaction))
        except UserError as error:
            await answer_error(interaction, error)
            return
        await _answer(interaction, pages.listing(shelf, partial(self._is_hidden, interaction)))

    @app_commands.command(name="show", description="Everything that a preset says")
    @app_commands.describe(name="Which one")
    @app_commands.autocomplete(name=complete_name)
    async def show(self, interaction: discord.Interaction, name: str) -> None:
        """One of them."""
        try:
            preset = await self._shelves.find(name, str(interaction.user.id), guild_of(interaction))
        except UserError as error:
            await answer_error(interaction, error)
            return
        await _answer(interaction, pages.shown(preset, partial(self._is_hidden, interaction)))

    @app_commands.command(name="delete", description="Delete a preset of yours, or one that you shared")
    @app_commands.describe(name="Which one")
    @app_commands.autocomplete(name=complete_name)
    async def delete(self, interaction: discord.Interaction, name: str) -> None:
        """Admins delete the server's, whoever shared them."""
        person = str(interaction.user.id)
        try:
            preset = await self._shelves.find(name, person, guild_of(interaction))
            await self._shelves.delete(preset, person, is_admin=manages_server(interaction))
        except UserError as error:
            await answer_error(interaction, error)
            return
        await _answer(interaction, pages.deleted(preset))

    @app_commands.command(name="share", description="Give everybody on this server a copy of yours (for admins)")
    @app_commands.describe(name="Which of yours")
    @app_commands.autocomplete(name=complete_mine)
    async def share(self, interaction: discord.Interaction, name: str) -> None:
        """Said where everybody reads it."""
        try:
            guild_id = check_admin(interaction, SHARE)
            copy, replaced = await self._shelves.share(name, str(interaction.user.id), str(guild_id))
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(pages.shared(copy, replaced=replaced), allowed_mentions=NOBODY)

    def _is_hidden(self, interaction: discord.Interaction, title: str) -> bool:
        catalog = self._studio.get_catalog()
        found = None if catalog is None else find_checkpoint(catalog, title)
        if self._notes is None or catalog is None or found is None or may_see_hidden(interaction):
            return False
        return self._notes.naming(guild_of(interaction), catalog).is_hidden(found)


def refuse_what_is_no_setting(extra: str | None) -> None:
    """UserError where the words of `extra` say something that a preset can't keep."""
    refused = [name for name in NO_FIELDS if name in parse_extra(extra or "")]
    if refused:
        raise UserError(f"A preset can't keep {' and '.join(refused)}: say that to /draw.")


async def _answer(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)
