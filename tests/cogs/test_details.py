"""What is told of a picture: a message, and a file for what the message has no room for."""

from __future__ import annotations

import pytest

from cogs import say
from cogs.details import compose
from core.images.generation import Metadata

FOX = Metadata("AUTOMATIC1111", "a fox", "", {"Steps": "2"}, "a fox\nSteps: 2")
LINK = f"https://discord.com/channels/{'/'.join(['1' * 19] * 3)}"
LONGEST = say.small([" ← ".join([f"a strong variation of [{'1' * 19}]({LINK})"] * 10)])


def test_what_fits_is_all_in_the_message() -> None:
    content, file = compose(FOX, "", "/draw prompt:a fox")
    assert content.endswith("```\n/draw prompt:a fox\n```")
    assert file is None


@pytest.mark.parametrize("prompt", ["a fox, " * 200, "a `fox`", "@everyone"])
def test_a_command_that_the_message_does_not_hold_as_it_is_can_be_copied_from_the_file(prompt: str) -> None:
    content, file = compose(FOX, "", f"/draw prompt:{prompt}")
    assert "whole command is in the file" in content
    assert file is not None
    assert file.startswith(FOX.raw)
    assert file.endswith(f"\n/draw prompt:{prompt}")


def test_the_longest_of_all_closes_its_blocks() -> None:
    found = Metadata("AUTOMATIC1111", "a fox, " * 900, "", {"Steps": "2"}, "a fox, " * 900)
    content, file = compose(found, LONGEST, "/draw prompt:" + "a fox, " * 900)
    assert say.units(content) <= say.CONTENT_LIMIT
    assert content.count("```") % 2 == 0
    assert file is not None


def test_without_a_command_there_is_none() -> None:
    assert "```\n\n```" not in compose(FOX, "", "")[0]
