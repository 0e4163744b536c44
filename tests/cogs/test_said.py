"""The small line about what was asked beyond the usual; and that a message with all of it is still a message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs import say
from cogs.said import rarer
from core.jobs.model import Ticket
from core.request import GenerationRequest, LoraUse
from tests.core.requests import within_limits

FENCE = "```"


def said(**fields: Any) -> list[str]:
    return rarer(GenerationRequest(**{"prompt": "a fox", **fields}), say.code)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({}, []),
        ({"loras": (LoraUse("ink", 0.8),)}, ["LoRA `ink 0.8`"]),
        ({"loras": tuple(LoraUse(f"l{n}") for n in range(4))}, ["LoRA `l0 1`, `l1 1` and 2 more"]),
        ({"loras": ()}, []),
        ({"styles": ("noir", "pop")}, ["style `noir`, `pop`"]),
        ({"vae": "ae, clip_l"}, ["VAE `ae, clip_l`"]),
        ({"distilled_cfg": 3.5}, ["distilled CFG 3.5"]),
        ({"hires_scale": 1.5}, ["hires ×1.5"]),
        ({"hires_scale": 2.0, "hires_upscaler": "R-ESRGAN 4x+"}, ["hires ×2 `R-ESRGAN 4x+`"]),
        ({"image": "k"}, ["over your image"]),
        ({"image": "k", "denoising_strength": 0.45}, ["over your image at 0.45"]),
        ({"image": "k", "mask": "m", "denoising_strength": 1.0}, ["over a part of your image at 1"]),
        ({"face_fix": True}, ["faces fixed"]),
        ({"face_fix": False}, []),
        ({"tiling": True, "eta": 0.5}, []),
    ],
)
def test_each_thing_is_said_in_a_few_words(fields: dict[str, Any], parts: list[str]) -> None:
    assert said(**fields) == parts


def test_a_key_of_an_image_is_nobody_s_affair() -> None:
    assert "deadbeef" not in " ".join(said(image="deadbeef", mask="deadbeef"))


@pytest.mark.parametrize("name", ["`x`", "@everyone", "[a](https://a.example)", "||x||", "x" * 300])
def test_a_name_is_never_markup(name: str) -> None:
    fields: dict[str, Any] = {"loras": (LoraUse(name),), "styles": (name,), "vae": name, "hires_upscaler": name}
    for part in said(hires_scale=2.0, **fields):
        assert part.count("`") == 2
        assert "@everyone" not in part


@given(within_limits, st.lists(st.text(max_size=300), max_size=4), st.text(max_size=300) | st.none())
def test_all_of_it_at_once_fits_into_a_message(
    request: GenerationRequest, notes: list[str], obstacle: str | None
) -> None:
    ticket = Ticket(job_id="1", request=request, notes=tuple(notes), place=1, obstacle=obstacle, starts_at=1.0)
    content = say.accepted(ticket)
    assert say.units(content) <= say.CONTENT_LIMIT
    assert content.count(FENCE) % 2 == 0


def test_the_longest_names_leave_room_for_the_prompt() -> None:
    long = "n" * 200
    request = GenerationRequest(
        prompt="p" * 6000,
        negative_prompt="q" * 6000,
        seed=1,
        checkpoint=long,
        sampler=long,
        scheduler=long,
        loras=tuple(LoraUse(f"{number}{long}") for number in range(10)),
        styles=(f"a{long}", f"b{long}", long),
        vae=long,
        hires_scale=2.0,
        hires_upscaler=long,
        distilled_cfg=3.5,
        face_fix=True,
    )
    notes = ("s" * 250, "t" * 250)
    ticket = Ticket(job_id="1", request=request, notes=notes, place=1, obstacle="o" * 300, starts_at=None)
    content = say.accepted(ticket)
    assert say.units(content) <= say.CONTENT_LIMIT
    assert content.count(FENCE) == 4
    assert "ppp" in content
    assert "qqq" in content
