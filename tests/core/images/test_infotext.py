"""Infotext: the grammar of A1111, its dialects, and what people do to it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.images.infotext import Infotext, format_infotext, parse, write
from core.request import GenerationRequest
from tests.core.images.infotexts import SIX, Example

PLAIN = (
    "a lighthouse at dusk, oil painting\nNegative prompt: blurry, text\nSteps: 24, Sampler: Euler a, Schedule type: "
    "Automatic, CFG scale: 6.5, Seed: 1234567890, Size: 640x896, Model hash: 0a1b2c3d4e, Model: demoMix_v3, "
    "Clip skip: 2, Version: v1.10.1"
)


@pytest.mark.parametrize("example", SIX, ids=lambda example: example.name)
def test_each_of_the_six_examples_is_read_and_written(example: Example) -> None:
    read = parse(example.text)
    assert (read.prompt, read.negative_prompt) == (example.prompt, example.negative_prompt)
    assert list(read.fields.items()) == list(example.fields.items())
    written = write(read)
    assert written == example.text.replace("Negative prompt: \n", "")
    assert parse(written) == read


def test_a_plain_text_comes_apart() -> None:
    read = parse(PLAIN)
    assert read.prompt == "a lighthouse at dusk, oil painting"
    assert read.negative_prompt == "blurry, text"
    assert list(read.fields.items()) == [
        ("Steps", "24"),
        ("Sampler", "Euler a"),
        ("Schedule type", "Automatic"),
        ("CFG scale", "6.5"),
        ("Seed", "1234567890"),
        ("Size", "640x896"),
        ("Model hash", "0a1b2c3d4e"),
        ("Model", "demoMix_v3"),
        ("Clip skip", "2"),
        ("Version", "v1.10.1"),
    ]
    assert (read.seed, read.size) == (1234567890, (640, 896))


def test_quoted_values_lose_their_quotes_and_keep_their_commas() -> None:
    read = parse(
        "portrait of a fox in a cloak <lora:inkwash:0.8>\nNegative prompt: lowres\nSteps: 30, Sampler: DPM++ 2M, "
        'Seed: 42, Hires upscaler: R-ESRGAN 4x+, Lora hashes: "inkwash: 9f8e7d6c5b4a, two: 1b", Version: v1.10.1'
    )
    assert read.prompt == "portrait of a fox in a cloak <lora:inkwash:0.8>"
    assert read.fields["Lora hashes"] == "inkwash: 9f8e7d6c5b4a, two: 1b"
    assert read.fields["Hires upscaler"] == "R-ESRGAN 4x+"
    assert read.fields["Version"] == "v1.10.1"


def test_a_prompt_of_two_lines_without_negative_and_with_forges_modules() -> None:
    read = parse(
        "first line of the prompt\nsecond line, (weighted:1.2)\nSteps: 4, Sampler: Euler, CFG scale: 1, "
        "Distilled CFG Scale: 3.5, Seed: 7, Size: 1024x1024, Model: fluxDemo, Module 1: ae, Module 2: clip_l"
    )
    assert read.prompt == "first line of the prompt\nsecond line, (weighted:1.2)"
    assert read.negative_prompt == ""
    assert (read.fields["Distilled CFG Scale"], read.fields["Module 2"]) == ("3.5", "clip_l")


def test_escapes_inside_quotes_are_undone() -> None:
    read = parse(
        "castle\nNegative prompt: fog\nSteps: 20, Sampler: DDIM, Hires prompt: "
        '"castle, sunrise: \\"golden\\" hour\\nwide shot", ADetailer prompt: "face, Steps: 3", Denoising strength: 0.7'
    )
    assert read.fields["Hires prompt"] == 'castle, sunrise: "golden" hour\nwide shot'
    assert read.fields["ADetailer prompt"] == "face, Steps: 3"
    assert (read.fields["Steps"], read.fields["Denoising strength"]) == ("20", "0.7")


def test_sd_nexts_empty_negative_line_and_its_templates() -> None:
    read = parse(
        "a red bicycle\nNegative prompt: \nTemplate: a {prompt}\nNegative template: bad\nSteps: 20, Size: 1024x1024, "
        "Sampler: Euler a, Scheduler: EulerAncestralDiscreteScheduler, Seed: 2718281828, App: SD.Next"
    )
    assert (read.prompt, read.negative_prompt) == ("a red bicycle", "")
    assert (read.fields["Template"], read.fields["Negative template"]) == ("a {prompt}", "bad")
    assert read.fields["Scheduler"] == "EulerAncestralDiscreteScheduler"


def test_a_line_that_begins_with_template_is_prompt_everywhere_else() -> None:
    read = parse("a cat\nTemplate: a dog\nSteps: 1, Seed: 2, Version: v1.10.1")
    assert read.prompt == "a cat\nTemplate: a dog"
    assert "Template" not in read.fields


def test_the_json_tail_of_stable_diffusion_cpp_is_cut_off() -> None:
    read = parse(
        "a red fox\nNegative prompt: blurry\nSteps: 2, CFG scale: 7.000000, Guidance: 3.500000, Seed: 1234, "
        "Size: 64x64, Skip layers: [7, 8, 9, ], Model: random.safetensors, TE: clip_l, TE: t5xxl, "
        "Sampler: euler_a karras, "
        'Version: stable-diffusion.cpp, SDCPP: {"height":64,"prompt":{"negative":"x, Seed: 9, Steps: 8"},"seed":1}'
    )
    assert read.fields["Version"] == "stable-diffusion.cpp"
    assert (read.fields["Seed"], read.fields["Steps"], read.fields["TE"]) == ("1234", "2", "t5xxl")
    assert "SDCPP" not in read.fields
    assert not [key for key in read.fields if "{" in key or "negative" in key]


def test_a_list_without_quotes_is_one_value() -> None:
    read = parse("x\nSteps: 2, Skip layers: [7, 8, 9, ], Empty: [], Seed: 3, Open: [7, 8, Version: v1")
    assert dict(read.fields) == {
        "Steps": "2",
        "Skip layers": "[7, 8, 9, ]",
        "Empty": "[]",
        "Seed": "3",
        "Open": "[7",
        "Version": "v1",
    }


def test_json_without_quotes_is_one_value() -> None:
    resources = '[{"type":"checkpoint","modelName":"Foo: bar, Seed: 9","n":[1,{"a":null}]}]'
    read = parse(f"x\nSteps: 2, Seed: 3, Civitai resources: {resources}, Civitai metadata: {{}}")
    assert dict(read.fields) == {
        "Steps": "2",
        "Seed": "3",
        "Civitai resources": resources,
        "Civitai metadata": "{}",
    }


def test_broken_json_ends_at_the_comma() -> None:
    read = parse('x\nSteps: 2, Extra: {"a": 1, Seed: 3, More: [1] x, Size: 1x1')
    assert (read.fields["Extra"], read.fields["More"], read.fields["Size"]) == ('{"a": 1', "[1] x", "1x1")


def test_a_quoted_value_that_names_sdcpp_cuts_nothing() -> None:
    read = parse('x\nSteps: 1, Hires prompt: "a, SDCPP: {b", SDCPP: no, Seed: 5, Version: v1.10.1')
    assert (read.fields["Hires prompt"], read.seed) == ("a, SDCPP: {b", 5)


def test_a_line_of_kobolds_comes_apart() -> None:
    read = parse(
        "Prompt: a cat | on a mat, high quality | NegativePrompt: bad: worse | Steps: 20 | CFGScale: 5 | "
        "Seed: 123456 | Size: 512x768 | Sampler: Euler a | Model: sdxl | Version: KoboldCpp"
    )
    assert (read.prompt, read.negative_prompt) == ("a cat | on a mat, high quality", "bad: worse")
    assert (read.fields["CFG scale"], read.fields["Version"]) == ("5", "KoboldCpp")
    assert (read.seed, read.size) == (123456, (512, 768))


def test_a_prompt_in_kobolds_manner_does_not_hide_the_real_parameters() -> None:
    read = parse("Prompt: x | Steps: 1 | Seed: 2 | Size: 1x1 | Version: KoboldCpp\n" + PLAIN.split("\n")[2])
    assert read.seed == 1234567890
    assert read.prompt.startswith("Prompt: x |")


def test_fake_labels_and_fake_parameters_in_a_prompt_never_win() -> None:
    read = parse(
        "a cat\nNegative prompt: fake\nSteps: 1, Sampler: Fake, Seed: 666, Size: 1x1\nNegative prompt: real\n"
        "Steps: 20, Sampler: Euler, Seed: 5, Size: 512x512"
    )
    assert read.prompt == "a cat"
    assert read.negative_prompt == "fake\nSteps: 1, Sampler: Fake, Seed: 666, Size: 1x1\nreal"
    assert (read.seed, read.fields["Sampler"]) == (5, "Euler")


@pytest.mark.parametrize("text", ["just a prompt", "a prompt\nSteps: 20, Seed: 5", "a: b, c: d", ""])
def test_fewer_than_three_pairs_are_prompt(text: str) -> None:
    assert parse(text) == Infotext(text)


def test_a_negative_without_a_prompt() -> None:
    read = parse("Negative prompt: blurry\nSteps: 2, Sampler: Euler a, Seed: 1234")
    assert (read.prompt, read.negative_prompt, read.seed) == ("", "blurry", 1234)


def test_empty_values_are_dropped_and_still_count_as_pairs() -> None:
    read = parse('x\nSteps: 20, Foo: , Bar: "", Seed: 5')
    assert dict(read.fields) == {"Steps": "20", "Seed": "5"}


def test_a_quoted_beginning_is_no_quoted_value() -> None:
    read = parse('x\nSteps: 20, Foo: "a" b, Bar: "c" , Seed: 5')
    assert dict(read.fields) == {"Steps": "20", "Foo": '"a" b', "Bar": "c", "Seed": "5"}


def test_an_unclosed_quote_ends_at_the_comma() -> None:
    read = parse('x\nSteps: 20, Foo: "open, Seed: 5, Size: 64x64')
    assert dict(read.fields) == {"Steps": "20", "Foo": '"open', "Seed": "5", "Size": "64x64"}


def test_a_bare_key_stands_for_itself_and_does_not_make_a_line_of_parameters() -> None:
    assert parse("x\nSteps: 20, Tiling, Seed: 5, Size: 64x64").fields["Tiling"] == "Tiling"
    assert parse("a cat, a dog, Steps: 20, Seed: 5").fields == {}


def test_rubbish_before_a_key_is_passed_over() -> None:
    assert dict(parse("x\n[!] Steps: 20, ::, (Seed: 5, Size: 1x1").fields) == {
        "Steps": "20",
        "Seed": "5",
        "Size": "1x1",
    }


def test_windows_line_ends_make_no_difference() -> None:
    assert parse(PLAIN.replace("\n", "\r\n")) == parse(PLAIN)


@pytest.mark.parametrize("value", ["abc", "-1", "1" * 5000, "", "1e3"])
def test_a_seed_that_is_no_number_is_none(value: str) -> None:
    assert parse(f"x\nSteps: 20, Size: 1 x 2, Seed: {value}, Version: v1").seed is None
    assert parse(f"x\nSteps: 20, Size: 1 x 2, Seed: {value}, Version: v1").size is None


@pytest.mark.parametrize(
    "line",
    [
        "a" * 100_000,
        "a " * 50_000,
        ":" * 100_000,
        "," * 100_000,
        "a:" * 50_000,
        "ab: " * 25_000,
        '"' * 100_000,
        "\\" * 100_000,
        'ab: "' * 20_000,
        'ab: "\\", ' * 10_000,
        'ab: "' + "\\x" * 50_000,
        "ab: " + " " * 100_000,
        "-" * 100_000 + ":",
        "Steps: 1, Seed: 2, Size: 3x4, " + "key: value, " * 8_000,
        "Prompt: " + " | Steps: " * 10_000,
        "ab: [" * 20_000,
        "ab: [1, " * 12_000,
        'ab: ["ab: [1,", ' * 6_000,
        "ab: [" + "[" * 100_000,
        "ab: " + '{"a":' * 20_000,
        "ab: " + "9" * 100_000 + ", ab: [" + "9" * 100_000 + "]",
        "ab: [1, 2] x, " * 7_000,
        'ab: [{"b": 1}] x, ' * 5_000,
    ],
    ids=lambda line: line[:12],
)
def test_a_line_of_100_kb_is_read_in_linear_time(line: str) -> None:
    def seconds(text: str) -> float:
        began = time.process_time()
        parse(text)
        return time.process_time() - began

    assert min(seconds(line) for _ in range(2)) < 1.5  # 0.1 at most here; quadratic is a minute, even on a fast machine


def test_the_longest_text_that_is_ever_read_from_a_picture_is_no_burden() -> None:
    began = time.process_time()
    parse(":" * (1 << 20))
    assert time.process_time() - began < 15  # under 1 here; a search per mark would be a minute


@given(text=st.text() | st.text(alphabet='abS:, "\\|\n\r-/x1{}[]'))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for whole in (text, f"x\nSteps: 1, Seed: 2, {text}, Size: 1x1", f"Prompt: a | Steps: 1 | Seed: 2 | {text} | a: b"):
        read = parse(whole)
        for value in (read.prompt, read.negative_prompt, *read.fields.values()):
            assert value == value.strip() or value in read.fields.values()
            value.encode()


def test_lone_surrogates_are_gone_so_that_any_database_takes_the_text() -> None:
    read = parse('\ud83d x\nSteps: 1, Seed: 2, Hires prompt: "\\ud83d, y"')
    assert read.prompt == "? x"
    assert read.fields["Hires prompt"] == "?, y"


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
