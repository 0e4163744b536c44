"""Which of Discord's refusals may be better in a moment, and which messages are our own."""

from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from cogs.places import TOKEN_OVER, is_transient
from cogs.places import _carries as carries


def refusal(status: int, code: int = 0) -> discord.HTTPException:
    response = cast(Any, SimpleNamespace(status=status, reason="x", headers={}))
    return discord.HTTPException(response, {"code": code, "message": "x"})


@pytest.mark.parametrize(
    "error",
    [
        refusal(500),
        refusal(502),
        refusal(429),
        refusal(401, 0),  # the bot itself is logged out: an operator mends that
        aiohttp.ClientConnectionError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
)
def test_what_may_be_better_in_a_moment_is_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error", [refusal(400), refusal(401, TOKEN_OVER), refusal(403), refusal(404), refusal(413), ValueError()]
)
def test_what_stays_as_it_is_is_not_tried_again(error: Exception) -> None:
    assert not is_transient(error)


def message(*names: str) -> discord.Message:
    return cast(discord.Message, SimpleNamespace(attachments=[SimpleNamespace(filename=name) for name in names]))


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        (["easel-7-1.png"], ["easel-7-1.png"], True),
        (["easel-7-1.jpg"], ["easel-7-1.png"], True),
        (["SPOILER_easel-7-1.png"], ["easel-7-1.webp"], True),
        (["easel-7-1.png", "easel-7-2.png"], ["easel-7-1.png"], True),
        (["easel-7-1.png"], ["easel-7-1.png", "easel-7-2.png"], False),
        (["easel-8-1.png"], ["easel-7-1.png"], False),
        ([], ["easel-7-1.png"], False),
        ([], [], False),
    ],
)
def test_a_message_of_an_earlier_process_is_known_by_its_files(
    there: list[str], wanted: list[str], found: bool
) -> None:
    assert carries(message(*there), wanted) is found
