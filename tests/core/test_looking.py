"""What people type to find pictures: dates of every kind, and what can't be understood, all of it at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import UserError
from core.jobs.gallery_search import Filter
from core.looking import begin_of, from_json, in_words, read_filter, to_json
from core.webui.names import utf16_length

NOW = datetime(2026, 11, 26, 15, 30, tzinfo=UTC).timestamp()


def day(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("typed", "since", "until"),
    [
        ("2026-11-20", day(2026, 11, 20), day(2026, 11, 21)),
        ("2026-2-3", day(2026, 2, 3), day(2026, 2, 4)),
        ("2026-11", day(2026, 11, 1), day(2026, 12, 1)),
        ("2025-12", day(2025, 12, 1), day(2026, 1, 1)),
        ("2025", day(2025, 1, 1), day(2026, 1, 1)),
        (" Today ", day(2026, 11, 26), day(2026, 11, 27)),
        ("yesterday", day(2026, 11, 25), day(2026, 11, 26)),
        ("7d", NOW - 7 * 86_400, NOW - 7 * 86_400),
        ("2 weeks ago", NOW - 14 * 86_400, NOW - 14 * 86_400),
        ("12h", NOW - 12 * 3600, NOW - 12 * 3600),
    ],
)
def test_a_date_is_a_day_with_its_end_or_so_long_ago(typed: str, since: float, until: float) -> None:
    assert read_filter(since=typed, now=NOW).since == since
    assert read_filter(until=typed, now=NOW).until == until


@pytest.mark.parametrize(
    "typed",
    ["soon", "2026-13", "2026-02-30", "0000", "26.11.2026", "-3d", "٢٠٢٦", "9" * 6000, "2026-11-20; DROP TABLE"],
)
def test_what_is_no_date_is_named(typed: str) -> None:
    with pytest.raises(UserError, match=r"since is no date: .*Write a day as"):
        read_filter(since=typed, now=NOW)


@pytest.mark.parametrize("typed", ["9999", "9999-12-31", "99999y"])
def test_a_day_at_the_end_of_time_does_no_harm(typed: str) -> None:
    read_filter(since=typed, now=NOW)
    try:
        read_filter(until=typed, now=NOW)
    except UserError as error:
        assert "until is no date" in str(error)


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(UserError) as caught:
        read_filter(words="a " * 3000, checkpoint="x" * 6000, lora="y" * 6000, since="soon", until="late", now=NOW)
    for part in ("since is no date: soon", "until is no date: late", "20 words", "checkpoint's name", "lora's name"):
        assert part in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_filter_that_lets_nothing_through_is_refused() -> None:
    with pytest.raises(UserError, match="later than"):
        read_filter(since="2026-11-20", until="2026-11-19", now=NOW)
    with pytest.raises(UserError, match="no letter"):
        read_filter(words="?!", now=NOW)
    assert read_filter(since="2026-11-20", until="2026-11-20", now=NOW).until == day(2026, 11, 21)


def test_a_filter_survives_its_row_and_is_said_in_words() -> None:
    wanted = read_filter(
        words=" red, <@1>",
        checkpoint="dream.safetensors [0123abcdef] ",
        lora="ink",
        since="2026",
        favourites=True,
        now=NOW,
    )
    assert wanted.words == "red 1"
    assert from_json(to_json(wanted)) == wanted
    assert in_words(wanted, lambda text: f"`{text}`") == [
        "favourites", "words `red 1`", "checkpoint `dream`", "LoRA `ink`", f"since <t:{int(day(2026, 1, 1))}:d>",
    ]  # fmt: skip
    assert in_words(Filter(), str) == []


@pytest.mark.parametrize("name", ["dream_v4", "x" * 300, "🦊" * 80, "x" + "🦊" * 80, "x" * 99 + " y"])
def test_the_begin_of_a_name_fits_a_choice_and_finds_the_name(name: str) -> None:
    begin = begin_of(name)
    assert 1 <= utf16_length(begin) <= 100
    assert read_filter(checkpoint=begin, now=NOW).checkpoint in name
