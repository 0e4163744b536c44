"""Places without the bot, and messages that people make: what Discord tells of them, and what it lets through."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import discord
import pytest

from playground.discord import EVERYTHING, Channel, File, Interaction, LocalDiscord, Member, NotSendable
from tests.playground.discord.conftest import PNG, Bot, Rest, StartBot, command

FOR_ALL: dict[str, Any] = {"integration_types": [0, 1], "contexts": [0, 1, 2]}


@pytest.fixture
def elsewhere(server: LocalDiscord) -> Channel:
    return server.add_foreign_guild("Elsewhere")


@pytest.fixture
async def brought(server: LocalDiscord, rest: Rest, ada: Member, elsewhere: Channel) -> Interaction:
    """A command of somebody who installed the application for themselves."""
    await rest.register(command(**FOR_ALL))
    return await server.slash(ada, "draw", channel=elsewhere)


async def test_a_command_for_guilds_alone_is_not_offered_there(
    server: LocalDiscord, rest: Rest, ada: Member, elsewhere: Channel
) -> None:
    await rest.register(command(), command("help", integration_types=[0, 1], contexts=[0]))
    with pytest.raises(NotSendable):
        await server.slash(ada, "draw", channel=elsewhere)
    assert await server.slash(ada, "help", channel=elsewhere)
    with pytest.raises(NotSendable):
        await server.slash(ada, "help", channel=server.add_group("two", ada))


async def test_what_answers_there_is_ephemeral_and_five_messages_may_follow(rest: Rest, brought: Interaction) -> None:
    await rest.answer(brought, 4, {"content": "x"})
    assert brought.response is not None
    assert brought.response.ephemeral
    for number in range(5):
        assert (await rest.webhook("POST", brought, body={"content": str(number)})).body["flags"] & 64
    sixth = await rest.webhook("POST", brought, body={"content": "6"})
    assert (sixth.status, sixth.code) == (400, 40094)
    assert (await rest.webhook("PATCH", brought, "/messages/@original", {"content": "edited"})).status == 200


async def test_a_deferral_there_is_ephemeral_too(rest: Rest, brought: Interaction) -> None:
    await rest.answer(brought, 5)
    await rest.webhook("POST", brought, body={"content": "x"})
    assert brought.response is not None
    assert brought.response.ephemeral
    assert brought.follow_ups == []


async def test_the_bot_s_token_reaches_nothing_there(rest: Rest, brought: Interaction) -> None:
    await rest.answer(brought, 4, {"content": "x"})
    assert brought.response is not None
    path = f"/channels/{brought.channel.id}/messages"
    for method, tail in (("POST", ""), ("GET", ""), ("PATCH", f"/{brought.response.id}")):
        reply = await rest(method, path + tail, None if method == "GET" else {"content": "x"})
        assert (reply.status, reply.code) == (403, 50001)


async def test_who_may_use_external_apps_answers_for_all(
    server: LocalDiscord, rest: Rest, brought: Interaction
) -> None:
    root = server.member("root", administrator=True)
    assert root.permissions == EVERYTHING
    allowed = await server.slash(root, "draw", channel=brought.channel)
    await rest.answer(allowed, 4, {"content": "x"})
    assert allowed.response is not None
    assert not allowed.response.ephemeral


async def test_discord_py_knows_whose_installation_it_is(
    server: LocalDiscord, ada: Member, elsewhere: Channel, start_bot: StartBot
) -> None:
    bot = Bot()
    told: asyncio.Queue[tuple[bool, bool, bool, int | None]] = asyncio.Queue()

    @bot.tree.command(name="draw", description="Draw")
    @discord.app_commands.allowed_installs(guilds=True, users=True)
    @discord.app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def draw(interaction: discord.Interaction[Bot]) -> None:
        await told.put(
            (
                interaction.is_guild_integration(),
                interaction.is_user_integration(),
                interaction.context.private_channel,
                interaction.guild_id,
            )
        )

    await start_bot(bot)
    group = server.add_group("ada and grace", ada, server.member("grace"))
    found = []
    for channel in (server.channel, ada.dm, elsewhere, group):
        await server.slash(ada, "draw", channel=channel)
        found.append(await told.get())
    assert server.channel.guild is not None
    assert elsewhere.guild is not None
    assert found == [
        (True, False, False, server.channel.guild.id),
        (False, False, False, None),
        (False, True, False, elsewhere.guild.id),
        (False, True, True, None),
    ]


async def test_a_private_channel_is_its_people_s_own(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    await rest.register(command(**FOR_ALL))
    grace = server.member("grace")
    group = server.add_group("ada and grace", ada, grace)
    interaction = await server.slash(ada, "draw", channel=group)
    await rest.answer(interaction, 4, {"content": "x"})
    assert interaction.response is not None
    assert interaction.response.visible_to(grace)
    assert not interaction.response.visible_to(server.member("mallory"))
    with pytest.raises(NotSendable):
        await server.slash(server.member("mallory"), "draw", channel=group)


async def test_a_person_s_message_is_empty_to_a_bot_without_the_intent(lenient: LocalDiscord, careless: Rest) -> None:
    ada = lenient.member("ada")
    message = lenient.post(ada, "hello", files=[File(filename="a.png", data=PNG)], channel=lenient.channel)
    forwarded = lenient.forward(ada, message, lenient.channel)
    path = f"/channels/{lenient.channel.id}/messages"
    told = (await careless("GET", f"{path}/{message.id}")).body
    assert (told["content"], told["attachments"], told["embeds"]) == ("", [], [])
    assert "message_snapshots" not in (await careless("GET", f"{path}/{forwarded.id}")).body
    lenient.rules = replace(lenient.rules, privileged_intents=1 << 15)
    told = (await careless("GET", f"{path}/{forwarded.id}")).body
    (snapshot,) = told["message_snapshots"]
    assert [one["filename"] for one in snapshot["message"]["attachments"]] == ["a.png"]
    own = (await careless.say({"content": "mine"})).body
    lenient.rules = replace(lenient.rules, privileged_intents=0)
    assert (await careless("GET", f"{path}/{own['id']}")).body["content"] == "mine"
