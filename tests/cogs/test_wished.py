"""The words of `/my` and `/settings`."""

from __future__ import annotations

import pytest

from cogs.wished import of_person, of_server, span
from core.preferences import NO_SHEET, Wishes


def test_a_person_reads_what_holds_for_them() -> None:
    assert of_person(Wishes()).splitlines() == [
        "**What holds for you here**",
        "Metadata: posted pictures carry how they were made.",
        "Ping: never",
        "Contact sheet: with 5 pictures or more",
    ]
    text = of_person(Wishes(metadata=False, ping_after=120.0, sheet=NO_SHEET))
    assert "left out of the pictures" in text
    assert "Ping: once, when a job took longer than 2 min" in text
    assert "Contact sheet: never" in text


def test_a_person_is_told_where_their_server_requires_metadata() -> None:
    assert "this server, which requires it" in of_person(Wishes(require_metadata=True))


def test_an_admin_reads_what_holds_on_the_server_and_in_a_channel() -> None:
    text = of_server(Wishes(press="owner", require_metadata=True), "7", Wishes(preview=True))
    assert text.splitlines() == [
        "**What holds on this server**",
        "Buttons: only who asked for a picture may use its buttons",
        "Metadata: required in all that is posted here",
        "Preview: off; in <#7> on",
        "Contact sheet: with 5 pictures or more, unless somebody wishes otherwise for their own",
    ]


@pytest.mark.parametrize(("seconds", "text"), [(5.0, "5 s"), (90.0, "90 s"), (120.0, "2 min"), (7200.0, "2 h")])
def test_a_time_is_said_as_people_say_it(seconds: float, text: str) -> None:
    assert span(seconds) == text
