"""Which of Discord's refusals may be better in a moment, and which messages are our own."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from cogs.places import TOKEN_OVER, ChannelPlace, is_transient, is_transient_with_token
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
        discord.RateLimited(60.0),
    ],
)
def test_what_may_be_better_in_a_moment_is_tried_again(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        refusal(400),
        refusal(401, TOKEN_OVER),
        refusal(403),
        refusal(404),
        refusal(413),
        FileNotFoundError(),
        ValueError(),
    ],
)
def test_what_stays_as_it_is_is_not_tried_again(error: Exception) -> None:
    assert not is_transient(error)


def test_with_an_interaction_s_token_alone_any_401_is_its_end() -> None:
    assert not is_transient_with_token(refusal(401, 0))
    assert is_transient_with_token(refusal(503))


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


class Channel:
    """A channel whose messages can be read once all its `troubles` are over; it remembers how often they were asked."""

    def __init__(self, *troubles: Exception) -> None:
        self.asked = 0
        self._troubles = list(troubles)

    async def history(self, **_options: object) -> AsyncIterator[discord.Message]:
        self.asked += 1
        if self._troubles:
            raise self._troubles.pop(0)
        yield cast(discord.Message, SimpleNamespace(id=3, attachments=[]))
        yield cast(discord.Message, SimpleNamespace(id=2, attachments=message("easel-7-1.png").attachments))

    def get_partial_messageable(self, _channel_id: int) -> "Channel":
        """What a client is asked for."""
        return self

    async def look(self) -> int | None:
        place = ChannelPlace(cast(discord.Client, self), 5, 1)
        return await place.find(["easel-7-1.png"])


@pytest.mark.parametrize("trouble", [refusal(503), aiohttp.ServerDisconnectedError(), ConnectionResetError()])
async def test_a_look_for_an_earlier_delivery_waits_until_it_can_be_answered(trouble: Exception) -> None:
    channel = Channel(trouble)
    assert await channel.look() == 2
    assert channel.asked == 2


@pytest.mark.parametrize("answer", [refusal(403), refusal(404), refusal(401, TOKEN_OVER)])
async def test_a_place_that_may_not_be_looked_through_holds_nothing(answer: Exception) -> None:
    channel = Channel(answer)
    assert await channel.look() is None
    assert channel.asked == 1
