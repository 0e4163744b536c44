"""Which reactions count, and what is written to pictures that are sent on."""

from __future__ import annotations

import discord
import pytest

from cogs.reactions import DELETE, SEND, letter, meaning


@pytest.mark.parametrize(
    ("name", "means"), [("❌", DELETE), ("✉️", SEND), ("✉", SEND), ("📧", None), ("✖️", None), ("", None)]
)
def test_two_emoji_mean_something(name: str, means: str | None) -> None:
    assert meaning(discord.PartialEmoji(name=name)) == means


def test_a_server_s_own_emoji_means_nothing_whatever_its_name() -> None:
    assert meaning(discord.PartialEmoji(name="❌", id=7)) is None


def test_what_is_too_large_is_said() -> None:
    assert letter("https://discord.com/channels/1/2/3", 2, 2) == "From https://discord.com/channels/1/2/3"
    assert letter("link", 1, 3).splitlines() == ["From link", "-# 2 too large for a direct message"]
