"""Comparisons: every combination once, with one seed; every mistake at once; each picture read by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import UNSET

from core.comparing import KINDS, compare
from core.errors import NotOffered, UserError
from core.families.table import load_table
from core.jobs.model import NewJob
from core.jobs.queue import entry
from core.limits import Limits
from core.request import VARIED, Axis, GenerationRequest, LoraUse, Variant
from core.scheduling.cost import work_of
from core.scheduling.matching import can_draw
from core.understanding import Understanding
from core.webui.assets import Assets, Lora
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.dialects import DIALECTS, Speech
from core.webui.lacking import check_together
from core.webui.needs import Need, needs_of

FOX: dict[str, Any] = {"prompt": "a fox"}


def catalog(*checkpoints: str) -> Catalog:
    names = checkpoints or ("ponyDiffusionV6XL", "sdxl_lightning_4step", "mystery")
    return Catalog(
        checkpoints=tuple(Checkpoint(f"{name}.safetensors", name) for name in names),
        samplers=(Named("Euler a"), Named("Euler"), Named("DPM++ 2M")),
        schedulers=(Named("Karras"), Named("SGM Uniform")),
        assets=Assets(loras=(Lora("inkwash"), Lora("detail"))),
        capabilities=Capabilities(speech=Speech.A1111, fields=DIALECTS[Speech.A1111].fields, clip_skip=1),
    )


def compared(text: str, **fields: Any) -> GenerationRequest:
    return compare(GenerationRequest(**{**FOX, **fields}), text, Limits())


def mistakes(text: str, **fields: Any) -> str:
    with pytest.raises(UserError) as caught:
        compared(text, **fields)
    return str(caught.value)


def read(text: str, here: Catalog | None = None, **fields: Any) -> GenerationRequest:
    understanding = Understanding(families=load_table(None))
    asked = understanding.compare(GenerationRequest(**{**FOX, **fields}), text)
    request = understanding.read(asked, here or catalog(), None).request
    again = understanding.read(request, here or catalog(), None).request
    assert [replace(one, filled=UNSET) for one in pictures(again)] == [
        replace(one, filled=UNSET) for one in pictures(request)
    ]
    assert (again.prompt, again.negative_prompt) == (request.prompt, request.negative_prompt)
    assert GenerationRequest.from_json(request.to_json()) == request
    return request


def pictures(request: GenerationRequest) -> list[GenerationRequest]:
    return [request.of(number) for number in range(request.pictures)]


def test_two_axes_are_columns_and_rows() -> None:
    request = compared("cfg=5,7,9 steps=10,20", seed=7)
    assert request.comparison is not UNSET
    assert request.comparison.axes == (Axis("cfg_scale", ("5", "7", "9")), Axis("steps", ("10", "20")))
    assert [(one.cfg_scale, one.steps) for one in pictures(request)] == [
        (5, 10), (7, 10), (9, 10), (5, 20), (7, 20), (9, 20),
    ]  # fmt: skip
    assert {one.seed for one in pictures(request)} == {7}
    assert (request.pictures, request.sheet) == (6, True)


def test_checkpoints_are_rows_so_that_each_is_loaded_once() -> None:
    request = compared("checkpoint=a,b cfg=5,7")
    assert [one.checkpoint for one in pictures(request)] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("sampler=Euler a,DPM++ 2M", "sampler", ["Euler a", "DPM++ 2M"]),
        ('checkpoint="a, b",c', "checkpoint", ["a, b", "c"]),
        ("Size=64x128, 1:1", "width", [64, 1024]),
        ("seed = 1, 2", "seed", [1, 2]),
        ("loras=ink:0.5,ink:1", "loras", [(LoraUse("ink", 0.5),), (LoraUse("ink", 1.0),)]),
        ('loras="a, b",c', "loras", [(LoraUse("a, b"),), (LoraUse("c"),)]),
        ('loras="a, b":0.5,<lora:c:0.7>', "loras", [(LoraUse("a, b", 0.5),), (LoraUse("c", 0.7),)]),
        ("hires=1.5,2", "hires_scale", [1.5, 2.0]),
        ("hires-denoise=0.2,0.5", "hires_denoising_strength", [0.2, 0.5]),
        ("vae=x,Automatic", "vae", ["x", "Automatic"]),
    ],
)
def test_values_are_read_as_the_options_are(text: str, field: str, values: list[object]) -> None:
    assert [getattr(one, field) for one in pictures(compared(text))] == values


def test_every_kind_is_a_field_that_may_vary() -> None:
    assert {field for kind in KINDS.values() for field in kind.fields} | {"filled"} == set(VARIED)
    assert Variant().fields == {}


def test_every_mistake_is_named_at_once() -> None:
    said = mistakes("nonsense colour=red,blue cfg=5,99,x steps=10,10 sampler=Euler size=big,2x2", sampler="Euler")
    for words in (
        '"nonsense" is no key=value', '"colour" can\'t be compared', 'cfg_scale can\'t be "99" (1 to 30',
        'cfg_scale can\'t be "x" (a number)', 'steps has "10" twice', "sampler needs two values",
        "these are 5 things",
    ):  # fmt: skip
        assert words in said, said


@pytest.mark.parametrize(
    ("text", "fields", "words"),
    [
        ("", {}, "Say what is to be compared"),
        ("what?", {}, '"what?" is no key=value'),
        ("cfg=", {}, "needs two values"),
        ("cfg=5,7 cfg_scale=8,9", {}, "there twice"),
        ("cfg=5,7", {"cfg_scale": 6.0}, "leave its option out"),
        ("cfg=5,7", {"count": 3}, "leave the count out"),
        ("steps=1,2,3,4 cfg=5,6,7", {}, "12 pictures; at most 10"),
        ("seed=-1,5", {}, "0 to 4294967295"),
        ("sampler=Euler,DPM++ 2M,euler", {}, 'sampler has "euler" twice'),
        ("checkpoint=mystery,MYSTERY", {}, 'checkpoint has "MYSTERY" twice'),
        ("loras=ink,INK:1", {}, 'loras has "INK:1" twice'),
        ("steps=" + "9" * 5000 + ",5", {}, "a whole number"),
        ("cfg=nan,5", {}, "a number"),
        ("size=1x9999,64x64", {"width": 64}, "leave its option out"),
    ],
)
def test_bad_comparisons_are_refused(text: str, fields: dict[str, Any], words: str) -> None:
    assert words in mistakes(text, **fields)


def test_each_checkpoint_has_its_own_family_s_settings() -> None:
    request = read("checkpoint=ponyDiffusionV6XL,sdxl_lightning_4step")
    pony, lightning = pictures(request)
    assert pony.steps != lightning.steps
    assert request.checkpoint is UNSET
    assert pony.clip_skip == 2
    assert lightning.clip_skip is UNSET


def test_what_is_the_same_for_all_is_the_job_s() -> None:
    request = read("cfg=5,7", checkpoint="mystery", steps=9, seed=7)
    assert (request.checkpoint, request.steps, request.seed) == ("mystery", 9, 7)
    assert request.cfg_scale is UNSET
    assert request.comparison is not UNSET
    assert request.comparison.varied == {"cfg_scale"}


def test_choices_are_made_by_the_seed_and_so_the_same_for_all() -> None:
    request = read("cfg=5,7,9", prompt="a {red|blue|green|amber} {fox|owl|cat|dog}", negative_prompt="{fog|rain|snow}")
    assert len({one.prompt for one in pictures(request)}) == 1
    assert len({one.negative_prompt for one in pictures(request)}) == 1
    request = read("seed=1,2,3,4,5,6", prompt="a {red|blue|green|amber} {fox|owl|cat|dog}")
    assert len({one.prompt for one in pictures(request)}) > 1
    assert request.seeds == (1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize("text", ["denoising_strength=0.2,0.5", "hires_steps=5,9"])
def test_what_has_no_effect_is_not_compared(text: str) -> None:
    with pytest.raises(UserError, match="would be the same"):
        read(text)


def test_names_that_are_not_there_are_said_together() -> None:
    with pytest.raises(NotOffered) as caught:
        read("checkpoint=mystery,nothing sampler=Euler,nobody")
    assert '"nothing"' in str(caught.value)
    assert '"nobody"' in str(caught.value)


def test_a_webui_has_to_have_all_of_it() -> None:
    request = read("checkpoint=mystery,ponyDiffusionV6XL")
    assert {Need("checkpoint", one.checkpoint) for one in pictures(request) if one.checkpoint} <= set(needs_of(request))
    job = NewJob(id="1", owner_id="2", guild_id=None, request=request, notes=(), reply="{}", created_at=0.0)
    waiting = entry(job, 2)
    assert waiting.checkpoint == request.of(0).checkpoint
    assert can_draw(waiting, catalog())
    assert not can_draw(waiting, catalog("mystery"))
    check_together(request, [("gpu 1", catalog("mystery")), ("gpu 2", catalog())])
    halves = [("gpu 1", catalog("mystery")), ("gpu 2", catalog("ponyDiffusionV6XL"))]
    with pytest.raises(NotOffered, match=r"No webui here has all of this together\."):
        check_together(request, halves)


def test_work_is_that_of_an_average_picture() -> None:
    request = compared("steps=10,30", width=1000, height=1000)
    assert work_of(request) == pytest.approx(20.0)
