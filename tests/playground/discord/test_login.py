"""Login and the gateway: READY, RESUME, compression, and each way of losing a connection."""

import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import pytest

from playground.discord import LocalDiscord, Member
from tests.playground.discord.conftest import Bot, Rest, StartBot, command


class Socket:
    """A gateway client without a library: reads payloads, plain or compressed."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._inflate = zlib.decompressobj()
        self.binary = False

    async def read(self) -> dict[str, Any]:
        message = await self._socket.receive(timeout=5)
        if message.type is aiohttp.WSMsgType.BINARY:
            self.binary = True
            payload = json.loads(self._inflate.decompress(message.data))
        else:
            assert message.type is aiohttp.WSMsgType.TEXT, message
            payload = json.loads(message.data)
        assert isinstance(payload, dict)
        return payload

    async def read_event(self, name: str) -> dict[str, Any]:
        while (payload := await self.read())["t"] != name:
            pass
        return payload

    async def send(self, operation: int, data: Any) -> None:
        await self._socket.send_str(json.dumps({"op": operation, "d": data}))

    async def identify(self, token: str, intents: int = 1, shard: list[int] | None = None) -> dict[str, Any]:
        data = {"token": token, "intents": intents, "properties": {}} | ({"shard": shard} if shard else {})
        await self.send(2, data)
        return await self.read_event("READY")

    async def resume(self, token: str, session: str, seq: int) -> None:
        await self.send(6, {"token": token, "session_id": session, "seq": seq})

    async def close_code(self) -> int | None:
        """Reads on until the server closes."""
        async for _ in self._socket:
            pass
        return self._socket.close_code

    def cut(self) -> None:
        connection = self._socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()


@asynccontextmanager
async def gateway(server: LocalDiscord, query: str = "") -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as session, session.ws_connect(server.gateway_url + query) as plain:
        socket = Socket(plain)
        assert (await socket.read())["op"] == 10
        yield socket


async def test_a_real_client_logs_in_and_registers_its_commands(server: LocalDiscord, start_bot: StartBot) -> None:
    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_nothing))
    await start_bot(bot)
    await bot.wait_until_ready()
    assert bot.user is not None
    assert bot.user.id == server.bot_user_id
    assert bot.application_id == server.application_id
    assert list(server.commands) == ["draw"]
    assert server.command_puts == 1
    [guild] = bot.guilds
    assert guild.me.id == server.bot_user_id
    channel = guild.get_channel(server.channel.id)
    assert channel is not None
    assert channel.permissions_for(guild.me).attach_files


async def _nothing(interaction: discord.Interaction) -> None:
    del interaction


async def test_a_wrong_token_is_refused_at_the_door(server: LocalDiscord, rest: Rest) -> None:
    reply = await rest("GET", "/users/@me", token="wrong")
    assert (reply.status, reply.body) == (401, {"message": "401: Unauthorized", "code": 0})
    async with gateway(server) as socket:
        await socket.send(2, {"token": "wrong", "intents": 1})
        assert await socket.close_code() == 4004
    assert server.identifies == 0


async def test_json_answers_have_the_one_content_type_discord_py_reads(rest: Rest) -> None:
    assert (await rest("GET", "/users/@me")).headers["Content-Type"] == "application/json"


async def test_the_gateway_is_told_to_whoever_asks(server: LocalDiscord, rest: Rest) -> None:
    assert (await rest("GET", "/gateway", token=None)).body == {"url": server.gateway_url}
    async with gateway(server) as socket:
        await socket.identify(server.token)
        told = (await rest("GET", "/gateway/bot")).body
    assert told["url"] == server.gateway_url
    assert told["session_start_limit"]["remaining"] == 999


@pytest.mark.parametrize("query", ["?v=10&encoding=json", "?v=10&encoding=json&compress=zlib-stream"])
async def test_events_are_compressed_only_when_asked(server: LocalDiscord, query: str) -> None:
    async with gateway(server, query) as socket:
        ready = await socket.identify(server.token)
        assert ready["d"]["resume_gateway_url"] == server.gateway_url
        created = await socket.read_event("GUILD_CREATE")
        assert created["d"]["channels"][0]["name"] == "studio"
        assert socket.binary is ("zlib" in query)


async def test_a_heartbeat_is_acknowledged(server: LocalDiscord) -> None:
    async with gateway(server) as socket:
        await socket.send(1, None)
        assert (await socket.read())["op"] == 11


async def test_a_client_without_heartbeat_is_closed_with_4009() -> None:
    async with LocalDiscord(heartbeat_seconds=0.05) as server, gateway(server) as socket:
        await socket.identify(server.token)
        assert await socket.close_code() == 4009


async def test_events_missed_while_disconnected_come_after_a_resume(
    server: LocalDiscord, rest: Rest, ada: Member
) -> None:
    await rest.register(command())
    async with gateway(server) as socket:
        ready = await socket.identify(server.token)
        seq = (await socket.read_event("GUILD_CREATE"))["s"]
        socket.cut()
        await server.until(lambda: not server.connected)
    missed = [await server.slash(ada, "draw") for _ in range(2)]
    async with gateway(server, "?compress=zlib-stream") as socket:
        await socket.resume(server.token, ready["d"]["session_id"], seq)
        events = [await socket.read() for _ in range(3)]
    assert [event["t"] for event in events] == ["INTERACTION_CREATE", "INTERACTION_CREATE", "RESUMED"]
    assert [event["d"]["id"] for event in events[:2]] == [str(one.id) for one in missed]
    assert [event["s"] for event in events] == [seq + 1, seq + 2, seq + 3]
    assert (server.identifies, server.resumes) == (1, 1)


async def test_an_unknown_or_expired_session_is_invalid(server: LocalDiscord) -> None:
    async with gateway(server) as socket:
        await socket.resume(server.token, "nobody", 1)
        assert (await socket.read())["op"] == 9
    server.rules = replace(server.rules, session_seconds=0.0)
    async with gateway(server) as socket:
        ready = await socket.identify(server.token)
        socket.cut()
        await server.until(lambda: not server.connected)
    async with gateway(server) as socket:
        await socket.resume(server.token, ready["d"]["session_id"], 1)
        assert (await socket.read())["op"] == 9


async def test_a_client_that_says_goodbye_gives_its_session_up(server: LocalDiscord) -> None:
    async with gateway(server) as socket:
        ready = await socket.identify(server.token)
    await server.until(lambda: not server.connected)
    async with gateway(server) as socket:
        await socket.resume(server.token, ready["d"]["session_id"], 1)
        assert (await socket.read())["d"] is False


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ('{"op": 99, "d": null}', 4001),
        ("no json", 4002),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 2, "d": {"token": "playground-token", "intents": "all"}}', 4013),
        ('{"op": 2, "d": {"token": "playground-token", "intents": 32768}}', 4014),
    ],
)
async def test_a_wrong_payload_closes_with_its_own_code(server: LocalDiscord, payload: str, code: int) -> None:
    async with gateway(server) as socket:
        await socket._socket.send_str(payload)
        assert await socket.close_code() == code


async def test_identifying_twice_closes_with_4005_and_a_seq_from_the_future_with_4007(server: LocalDiscord) -> None:
    async with gateway(server) as socket:
        ready = await socket.identify(server.token)
        await socket.send(2, {"token": server.token, "intents": 1})
        assert await socket.close_code() == 4005
    async with gateway(server) as socket:
        await socket.resume(server.token, ready["d"]["session_id"], 999)
        assert await socket.close_code() == 4007


async def test_more_than_120_sends_a_minute_close_with_4008(server: LocalDiscord) -> None:
    async with gateway(server) as socket:
        for _ in range(121):
            await socket.send(1, None)
        assert await socket.close_code() == 4008


async def test_a_real_client_resumes_after_each_kind_of_loss(server: LocalDiscord, start_bot: StartBot) -> None:
    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_answer))
    await start_bot(bot)
    await server.reconnect_clients()
    await server.until(lambda: server.resumes == 1, what="a resume after opcode 7")
    await server.invalidate_sessions(resumable=True)
    await server.until(lambda: server.resumes == 2, timeout=15, what="a resume after a resumable invalid session")
    interaction = await server.slash(server.member("ada"), "draw")
    await server.until(lambda: interaction.response)
    assert server.identifies == 1


async def test_a_real_client_identifies_again_when_its_session_is_gone(
    server: LocalDiscord, start_bot: StartBot
) -> None:
    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_answer))
    await start_bot(bot)
    await server.invalidate_sessions(resumable=False)
    await server.wait_for_bot(identifies=2)
    assert server.resumes == 0


async def test_it_can_be_stopped_and_started_with_its_memory_and_port(
    server: LocalDiscord, start_bot: StartBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.backoff.ExponentialBackoff, "delay", lambda _: 0.05)
    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_answer))
    await start_bot(bot)
    port = server.port
    first = await server.slash(server.member("ada"), "draw")
    await server.until(lambda: first.response)
    await server.stop()
    await server.start()
    assert server.port == port
    await server.until(lambda: server.connected, what="the client to be back")
    second = await server.slash(server.member("ada"), "draw")
    await server.until(lambda: second.response)
    assert len(server.messages()) == 2


async def _answer(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("here")


async def test_waiting_ends_with_a_sentence_and_the_last_requests(server: LocalDiscord, rest: Rest) -> None:
    await rest("GET", "/users/@me")
    with pytest.raises(TimeoutError, match=r"for a picture; .*\n  GET /users/@me -> 200"):
        await server.until(lambda: False, timeout=0.01, what="a picture")


async def test_an_event_can_be_doubled_and_lost(server: LocalDiscord, rest: Rest, ada: Member) -> None:
    await rest.register(command())
    async with gateway(server) as socket:
        await socket.identify(server.token)
        server.duplicate_next_event()
        first = await server.slash(ada, "draw")
        server.lose_next_event()
        await server.slash(ada, "draw")
        third = await server.slash(ada, "draw")
        seen = [(await socket.read_event("INTERACTION_CREATE"))["d"]["id"] for _ in range(3)]
    assert seen == [str(first.id), str(first.id), str(third.id)]
