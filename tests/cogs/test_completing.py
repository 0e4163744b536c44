"""What autocomplete offers: never more than Discord takes, and only what can be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.completing import offer_extra, offer_last, offer_names, offer_texts
from core.extra import parse_extra
from core.several import parse_loras, parse_styles
from core.webui.assets import name_index
from core.webui.catalog import Catalog, Checkpoint, Named
from core.webui.names import Choice, utf16_length

LORAS = name_index(["inkwash", "add_detail", "pixel_art", "Ünïcode 🦊", "x" * 120, "with, comma"])
STYLES = name_index(["Style: Noir", "Style: Pop", "watercolour", "a, b"])
MANY = name_index([f"lora_{number:05}_{'long' * 10}" for number in range(500)])
CATALOG = Catalog(
    checkpoints=(Checkpoint("dream.safetensors", "dream"), Checkpoint("My Refiner XL.safetensors", "refiner")),
    samplers=(Named("DPM++ 2M"), Named("Euler"), Named("Euler a")),
    schedulers=(Named("Karras"), Named("SGM Uniform")),
)
CHECKPOINTS = CATALOG.checkpoint_names.choices


def values(offers: list[object]) -> list[str]:
    return [str(getattr(offer, "value", "")) for offer in offers]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ink", ["inkwash"]),
        ("inkwash:0.8, pix", ["inkwash:0.8, pixel_art"]),
        ("inkwash:0.8,pix", ["inkwash:0.8, pixel_art"]),
        (
            "inkwash, ",
            ["inkwash, add_detail", "inkwash, pixel_art", "inkwash, Ünïcode 🦊", 'inkwash, "with, comma"'],
        ),
        ("INKWASH:1, ink", []),
        ("inkwash:", ["inkwash:"]),
        ("inkwash:0.", ["inkwash:0."]),
        ("inkwash:0.8, pixel_art:1", ["inkwash:0.8, pixel_art:1"]),
        ("nothing", []),
        ("comma", ['"with, comma"']),
        ("with, comm", ['"with, comma"', 'with, "with, comma"']),
        ("inkwash:0,8, with, comma", ['inkwash:0,8, "with, comma"', 'inkwash:0,8, with, "with, comma"']),
        ('inkwash, "with, c', ['inkwash, "with, comma"']),
        ('"with, comma"', ['"with, comma"']),
        ('"with, comma":0.', ['"with, comma":0.']),
        ('"with, comma":0.5, ink', ['"with, comma":0.5, inkwash']),
        ('"with, comma:0.5", comma', []),
        ("inkwash:0,8", ["inkwash:0,8"]),
        ("<lora:inkwash:1>", ["<lora:inkwash:1>"]),
        ("<lora:inkwash:1>, ink", []),
    ],
)
def test_the_last_of_several_loras_is_completed(typed: str, expected: list[str]) -> None:
    assert values(list(offer_last(LORAS, typed, weighted=True))) == expected


def test_names_with_a_colon_are_offered_once_and_whole() -> None:
    assert values(list(offer_last(STYLES, "Style: Noir, style"))) == ["Style: Noir, Style: Pop"]
    assert values(list(offer_last(STYLES, "Style: P"))) == ["Style: Pop"]


def test_what_would_be_too_long_for_a_choice_is_left_out() -> None:
    head = ", ".join(["inkwash:0.8"] * 7)
    offers = offer_last(LORAS, f"{head}, ", weighted=True)
    assert values(list(offers)) == [f"{head}, pixel_art"]
    assert utf16_length(offers[0].value) == 100
    assert values(list(offer_last(LORAS, f"{head}, {head}, ", weighted=True))) == []


def test_taken_names_leave_room_for_others() -> None:
    assert len(offer_last(name_index([f"l{n}" for n in range(60)]), "l0, l1, l", weighted=True)) == 25


_typed = st.text(alphabet="abcdefilnopstuwx_,:. 0189🦊\"'<>é", max_size=130) | st.text(max_size=300)


@given(_typed)
def test_whatever_is_typed_discord_can_take_the_offers(typed: str) -> None:
    every = [
        offer_last(LORAS, typed, weighted=True),
        offer_last(MANY, typed, weighted=True),
        offer_last(STYLES, typed),
        offer_names(LORAS, typed),
        offer_names(CATALOG.checkpoint_names, typed),
        offer_extra(CATALOG, typed, CHECKPOINTS),
        offer_extra(None, typed, CHECKPOINTS),
        offer_texts([typed] * 40),
    ]
    for offers in every:
        assert len(offers) <= 25
        for offer in offers:
            assert 1 <= utf16_length(offer.name) <= 100
            assert 1 <= utf16_length(offer.value) <= 100


_NAME = st.text(alphabet='ab,: "<0.8', min_size=1, max_size=8).filter(lambda name: name.strip() != "")


@given(_NAME, st.data(), st.sampled_from(["", "other:0,5, ", 'x, "y, z", ']), st.sampled_from(["", '"']))
def test_every_name_is_offered_so_that_it_is_read(name: str, data: st.DataObject, before: str, quote: str) -> None:
    """However much of it is typed: whatever the name holds, what is offered means it."""
    index = name_index([name])
    typed = before + quote + data.draw(st.integers(0, len(name)).map(lambda end: name[:end].replace('"', quote * 2)))
    for offer in offer_last(index, typed)[:1]:  # a further one keeps what was typed as a name of its own
        assert parse_styles(offer.value)[-1] == name.strip()
    for offer in offer_last(index, typed, weighted=True)[:1]:
        if offer.value != typed:
            assert parse_loras(offer.value)[-1].name == name.strip()


@given(st.sampled_from(["ink", "a", "pi", ""]), st.sampled_from(["", "inkwash:0.8, ", "add_detail,"]))
def test_what_is_offered_can_be_read(last: str, before: str) -> None:
    for offer in offer_last(LORAS, before + last, weighted=True):
        assert parse_loras(offer.value)
    for offer in offer_last(STYLES, before + last):
        assert parse_styles(offer.value)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hires_sampler:eu", ["hires_sampler:Euler", 'hires_sampler:"Euler a"']),
        ('hires_sampler:"Euler a', ['hires_sampler:"Euler a"']),
        ('tiling:yes hires_sampler:"dpm++ 2', ['tiling:yes hires_sampler:"DPM++ 2M"']),
        ('hires_sampler:"DPM++ 2M" hires_sch', ['hires_sampler:"DPM++ 2M" hires_scheduler:']),
        ("hires_scheduler:k", ["hires_scheduler:Karras"]),
        ("refiner:my", ['refiner:"My Refiner XL.safetensors"']),
        ("area:", ["area:whole", "area:masked"]),
        ("subseed:", []),
    ],
)
def test_words_of_extra_are_completed_with_the_webuis_names(typed: str, expected: list[str]) -> None:
    offers = offer_extra(CATALOG, typed, CHECKPOINTS)
    assert values(list(offers)) == expected
    for offer in offers:
        assert offer.value.endswith(":") or parse_extra(offer.value)


def test_a_refiner_is_offered_as_checkpoints_are_here() -> None:
    """By a server's names for them, and none that is hidden there."""
    offers = offer_extra(CATALOG, "refiner:late", lambda typed: [Choice(typed, "dream.safetensors")])
    assert values(list(offers)) == ["refiner:dream.safetensors"]


def test_without_a_webui_only_its_names_are_missing() -> None:
    assert values(list(offer_extra(None, "hires_sampler:", CHECKPOINTS))) == []
    assert values(list(offer_extra(None, "tiling:", CHECKPOINTS))) == ["tiling:yes", "tiling:no"]


def test_ways_of_asking_are_offered_where_they_are_taken() -> None:
    assert values(list(offer_extra(CATALOG, "permut", CHECKPOINTS))) == []
    assert values(list(offer_extra(CATALOG, "permut", CHECKPOINTS, ways=True))) == ["permutations:"]
