"""Forms about a picture: what they show, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import UNSET

from core.derive import Source, the_same
from core.errors import Mistakes, UserError
from core.forms import edit_form, read_edit, read_use, use_form
from core.request import ControlUse, GenerationRequest, LoraUse

FOX = GenerationRequest(
    prompt="a {red|blue} fox",
    negative_prompt="fog",
    width=512,
    height=768,
    steps=20,
    sampler="Euler a",
    seed=40,
    count=3,
    prompts=("a red fox", "a blue fox", "a red fox"),
    loras=(LoraUse("ink", 0.5),),
    filled=("steps", "sampler"),
    spoiler=True,
    private=True,
)
SECOND = Source(request=FOX, number=1, seed=41, checkpoint="dream", width=512, height=768)
UPSCALED = Source(request=GenerationRequest(prompt="", task="upscale", image="key", spoiler=True))


def test_the_form_shows_the_picture_that_is_meant() -> None:
    assert edit_form(SECOND) == {
        "prompt": "a blue fox",
        "negative_prompt": "fog",
        "seed": "41",
        "settings": "size:512x768\ncheckpoint:dream\nsteps:20\nsampler:Euler a\nloras:ink:0.5",
    }


def test_a_form_that_is_sent_as_it_is_asks_for_the_same_picture() -> None:
    edited = read_edit(SECOND, edit_form(SECOND))
    assert edited.mistakes == ()
    assert replace(edited.request, count=1) == the_same(SECOND)


def test_what_was_typed_counts_and_what_was_left_out_is_said_by_nobody() -> None:
    typed = {"prompt": "a wolf", "negative_prompt": " ", "seed": "", "settings": "steps: 30\ncount: 2"}
    request = read_edit(SECOND, typed).request
    assert (request.prompt, request.negative_prompt, request.seed) == ("a wolf", UNSET, UNSET)
    assert (request.steps, request.count, request.loras, request.width) == (30, 2, UNSET, UNSET)
    assert (request.filled, request.spoiler, request.private) == (UNSET, True, True)


def test_images_stay_as_they_are_and_so_does_the_size_that_follows_from_them() -> None:
    guided = replace(FOX, image="image", mask="mask", control=(ControlUse(type="depth", image="map"),))
    request = read_edit(replace(SECOND, request=guided), {"prompt": "a wolf", "settings": ""}).request
    assert (request.image, request.mask) == ("image", "mask")
    assert (request.width, request.height) == (512, 768)
    assert request.control is not UNSET


def test_every_mistake_is_named_at_once_and_the_rest_is_read() -> None:
    edited = read_edit(SECOND, {"prompt": " \x00", "seed": "some", "settings": "stepz:2\nsteps:x\ncfg:5"})
    said = edited.mistakes
    assert len(said) == 4
    for words, mistake in zip(("prompt is empty", "the seed can't be", "steps?", "steps can't"), said, strict=True):
        assert words in mistake
    assert (edited.request.prompt, edited.request.cfg_scale) == ("a blue fox", 5)
    (twice,) = read_edit(SECOND, {"prompt": "a", "seed": "4", "settings": "seed:5"}).mistakes
    assert "twice" in twice


@pytest.mark.parametrize("seed", ["-2", "4294967296", "9" * 4999, "1.5", "\u0661"])
def test_a_seed_is_a_whole_number_that_webuis_know(seed: str) -> None:
    (mistake,) = read_edit(SECOND, {"prompt": "a", "seed": seed}).mistakes
    assert "the seed can't be" in mistake


def test_what_was_not_drawn_from_a_prompt_has_no_form_to_edit() -> None:
    with pytest.raises(UserError, match="not drawn from a prompt"):
        edit_form(UPSCALED)


def test_a_picture_is_drawn_over_with_its_words_or_with_new_ones() -> None:
    assert use_form(SECOND) == {"prompt": "a blue fox", "strength": "0.5"}
    assert use_form(UPSCALED) == {"prompt": "", "strength": "0.5"}
    over = read_use({"prompt": "a wolf", "strength": "0,7"})
    assert (over.of(FOX).prompt, over.of(FOX).denoising_strength) == ("a wolf", 0.7)


@pytest.mark.parametrize("strength", ["", "much", "1.1", "-0.1", "nan"])
def test_a_strength_is_a_number_from_0_to_1(strength: str) -> None:
    with pytest.raises(Mistakes) as caught:
        read_use({"prompt": "", "strength": strength})
    assert len(caught.value.mistakes) == 2
