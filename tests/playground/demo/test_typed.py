"""What is typed at the demo's prompt becomes what Discord's client would have sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.demo.typed import UnclearError, describe, parse_typed

TEXT, WHOLE = 3, 4
COMMANDS: dict[str, dict[str, Any]] = {
    "draw": {
        "description": "Draw a picture",
        "options": [
            {"name": "prompt", "type": TEXT, "required": True, "description": "What to see"},
            {"name": "size", "type": TEXT, "description": "How large"},
            {"name": "steps", "type": WHOLE, "description": "How many"},
        ],
    },
    "ping": {"description": "Say something"},
}


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("/draw prompt: a red fox size: 16:9 steps: 30", {"prompt": "a red fox", "size": "16:9", "steps": "30"}),
        ("/draw size:16:9 prompt:a fox", {"size": "16:9", "prompt": "a fox"}),
        ("/draw prompt: portrait: a fox, 4:3 mysteps: x", {"prompt": "portrait: a fox, 4:3 mysteps: x"}),
        ("/draw a fox steps: 3", {"prompt": "a fox", "steps": "3"}),
        ("/draw", {}),
        ("/ping", {}),
    ],
)
def test_an_option_begins_only_at_a_known_name_and_a_colon(line: str, options: dict[str, str]) -> None:
    assert parse_typed(line, COMMANDS).options == options


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("draw me a fox", "begin with a slash"),
        ("/paint a fox", "no command /paint here; there are /draw, /ping"),
        ("/draw prompt: a prompt: b", "prompt: is there twice."),
        ("/draw a fox prompt: b", "prompt: is there twice."),
        ("/draw prompt: a size:", "nothing after size:"),
        ("/ping hello", "Say which option that is"),
    ],
)
def test_what_is_no_command_gets_a_sentence_that_says_what_would_be(line: str, sentence: str) -> None:
    with pytest.raises(UnclearError, match=sentence):
        parse_typed(line, COMMANDS)


@given(st.text(st.characters(exclude_characters=":", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1))
def test_any_prompt_without_an_option_in_it_arrives_whole(prompt: str) -> None:
    assert parse_typed(f"/draw prompt: {prompt} steps: 3", COMMANDS).options == {"prompt": prompt, "steps": "3"}


def test_what_was_typed_can_be_shown_and_typed_again() -> None:
    command = parse_typed("/draw size: 3:2  prompt:   two foxes ", COMMANDS)
    assert str(command) == "/draw size: 3:2 prompt: two foxes"
    assert parse_typed(str(command), COMMANDS) == command


def test_help_lists_every_option_and_marks_those_that_may_be_left_out() -> None:
    names = [name.strip() for name, _ in describe(COMMANDS)]
    assert names == ["/draw", "prompt:", "[size:]", "[steps:]", "/ping"]
