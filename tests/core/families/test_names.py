"""Patterns in names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.families.names import Name, parse_pattern


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("pony", "ponyDiffusionV6XL"),
        ("pony", "my-pony"),
        ("pony*", "ponynai3"),
        ("*xl", "dreamshaperxl_v2"),
        ("xl", "juggernautXLv9"),
        ("xl", "juggernautXLV10"),
        ("*xl", "realvisxlV40"),
        ("SD_XL", "SDXLTurbo"),
        ("sd3.5", "sd3.5_large"),
        ("dreamshaper", "DreamShaper_8"),
        ("v1-5-pruned", "v1-5-pruned-emaonly"),
        ("*mix*", "autismmixsdxl"),
        ("модель", "МОДЕЛЬ-2"),
    ],
)
def test_a_pattern_is_found_however_the_name_is_written(pattern: str, name: str) -> None:
    parsed = parse_pattern(pattern)
    assert parsed is not None
    assert parsed.is_in(Name(name))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("pony", "ponynai3"),
        ("xl", "pixlart"),
        ("flux", "influx"),
        ("sd3", "sd35_large"),
        ("sd1", "sd15"),
        ("hyper", "hyperrealistic"),
        ("sdxl", "sd/xl"),
        ("sdxl", "sd\\xl"),
    ],
)
def test_a_pattern_begins_and_ends_where_a_word_does(pattern: str, name: str) -> None:
    parsed = parse_pattern(pattern)
    assert parsed is not None
    assert not parsed.is_in(Name(name))


@pytest.mark.parametrize("written", ["", "*", "**", "a", "*x*", "-_.", "chroma*unlocked"])
def test_too_little_is_no_pattern(written: str) -> None:
    assert parse_pattern(written) is None


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_an_open_pattern_is_found_wherever_its_words_are(before: str, inner: str, after: str) -> None:
    pattern = parse_pattern(f"*{inner}*")
    name = Name(f"{before} {inner} {after}")
    if pattern is not None:
        assert pattern.is_in(name)
