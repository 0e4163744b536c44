"""Whatever goes wrong, the person gets a sentence and the operator a reference."""

import asyncio
import logging
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from cogs.answers import COMMAND, AnsweringTree, answer_error, answer_privately, put_off, until_answered
from core.errors import UserError


class Asked:
    """An interaction that remembers its answers; `lost` makes Discord refuse them.

    `kept` makes Discord refuse to delete an answer that was put off.
    """

    id = 987654321

    def __init__(self, *, done: bool = False, lost: bool = False, kept: bool = False) -> None:
        self.extras: dict[str, Any] = {}
        self.deleted = False
        self.deferred: list[dict[str, Any]] = []
        self.first: list[str] = []
        self.further: list[str] = []
        self.response = self.followup = self
        self._done = done
        self._lost = lost
        self._kept = kept

    def is_done(self) -> bool:
        return self._done

    async def defer(self, **options: Any) -> None:
        self.deferred.append(options)
        self._done = True

    async def delete_original_response(self) -> None:
        if self._kept:
            raise discord.DiscordException("Unknown message")
        self.deleted = True

    async def send_message(self, text: str, **options: Any) -> None:
        self._remember(self.first, text, options)

    async def send(self, text: str, **options: Any) -> None:
        self._remember(self.further, text, options)

    def _remember(self, answers: list[str], text: str, options: dict[str, Any]) -> None:
        assert options["ephemeral"] is True
        assert options["allowed_mentions"].to_dict() == {"parse": []}
        assert len(text) <= 2000
        if self._lost:
            raise discord.DiscordException("Unknown interaction")
        answers.append(text)

    @property
    def interaction(self) -> discord.Interaction:
        return cast(discord.Interaction, self)


@pytest.mark.parametrize("done", [False, True])
async def test_an_answer_is_the_first_or_a_further_one(done: bool) -> None:
    asked = Asked(done=done)
    await answer_privately(asked.interaction, "Hello.")
    assert (asked.first, asked.further) == (([], ["Hello."]) if done else (["Hello."], []))


@pytest.mark.parametrize("private", [False, True])
async def test_a_put_off_answer_that_all_can_see_is_deleted_before_its_person_is_told(private: bool) -> None:
    asked = Asked()
    await put_off(asked.interaction, private=private)
    assert asked.deferred == [{"ephemeral": private, "thinking": True}]
    await answer_privately(asked.interaction, "Hello.")
    assert asked.deleted is not private
    assert (asked.first, asked.further) == ([], ["Hello."])


async def test_the_person_is_told_though_the_put_off_answer_stays() -> None:
    asked = Asked(kept=True)
    await put_off(asked.interaction, private=False)
    await answer_privately(asked.interaction, "Hello.")
    assert asked.further == ["Hello."]


async def test_a_lost_interaction_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await answer_privately(Asked(lost=True).interaction, "Hello.")
    assert "an answer could not be given" in caplog.text


async def test_a_person_s_mistake_is_answered_with_its_sentence_and_the_prompt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = Asked()
    await answer_error(asked.interaction, UserError("That is no size."), "a fox")
    assert asked.first == ["That is no size.\n```\na fox\n```"]
    assert caplog.text == ""


async def test_a_fault_of_the_bot_s_own_is_a_reference_here_and_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = Asked()
    await answer_error(asked.interaction, KeyError("gpu.internal"))
    (text,) = asked.first
    assert "`987654321`" in text
    assert "gpu" not in text
    (record,) = caplog.records
    assert (record.levelname, getattr(record, "reference", None)) == ("ERROR", 987654321)
    assert record.exc_info is not None


class Tree(AnsweringTree):
    """The tree without a client: only its answers are asked for."""

    def __init__(self) -> None:
        """No registration."""


async def test_the_tree_answers_what_a_command_raised() -> None:
    asked = Asked()
    wrapped = app_commands.AppCommandError("Command 'draw' raised an exception")
    wrapped.__cause__ = UserError("No.")
    await Tree().on_error(asked.interaction, wrapped)
    assert asked.first == ["No."]


async def test_a_command_that_discord_still_shows_in_its_old_form_is_said() -> None:
    asked = Asked()
    await Tree().on_error(asked.interaction, app_commands.CommandNotFound("draw", []))
    assert asked.first == ["This command has just changed; try again in a minute."]


async def test_commands_under_way_come_to_their_end_and_no_longer_than_discord_listens() -> None:
    gate = asyncio.Event()

    async def answer() -> str:
        await gate.wait()
        return "answered"

    command = asyncio.create_task(answer(), name=COMMAND)
    await until_answered(0.01)
    assert not command.done()
    asyncio.get_running_loop().call_soon(gate.set)
    await until_answered()
    assert command.done()
