"""Infotext: the grammar of A1111, its dialects, and what people do to it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images.infotext import Infotext, parse

PLAIN = (
    "a lighthouse at dusk, oil painting\nNegative prompt: blurry, text\nSteps: 24, Sampler: Euler a, Schedule type: "
    "Automatic, CFG scale: 6.5, Seed: 1234567890, Size: 640x896, Model hash: 0a1b2c3d4e, Model: demoMix_v3, "
    "Clip skip: 2, Version: v1.10.1"
)


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
