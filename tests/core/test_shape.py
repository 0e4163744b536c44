"""The size that a picture gets from an image, where nobody said one."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from core.errors import UserError
from core.families.family import UNKNOWN, Family
from core.families.table import load_table
from core.request import ControlUse, GenerationRequest
from core.shape import shaped

TABLE = load_table(None)
PHOTO = (4032, 3024)


def family(key: str) -> Family:
    found = TABLE.family(key)
    assert found is not None
    return found


def over(size: tuple[int, int]) -> GenerationRequest:
    return GenerationRequest(prompt="a fox", image="key", shape=size)


def guided(size: tuple[int, int]) -> GenerationRequest:
    return GenerationRequest(prompt="a fox", control=(ControlUse(type="depth", image="key"),), shape=size)


def size_of(request: GenerationRequest, key: str = "unknown") -> tuple[object, object]:
    found, _ = shaped(request, UNKNOWN if key == "unknown" else family(key))
    assert found.shape is UNSET
    return found.width, found.height


@pytest.mark.parametrize(
    ("key", "size"),
    [("sd15", (592, 440)), ("sdxl", (1184, 888)), ("sdxl_turbo", (592, 440)), ("unknown", (1184, 888))],
)
def test_a_photo_that_is_drawn_over_gets_about_the_family_s_pixels(key: str, size: tuple[int, int]) -> None:
    assert size_of(over(PHOTO), key) == size


def test_that_is_said() -> None:
    _, notes = shaped(over(PHOTO), family("sd15"))
    assert notes == ("Size set to 592x440, your image's shape: it has 4032x3024 itself. Say a size for another.",)
    assert shaped(over((512, 768)), family("sd15"))[1] == ()


@pytest.mark.parametrize("size", [(64, 96), (512, 512), (512, 768), (600, 400)])
def test_an_image_that_is_not_much_larger_keeps_its_own_size(size: tuple[int, int]) -> None:
    for key in ("sd15", "sdxl", "unknown"):
        assert size_of(over(size), key) == size


@pytest.mark.parametrize(
    ("key", "size", "drawn"),
    [
        ("sd15", PHOTO, (592, 440)),
        ("sdxl", PHOTO, (1152, 896)),
        ("sdxl", (192, 128), (1280, 832)),
        ("sdxl", (4000, 50), (2048, 512)),
        ("unknown", (192, 128), (192, 128)),
        ("unknown", PHOTO, (1152, 896)),
    ],
)
def test_a_guided_picture_has_the_family_s_pixels_in_the_image_s_shape(
    key: str, size: tuple[int, int], drawn: tuple[int, int]
) -> None:
    assert size_of(guided(size), key) == drawn
    assert shaped(guided(size), UNKNOWN)[1] == ()


def test_a_guided_picture_over_its_image_keeps_that_as_well_as_it_can() -> None:
    assert size_of(replace(guided(PHOTO), image="key"), "sdxl") == (1184, 888)


def test_a_size_that_was_said_counts() -> None:
    said = replace(over(PHOTO), width=512, height=512)
    assert shaped(said, UNKNOWN) == (replace(said, shape=UNSET), ())


def test_without_an_image_nothing_is_changed() -> None:
    asked = GenerationRequest(prompt="a fox")
    assert shaped(asked, UNKNOWN) == (asked, ())


@pytest.mark.parametrize("size", [(4000, 50), (50, 4000), (16_384, 100)])
def test_an_odd_shape_is_said_to_be_the_image_s(size: tuple[int, int]) -> None:
    with pytest.raises(UserError) as refused:
        shaped(over(size), family("sd15"))
    assert str(refused.value) == (
        f"Your image has {size[0]}x{size[1]} pixels, which is too long a shape for a picture: say a size, too. "
        "Write it like 832x1216, 16:9 or portrait."
    )


@given(st.integers(1, 16_384), st.integers(1, 16_384), st.sampled_from(["sd15", "sdxl", "flux", "unknown"]))
def test_every_image_has_a_size_or_a_sentence(width: int, height: int, key: str) -> None:
    of = UNKNOWN if key == "unknown" else family(key)
    most = 1.5 * (of.pixels or 1024 * 1024)
    for asked in (over((width, height)), guided((width, height))):
        try:
            found, _ = shaped(asked, of)
        except UserError as error:
            assert max(width, height) > 64 * min(width, height)
            assert str(error).endswith(".")
            continue
        assert found.width is not UNSET
        assert found.height is not UNSET
        assert found.width * found.height <= most * 1.2
