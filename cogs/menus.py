"""“Image info”, “Draw from this”, “Upscale” and “Describe” on any message: what its menu brings along is enough.

No policy is made here: each does to the message's image what the command does to one that is sent.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from cogs.acts import link_to
from cogs.answers import NOBODY, answer_privately, answering, put_off
from cogs.asking import AskingCog, Desk
from cogs.details import tell
from cogs.drafts import handed_back
from cogs.found import AT_ONCE_SECONDS, Finder, Found
from cogs.menu_views import CHOSEN_EVENT, DRAW, MOST, NAMES, OVER, What, draw_modal, which_image
from cogs.message_images import MessageImage, from_json, images_of, to_json
from cogs.modals import join_inputs, read_modal
from cogs.options import read_options
from cogs.picture_buttons import UPSCALE, USE
from cogs.pnginfo import InfoReader
from cogs.reply import ReplyAddress
from cogs.upscale import read_upscale
from core.errors import UserError
from core.forms import read_use
from core.jobs.model import Origin
from core.jobs.patience import for_a_person
from core.recall import Recall, Result
from core.request import GenerationRequest
from core.store.pointed import PointedRows

NO_IMAGE = "There is no image on this message."
GONE = "This message is gone, and with it its image."
NOT_READABLE = (
    "I can't read this message any more: Discord shows it to me only while its menu is open. Open the menu again."
)
CHANGED = "This image is not on the message any more."


class MenusCog(AskingCog):
    """The menus of messages, the choice among several images, and the modal of “Draw from this”."""

    def __init__(
        self,
        desk: Desk,
        finder: Finder,
        recall: Recall,
        reader: InfoReader,
        pointed: PointedRows,
        tree: app_commands.CommandTree[Any],
    ) -> None:
        super().__init__(desk)
        self._finder = finder
        self._recall = recall
        self._reader = reader
        self._tree = tree
        self._pointed = pointed

    async def cog_load(self) -> None:
        """Called by discord.py, whose cogs take slash commands alone by themselves."""
        for what, callback in (
            ("info", self.image_info),
            ("from", self.draw_from_this),
            ("upscale", self.upscale_this),
            ("describe", self.describe_this),
        ):
            menu = app_commands.ContextMenu(name=NAMES[cast(What, what)], callback=cast(Any, callback))
            self._tree.add_command(menu)

    async def image_info(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """What is known of the image, as `/pnginfo` and “Details” tell it."""
        await self._begin(interaction, "info", message)

    async def draw_from_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """A picture over the image, as `/draw image:` makes it."""
        await self._begin(interaction, "from", message)

    async def upscale_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """The image, larger, as `/upscale` makes it."""
        await self._begin(interaction, "upscale", message)

    async def describe_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Words for the image, as `/describe` finds them."""
        await self._begin(interaction, "describe", message)

    @commands.Cog.listener(f"on_{CHOSEN_EVENT}")
    async def on_chosen(self, press: discord.Interaction, what: What, message_id: int, key: str) -> None:
        """One of several images was chosen."""
        async with answering(press):
            await self._do(press, what, message_id, await self._find(press, message_id, key))

    @commands.Cog.listener()
    async def on_interaction(self, submit: discord.Interaction) -> None:
        """The modal was submitted, perhaps to a process that did not open it: what can't be done is handed back."""
        if submit.type is not discord.InteractionType.modal_submit:
            return
        match = DRAW.fullmatch(str(cast(Any, submit.data).get("custom_id", "")))
        if match is None:
            return
        async with answering(submit):
            texts = join_inputs(read_modal(submit.data))
            try:
                await self._draw(submit, match, texts)
            except UserError as error:
                content, files = handed_back(error, OVER.labels(texts))
                await answer_privately(submit, content, files=files)

    async def _begin(self, interaction: discord.Interaction, what: What, message: discord.Message) -> None:
        images = images_of(message, _own_id(interaction))
        if not images:
            raise UserError(NO_IMAGE)
        if len(images) > 1 or what == "from":  # something is asked, and an answer may come after a restart
            kept, person_id = to_json(images[:MOST]), str(interaction.user.id)
            await for_a_person(lambda: self._pointed.put(person_id, str(message.id), kept, time.time()))
        if len(images) == 1:
            await self._do(interaction, what, message.id, images[0])
            return
        content, view = which_image(what, message.id, images)
        await interaction.response.send_message(content, view=view, ephemeral=True, allowed_mentions=NOBODY)

    async def _find(self, interaction: discord.Interaction, message_id: int, key: str) -> MessageImage:
        """The image as this person saw it, else as Discord shows it to the bot; UserError where neither is so."""
        kept = await for_a_person(lambda: self._pointed.fetch(str(interaction.user.id), str(message_id)))
        images = await _fetch(interaction, message_id) if kept is None else from_json(kept)
        image = next((image for image in images if image.key == key), None)
        if image is None:
            raise UserError(CHANGED)
        return image

    async def _do(self, interaction: discord.Interaction, what: What, message_id: int, image: MessageImage) -> None:
        result = await self._result(interaction, image)
        image = _as_hidden(image, result)
        if what == "info":
            await self._inform(interaction, image, result)
        elif what == "from":
            await interaction.response.send_modal(draw_modal(message_id, image.key, _prompt(image, result)))
        elif what == "upscale":
            said = {"spoiler": image.spoiler, "private": image.private}
            await self._work_on(interaction, read_upscale(said), image, result)
        else:
            image = replace(image, private=image.private or image.spoiler)  # its words tell what it hides
            request = GenerationRequest(prompt="", task="describe", private=image.private)
            await self._work_on(interaction, request, image, result)

    async def _inform(self, interaction: discord.Interaction, image: MessageImage, result: Result | None) -> None:
        """What the row knows, where there is one that this person may see; else what the file says."""
        found = None if result is None or image.ours is None else await self._found(interaction, *image.ours)
        if found is None:
            await self._reader.tell(interaction, image.source)
        else:
            await tell(interaction, found, self._recall)

    async def _found(self, interaction: discord.Interaction, job_id: str, number: int) -> Found | None:
        try:
            return await self._finder.find(interaction, job_id, number, of_one=True, private=True)
        except UserError:
            return None

    async def _work_on(
        self, interaction: discord.Interaction, request: GenerationRequest, image: MessageImage, result: Result | None
    ) -> None:
        reply = _reply(interaction, image, result)  # now: its token's time runs while the image comes
        await put_off(interaction, private=image.private)
        request = await self._intake.add_image(request, image.source)
        await self.submit(interaction, request, reply, _origin(image, result, UPSCALE.name))

    async def _draw(self, submit: discord.Interaction, match: re.Match[str], texts: Mapping[str, str]) -> None:
        over = read_use(texts)
        image = await self._find(submit, int(match["message"]), match["key"])
        result = await self._result(submit, image)
        image = _as_hidden(image, result)
        request = over.of(read_options({"prompt": over.prompt, "spoiler": image.spoiler, "private": image.private}))
        reply = _reply(submit, image, result)
        await put_off(submit, private=image.private)
        request = await self._intake.add(request, image.source, None)
        await self.submit(submit, request, reply, _origin(image, result, USE.name))

    async def _result(self, interaction: discord.Interaction, image: MessageImage) -> Result | None:
        """The job that the image is a result of, where it is one, its row is there, and it is this person's to see."""
        if image.ours is None:
            return None
        try:
            result = await self._finder.result(image.ours[0])
        except UserError:  # it is still being made
            return None
        if result is None or image.ours[1] not in result.drawings:
            return None
        is_theirs = result.job.owner_id == str(interaction.user.id) or not result.job.request.private
        return result if is_theirs else None


async def _fetch(interaction: discord.Interaction, message_id: int) -> tuple[MessageImage, ...]:
    """What the bot itself sees: of other people's messages on a server Discord shows it nothing but that they exist."""
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0, guild_id=interaction.guild_id)
    try:
        async with asyncio.timeout(AT_ONCE_SECONDS):
            message = await channel.fetch_message(message_id)
    except discord.NotFound as error:
        raise UserError(GONE) from error
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise UserError(NOT_READABLE) from error
    own_id = _own_id(interaction)
    images = images_of(message, own_id)
    if not images and message.author.id != own_id:
        raise UserError(NOT_READABLE)
    return images


def _own_id(interaction: discord.Interaction) -> int:
    user = interaction.client.user
    return 0 if user is None else user.id


def _as_hidden(image: MessageImage, result: Result | None) -> MessageImage:
    """At least as hidden as the request it is the result of."""
    if result is None:
        return image
    request = result.job.request
    return replace(image, spoiler=image.spoiler or request.spoiler, private=image.private or request.private)


def _prompt(image: MessageImage, result: Result | None) -> str:
    if result is None or image.ours is None:
        return ""
    return result.job.request.of(image.ours[1]).prompt


def _reply(interaction: discord.Interaction, image: MessageImage, result: Result | None) -> ReplyAddress:
    reply = ReplyAddress.of(interaction, private=image.private)
    return reply if result is None else replace(reply, made_from=link_to(result.job))


def _origin(image: MessageImage, result: Result | None, verb: str) -> Origin | None:
    if result is None or image.ours is None:
        return None
    return Origin(result.job.id, image.ours[1], verb)
