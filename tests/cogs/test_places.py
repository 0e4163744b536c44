"""Which of Discord's refusals may be better in a moment, and which messages are our own."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from cogs.files import Upload
from cogs.growing import Post, pictures_on
from cogs.places import TOKEN_OVER, ChannelPlace, is_transient, is_transient_with_token
from core.images.store import Kept

PICTURE = Kept("x.png", "png", 1, 1, 1, None)


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


ME = object()


def message(*names: str, number: int = 1, author: object = ME) -> discord.Message:
    attachments = [SimpleNamespace(filename=name) for name in names]
    return cast(discord.Message, SimpleNamespace(id=number, author=author, attachments=attachments))


@pytest.mark.parametrize(
    ("there", "numbers"),
    [
        (["easel-7-1.png"], {1}),
        (["easel-7-1.jpg"], {1}),
        (["SPOILER_easel-7-1.png"], {1}),
        (["easel-7-3.png", "easel-7-2.webp"], {2, 3}),
        (["easel-7-10.png"], {10}),
        (["easel-8-1.png", "cat.png"], set()),
        ([], set()),
    ],
)
def test_a_message_of_an_earlier_process_is_known_by_its_files(there: list[str], numbers: set[int]) -> None:
    assert pictures_on(message(*there), "7").keys() == numbers


class Channel:
    """A channel whose messages can be read once all its `troubles` are over; it remembers what it was asked."""

    def __init__(self, *troubles: Exception) -> None:
        self.asked = 0
        self.user = ME
        self.edits: list[tuple[int, Any]] = []
        self.sent: list[str] = []
        self._edited = 0
        self._troubles = list(troubles)

    async def history(self, **_options: object) -> AsyncIterator[discord.Message]:
        self.asked += 1
        if self._troubles:
            raise self._troubles.pop(0)
        yield message("easel-7-9.png", number=4, author=object())
        yield message("easel-7-3.png", number=3)
        yield message("easel-7-1.png", "easel-7-2.png", number=2)

    def get_partial_messageable(self, _channel_id: int) -> "Channel":
        """What a client is asked for."""
        return self

    def get_partial_message(self, message_id: int) -> "Channel":
        self._edited = message_id
        return self

    async def edit(self, **changes: Any) -> discord.Message:
        self.edits.append((self._edited, changes.get("attachments")))
        return message("easel-7-3.png", "easel-7-4.png", number=self._edited)

    async def send(self, content: str, **_options: Any) -> discord.Message:
        self.sent.append(content)
        return cast(discord.Message, SimpleNamespace(id=5, content=content, attachments=[]))

    async def post(self) -> int:
        """Send the words of job 7 to this channel, which an earlier process may have done."""
        place = ChannelPlace(cast(discord.Client, self), 5, "7", None, search=True)

        async def caption(*_: object) -> str:
            return "Done."

        return await place.send(Post(job_id="7", caption=caption))


@pytest.mark.parametrize("trouble", [refusal(503), aiohttp.ServerDisconnectedError(), ConnectionResetError()])
async def test_a_look_for_an_earlier_delivery_waits_until_it_can_be_answered(trouble: Exception) -> None:
    channel = Channel(trouble)
    assert await channel.post() == 3
    assert channel.asked == 2
    assert (channel.edits, channel.sent) == ([(3, None)], [])


@pytest.mark.parametrize("answer", [refusal(403), refusal(404), refusal(401, TOKEN_OVER)])
async def test_a_place_that_may_not_be_looked_through_holds_nothing(answer: Exception) -> None:
    channel = Channel(answer)
    assert await channel.post() == 5
    assert channel.asked == 1
    assert (channel.edits, channel.sent) == ([], ["Done."])


async def test_what_older_messages_show_is_not_missing_in_the_newest() -> None:
    channel = Channel()
    place = ChannelPlace(cast(discord.Client, channel), 5, "7", None, search=True)
    uploads = [Upload(Path("nowhere"), PICTURE, f"easel-7-{number}.png", 1, number) for number in (1, 2, 3)]

    async def caption(*_: object) -> str:
        return "Done."

    assert await place.send(Post(job_id="7", caption=caption, uploads=uploads)) == 3
    assert channel.edits == [(3, None)]
