"""What is tidied in a prompt, and what is refused."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import UserError
from core.prompt import check_markup, clamp_lora_tags, take_lora_tags, tidy

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


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a <lora:ink:99999> fox", "a <lora:ink:4> fox"),
        ("< LORA : ink : -5.5 >", "< LORA : ink : -4 >"),
        ("<lora:ink:nan> <lyco:b:inf>", "<lora:ink:1> <lyco:b:1>"),
        ("<lora:ink:9:0.5>", "<lora:ink:4:0.5>"),
        ("<lora:ink> <lora:a:> <lora:b:0.80> <lora:c:te=1> <lora:d:4>",) * 2,
        ("(a:99999)",) * 2,
    ],
)
def test_weights_of_lora_tags_are_brought_inside(typed: str, kept: str) -> None:
    assert clamp_lora_tags(typed, -4, 4) == kept
    assert clamp_lora_tags(kept, -4, 4) == kept
    assert all(-4 <= weight <= 4 for _, weight in take_lora_tags(kept)[1])
