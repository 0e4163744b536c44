"""Rate limits and the failures a test can order."""

import asyncio
import re
import time
from dataclasses import replace

import aiohttp
import discord
import pytest

from playground.discord import LocalDiscord, Member
from tests.playground.discord.conftest import Bot, Rest, StartBot, command


async def test_normal_answers_carry_the_rate_limit_headers(rest: Rest) -> None:
    headers = (await rest.say({"content": "x"})).headers
    assert int(headers["X-RateLimit-Remaining"]) > 0
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-RateLimit-Bucket"])
    assert float(headers["X-RateLimit-Reset-After"]) <= 1.0


async def test_a_route_is_counted_for_each_channel_on_its_own(server: LocalDiscord, rest: Rest) -> None:
    server.rules = replace(server.rules, route_limit=(2, 0.2))
    other = server.add_channel("other")
    assert [(await rest.say({"content": "x"})).status for _ in range(2)] == [200, 200]
    refused = await rest.say({"content": "x"})
    assert (refused.status, refused.body["global"]) == (429, False)
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < refused.body["retry_after"] <= 0.2
    assert (await rest("POST", f"/channels/{other.id}/messages", {"content": "x"})).status == 200
    await asyncio.sleep(refused.body["retry_after"] + 0.01)
    assert (await rest.say({"content": "x"})).status == 200


async def test_a_real_client_waits_as_long_as_a_429_says(
    server: LocalDiscord, start_bot: StartBot, ada: Member
) -> None:
    bot = Bot()
    bot.tree.add_command(discord.app_commands.Command(name="draw", description="d", callback=_answer))
    await start_bot(bot)
    server.limit("POST", "/callback$", retry_after=0.2)
    interaction = await server.slash(ada, "draw")
    await server.until(lambda: interaction.response)
    assert interaction.acked_after is not None
    assert interaction.acked_after >= 0.2
    statuses = [request.status for request in server.requests if request.path.endswith("/callback")]
    assert statuses == [429, 200]


async def _answer(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("here")


async def test_a_global_limit_says_so(server: LocalDiscord, rest: Rest) -> None:
    server.limit("*", ".*", scope="global")
    reply = await rest("GET", "/users/@me")
    assert (reply.body["global"], reply.headers["X-RateLimit-Scope"]) == (True, "global")


async def test_a_failure_comes_as_often_as_ordered(server: LocalDiscord, rest: Rest) -> None:
    server.fail("POST", r"^/channels/\d+/messages$", status=500, times=2)
    server.fail("POST", "/messages$", status=403, code=50001)
    replies = [await rest.say({"content": "x"}) for _ in range(4)]
    assert [reply.status for reply in replies] == [500, 500, 403, 200]
    assert replies[2].body == {"message": "Missing Access", "code": 50001}
    assert len(server.messages()) == 1


async def test_an_effect_may_happen_though_the_client_never_learns(server: LocalDiscord, rest: Rest) -> None:
    server.fail("POST", "/messages$", drop=True, after=True)
    with pytest.raises(aiohttp.ClientError):
        await rest.say({"content": "there"})
    assert [message.content for message in server.messages()] == ["there"]
    server.fail("POST", "/messages$", status=502, after=True)
    assert (await rest.say({"content": "also there"})).status == 502
    assert len(server.messages()) == 2
    assert [request.status for request in server.requests] == [0, 502]


async def test_a_connection_may_be_cut_before_anything_happens(server: LocalDiscord, rest: Rest) -> None:
    server.fail("*", "", drop=True)
    with pytest.raises(aiohttp.ClientError):
        await rest.say({"content": "nowhere"})
    assert server.messages() == []


async def test_an_answer_may_be_late(server: LocalDiscord, rest: Rest) -> None:
    server.fail("GET", "/users/@me", delay=0.1)
    before = time.monotonic()
    assert (await rest("GET", "/users/@me")).status == 200
    assert time.monotonic() - before >= 0.1


async def test_ordered_failures_can_be_called_off(server: LocalDiscord, rest: Rest) -> None:
    server.fail("*", "", status=500, times=99)
    server.heal()
    assert (await rest("GET", "/users/@me")).status == 200


async def test_a_client_that_dies_while_sending_changes_nothing(server: LocalDiscord, rest: Rest) -> None:
    await rest.register(command())
    head = (
        f"POST /api/v10/channels/{server.channel.id}/messages HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bot {server.token}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        'Content-Length: 9999\r\n\r\n--b\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{"con'
    )
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.encode())
    await writer.drain()
    await server.until(lambda: server.requests[-1].method == "POST" and server.requests)
    writer.transport.abort()
    await server.until(lambda: server.requests[-1].status == 0, what="the cut to be noticed")
    assert server.messages() == []
