"""The check against Discord's OpenAPI document: it finds what is wrong and lets through what is right."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.discord import File, LocalDiscord, Request
from playground.discord.openapi import OpenApiCheck, load
from tests.playground.discord.conftest import Rest, command


@pytest.fixture
async def watched(document: Path) -> AsyncIterator[LocalDiscord]:
    """A Discord that looks into the document and does not complain by itself."""
    async with LocalDiscord(openapi=document) as local:
        yield local


@pytest.fixture
async def watched_rest(watched: LocalDiscord) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession() as session:
        yield Rest(session, watched)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"content": "x" * 4001}, "content"),
        ({"embeds": [{"title": "t"}] * 11}, "embeds"),
        ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title"),
        ({"content": "x", "tts": "yes"}, "tts"),
        ({"content": "x", "flags": "none"}, "flags"),
        ({"content": "x", "attachments": [{"filename": "no id"}]}, "attachments.0"),
        (
            {
                "content": "x",
                "components": [
                    {"type": 1, "components": [{"type": 2, "style": 1, "label": "b", "custom_id": "c" * 101}]}
                ],
            },
            "components.0",
        ),
    ],
)
async def test_a_wrong_message_is_a_violation(
    watched: LocalDiscord, watched_rest: Rest, body: dict[str, Any], place: str
) -> None:
    await watched_rest.say(body)
    [violation] = watched.violations
    assert violation.startswith(f"POST /channels/{watched.channel.id}/messages")
    assert f"body {place}" in violation


async def test_ids_may_be_numbers_where_discord_py_sends_them_so(watched: LocalDiscord, watched_rest: Rest) -> None:
    ada = watched.member("ada")
    await watched_rest.say({"content": f"<@{ada.id}>", "allowed_mentions": {"parse": [], "users": [ada.id]}})
    await watched_rest("POST", "/users/@me/channels", {"recipient_id": ada.id})
    assert watched.violations == []


async def test_wrong_parameters_and_unknown_routes_are_violations(watched: LocalDiscord, watched_rest: Rest) -> None:
    path = f"/channels/{watched.channel.id}/messages"
    await watched_rest("GET", path + "?limit=2")
    assert watched.violations == []
    await watched_rest("GET", path + "?limit=101")
    await watched_rest("GET", path + "?newest=1")
    await watched_rest("GET", "/channels/x1/messages")
    await watched_rest("GET", "/voice/regions")
    told = "\n".join(watched.violations)
    for piece in ("parameter limit: '101'", "parameter newest", "parameter channel_id: 'x1'", "is not modelled here"):
        assert piece in told
    assert len(watched.violations) == 4


async def test_a_wrong_callback_and_a_missing_body_are_violations(watched: LocalDiscord, watched_rest: Rest) -> None:
    await watched_rest.register(command())
    interaction = await watched.slash(watched.member("ada"), "draw")
    await watched_rest.answer(interaction, 99)
    await watched_rest("POST", f"/channels/{watched.channel.id}/messages")
    assert len(watched.violations) == 2


async def test_an_attachment_id_may_be_a_number(watched: LocalDiscord, watched_rest: Rest) -> None:
    await watched_rest.say({"attachments": [{"id": 0, "filename": "a.png"}]}, [File(filename="a.png", data=b"x")])
    await watched_rest.register(command())
    interaction = await watched.slash(watched.member("ada"), "draw")
    data = {"attachments": [{"id": 0, "filename": "a.png"}]}
    await watched_rest.answer(interaction, 4, data, [File(filename="a.png", data=b"x")])
    assert watched.violations == []


def test_an_answer_of_our_own_is_checked_too(document: Path) -> None:
    check = OpenApiCheck(document)
    request = Request(method="GET", path="/gateway", at=0.0, status=200, answer={"url": 5})
    assert check.check(load(document), request) == ["GET /gateway: answer 200 url: 5 is not of type 'string'"]
    silent = Request(method="GET", path="/gateway", at=0.0, status=302)
    assert check.check(load(document), silent) == ["GET /gateway: answer 302: is not documented"]
