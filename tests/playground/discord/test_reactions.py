"""Reactions: who hears of them, what is said, and what a member's client does not let them do."""

from __future__ import annotations

import asyncio

import discord
import pytest

from playground.discord import LocalDiscord, Member, NotSendable
from tests.playground.discord.conftest import Bot, StartBot, command
from tests.playground.discord.conftest import Rest as Client


class Listening(Bot):
    """Remembers what it hears."""

    def __init__(self, **intents: bool) -> None:
        super().__init__(**intents)
        self.heard: list[tuple[str, discord.RawReactionActionEvent]] = []
        self.changed = asyncio.Event()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                await self.changed.wait()
                self.changed.clear()

    async def on_raw_reaction_add(self, reaction: discord.RawReactionActionEvent) -> None:
        self.heard.append(("add", reaction))
        self.changed.set()

    async def on_raw_reaction_remove(self, reaction: discord.RawReactionActionEvent) -> None:
        self.heard.append(("remove", reaction))
        self.changed.set()


async def test_who_asked_for_reactions_hears_of_them(server: LocalDiscord, start_bot: StartBot, ada: Member) -> None:
    bot = Listening(guild_reactions=True, dm_reactions=True)
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_nothing))
    await start_bot(bot)
    public, direct = server.say(ada, "look"), server.say(ada, "hello", channel=ada.dm)
    server.react(ada, public, "❌")
    server.react(ada, direct, "✉️")
    server.unreact(ada, public, "❌")
    await bot.until(3)
    (_, first), (_, second), (third, _) = bot.heard
    assert (first.message_id, first.user_id, str(first.emoji)) == (public.id, ada.id, "❌")
    assert (first.guild_id, first.message_author_id) == (server.guild.id, ada.id)
    assert first.member is not None
    assert (second.guild_id, second.channel_id) == (None, ada.dm.id)
    assert third == "remove"


async def test_who_did_not_ask_hears_nothing(server: LocalDiscord, start_bot: StartBot, ada: Member) -> None:
    bot = Listening()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_nothing))
    await start_bot(bot)
    server.react(ada, server.say(ada, "look"), "❌")
    answered = await server.slash(ada, "draw")
    await server.until(lambda: answered.response)
    assert bot.heard == []


async def test_a_client_lets_nobody_react_twice_or_to_what_they_do_not_see(
    server: LocalDiscord, rest: Client, ada: Member
) -> None:
    message = server.say(ada, "look")
    server.react(ada, message, "❌")
    with pytest.raises(NotSendable, match="already"):
        server.react(ada, message, "❌")
    server.react(server.member("bob"), message, "❌")
    with pytest.raises(NotSendable, match="has not reacted"):
        server.unreact(ada, message, "🎉")
    await rest.register(command())
    interaction = await server.slash(ada, "draw")
    await rest.answer(interaction, 4, {"content": "psst", "flags": 64})
    assert interaction.response is not None
    with pytest.raises(NotSendable, match="only ada sees"):
        server.react(ada, interaction.response, "❌")
    with pytest.raises(NotSendable, match="does not see"):
        server.react(server.member("bob"), interaction.response, "❌")


async def _nothing(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("here")
