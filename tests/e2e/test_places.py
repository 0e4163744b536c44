"""Results and their buttons wherever people are: threads, posts in forums, voice channels' chats, direct messages."""

from __future__ import annotations

from typing import Any

import pytest

from playground.discord import Channel
from playground.discord.places import FORUM, TEXT, THREAD, VOICE
from tests.buttons import button_id
from tests.e2e.harness import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL: dict[str, Any] = {"size": "64x64", "steps": 2}


def place(stage: Stage, what: str) -> Channel:
    guild = stage.discord.guild
    match what:
        case "a thread":
            return stage.discord.add_place(guild, "about foxes", THREAD, stage.discord.channel)
        case "a post in a forum":
            return stage.discord.add_place(guild, "my fox", THREAD, stage.discord.add_place(guild, "forum", FORUM))
        case "a voice channel":
            return stage.discord.add_place(guild, "talking", VOICE)
        case "direct messages":
            return stage.ada.dm
        case _:
            return stage.discord.add_place(guild, "pictures", TEXT)


@pytest.mark.parametrize("what", ["a channel", "a thread", "a post in a forum", "a voice channel", "direct messages"])
async def test_results_and_their_buttons_work_in(stage: Stage, what: str) -> None:
    channel = place(stage, what)
    message = await stage.drawn(channel=channel, **SMALL)
    assert message.channel is channel
    again = await stage.discord.press(stage.ada, message, button_id(message, "again"))
    shown = await stage.delivered(again)
    assert shown.channel is channel
    assert f"/{channel.id}/{message.id}>" in shown.content
    history = await stage.answered(await stage.discord.slash(stage.ada, "history", channel=channel))
    assert history.ephemeral
    details = await stage.answered(await stage.discord.press(stage.ada, shown, button_id(shown, "details")))
    assert "Steps `2`" in details.content
    await stage.discord.press(stage.ada, shown, button_id(shown, "delete"))
    await stage.discord.until(lambda: shown.deleted, what="the message to be gone")


@pytest.mark.parametrize("what", ["a thread", "a post in a forum", "a voice channel"])
async def test_an_answer_whose_token_is_over_comes_where_it_was_asked_for(stage: Stage, what: str) -> None:
    channel = place(stage, what)
    stage.webui.hold()
    interaction = await stage.draw(channel=channel, **SMALL)
    await stage.answered(interaction)
    interaction.expire()
    stage.webui.release()
    message = await stage.delivered(interaction)
    assert message.channel is channel
    assert button_id(message, "again")
