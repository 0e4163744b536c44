"""What can be made from a picture that is there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import UNSET

from core.derive import Source, again, drawn_over, enlarged, vary, with_hires
from core.errors import UserError
from core.request import ControlUse, GenerationRequest, LoraUse
from core.understanding import Understanding

FOX = GenerationRequest(
    prompt="a {red|blue} fox",
    negative_prompt="fog",
    width=512,
    height=768,
    steps=20,
    seed=40,
    count=3,
    prompts=("a red fox", "a blue fox", "a red fox"),
    negative_prompts=("fog", "", "fog"),
    loras=(LoraUse("ink", 0.5),),
    spoiler=True,
    private=True,
)
SECOND = Source(request=FOX, number=1, seed=41, checkpoint="dream", width=512, height=768)


def test_again_is_the_whole_job_with_another_seed_on_the_same_checkpoint() -> None:
    assert again(SECOND) == replace(FOX, seed=UNSET, checkpoint="dream")
    chosen = replace(SECOND, request=replace(FOX, checkpoint="other"))
    assert again(chosen).checkpoint == "other"


def test_a_variation_keeps_the_picture_s_own_seed_and_prompt() -> None:
    subtle, strong = vary(SECOND, "subtle"), vary(SECOND, "strong")
    for one in (subtle, strong):
        assert (one.prompt, one.negative_prompt, one.prompts) == ("a blue fox", UNSET, UNSET)
        assert (one.seed, one.subseed, one.count, one.checkpoint) == (41, UNSET, 1, "dream")
        assert one.loras == FOX.loras
        assert one.spoiler
        assert one.private
    assert subtle.subseed_strength is not UNSET
    assert strong.subseed_strength is not UNSET
    assert 0 < subtle.subseed_strength < strong.subseed_strength < 0.5


@pytest.mark.parametrize("drawn", ["a {red|blue} fox", "a {red|blue fox", "a __colour__ fox", r"a \{fox|wolf"])
def test_what_was_drawn_is_drawn_as_it_stands_and_no_choice_any_more(drawn: str) -> None:
    source = replace(SECOND, request=replace(FOX, prompts=("a fox", drawn, "a fox"), negative_prompts=("", drawn, "")))
    for one in (vary(source, "subtle"), with_hires(source), drawn_over(source, "key")):
        queued = Understanding().read(one, None, None).request.of(0)
        assert (queued.prompt, queued.negative_prompt) == (drawn, drawn)


def test_a_variation_of_a_variation_starts_from_the_seed_they_share() -> None:
    first = replace(FOX, prompts=UNSET, negative_prompts=UNSET, subseed=9, subseed_strength=0.1)
    assert vary(Source(request=first, number=2, seed=40), "subtle").seed == 40


def test_hires_is_the_same_picture_with_a_second_pass() -> None:
    one = with_hires(SECOND)
    assert (one.seed, one.hires_scale, one.width, one.prompt) == (41, 2.0, 512, "a blue fox")


@pytest.mark.parametrize("fields", [{"hires_scale": 2.0}, {"image": "key"}])
def test_a_second_pass_that_can_not_be_is_refused(fields: dict[str, object]) -> None:
    request = GenerationRequest(prompt="a fox", **fields)  # type: ignore[arg-type]  # each is of its field's type
    with pytest.raises(UserError, match="second pass"):
        with_hires(Source(request=request))


def test_the_very_picture_is_enlarged() -> None:
    one = enlarged(SECOND, "key")
    assert (one.task, one.image, one.width, one.height, one.upscale_factor) == ("upscale", "key", 512, 768, 2.0)
    assert one.spoiler
    assert one.private


def test_a_picture_is_drawn_over_with_its_words_at_its_finished_size() -> None:
    guided = replace(FOX, image="old", mask="mask", control=(ControlUse(type="depth", image="old"),), hires_scale=2.0)
    one = drawn_over(replace(SECOND, request=guided, width=1024, height=1536), "key")
    assert (one.image, one.mask, one.control, one.seed, one.hires_scale) == ("key", UNSET, UNSET, UNSET, UNSET)
    assert (one.width, one.height, one.denoising_strength) == (1024, 1536, 0.5)


def test_what_was_said_of_an_image_or_a_mask_goes_with_it() -> None:
    inpainted = replace(
        FOX, image="old", mask="mask", resize_mode="fill", mask_blur=4, mask_invert=True, masked_content="noise",
        inpaint_area="masked", inpaint_padding=32, denoising_strength=0.9, subseed=5, subseed_strength=0.1,
    )  # fmt: skip
    checked = Understanding().read(drawn_over(replace(SECOND, request=inpainted), "key"), None, None)
    assert checked.notes == ()
    assert checked.request.resize_mode is UNSET
    assert not checked.request.is_variation


@pytest.mark.parametrize("make", [again, with_hires, lambda source: vary(source, "subtle")])
def test_what_was_not_drawn_from_a_prompt_can_not_be_drawn_again(make: object) -> None:
    enlarged_one = Source(request=GenerationRequest(prompt="", task="upscale", image="key"))
    with pytest.raises(UserError, match="not drawn from a prompt"):
        make(enlarged_one)  # type: ignore[operator]  # one of three functions


def test_over_an_upscaled_picture_only_its_shape_is_taken() -> None:
    upscaled = GenerationRequest(prompt="", task="upscale", image="old", spoiler=True, private=True)
    one = drawn_over(Source(request=upscaled, width=4096, height=2048), "key")
    assert (one.task, one.image, one.shape, one.width) == ("draw", "key", (4096, 2048), UNSET)
    assert one.spoiler
    assert one.private
