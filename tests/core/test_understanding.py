"""From what was typed to what is queued: choices for each picture, families' defaults, limits, needs, in that order."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.derive import Source, again, vary
from core.errors import NotOffered, UserError
from core.families.table import load_table
from core.forms import edit_form, read_edit
from core.jobs.model import NewJob
from core.jobs.queue import entry
from core.limits import Checked
from core.request import ControlUse, GenerationRequest, LoraUse
from core.scheduling.matching import can_draw
from core.understanding import Understanding
from core.webui.assets import Assets, Lora
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named, merge
from core.webui.control_types import ControlType
from core.webui.dialects import DIALECTS, Speech
from core.webui.needs import Need, first_lack, needs_of
from core.webui.payload import build_payload
from tests.core.prompts.folders import shelf

COLOURS = ("red", "blue", "green", "amber", "violet")
CHOICE = f"a {{{'|'.join(COLOURS)}}} fox"
FAMILIES = load_table(None)


def catalog(speech: Speech = Speech.A1111, **lists: Any) -> Catalog:
    known: dict[str, Any] = {
        "checkpoints": (
            Checkpoint("ponyDiffusionV6XL.safetensors", "ponyDiffusionV6XL"),
            Checkpoint("sdxl_lightning_4step.safetensors", "sdxl_lightning_4step"),
            Checkpoint("mystery.safetensors", "mystery"),
        ),
        "samplers": (Named("Euler a"), Named("Euler"), Named("DPM++ 2M")),
        "schedulers": (Named("Karras"), Named("SGM Uniform")),
        "assets": Assets(loras=(Lora("inkwash"), Lora("detail"))),
    }
    fields = DIALECTS[speech].fields
    return Catalog(**(known | lists), capabilities=Capabilities(speech=speech, fields=fields, clip_skip=1))


def read(
    asked: GenerationRequest,
    *,
    here: Catalog | None = None,
    loaded: str | None = None,
    understanding: Understanding | None = None,
) -> Checked:
    return (understanding or Understanding(families=FAMILIES)).read(asked, here, loaded)


def fox(**fields: Any) -> GenerationRequest:
    said: dict[str, Any] = {"prompt": "a fox", "seed": 7} | fields
    return GenerationRequest(**said)


# Choices


def test_each_picture_draws_its_own_choices_and_always_the_same() -> None:
    asked = fox(prompt=CHOICE, count=10)
    first, again = read(asked).request, read(asked).request
    assert first == again
    assert first.prompts is not UNSET
    assert len(first.prompts) == 10
    assert len(set(first.prompts)) > 1
    assert first.prompt == CHOICE  # what was typed is what people are shown, and can copy


def test_the_third_picture_is_what_its_seed_alone_would_draw() -> None:
    several = read(fox(prompt=CHOICE, negative_prompt="{snow|rain}", seed=100, count=3)).request
    alone = read(fox(prompt=CHOICE, negative_prompt="{snow|rain}", seed=102)).request
    assert several.of(2).prompt == alone.of(0).prompt
    assert several.of(2).negative_prompt == alone.of(0).negative_prompt
    assert (several.of(2).seed, several.of(2).count) == (102, UNSET)


def test_a_drawn_seed_draws_the_choices_too() -> None:
    understanding = Understanding(rng=random.Random(5))  # noqa: S311  # so that it can be told
    request = read(GenerationRequest(prompt=CHOICE), understanding=understanding).request
    assert read(replace(fox(prompt=CHOICE), seed=request.seed)).request.prompts == request.prompts


def test_a_prompt_without_choices_is_kept_once() -> None:
    request = read(fox(prompt="a (red:1.2) [fox|wolf] AND a <lora:inkwash:1>", count=4)).request
    assert (request.prompts, request.negative_prompts) == (UNSET, UNSET)


def test_a_choice_of_nothing_is_no_prompt_and_no_braces() -> None:
    request = read(fox(negative_prompt="{|}")).request
    assert request.of(0).negative_prompt is UNSET
    assert request.of(0).prompt == "a fox"
    with pytest.raises(UserError, match="The prompt is empty"):
        read(fox(prompt="{|}"))


def test_braces_that_are_meant_reach_the_webui() -> None:
    assert read(fox(prompt=r"a \{fox\}")).request.of(0).prompt == "a {fox}"


def test_wildcards_are_filled_in(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, colours="\n".join(COLOURS))
    request = read(fox(prompt="a __colours__ fox", count=5), understanding=Understanding(wildcards=wildcards)).request
    assert request.prompts is not UNSET
    assert {prompt.split()[1] for prompt in request.prompts} <= set(COLOURS)
    with pytest.raises(UserError, match="There is no wildcard __coulours__"):
        read(fox(prompt="a __coulours__ fox"), understanding=Understanding(wildcards=wildcards))


@pytest.mark.parametrize(("count", "pictures"), [(0, 1), (-3, 1), (1000, 10), (3, 3)])
def test_as_many_prompts_are_drawn_as_pictures_are_allowed(count: int, pictures: int) -> None:
    checked = read(fox(prompt=CHOICE, count=count))
    assert checked.request.pictures == pictures
    assert checked.request.prompts is not UNSET
    assert len(checked.request.prompts) == pictures
    assert len(checked.notes) == (count != pictures)


@given(st.text(alphabet="{}|$:_-\\<>ab0123456789 \n", max_size=60), st.integers(1, 4))
def test_any_text_is_understood_or_refused_with_a_sentence(text: str, count: int) -> None:
    try:
        request = read(fox(prompt=text, negative_prompt=text, count=count), here=catalog()).request
    except UserError as error:
        assert str(error).endswith(".")
        return
    for number in range(count):
        assert request.of(number).prompt.strip()


# What choices may not put together


def test_what_a_choice_puts_together_is_looked_at_like_what_is_typed() -> None:
    for field in ("prompt", "negative_prompt"):
        with pytest.raises(UserError, match="sd_cpp_extra_args"):
            read(fox(**{field: "a fox <{sd_cpp|sd_cpp}_extra_args>{}</sd_cpp_extra_args>"}))


def test_it_is_enough_that_one_picture_would_have_it() -> None:
    asked = [fox(prompt="a <{sd_cpp|cat|dog}_extra_args>", seed=seed, count=10) for seed in range(3)]
    for one in asked:
        with pytest.raises(UserError, match="sd_cpp_extra_args"):
            read(one)


def test_what_is_drawn_is_tidied() -> None:
    request = read(fox(prompt="{  a fox\x07 |  a fox\x07 }", negative_prompt="{ e\u0301 | e\u0301 }")).request
    assert request.prompts == ("a fox",)
    assert request.negative_prompts == ("\u00e9",)


def test_a_prompt_may_not_grow_beyond_what_may_be_typed() -> None:
    with pytest.raises(UserError, match="more than 6,000 characters"):
        read(fox(prompt="{40$$" + "|".join(["word " * 40] * 40) + "}"))


def test_a_lora_that_only_a_choice_names_is_looked_for() -> None:
    assert read(fox(prompt="a <lora:{inkwash|detail}:1> fox", count=5), here=catalog()).request.pictures == 5
    with pytest.raises(NotOffered, match='no lora called "nothing"'):
        read(fox(prompt="a {<lora:inkwash:1>|<lora:nothing:1>} fox", count=10), here=catalog())


def test_the_scheduler_looks_for_what_was_drawn_and_not_for_what_was_typed(tmp_path: Path) -> None:
    wildcards = shelf(tmp_path, looks="<lora:inkwash:1>\n<lora:inkwash:0.5>")
    asked = fox(prompt="a <lora:{detail|detail}:1> fox, __looks__", count=3)
    needs = needs_of(read(asked, here=catalog(), understanding=Understanding(wildcards=wildcards)).request)
    assert {need.name for need in needs if need.kind == "lora"} == {"inkwash", "detail"}


# Families


PONY = "ponyDiffusionV6XL.safetensors"


def test_what_nobody_said_is_what_the_family_says() -> None:
    request = read(fox(checkpoint="pony"), here=catalog()).request
    assert (request.width, request.height, request.steps, request.clip_skip) == (1024, 1024, 25, 2)
    assert request.sampler == "Euler a"


def test_what_somebody_said_stays() -> None:
    request = read(fox(checkpoint="pony", steps=9, sampler="Euler", cfg_scale=3.0), here=catalog()).request
    assert (request.steps, request.sampler, request.cfg_scale) == (9, "Euler", 3.0)


def test_the_loaded_checkpoint_counts_where_none_is_chosen() -> None:
    assert read(fox(), here=catalog(), loaded="sdxl_lightning_4step").request.steps == 4
    assert read(fox(checkpoint="mystery"), here=catalog(), loaded=PONY).request.steps is UNSET


@pytest.mark.parametrize(
    ("here", "loaded", "understanding"),
    [
        (None, PONY, Understanding(families=FAMILIES)),
        (catalog(), None, Understanding(families=FAMILIES)),
        (catalog(), "another one", Understanding(families=FAMILIES)),
        (catalog(), PONY, Understanding()),
    ],
)
def test_of_a_checkpoint_that_is_not_known_nothing_is_assumed(
    here: Catalog | None, loaded: str | None, understanding: Understanding
) -> None:
    assert read(fox(), here=here, loaded=loaded, understanding=understanding).request == fox(count=1)


def test_a_sampler_that_the_webui_lacks_is_not_assumed() -> None:
    here = catalog(samplers=(Named("Euler"),), schedulers=())
    request = read(fox(checkpoint="sdxl_lightning"), here=here).request
    assert request.steps == 4
    assert request.scheduler is UNSET
    assert read(fox(checkpoint="pony"), here=here).request.sampler is UNSET


def test_what_the_webui_can_not_be_told_is_not_assumed() -> None:
    told = read(fox(checkpoint="sdxl_lightning"), here=catalog()).request
    assert told.scheduler == "SGM Uniform"
    untold = read(fox(checkpoint="sdxl_lightning"), here=catalog(Speech.SDNEXT)).request
    assert untold.scheduler is UNSET
    assert Need("option", "scheduler") not in needs_of(untold)


@pytest.mark.parametrize("other", [Speech.SDNEXT, Speech.SDCPP, Speech.KOBOLD, Speech.DRAWTHINGS])
def test_what_a_family_fills_in_keeps_no_webui_from_drawing(other: Speech) -> None:
    flux = (Checkpoint("flux1-dev.safetensors", "flux1-dev", stem="flux1-dev"),)
    schedulers = (Named("Simple"), Named("Karras"))
    forge = catalog(Speech.FORGE, checkpoints=flux, samplers=(Named("Euler"),), schedulers=schedulers)
    beside = catalog(other, checkpoints=flux, samplers=(Named("Euler a"),), schedulers=())
    request = read(fox(), here=merge([forge, beside]), loaded="flux1-dev").request
    assert (request.sampler, request.scheduler, request.distilled_cfg) == ("Euler", "Simple", 3.5)
    assert set(request.filled or ()) == {"sampler", "scheduler", "distilled_cfg"}
    assert [first_lack(here, needs_of(request)) for here in (forge, beside)] == [None, None]
    assert build_payload(request, forge, task_id=None)["distilled_cfg_scale"] == 3.5
    payload = build_payload(request, beside, task_id=None)
    assert payload.keys().isdisjoint({"scheduler", "sampler_name", "distilled_cfg_scale"})
    waiting = entry(
        NewJob(id="1", owner_id="1", guild_id=None, request=request, notes=(), reply="", created_at=0.0, weight=1.0), 1
    )
    assert (waiting.sampler, waiting.scheduler) == (None, None)
    assert can_draw(waiting, beside)


def test_what_nobody_said_of_a_picture_is_not_said_by_making_another_from_it() -> None:
    beside = catalog(Speech.SDNEXT, schedulers=())
    both = merge([catalog(), beside])
    first = read(fox(checkpoint="sdxl_lightning"), here=both).request
    assert set(first.filled or ()) >= {"scheduler"}
    source = Source(request=first)
    for made in (again(source), vary(source, "subtle"), read_edit(source, edit_form(source)).request):
        request = read(made, here=both).request
        assert request.scheduler == first.scheduler
        assert first_lack(beside, needs_of(request)) is None
        read(made, here=beside)  # also where the other webui is away


def test_what_somebody_said_does() -> None:
    beside = catalog(Speech.SDNEXT)
    request = read(fox(checkpoint="mystery", scheduler="Karras"), here=merge([catalog(), beside])).request
    assert request.filled is UNSET
    assert first_lack(beside, needs_of(request)) == Need("option", "scheduler")


@pytest.mark.parametrize("given_size", [{"width": 512}, {"height": 640}, {"width": 512, "height": 640}])
def test_a_size_that_somebody_gave_is_left_alone(given_size: dict[str, int]) -> None:
    request = read(fox(checkpoint="pony", **given_size), here=catalog()).request
    sides = [given_size.get("width", given_size.get("height")), given_size.get("height", given_size.get("width"))]
    assert [request.width, request.height] == sides


def test_a_photo_is_drawn_over_at_the_family_s_size_and_the_note_comes_first() -> None:
    asked = fox(checkpoint="pony", image="key", shape=(4032, 3024), steps=1000)
    checked = read(asked, here=catalog())
    assert (checked.request.width, checked.request.height, checked.request.shape) == (1184, 888, UNSET)
    assert checked.notes[0].startswith("Size set to 1184x888, your image's shape")
    assert len(checked.notes) == 2
    assert read(asked).request.width == 1184  # while no webui has answered


def test_an_image_has_its_own_size() -> None:
    request = read(fox(checkpoint="pony", image="key"), here=catalog()).request
    assert (request.width, request.height, request.steps) == (UNSET, UNSET, 25)


CONTROLLED = (ControlUse(type="depth", image="key", weight=0.5),)


@pytest.mark.parametrize(
    ("checkpoint", "base"), [("pony", "sdxl"), ("sdxl_lightning", "sdxl"), ("mystery", UNSET), (UNSET, "sdxl")]
)
def test_a_control_says_what_the_checkpoint_is_built_on(checkpoint: str, base: str) -> None:
    here = guided()
    asked = fox(checkpoint=checkpoint, control=CONTROLLED)
    assert read(asked, here=here, loaded=PONY).request.control == (replace(CONTROLLED[0], base=base),)
    again = read(replace(asked, control=(replace(CONTROLLED[0], base="flux"),)), here=here, loaded=PONY)
    assert again.request.control == (replace(CONTROLLED[0], base=base),)


def test_nothing_is_said_of_a_base_where_nothing_is_known() -> None:
    for here, loaded, understanding in ((None, PONY, None), (guided(), None, None), (guided(), PONY, Understanding())):
        request = read(fox(control=CONTROLLED), here=here, loaded=loaded, understanding=understanding).request
        assert request.control == CONTROLLED


def test_a_control_that_does_not_fit_the_checkpoint_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(NotOffered, match='no ControlNet model for "Depth" that is made for SDXL'):
        read(fox(checkpoint="pony", control=CONTROLLED), here=guided("control_v11f1p_sd15_depth [cfd03158]"))


def guided(*models: str) -> Catalog:
    """With a ControlNet that has these models for depth."""
    here = catalog(assets=Assets(control_types=(ControlType("Depth", "depth_midas", models or ("depth_xl",)),)))
    return replace(here, capabilities=replace(here.capabilities, fields=here.capabilities.fields | {"control"}))


# Needs and notes


def test_what_no_webui_has_is_refused_before_anything_is_queued() -> None:
    with pytest.raises(NotOffered, match="no distilled CFG scale"):
        read(fox(distilled_cfg=3.5), here=catalog())


def test_without_a_webui_nothing_is_refused() -> None:
    request = read(fox(distilled_cfg=3.5, loras=(LoraUse("unknown"),))).request
    assert request.distilled_cfg == 3.5


@pytest.mark.parametrize(
    ("fields", "note", "left"),
    [
        (
            {"image": "key", "hires_scale": 2.0, "hires_steps": 4},
            "Left out, since an image that is drawn over has no second pass: hires scale, hires steps.",
            {"hires_scale": UNSET, "hires_steps": UNSET},
        ),
        (
            {"image": "key", "mask_blur": 4, "inpaint_area": "masked"},
            "Left out, since there is no mask: mask blur, inpaint area.",
            {"mask_blur": UNSET, "inpaint_area": UNSET},
        ),
        ({"resize_mode": "crop"}, "Left out, since there is no image to draw over: resize mode.", {}),
        (
            {"hires_denoising_strength": 0.4, "hires_sampler": "Euler"},
            "Left out, since there is no second pass (hires): hires denoising strength, hires sampler.",
            {"hires_sampler": UNSET},
        ),
        ({"refiner_switch_at": 0.8}, "Left out, since there is no refiner: refiner switch at.", {}),
        (
            {"denoising_strength": 0.2},
            "Left out, since there is no image to draw over: denoising strength.",
            {"denoising_strength": UNSET},
        ),
        (
            {"denoising_strength": 0.2, "hires_scale": 2.0, "hires_denoising_strength": 0.4},
            "Left out, since the second pass has its own: denoising strength.",
            {"denoising_strength": UNSET, "hires_denoising_strength": 0.4},
        ),
        ({"subseed": 7}, "Left out, since there is no subseed strength: subseed.", {"subseed": UNSET}),
        (
            {"subseed": 7, "subseed_strength": 0.0},
            "Left out, since there is no subseed strength: subseed.",
            {"subseed": UNSET, "subseed_strength": 0.0},
        ),
    ],
)
def test_what_has_no_effect_is_left_out_and_said(fields: dict[str, Any], note: str, left: dict[str, Any]) -> None:
    checked = read(fox(prompt=CHOICE, **fields), here=catalog())
    assert checked.notes == (note,)
    assert {name: getattr(checked.request, name) for name in left} == left


@pytest.mark.parametrize(
    "fields",
    [
        {"denoising_strength": 0.2, "image": "key"},
        {"denoising_strength": 0.2, "hires_scale": 2.0},
        {"subseed": 7, "subseed_strength": 0.1},
        {"subseed_strength": 0.0},
    ],
)
def test_what_has_an_effect_stays(fields: dict[str, Any]) -> None:
    checked = read(fox(prompt=CHOICE, **fields), here=catalog())
    assert checked.notes == ()
    assert {name: getattr(checked.request, name) for name in fields} == fields


def test_a_variation_has_a_seed_of_its_own_once_for_all() -> None:
    request = read(fox(subseed_strength=0.3)).request
    assert isinstance(request.subseed, int)
    assert request.subseed >= 0
    assert read(fox(subseed=-1)).request.subseed != -1
    assert read(fox()).request.subseed is UNSET


@pytest.mark.parametrize(
    ("field", "most"), [("hires_steps", 150), ("steps", 150), ("mask_blur", 64), ("inpaint_padding", 256)]
)
def test_a_number_of_hundreds_of_digits_is_only_a_large_number(field: str, most: int) -> None:
    where = {"hires_scale": 2.0} if field == "hires_steps" else {"image": "key", "mask": "other"}
    assert getattr(read(fox(**where, **{field: 10**400})).request, field) == most


# Permutations


def test_a_picture_for_every_permutation_of_both_prompts_and_none_is_drawn_again_by_chance() -> None:
    understanding = Understanding()
    (unfolded,) = understanding.unfold(fox(prompt="a {red|blue} {fox|owl}", negative_prompt="{fog|}"))
    foxes = ("a red fox", "a red owl", "a blue fox", "a blue owl")
    assert unfolded.count == 8
    assert unfolded.prompts == tuple(prompt for prompt in foxes for _ in range(2))
    assert unfolded.negative_prompts == ("fog", "") * 4
    request = read(unfolded, understanding=understanding).request
    assert (request.prompts, request.negative_prompts) == (unfolded.prompts, unfolded.negative_prompts)
    assert [request.of(number).seed for number in range(8)] == list(range(7, 15))


def test_permutations_beyond_one_answer_go_on_in_the_next_with_seeds_that_count_up() -> None:
    understanding = Understanding()
    unfolded = understanding.unfold(fox(prompt="{1|2|3|4|5|6} {a|b|c|d}", negative_prompt="{fog|}", seed=UNSET))
    every = [read(each, understanding=understanding).request for each in unfolded]
    assert [each.pictures for each in every] == [10, 10, 10, 10, 8]
    drawn = [each.of(number) for each in every for number in range(each.pictures)]
    assert [(one.prompt, one.negative_prompt) for one in drawn] == [
        (f"{digit} {letter}", negative) for digit in "123456" for letter in "abcd" for negative in ("fog", UNSET)
    ]
    first = drawn[0].seed
    assert first is not UNSET
    assert [one.seed for one in drawn] == list(range(first, first + 48))


def test_permutations_of_a_variation_count_its_subseed_up() -> None:
    fields: dict[str, Any] = {"seed": 7, "subseed": 100, "subseed_strength": 0.2}
    first, second = Understanding().unfold(fox(prompt="{1|2|3|4|5|6} {a|b}", **fields))
    assert [(each.seed, each.subseed) for each in (first, second)] == [(7, 100), (7, 110)]


def test_a_prompt_without_choices_is_one_picture() -> None:
    (unfolded,) = Understanding().unfold(fox())
    assert (unfolded.count, unfolded.prompts, unfolded.negative_prompts) == (1, ("a fox",), UNSET)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "{1|2|3|4|5|6|7|8} {1|2|3|4|5|6|7}"}, "stands for 56 pictures; at most 50"),
        ({"prompt": "{1|2|3|4|5|6|7|8}", "negative_prompt": "{1|2|3|4|5|6|7}"}, "stands for 56 pictures; at most 50"),
        ({"prompt": "{1|2|3|4|5|6|7|8|9|0}" * 7}, "stands for more than 1,000,000 pictures"),
        ({"prompt": "{a|b}", "count": 2}, "leave the count out"),
    ],
)
def test_permutations_that_can_not_be_asked_for_at_once_are_counted_and_refused(
    fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        Understanding().unfold(fox(**fields))
