"""What a preset keeps, and what it adds to what somebody types."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.derive import Source
from core.errors import UserError
from core.presets import (
    KEPT,
    MOST_PLACES,
    Preset,
    Shelf,
    check_name,
    from_picture,
    kept_of,
    lay_under,
    offers,
    pick,
    with_words,
)
from core.request import ControlUse, GenerationRequest, LoraUse
from core.store.preferences import PERSON, SERVER
from core.webui.names import utf16_length
from tests.core.requests import TEXT, anything_asked

NEVER = {
    "prompt",
    "image",
    "mask",
    "control",
    "shape",
    "comparison",
    "prompts",
    "negative_prompts",
    "filled",
    "task",
    "spoiler",
}
NEVER |= {"private", "upscale_factor", "upscale_width", "upscale_height", "upscaler", "upscaler_2"}
NEVER |= {"upscaler_2_visibility", "gfpgan", "codeformer", "codeformer_weight", "describe_with"}


def preset(name: str = "ink", scope: str = PERSON, maker: str = "42", **fields: Any) -> Preset:
    request = GenerationRequest(**{"prompt": "", "steps": 20, **fields})
    return Preset(scope=scope, scope_id="42" if scope == PERSON else "900", name=name, request=request, maker_id=maker)


def asked(prompt: str = "a fox", **fields: Any) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, **fields)


def test_every_field_is_kept_or_never_kept() -> None:
    assert set(KEPT) | NEVER == set(GenerationRequest.__dataclass_fields__)
    assert not set(KEPT) & NEVER


@given(anything_asked, anything_asked)
def test_what_is_typed_comes_before_the_preset(typed: GenerationRequest, kept: GenerationRequest) -> None:
    merged = lay_under(typed, kept, whole=True)
    for name in set(KEPT) - {"width", "height"}:
        said = getattr(typed, name)
        assert getattr(merged, name) is (getattr(kept, name) if said is UNSET else said)
    for name in NEVER - {"prompt"}:
        assert getattr(merged, name) is getattr(typed, name)


def test_a_size_is_one_thing() -> None:
    kept = GenerationRequest(prompt="", width=832, height=1216)
    assert lay_under(asked(), kept).width == 832
    merged = lay_under(asked(width=512), kept)
    assert (merged.width, merged.height) == (512, UNSET)


def test_what_would_have_no_effect_without_an_image_is_left_out_without_a_word() -> None:
    kept = GenerationRequest(prompt="", denoising_strength=0.5, resize_mode="crop", mask_blur=8, steps=20)
    assert lay_under(asked(), kept) == asked(steps=20)
    merged = lay_under(asked(), kept, whole=True)
    assert (merged.denoising_strength, merged.resize_mode, merged.mask_blur) == (0.5, "crop", 8)
    assert lay_under(asked(mask_blur=4), kept) == asked(mask_blur=4, steps=20)  # typed: the answer shall say so


@pytest.mark.parametrize(
    ("template", "typed", "words"),
    [
        ("", "a fox", "a fox"),
        (" ", "a fox", "a fox"),
        ("{prompt}, in ink", "a fox", "a fox, in ink"),
        ("ink of {prompt}, {prompt}!", "{prompt} <1>", "ink of {prompt} <1>, {prompt} <1>!"),
        ("in ink", "a fox", "a fox, in ink"),
        ("in ink", " ", "in ink"),
        ("{a|b} \\{prompt}", "a fox", "{a|b} \\a fox"),
    ],
)
def test_the_words_of_a_preset_surround_what_is_typed(template: str, typed: str, words: str) -> None:
    assert with_words(template, typed) == words
    assert lay_under(asked(typed), GenerationRequest(prompt=template)).prompt == words


def test_what_somebody_says_is_kept_without_what_is_for_one_picture_alone() -> None:
    said = asked("in ink", steps=20, seed=7, image="key", mask="key", control=(ControlUse(type="depth"),), private=True)
    assert kept_of(said) == GenerationRequest(prompt="in ink", steps=20, seed=7)
    with pytest.raises(UserError, match="nothing to keep"):
        kept_of(asked("", image="key", spoiler=True))
    with pytest.raises(UserError, match=f"at most {MOST_PLACES} times"):
        kept_of(asked("{prompt} " * (MOST_PLACES + 1)))
    assert kept_of(asked("{prompt}", steps=3)).prompt == ""


def source(**fields: Any) -> Source:
    request = GenerationRequest(**{"prompt": "a fox <lora:ink:0.8>", "seed": 7, "steps": 20, **fields})
    return Source(request=request, seed=7, checkpoint="dream")


def test_of_a_picture_its_settings_are_kept_and_neither_its_seed_nor_its_words() -> None:
    kept = from_picture(
        source(loras=(LoraUse("b"),), count=4, subseed=3, subseed_strength=0.2, negative_prompt="fog", spoiler=True)
    )
    assert kept == GenerationRequest(
        prompt="{prompt} <lora:ink:0.8>", steps=20, loras=(LoraUse("b"),), negative_prompt="fog", checkpoint="dream"
    )
    assert from_picture(source(prompt="a fox")).prompt == ""


def test_its_words_are_kept_on_request() -> None:
    assert from_picture(source(), with_prompt=True).prompt == "a fox <lora:ink:0.8>"
    request = source(prompts=("a red fox", "a blue fox"), prompt="a {red|blue} fox", count=2)
    chosen = Source(request=request.request, number=1, seed=8)
    assert from_picture(chosen, with_prompt=True).prompt == "a blue fox"


def test_of_a_picture_over_an_image_nothing_about_the_image_is_kept() -> None:
    kept = from_picture(source(image="key", mask="key", denoising_strength=0.5, mask_blur=8, resize_mode="crop"))
    assert kept == from_picture(source())
    assert from_picture(source(hires_scale=2.0, denoising_strength=0.5)).denoising_strength == 0.5


def test_what_nobody_said_for_the_picture_is_left_to_the_checkpoint_again() -> None:
    assert from_picture(source(sampler="Euler", filled=("sampler",))).sampler is UNSET


def test_what_was_not_drawn_makes_no_preset() -> None:
    with pytest.raises(UserError, match="not drawn from a prompt"):
        from_picture(source(task="upscale"))


@pytest.mark.parametrize(("typed", "name"), [(" ink ", "ink"), ("a  b", "a b"), ("**<@1>** 🦊", "**<@1>** 🦊")])
def test_a_name_is_kept_as_it_is_typed(typed: str, name: str) -> None:
    assert check_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "1 to 60 characters"),
        (" \u200d ", "that nobody can see"),
        ("x" * 61, "1 to 60 characters"),
        ("🦊" * 31, "1 to 60 characters"),
        ("a\x00b", "that nobody can see"),
        ("a\u202eb", "that nobody can see"),
        ("a\nb", "that nobody can see"),
        ("Server:ink", "can't begin with server:"),
    ],
)
def test_a_name_that_can_not_be_one_has_its_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_name(typed)


SHELF = Shelf(
    mine=(preset("Ink"), preset("fox")),
    servers=(preset("ink", SERVER, "7"), preset("Straße", SERVER, "7")),
)


@pytest.mark.parametrize(
    ("wanted", "scope", "name"),
    [
        ("ink", PERSON, "Ink"),
        (" INK ", PERSON, "Ink"),
        ("server:ink", SERVER, "ink"),
        ("Server: INK", SERVER, "ink"),
        ("STRASSE", SERVER, "Straße"),
    ],
)
def test_one_s_own_comes_before_the_server_s(wanted: str, scope: str, name: str) -> None:
    found = pick(SHELF, wanted)
    assert (found.scope, found.name) == (scope, name)


def test_what_there_is_not_is_said_with_what_is_near() -> None:
    with pytest.raises(UserError) as caught:
        pick(SHELF, "inc")
    assert str(caught.value) == 'There is no preset called "inc". Did you mean "Ink", "ink" or "fox"?'
    with pytest.raises(UserError, match=r'no preset called "x"\. /preset save'):
        pick(Shelf(), "x")


def test_offers_are_mine_first_each_marked_and_lead_back() -> None:
    found = offers(SHELF, "")
    assert [(one.name, one.value) for one in found] == [
        ("Ink · yours", "Ink"),
        ("fox · yours", "fox"),
        ("ink · this server's", "server:ink"),
        ("Straße · this server's", "server:Straße"),
    ]
    assert [one.value for one in offers(SHELF, "ass")] == ["server:Straße"]
    assert [one.value for one in offers(SHELF, "server:ink")] == ["server:ink"]
    assert [one.value for one in offers(SHELF, "K")] == ["Ink", "server:ink"]
    assert [one.value for one in offers(SHELF, "er")] == []
    assert offers(SHELF, "nothing") == []


@given(st.lists(TEXT, max_size=60), TEXT)
def test_offers_always_fit(names: list[str], typed: str) -> None:
    kept = []
    for name in names:
        try:
            kept.append(preset(check_name(name), SERVER))
        except UserError:
            continue
    found = offers(Shelf(servers=tuple(kept)), typed)
    assert len(found) <= 25
    assert all(0 < utf16_length(text) <= 100 for one in found for text in (one.name, one.value))
