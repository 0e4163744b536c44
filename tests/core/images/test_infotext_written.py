"""Infotext as it is written: in A1111's manner, and so that it is read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.images.infotext import Infotext, format_infotext, parse, write
from core.request import GenerationRequest
from tests.core.images.infotexts import SIX, Example


@pytest.mark.parametrize("example", SIX, ids=lambda example: example.name)
def test_each_of_the_six_examples_is_read_and_written(example: Example) -> None:
    read = parse(example.text)
    assert (read.prompt, read.negative_prompt) == (example.prompt, example.negative_prompt)
    assert list(read.fields.items()) == list(example.fields.items())
    written = write(read)
    assert written == example.text.replace("Negative prompt: \n", "")
    assert parse(written) == read


_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).map(str.strip)
_PROMPT = st.lists(_LINE, min_size=1, max_size=4).map("\n".join).map(str.strip)
_OWN_WORDS = _PROMPT.filter(
    lambda text: not any(line.startswith(("Negative prompt:", "Prompt: ")) for line in text.split("\n"))
)
_NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40).filter(
    lambda name: bool(name.strip())
)


@given(
    prompt=_OWN_WORDS,
    negative=_OWN_WORDS | st.just(UNSET),
    sampler=_NAME | st.just(UNSET),
    checkpoint=_NAME | st.none(),
    steps=st.integers(1, 150) | st.just(UNSET),
    cfg_scale=st.floats(0, 30) | st.just(UNSET),
    clip_skip=st.integers(1, 12) | st.just(UNSET),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_we_write_is_read_back(prompt, negative, sampler, checkpoint, steps, cfg_scale, clip_skip, seed) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the strategies above are the types
    request = GenerationRequest(
        prompt=prompt, negative_prompt=negative, sampler=sampler, steps=steps, cfg_scale=cfg_scale, clip_skip=clip_skip
    )
    read = parse(format_infotext(request, seed=seed, size=(832, 1216), checkpoint=checkpoint))
    assert read.prompt == prompt
    assert read.negative_prompt == ("" if negative is UNSET else negative)
    assert (read.seed, read.size) == (seed, (832, 1216))
    said = {
        "Sampler": sampler,
        "Steps": steps,
        "CFG scale": cfg_scale,
        "Model": UNSET if checkpoint is None else checkpoint,
    }
    for key, value in said.items():
        assert read.fields.get(key) == (None if value is UNSET else str(value))
    assert read.fields.get("Clip skip") == (None if clip_skip in (UNSET, 1) else str(clip_skip))


_KEY = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_ \-/]{0,20}[A-Za-z0-9_]", fullmatch=True).filter(
    lambda key: key != "SDCPP"
)
_FIELDS = st.dictionaries(_KEY, _NAME | st.text(alphabet='a[]{}":, \\\n1').filter(str.strip), min_size=3, max_size=8)
_BARE = st.lists(_KEY, max_size=3).map(lambda keys: {key: key for key in keys})


@given(prompt=_OWN_WORDS | st.just(""), negative=_OWN_WORDS | st.just(""), fields=_FIELDS, bare=_BARE)
def test_any_fields_that_are_written_are_read_back(
    prompt: str, negative: str, fields: dict[str, str], bare: dict[str, str]
) -> None:
    text = Infotext(prompt, negative, {**fields, **bare})
    read = parse(write(text))
    assert (read.prompt, read.negative_prompt, list(read.fields.items())) == (
        prompt,
        negative,
        list(text.fields.items()),
    )


@given(lines=st.lists(_LINE | st.sampled_from(["Negative prompt: a", "Template: b", "", "  ", "\r"]), max_size=6))
def test_what_is_read_is_written_so_that_it_is_read_again(lines: list[str]) -> None:
    read = parse("\n".join([*lines, 'Steps: 1, Tiling, Seed: 2, Foo: "a, b", Bar: [1, 2], App: SD.Next']))
    assert parse(write(read)) == read


def test_a_value_like_its_key_is_written_as_the_key_alone() -> None:
    text = Infotext("x", "", {"Steps": "1", "Tiling": "Tiling", "Seed": "2", "Size": "1x1"})
    assert write(text) == "x\nSteps: 1, Tiling, Seed: 2, Size: 1x1"


def test_a_key_is_not_alone_where_too_few_pairs_would_be_left() -> None:
    text = Infotext("x", "", {"Steps": "1", "Tiling": "Tiling", "Seed": "2"})
    assert write(text) == "x\nSteps: 1, Tiling: Tiling, Seed: 2"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Euler a", "Euler a"),
        ("a, b", '"a, b"'),
        ("a: b", '"a: b"'),
        ("a\nb", '"a\\nb"'),
        ("é, ü", '"é, ü"'),
        ('say "x"', 'say "x"'),
        ('"x"', '"\\"x\\""'),
    ],
)
def test_a_value_is_quoted_where_it_would_not_be_read_back_else(value: str, written: str) -> None:
    assert write(Infotext("", "", {"Foo": value})) == f"Foo: {written}"


def test_the_order_and_the_quotes_are_a1111s() -> None:
    request = GenerationRequest(
        prompt="a cat",
        negative_prompt="dogs",
        steps=20,
        sampler="DPM++ 2M",
        scheduler="Karras",
        cfg_scale=7.0,
        clip_skip=2,
    )
    assert format_infotext(request, seed=42, size=(512, 768), checkpoint="a, b: c") == (
        "a cat\nNegative prompt: dogs\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.0, Seed: 42, "
        'Size: 512x768, Model: "a, b: c", Clip skip: 2, Version: Easel'
    )


def test_the_least_that_is_known_still_makes_a_line_of_parameters() -> None:
    text = format_infotext(GenerationRequest(prompt="a cat"), seed=1, size=(64, 64))
    assert text == "a cat\nSeed: 1, Size: 64x64, Version: Easel"
    assert parse(text).seed == 1
