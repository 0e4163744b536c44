"""What is handed back: every mistake, all that was typed, and never more than Discord takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cogs import say
from cogs.drafts import MOST_DRAFTS, Drafts, handed_back
from core.errors import Mistakes, NoPlace, UserError
from tests.core.requests import NAUGHTY


def test_mistakes_come_first_and_then_what_was_typed() -> None:
    content, files = handed_back(Mistakes(["the first", "the *second*"]), {"Prompt": "a fox", "Seed": " "})
    assert content.startswith("**Not drawn yet** · 2 things to mend:\n- the first\n- the \\*second\\*\n**Prompt**\n```")
    assert "a fox" in content
    assert "Seed" not in content
    assert not files


def test_when_to_try_again_is_said() -> None:
    content, _ = handed_back(NoPlace("The queue is full.", 1_700_000_000.5), {"Prompt": "a fox"})
    assert "The queue is full." in content
    assert "<t:1700000000:R>" in content


def test_short_texts_are_whole_beside_a_long_one_and_the_long_one_is_in_a_file() -> None:
    texts = {"Prompt": "x" * 6000, "Negative prompt": "fog", "Settings": "steps:20\nsize:64x64"}
    content, files = handed_back(UserError("No."), texts)
    assert "```\nfog\n```" in content
    assert "steps:20\nsize:64x64" in content
    (file,) = files
    told = file.fp.read().decode()
    assert all(f"{label}:\n{text}" in told for label, text in texts.items())


@given(st.lists(NAUGHTY, min_size=1, max_size=30), st.tuples(NAUGHTY, NAUGHTY, NAUGHTY))
def test_whatever_was_typed_fits_and_no_block_is_left_open(mistakes: list[str], typed: tuple[str, str, str]) -> None:
    texts = dict(zip(("Prompt", "Negative prompt", "Seed"), typed, strict=True))
    content, files = handed_back(Mistakes(mistakes), texts)
    assert say.units(content) <= say.CONTENT_LIMIT
    assert content.count("```") % 2 == 0
    missing = [text for text in typed if text.strip() and f"```\n{text}\n```" not in content]
    assert bool(missing) == bool(files)


def test_drafts_are_few_and_the_oldest_are_forgotten() -> None:
    drafts = Drafts()
    for number in range(MOST_DRAFTS + 1):
        drafts.put(str(number), {"prompt": str(number)})
    assert drafts.get("0") is None
    assert drafts.get(str(MOST_DRAFTS)) == {"prompt": str(MOST_DRAFTS)}
