"""Several names in one field: read, written, and with weights."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.request import LoraUse
from core.several import MOST_STYLES, parse_loras, parse_styles, quote_name, split_names, split_parts

NAMES = st.lists(
    st.text(alphabet='ab, :"<>01é\u00a0', min_size=1, max_size=12).filter(lambda name: name.strip() != ""),
    max_size=5,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        (' Cinematic, "Sharp, detailed" ,noir, ', ("Cinematic", "Sharp, detailed", "noir")),
        ('"open, to the end', ("open, to the end",)),
        ('"a ""b"", c", d', ('a "b", c', "d")),
        ('19" rack, 5"', ('19" rack', '5"')),
        ('"so-called" noir, b', ('"so-called" noir', "b")),
        ('"", a', ("a",)),
    ],
)
def test_commas_in_quotes_are_part_of_a_name(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@given(NAMES)
def test_every_name_can_be_written_and_read(names: list[str]) -> None:
    assert split_names(", ".join(map(quote_name, names))) == tuple(name.strip() for name in names)


@given(NAMES)
def test_every_lora_s_name_can_be_written_and_read(names: list[str]) -> None:
    for name in names:
        assert parse_loras(f"{quote_name(name, weighted=True)}, other:0.5") == (
            LoraUse(name.strip()),
            LoraUse("other", 0.5),
        )
        if ":" not in name:
            assert parse_loras(f"{quote_name(name)}:0.8") == (LoraUse(name.strip(), 0.8),)


@given(st.text(max_size=200) | st.text(alphabet='a,:"<lora>0 .1', max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for read in (parse_loras, parse_styles):
        try:
            read(text)
        except UserError as error:
            assert str(error).endswith(".")
            assert len(str(error)) < 300
    for weighted in (False, True):
        for part in split_parts(text, weighted=weighted):
            assert text[part.start :].startswith(part.text)


def test_loras_have_weights() -> None:
    assert parse_loras(" inkwash:0.8, add_detail ,pixel:-1, 2 ") == (
        LoraUse("inkwash", 0.8),
        LoraUse("add_detail"),
        LoraUse("pixel", -1.0),
        LoraUse("2"),
    )
    with pytest.raises(UserError, match='not "strong"'):
        parse_loras("inkwash:strong")


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ('"ink, wash":0.8', [("ink, wash", 0.8)]),
        ('"ink, wash:0.8"', [("ink, wash", 0.8)]),
        ('"ink, wash": 0,8 , b', [("ink, wash", 0.8), ("b", 1)]),
        ('"style:2":1, "x:y"', [("style:2", 1), ("x:y", 1)]),
        ("a:0,8", [("a", 0.8)]),
        ("a:-1,25,b:0,5", [("a", -1.25), ("b", 0.5)]),
        ("a:0, 8", [("a", 0), ("8", 1)]),
        ("a:0.5,8", [("a", 0.5), ("8", 1)]),
        ("a,8", [("a", 1), ("8", 1)]),
        ("a:1,2nd", [("a", 1), ("2nd", 1)]),
        ("<lora:foo:0.8>", [("foo", 0.8)]),
        ("<lora:a, b:0.8> <LYCO:c>, d:0.2", [("a, b", 0.8), ("c", 1), ("d", 0.2)]),
        ("a:0.5, A:0.5, a:0.5", [("a", 0.5)]),
    ],
)
def test_names_weights_and_tags_are_told_apart(text: str, uses: list[tuple[str, float]]) -> None:
    assert [(use.name, use.weight) for use in parse_loras(text)] == uses


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a:0.5, a:0.7", 'The LoRA "a" is there twice, with 0.5 and 0.7; say which weight you mean.'),
        ("<lora:a:0.5>, A", 'The LoRA "A" is there twice, with 0.5 and 1; say which weight you mean.'),
        ("<lora:a:0.5:0.7>", 'Here a LoRA has one weight; "<lora:a:0.5:0.7>" can stand in the prompt.'),
        (":0.5", '":0.5" names no LoRA: write its name before the colon, as in name:0.8.'),
        ("<lora::0.5>", '"<lora::0.5>" names no LoRA: write its name before the colon, as in name:0.8.'),
    ],
)
def test_what_can_not_be_meant_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_loras(text)
    assert str(caught.value) == sentence


def test_styles_are_listed_each_once() -> None:
    assert parse_styles("Cinematic, noir,Cinematic, ") == ("Cinematic", "noir")
    with pytest.raises(UserError, match="At most"):
        parse_styles(",".join(f"style{number}" for number in range(MOST_STYLES + 1)))
