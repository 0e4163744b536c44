"""Shards: each session hears of its own guilds, and the first one of direct messages; and roles of members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import discord
import pytest

from playground.discord import Guild, LocalDiscord, Member
from tests.playground.discord.conftest import Bot, Rest, StartBot, command
from tests.playground.discord.test_login import Socket, gateway

GUILDS = 1


@asynccontextmanager
async def shards(server: LocalDiscord, count: int) -> AsyncIterator[list[tuple[Socket, dict[str, Any]]]]:
    """So many sessions, each with its READY."""
    async with AsyncExitStack() as stack:
        sessions = []
        for number in range(count):
            socket = await stack.enter_async_context(gateway(server))
            sessions.append((socket, await socket.identify(server.token, GUILDS, shard=[number, count])))
        yield sessions


def number_of(guild: Guild, count: int) -> int:
    """As the documentation says: "Sharding"."""
    return (guild.id >> 22) % count


def guilds_of_both(server: LocalDiscord) -> list[Guild]:
    """A guild of each of two shards: an id's last bit of time says which."""
    found = {number_of(server.guild, 2): server.guild}
    while len(found) < 2:
        guild = server.add_guild("another")
        found.setdefault(number_of(guild, 2), guild)
    return [found[0], found[1]]


async def test_a_shard_is_told_of_its_own_guilds(server: LocalDiscord) -> None:
    every = guilds_of_both(server)
    async with shards(server, 2) as sessions:
        for number, (socket, ready) in enumerate(sessions):
            assert ready["d"]["shard"] == [number, 2]
            ids = {int(guild["id"]) for guild in ready["d"]["guilds"]}
            assert every[number].id in ids
            assert every[1 - number].id not in ids
            created = await socket.read_event("GUILD_CREATE")
            assert int(created["d"]["id"]) in ids


async def test_what_happens_in_a_guild_is_heard_by_its_shard_alone(
    server: LocalDiscord, rest: Rest, ada: Member
) -> None:
    await rest.register(command())
    channels = [server.add_channel(f"of {number}", guild=guild) for number, guild in enumerate(guilds_of_both(server))]
    async with shards(server, 2) as sessions:
        asked = [await server.slash(ada, "draw", channel=channel) for channel in channels]
        for (socket, _), interaction in zip(sessions, asked, strict=True):
            assert (await socket.read_event("INTERACTION_CREATE"))["d"]["id"] == str(interaction.id)


async def test_direct_messages_are_heard_by_the_first_shard(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    await rest.register(command())
    async with shards(server, 3) as sessions:
        asked = [await server.slash(ada, "draw", channel=ada.dm) for _ in range(2)]
        heard = [(await sessions[0][0].read_event("INTERACTION_CREATE"))["d"]["id"] for _ in asked]
    assert heard == [str(one.id) for one in asked]


@pytest.mark.parametrize("shard", [[1, 1], [-1, 2], [0], "0", [0, "2"]])
async def test_a_shard_that_can_not_be_closes_with_4010(server: LocalDiscord, shard: Any) -> None:
    async with gateway(server) as socket:
        await socket.send(2, {"token": server.token, "intents": GUILDS, "properties": {}, "shard": shard})
        assert await socket.close_code() == 4010


async def _nothing(interaction: discord.Interaction) -> None:
    """The listener answers."""


async def test_a_member_s_roles_are_told_with_their_commands(
    server: LocalDiscord, start_bot: StartBot, ada: Member
) -> None:
    early = server.add_role("early", ada)

    class Looking(Bot):
        async def on_interaction(self, interaction: discord.Interaction) -> None:
            assert isinstance(interaction.user, discord.Member)
            names = sorted(role.name for role in interaction.user.roles)
            await interaction.response.send_message(", ".join(names))

    bot = Looking()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_nothing))
    await start_bot(bot)
    late = server.add_role("late", ada)
    assert [role.id for role in ada.roles] == [early.id, late.id]
    hers = await server.slash(ada, "draw")
    bobs = await server.slash(server.member("bob"), "draw")
    await server.until(lambda: hers.response and bobs.response)
    said = [one.response.content for one in (hers, bobs) if one.response is not None]
    assert said == ["@everyone, early, late", "@everyone"]
