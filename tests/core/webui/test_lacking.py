"""Everything that a webui lacks is said at once, in what there is room for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import UNSET

from core.errors import NotOffered
from core.request import ControlUse, GenerationRequest, LoraUse
from core.webui.assets import Assets, Lora
from core.webui.catalog import Capabilities, Catalog, Checkpoint, Named
from core.webui.lacking import ROOM, check_needs, check_together

FIELDS = frozenset({"scheduler", "hires_sampler", "hires_scheduler", "refiner_checkpoint", "loras", "vae"})
CATALOG = Catalog(
    checkpoints=(Checkpoint("day.ckpt", "day", stem="day"),),
    samplers=(Named("Euler"),),
    schedulers=(Named("Karras"),),
    capabilities=Capabilities(fields=FIELDS),
    assets=Assets(loras=(Lora("ink"),)),
)


def said(request: GenerationRequest) -> str:
    with pytest.raises(NotOffered) as caught:
        check_needs(request, CATALOG, lambda: ["day"])
    return str(caught.value)


def test_all_lacks_are_said_at_once() -> None:
    request = GenerationRequest(prompt="x", hires_sampler="Foo", hires_scheduler="Bar", refiner_checkpoint="Baz")
    assert said(request) == (
        'The webui has no checkpoint called "Baz". The nearest is "day". '
        'The webui has no sampler called "Foo". The nearest is "Euler". '
        'The webui has no scheduler called "Bar". The nearest is "Karras".'
    )


def test_the_same_is_said_once() -> None:
    assert said(GenerationRequest(prompt="x", styles=("a", "b"), tiling=True)).count("styles") == 1
    unread = said(GenerationRequest(prompt="x", vae="a, b"))
    assert unread.count("can't list its VAEs") == 1


def test_of_what_can_not_be_said_at_all_no_name_is_missed() -> None:
    request = GenerationRequest(prompt="x", styles=("noir",), control=(ControlUse(type="depth"),))
    assert said(request) == ("This server's webui has no styles; leave it out. This server's webui has no ControlNet.")
    upscale = GenerationRequest(prompt="", task="upscale", image="k", upscaler="4x", upscale_factor=2.0)
    assert said(upscale) == "This server's webui has no upscaler."


def test_what_there_is_no_room_for_is_counted() -> None:
    loras = tuple(LoraUse(f"lora number {number} " + "x" * 50) for number in range(40))
    text = said(GenerationRequest(prompt="x", loras=loras))
    shown = text.count("The webui has no lora called")
    assert 1 < shown < 40
    assert text.endswith(f" And {40 - shown} more are not there.")
    assert len(text) <= ROOM + 40
    one_more = said(GenerationRequest(prompt="x", loras=loras[: shown + 1]))
    assert one_more.endswith(" And 1 more is not there.")


def test_what_nobody_said_is_not_missed() -> None:
    filled = GenerationRequest(prompt="x", sampler="Foo", scheduler="Bar", filled=("sampler", "scheduler"))
    check_needs(filled, CATALOG)
    assert filled.checkpoint is UNSET


def test_a_checkpoint_is_only_named_by_who_knows_what_may_be_shown() -> None:
    with pytest.raises(NotOffered, match=r'^The webui has no checkpoint called "Baz"\.$'):
        check_needs(GenerationRequest(prompt="x", checkpoint="Baz"), CATALOG)


def test_what_several_webuis_have_none_of_them_alone_is_said() -> None:
    request = GenerationRequest(prompt="x", styles=("noir",), sampler="Euler a")
    check_together(request, [])
    check_together(replace(request, styles=UNSET, sampler=UNSET), [("gpu 1", CATALOG)])
    with pytest.raises(NotOffered) as refusal:
        check_together(request, [("gpu 1", Catalog()), ("gpu 2", replace(CATALOG, samplers=(Named("Euler a"),)))])
    assert str(refusal.value) == "No webui here has all of this together. The nearest, gpu 2, lacks: styles."
