"""The words about upscales and descriptions: within Discord's limits, whatever webuis and people say, and no markup."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from cogs import say
from cogs.captions import described, texts_of
from cogs.said import title
from cogs.upscale import read_upscale
from core.errors import UserError
from core.images.store import Kept
from core.jobs.model import Drawing, Glimpse, Ticket
from core.request import GenerationRequest
from tests.core.jobs.conftest import job_of
from tests.core.requests import NAUGHTY, said

LIVE_MENTION = re.compile(r"@everyone|@here|<@[!&]?\d+>")
DESCRIBED = GenerationRequest(prompt="", task="describe", image="i", width=64, height=48)
upscales = st.builds(
    GenerationRequest,
    prompt=st.just(""),
    task=st.just("upscale"),
    width=st.integers(1, 8192),
    height=st.integers(1, 8192),
    upscale_factor=said(st.floats(1, 8)),
    upscale_width=st.integers(1, 8192),
    upscale_height=st.integers(1, 8192),
    upscaler=said(NAUGHTY),
    upscaler_2=said(NAUGHTY),
    upscaler_2_visibility=said(st.floats(0, 1)),
    gfpgan=said(st.floats(0, 1)),
    codeformer=said(st.floats(0, 1)),
)


def is_harmless(text: str) -> bool:
    return 0 < say.units(text) <= say.CONTENT_LIMIT and not LIVE_MENTION.search(text)


@given(request=upscales, sentence=NAUGHTY, upscaler=NAUGHTY)
def test_every_message_about_an_upscale_is_harmless(request: GenerationRequest, sentence: str, upscaler: str) -> None:
    job = replace(job_of(1), request=request)
    kept = Kept("a.png", "png", 128, 96, 1000, None)
    drawing = Drawing(pictures=(kept,), seeds=(0,), upscaler=upscaler, warnings=(sentence,))
    ticket = Ticket(job_id="1", request=request, notes=(sentence,), place=1, obstacle=None)
    texts = [
        say.accepted(ticket),
        say.drawing(job, Glimpse(0.5)),
        say.waiting(job, sentence or "x"),
        say.ended(job, sentence or "x"),
        say.finished(job, drawing),
        say.cancelled(job, "x"),
    ]
    assert all(is_harmless(text) for text in texts)
    assert "**Upscaling**" in texts[1]
    assert "seed" not in say.asked_line(replace(request, upscaler=UNSET, upscaler_2=UNSET))
    assert title(request).startswith("Upscale your image ")


@given(caption=NAUGHTY)
def test_words_stand_in_one_block_and_what_does_not_fit_in_a_file(caption: str) -> None:
    drawing = Drawing(pictures=(), seeds=(), caption=caption, seconds=1.25)
    job = replace(job_of(1), request=DESCRIBED)
    text, whole = described(job, drawing)
    assert is_harmless(text)
    assert text.count("```") == 2
    assert say.units(text) <= say.CONTENT_LIMIT - say.PING_ROOM
    assert [upload.data for upload in texts_of(job, drawing)] == ([] if whole else [caption.encode()])


def test_short_words_are_whole_and_long_ones_are_not() -> None:
    job = replace(job_of(1), request=replace(DESCRIBED, describe_with="clip"))
    text, whole = described(job, Drawing(pictures=(), seeds=(), caption="a fox", seconds=1.25))
    assert (text, whole) == ("```\na fox\n```\n-# your image 64×48 · with CLIP · 1.2 s", True)
    assert not described(job, Drawing(pictures=(), seeds=(), caption="fox " * 500))[1]


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ({}, {"upscale_factor": 2.0}),
        ({"factor": 4.0}, {"upscale_factor": 4.0}),
        ({"size": "wide"}, {"shape": (16, 9), "upscale_width": UNSET}),
        ({"size": "640x480"}, {"upscale_width": 640, "upscale_height": 480}),
        ({"upscaler_2": "a", "upscaler_2_visibility": 0.2}, {"upscaler_2": "a", "upscaler_2_visibility": 0.2}),
        ({"spoiler": True, "private": False}, {"spoiler": True, "private": False}),
    ],
)
def test_the_options_of_upscale_become_a_request(options: dict[str, Any], fields: dict[str, Any]) -> None:
    request = read_upscale({"factor": None, "size": None, **options})
    assert {name: getattr(request, name) for name in fields} == fields
    assert (request.task, request.prompt) == ("upscale", "")


@pytest.mark.parametrize(
    "options", [{"factor": 2.0, "size": "64x64"}, {"upscaler_2_visibility": 0.5}, {"codeformer_weight": 0.5}]
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        read_upscale(options)
