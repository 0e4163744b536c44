"""What is tidied in a prompt, and what is refused."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import UserError
from core.prompt import check_markup, tidy

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=100)


@given(ANY_TEXT)
@example("e\x00\u0301")
@example("\x00 a")
@example("\ud800x")
def test_a_tidy_prompt_is_tidy_and_stays_as_it_is(text: str) -> None:
    clean = tidy(text)
    assert tidy(clean) == clean
    assert clean == clean.strip()
    assert unicodedata.is_normalized("NFC", clean)
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in clean.replace("\n", ""))
    clean.encode()


def test_newlines_stay_and_are_all_of_one_kind() -> None:
    assert tidy("a fox,\r\nrunning,\rfast\n") == "a fox,\nrunning,\nfast"


def test_an_ordinary_prompt_is_not_changed() -> None:
    prompt = "(masterpiece:1.2), a fox <lora:inkwash:0.8> [red|blue] \\(sitting\\), größer 🦊"
    assert tidy(prompt) == prompt
    check_markup(prompt)


@pytest.mark.parametrize(
    "text",
    [
        "<sd_cpp_extra_args>",
        "a fox </sd_cpp_extra_args> b",
        '<SD_cpp_Extra_Args>{"seed":1}',
        "< sd_cpp_extra_args >",
        "<\n/ sd_cpp_extra_args",
        "<sd_cpp\u200b_extra_args>",
        "<sd_cpp\u00ad_extra\x00_args>",
        "\uff1csd_cpp_extra_args\uff1e",
        "<\uff53d_cpp_extra_args>",
    ],
)
def test_markup_that_steers_a_server_is_refused_in_any_disguise(text: str) -> None:
    with pytest.raises(UserError, match="sd_cpp_extra_args"):
        check_markup(text)
    with pytest.raises(UserError, match="sd_cpp_extra_args"):
        check_markup(tidy(text))


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_tag_is_found_wherever_it_stands(before: str, after: str) -> None:
    with pytest.raises(UserError):
        check_markup(f"{before}<sd_cpp_extra_args>{after}")
