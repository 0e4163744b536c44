"""`/checkpoint`: what the webuis have and draw with; admins switch it and name it. It makes no policy but who may."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from cogs import checkpoint_pages as pages
from cogs.admins import check_admin, check_everywhere, may_see_hidden
from cogs.answers import NOBODY, answer_error
from cogs.completing import Offers, offer, offer_last, offer_texts
from cogs.edits import edit_reply
from cogs.reply import ReplyAddress, guild_of
from core.errors import UserError
from core.families.detect import title_key
from core.families.table import Table
from core.notes import CheckpointNotes
from core.store.notes import EVERYWHERE, NOTHING, Note
from core.studio import Studio
from core.switch_desk import SwitchDesk, Targets, targets_of
from core.switching import REFRESH
from core.webui.catalog import Catalog, Checkpoint, find_checkpoint
from core.webui.lacking import no_checkpoint
from core.webui.names import shorten
from core.webui.options import CLIP_SKIPS, OWN_WORDS, Setting

log = logging.getLogger(__name__)

SWITCH = "switch models"
NAME = "name checkpoints"


@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
class CheckpointCog(commands.GroupCog, group_name="checkpoint", group_description="What the webuis draw with"):
    """Checkpoints. `servers`: whose admins may switch webuis; empty: every server's."""

    def __init__(
        self,
        studio: Studio,
        desk: SwitchDesk,
        notes: CheckpointNotes,
        families: Table | None,
        servers: Collection[int] = (),
        *,
        client: discord.Client,
    ) -> None:
        self._client = client
        self._studio = studio
        self._desk = desk
        self._notes = notes
        self._families = families
        self._servers = frozenset(servers)
        self._watching: set[asyncio.Task[None]] = set()

    async def cog_load(self) -> None:
        """Go on saying how those wishes stand that an earlier process was asked for."""
        self._begin(self._follow_unfinished(), "watch what is unfinished")

    async def cog_unload(self) -> None:
        """Leave what is being watched: the rows know how it ends, and the next process goes on."""
        for task in self._watching:
            task.cancel()

    @app_commands.command(name="list", description="The checkpoints, and which is loaded")
    @app_commands.describe(page="Which page, where there are several")
    async def list_(self, interaction: discord.Interaction, page: app_commands.Range[int, 1, 1000] = 1) -> None:
        """What there is, to whoever asks."""
        try:
            guild, catalog = guild_of(interaction), self._catalog()
            naming, for_admin = self._notes.naming(guild, catalog), may_see_hidden(interaction)
            last = await self._desk.fetch_last() if for_admin else None
            text = pages.listing(
                catalog,
                self._studio.webuis(),
                lambda checkpoint: naming.of(checkpoint) or NOTHING,
                self._families,
                naming.corrections,
                page,
                for_admin=for_admin,
                last="" if last is None else pages.last_switch(last, guild),
            )
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @app_commands.command(name="info", description="What is known of one checkpoint, its trigger words too")
    @app_commands.describe(checkpoint="Which one")
    async def info(self, interaction: discord.Interaction, checkpoint: str) -> None:
        """One of them."""
        try:
            guild, catalog = guild_of(interaction), self._catalog()
            found = self._find(guild, checkpoint, with_hidden=may_see_hidden(interaction))
            corrections = self._notes.corrections(guild, catalog)
            note = self._notes.of(guild, found, catalog)
            text = pages.details(found, note, self._studio.webuis(), self._families, corrections)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @app_commands.command(name="use", description="Draw with this checkpoint where nobody chooses one (for admins)")
    @app_commands.describe(checkpoint="Which one", webui="On which webui; all that have it where none is named")
    async def use(self, interaction: discord.Interaction, checkpoint: str, webui: str | None = None) -> None:
        """Load it for good."""
        try:
            check_admin(interaction, SWITCH, self._servers)
            wanted = self._wanted(guild_of(interaction), checkpoint)
        except UserError as error:
            await answer_error(interaction, error)
            return
        await self._set(interaction, Setting.CHECKPOINT, wanted, webui)

    @app_commands.command(name="vae", description="Use this VAE where nobody chooses one (for admins)")
    @app_commands.describe(
        vae="Which one; on Forge VAE and text encoders with commas between them, or built-in",
        webui="On which webui; all that have it where none is named",
    )
    async def vae(self, interaction: discord.Interaction, vae: str, webui: str | None = None) -> None:
        """Load it for good."""
        await self._set(interaction, Setting.VAE, vae, webui)

    @app_commands.command(name="clip_skip", description="Use this CLIP skip where nobody chooses one (for admins)")
    @app_commands.describe(layers="1 for none", webui="On which webui; all where none is named")
    async def clip_skip(
        self,
        interaction: discord.Interaction,
        layers: app_commands.Range[int, CLIP_SKIPS[0], CLIP_SKIPS[1]],
        webui: str | None = None,
    ) -> None:
        """Set it for good."""
        await self._set(interaction, Setting.CLIP_SKIP, str(layers), webui)

    @app_commands.command(name="refresh", description="Let the webuis look for new files (for admins)")
    @app_commands.describe(webui="Which webui; all where none is named")
    async def refresh(self, interaction: discord.Interaction, webui: str | None = None) -> None:
        """Read the lists anew."""
        await self._set(interaction, REFRESH, "", webui)

    @app_commands.command(name="name", description="What this server calls a checkpoint, and knows of it (for admins)")
    @app_commands.describe(
        checkpoint="Which one",
        friendly="What members read and may type instead of its name",
        trigger_words="Words that its prompts need; /checkpoint info shows them",
        family="What it is, where the bot is wrong about it",
        hidden="Offer it to nobody on this server",
        everywhere="On every server of this bot (in ADMIN_SERVERS only)",
        clear="Forget what was said of it before",
    )
    async def name(  # the options of a slash command are its parameters
        self,
        interaction: discord.Interaction,
        checkpoint: str,
        friendly: str | None = None,
        trigger_words: str | None = None,
        family: str | None = None,
        hidden: bool | None = None,
        everywhere: bool = False,
        clear: bool = False,
    ) -> None:
        """Write a note."""
        try:
            guild_id = check_admin(interaction, NAME)
            if everywhere:
                check_everywhere(guild_id, self._servers)
            catalog, found = self._catalog(), self._find(str(guild_id), checkpoint, with_hidden=True)
            note = Note(
                plain_title=title_key(found.plain_title),
                guild_id=EVERYWHERE if everywhere else str(guild_id),
                family=self._family(family),
                friendly_name=" ".join((friendly or "").split()),
                trigger_words=" ".join((trigger_words or "").split()),
                hidden=hidden,
            )
            note = await self._notes.write(note, catalog, clear=clear)
        except UserError as error:
            await answer_error(interaction, error)
            return
        known = self._families.family(note.family) if self._families is not None and note.family else None
        text = pages.noted(catalog.checkpoint_lookup.short_name(found), note, known)
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    @info.autocomplete("checkpoint")
    @use.autocomplete("checkpoint")
    async def complete_checkpoint(self, interaction: discord.Interaction, typed: str) -> Offers:
        """Friendly names first."""
        catalog = self._studio.get_catalog()
        return [] if catalog is None else offer(self._notes.offers(guild_of(interaction), catalog, typed))

    @name.autocomplete("checkpoint")
    async def complete_any_checkpoint(self, interaction: discord.Interaction, typed: str) -> Offers:
        """The same, and those that are hidden: else they could not be shown again."""
        catalog, guild = self._studio.get_catalog(), guild_of(interaction)
        return [] if catalog is None else offer(self._notes.offers(guild, catalog, typed, with_hidden=True))

    @vae.autocomplete("vae")
    async def complete_vae(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """VAEs, and Forge's modules one after the other."""
        catalog = self._studio.get_catalog()
        if catalog is None:
            return []
        own = [word for word in OWN_WORDS if typed and word.startswith(typed.casefold())]
        return (offer_texts(own) + offer_last(catalog.assets.vae_names, typed))[:25]

    @name.autocomplete("family")
    async def complete_family(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """Every family that the table knows."""
        keys = () if self._families is None else self._families.keys
        return offer_texts(key for key in keys if typed.strip().casefold() in key)

    @use.autocomplete("webui")
    @vae.autocomplete("webui")
    @clip_skip.autocomplete("webui")
    @refresh.autocomplete("webui")
    async def complete_webui(self, _interaction: discord.Interaction, typed: str) -> Offers:
        """The webuis by the names that people read."""
        names = [shorten(view.name) for view in self._studio.webuis()]
        return offer_texts(name for name in dict.fromkeys(names) if typed.strip().casefold() in name.casefold())

    async def _set(self, interaction: discord.Interaction, setting: str, wanted: str, webui: str | None) -> None:
        """Write the wish, say so where everybody reads it, and keep that true from then on."""
        try:
            guild_id = check_admin(interaction, SWITCH, self._servers)
            targets = targets_of(self._desk.find(webui), setting, wanted)
            wish_id, person_id = str(interaction.id), interaction.user.id
            reply = ReplyAddress.of(interaction, private=setting == REFRESH)
            facts = {"setting": setting, "wanted": wanted, "reply": reply.to_json()}
            await self._desk.wish(wish_id, targets, **facts, person_id=person_id, guild_id=guild_id)
        except UserError as error:
            await answer_error(interaction, error)
            return
        text = pages.progress(setting, wanted, targets, [], {}, person_id)
        await interaction.response.send_message(text, ephemeral=reply.private, allowed_mentions=NOBODY)
        self._begin(self._follow(wish_id, reply, targets), f"watch {wish_id}")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def _follow(self, wish_id: str, reply: ReplyAddress, targets: Targets) -> None:
        async for rows in self._desk.watch(wish_id):
            names = {view.key: view.name for view in (*targets.chosen, *self._studio.webuis())}
            for row in rows[:1]:
                text = pages.progress(row.setting, row.wanted, targets, rows, names, int(row.person_id))
                if not await edit_reply(self._client, reply, None, content=text):
                    log.warning("how a switch stands could not be said", extra={"wish": wish_id})

    async def _follow_unfinished(self) -> None:
        for wish_id, row in (await self._desk.unfinished()).items():
            reply = ReplyAddress.from_json(row.reply) if row.reply else None
            if reply and reply.token_lives:
                self._begin(self._follow(wish_id, reply, Targets(())), f"watch {wish_id}")

    def _catalog(self) -> Catalog:
        catalog = self._studio.get_catalog()
        if catalog is None:
            raise UserError("No webui has answered yet; try again in a minute.")
        return catalog

    def _find(self, guild: str | None, wanted: str, *, with_hidden: bool) -> Checkpoint:
        catalog = self._catalog()
        naming = self._notes.naming(guild, catalog)
        found = find_checkpoint(catalog, self._notes.resolve(guild, wanted, catalog))
        if found is None or (naming.is_hidden(found) and not with_hidden):
            raise UserError(no_checkpoint(wanted, naming.shown(catalog, with_hidden=with_hidden)))
        return found

    def _wanted(self, guild: str | None, named: str) -> str:
        """A checkpoint's title; what only some webui can tell, since others have one of that name, too, stays."""
        catalogs = [view.catalog for view in self._studio.webuis() if view.catalog is not None]
        name = self._notes.resolve(guild, named, self._catalog())
        if find_checkpoint(self._catalog(), name) is None and any(find_checkpoint(each, name) for each in catalogs):
            return name
        return self._find(guild, named, with_hidden=True).plain_title

    def _family(self, wanted: str | None) -> str:
        if wanted is None:
            return ""
        found = None if self._families is None else self._families.family(wanted)
        if found is None:
            raise UserError("That family is not in the bot's table; choose one of those that are offered.")
        return found.key
