"""Sizes as people say them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import UserError
from core.size import AREA, MULTIPLE, POPULAR, SHAPES, Size, parse_shape, parse_size, shape, suggest_sizes


@given(st.text() | st.from_regex(r"\A\d{1,12}\s?[x×*:/.]\s?\d{1,12}\Z"))
@example("٣٢x٦٤")
@example("0.001:999.999")
def test_any_text_is_a_size_with_positive_sides_or_gets_a_sentence(text: str) -> None:
    try:
        size = parse_size(text)
    except UserError as error:
        assert "832x1216" in str(error)
    else:
        assert size.width > 0
        assert size.height > 0


@pytest.mark.parametrize("text", ["832x1216", "832X1216", "832 x 1216", "832×1216", " 832*1216 "])
def test_pixels_are_taken_as_they_stand(text: str) -> None:
    assert parse_size(text) == Size(832, 1216)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1:1", "1024x1024"),
        ("16:9", "1344x768"),
        ("9/16", "768x1344"),
        ("2.35:1", "1600x640"),
        ("square", "1024x1024"),
        ("Portrait", "896x1152"),
        (" WIDE ", "1344x768"),
    ],
)
def test_shapes_become_about_a_megapixel(text: str, size: str) -> None:
    assert str(parse_size(text)) == size


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("16:9", (16000, 9000)), ("2.35/1", (2350, 1000)), (" Wide ", (16, 9)), ("832x1216", None)],
)
def test_a_shape_can_be_told_from_pixels(text: str, ratio: tuple[int, int] | None) -> None:
    assert parse_shape(text) == ratio
    for wrong in ("banana", "0:1", "0x5"):
        with pytest.raises(UserError):
            parse_shape(wrong)


@pytest.mark.parametrize("text", ["0x0", "0x512", "512x0", "0:1", "1:0", "0.0:1"])
def test_a_side_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="side of 0"):
        parse_size(text)


@pytest.mark.parametrize(
    "text", ["banana", "", "x", "512", "512x", "x512", "-5x5", "1e9x1", "512x512x512", "½x1", "1:-1"]
)
def test_what_is_no_size_gets_a_sentence_with_examples(text: str) -> None:
    with pytest.raises(UserError, match=r"not a size I understand\. Write it like .*; shapes: square, portrait"):
        parse_size(text)


@given(st.floats(0.001, 999), st.floats(0.001, 999))
def test_a_shape_is_in_steps_that_every_model_accepts(across: float, down: float) -> None:
    size = shape(across, down)
    assert size.width % MULTIPLE == size.height % MULTIPLE == 0
    assert 0.8 * AREA <= size.width * size.height <= 1.2 * AREA
    assert (size.width >= size.height) == (across >= down) or size.width == size.height


@given(st.text(max_size=20) | st.sampled_from([*SHAPES, "x", ":", "10", "1024"]))
def test_every_offer_fits_discord_and_means_a_size(typed: str) -> None:
    offers = suggest_sizes(typed)
    assert len(offers) <= 25
    assert len(set(offers)) == len(offers)
    for offer in offers:
        assert len(offer) <= 100
        assert typed.strip().casefold() in offer.casefold()
        value = offer.rpartition(" ")[2]
        assert str(parse_size(value)) == value


def test_nothing_typed_offers_every_shape_first() -> None:
    offers = suggest_sizes("")
    assert [offer.split()[0] for offer in offers[: len(SHAPES)]] == list(SHAPES)
    assert offers[-len(POPULAR) :] == list(POPULAR)


def test_what_matches_nothing_offers_nothing() -> None:
    assert suggest_sizes("banana") == []
