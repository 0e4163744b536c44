"""Settings as lines: what is written is read as the same, and every mistake in what people type is named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.command_text import as_options
from core.extra import KEYS
from core.request import GenerationRequest, LoraUse
from core.setting_lines import read_lines, write_lines

NAMES = st.text(min_size=1, max_size=40).map(lambda text: " ".join(text.split())).filter(bool)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"width": 832, "height": 1216, "steps": 20, "cfg_scale": 6.5, "seed": 7, "count": 4, "clip_skip": 2},
        {"loras": (LoraUse("ink, wash", 0.8), LoraUse("a:5", 1.0), LoraUse("plain", -0.5))},
        {"styles": ("Sharp, detailed", "noir")},
        {"hires_scale": 1.3333333333, "hires_upscaler": "Latent (nearest)", "face_fix": False, "vae": "a.pt, b.pt"},
        {"refiner_checkpoint": '"night" "v2"', "refiner_switch_at": 0.8, "tiling": True, "eta": 0.5, "subseed": 9},
        {"checkpoint": "a: b = c", "sampler": "DPM++ 2M", "scheduler": '"x"'},
    ],
)
def test_what_is_written_is_read_as_the_same(fields: dict[str, Any]) -> None:
    written = write_lines(as_options(GenerationRequest(prompt="a fox", **fields)))
    lines = read_lines(written)
    assert lines.mistakes == ()
    assert lines.fields == fields


@given(NAMES, NAMES)
def test_names_are_read_as_they_are_spelled(checkpoint: str, refiner: str) -> None:
    fields: dict[str, Any] = {"checkpoint": checkpoint, "refiner_checkpoint": refiner}
    lines = read_lines(write_lines(as_options(GenerationRequest(prompt="a fox", **fields))))
    assert (lines.fields, lines.mistakes) == (fields, ())


def test_keys_may_be_written_as_infotexts_write_them() -> None:
    lines = read_lines('CFG scale: 6,5\n\n  Clip skip =2\nSTEPS: 20  \nhires_sampler: "DPM++ 2M"\n')
    assert lines.fields == {"cfg_scale": 6.5, "clip_skip": 2, "steps": 20, "hires_sampler": "DPM++ 2M"}
    assert lines.mistakes == ()


def test_a_second_pass_is_meant_where_only_its_upscaler_is_said() -> None:
    assert read_lines("hires_upscaler: Latent").fields == {"hires_upscaler": "Latent", "hires_scale": 2.0}


def test_every_mistake_is_named() -> None:
    typed = "stepz: 20\nsteps: many\ncfg_scale:\nnonsense\nsize: banana\nloras: ink:much\nsteps: 4\nmask_url: x\n"
    mistakes = read_lines(typed + "count: 9e9").mistakes
    words = [
        "did you mean steps?", "steps can't be \"many\"", "cfg_scale has no value", '"nonsense" is no key:value',
        "size: That is not a size", "loras: The weight", "steps is there twice", "mask_url can't be said here",
        "count can't be",
    ]  # fmt: skip
    assert len(mistakes) == len(words)
    for word, mistake in zip(words, mistakes, strict=True):
        assert word in mistake
        assert not mistake.endswith(".")


@given(st.text(max_size=300))
def test_nothing_that_is_typed_breaks_it(typed: str) -> None:
    lines = read_lines(typed)
    GenerationRequest(prompt="a fox", **lines.fields)


def test_every_rarer_setting_has_its_line() -> None:
    lines = read_lines("\n".join(f"{key}:{one.values[0] if one.values else 5}" for key, one in KEYS.items()))
    refused = [mistake for mistake in lines.mistakes if "can't be said here" not in mistake]
    assert refused == []
