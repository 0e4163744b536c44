"""Which picture somebody means."""

from __future__ import annotations

import pytest

from core.errors import UserError
from core.pointing import Pointer, read_pointer

LINK = "https://discord.com/channels/900/7/1234"


@pytest.mark.parametrize(
    ("typed", "pointer"),
    [
        (" 1234 ", Pointer("1234")),
        ("1234:2", Pointer("1234", 1)),
        ("1234 #10", Pointer("1234", 9)),
        ("1234-2", Pointer("1234", 1)),
        ("easel-1234-2.png", Pointer("1234", 1)),
        ("SPOILER_easel-1234-10.webp", Pointer("1234", 9)),
        (LINK, Pointer("1234", of_message=True)),
        (f"<{LINK}>", Pointer("1234", of_message=True)),
        ("https://ptb.discord.com/channels/@me/7/1234", Pointer("1234", of_message=True)),
    ],
)
def test_ids_and_links_are_read(typed: str, pointer: Pointer) -> None:
    assert read_pointer(typed) == pointer


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "fox",
        "1234:0",
        "1234-00",
        "1234:",
        "easel-1234-sheet.jpg",
        "-1",
        "9" * 21,
        "https://evil.example/channels/1/2/3",
        "١٢٣",
        "1\n2",
    ],
)
def test_anything_else_has_a_sentence(typed: str) -> None:
    with pytest.raises(UserError, match="Say which picture"):
        read_pointer(typed)
